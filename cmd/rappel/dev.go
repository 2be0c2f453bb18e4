package main

import (
	"rappel/internal/app"
	"rappel/internal/config"
)

type devCommand struct{}

func (devCommand) Run(e *env) error {
	cfg, err := config.Load(e.forPeople, 0)
	if err != nil {
		return err
	}
	log := logger(cfg, e.stderr)
	app.LogLibraries(log)
	return app.Dev(e.ctx, app.DevOptions{Config: cfg, Version: version, Log: log, Out: e.stdout})
}

// forPeople is the environment with other defaults: few log lines, made to be
// read.
func (e *env) forPeople(name string) string {
	if v := e.getenv(name); v != "" {
		return v
	}
	return map[string]string{"RAPPEL_LOG_FORMAT": "text", "RAPPEL_LOG_LEVEL": "warn"}[name]
}
