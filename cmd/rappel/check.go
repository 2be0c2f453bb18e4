package main

import (
	"encoding/json"
	"fmt"

	"rappel/internal/app"
	"rappel/internal/config"
)

type checkCommand struct {
	JSON bool `help:"One JSON object a line: check, result (ok, warn or fail), detail." name:"json"`
}

func (c checkCommand) Run(e *env) error {
	a, err := e.open(config.Database | config.Redis | config.Delivery | config.Listen)
	if err != nil {
		return err
	}
	defer a.Close()
	bad := false
	for _, f := range a.Check(e.ctx) {
		bad = bad || f.Result == app.Fail
		if err := c.print(e, f); err != nil {
			return err
		}
	}
	if bad {
		return errFailed
	}
	return nil
}

func (c checkCommand) print(e *env, f app.Finding) error {
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(f)
	}
	_, err := fmt.Fprintf(e.stdout, "%-4s  %s: %s\n", f.Result, f.Check, f.Detail)
	return err
}
