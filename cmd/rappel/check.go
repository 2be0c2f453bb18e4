package main

import (
	"encoding/json"
	"fmt"

	"rappel/internal/app"
	"rappel/internal/config"
)

type checkCommand struct {
	JSON  bool `help:"One JSON object a line: check, result (ok, warn or fail), detail." name:"json"`
	Alive bool `help:"Only ask the process that listens at RAPPEL_HTTP_ADDR whether it lives."`
}

// Help is the rest of what --help shows.
func (checkCommand) Help() string {
	return `After an installation, an upgrade or a change of configuration, and the first thing when something is wrong. Asks whether
everything that rappel rests on is as it should be, one line a check: ok, warn or fail, and what to do. It changes nothing.

Examples:
  rappel check
  rappel check --json | jq -r 'select(.result == "fail") | .detail'
  rappel check --alive     whether the process of this machine answers: for a container's health check` +
		ending("a check failed", needsAll)
}

func (c checkCommand) Run(e *env) error {
	if c.Alive {
		return c.alive(e)
	}
	a, err := e.open(config.Database | config.Redis | config.Delivery | config.Listen)
	if err != nil {
		return err
	}
	defer a.Close()
	bad := false
	for f := range a.Check(e.ctx) {
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
