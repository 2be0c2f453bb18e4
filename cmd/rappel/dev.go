package main

import (
	"rappel/internal/app"
	"rappel/internal/config"
)

type devCommand struct{}

// Help is the rest of what --help shows.
func (devCommand) Help() string {
	return `To try rappel, or to work on it: a practice with a family, a stand-in for the main app's admin endpoints, and what each
person's phone and mail box show. PostgreSQL and Redis of its own are started where DATABASE_URL and REDIS_URL are not set.
Nothing of it is kept. It ends with Ctrl-C.

Example:
  RAPPEL_HTTP_ADDR=127.0.0.1:9090 rappel dev` + ending("a service could not be started", "nothing")
}

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
