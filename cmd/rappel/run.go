package main

import (
	"rappel/internal/app"
	"rappel/internal/config"
)

type runCommand struct{}

// Help is the rest of what --help shows.
func (runCommand) Help() string {
	return `All that a practice needs, in one process. Any number of them may run at once; the parts also run alone, as worker,
scheduler and ops. At SIGTERM nothing new is taken, and what is in hand is finished within RAPPEL_SHUTDOWN_TIMEOUT.

Example:
  rappel migrate && rappel check && rappel run` + ending(stopped, needsAll+"; RAPPEL_OPS_TOKEN, unless the ops server listens on a loopback address")
}

func (runCommand) Run(e *env) error {
	return e.run(config.Database|config.Redis|config.Delivery|config.Listen, app.Parts{Worker: true, Scheduler: true})
}

type workerCommand struct{}

// Help is the rest of what --help shows.
func (workerCommand) Help() string {
	return `What plans and delivers: run as many as there is work for. Each has health and metrics where RAPPEL_HTTP_ADDR is set. At
SIGTERM nothing new is taken, and what is in hand is finished within RAPPEL_SHUTDOWN_TIMEOUT.

Example:
  RAPPEL_HTTP_ADDR=127.0.0.1:8081 rappel worker` + ending(stopped, needsAll)
}

func (workerCommand) Run(e *env) error {
	return e.run(config.Database|config.Redis|config.Delivery, app.Parts{Worker: true})
}

type schedulerCommand struct{}

// Help is the rest of what --help shows.
func (schedulerCommand) Help() string {
	return `What ticks: a sweep for due reminders each minute, a look for forgotten messages, and once a night the removal of what is
past its term. Run two, so that one may fail: what is ticked twice is done once.

Example:
  RAPPEL_HTTP_ADDR=127.0.0.1:8082 rappel scheduler` + ending(stopped, "DATABASE_URL, REDIS_URL")
}

func (schedulerCommand) Run(e *env) error {
	return e.run(config.Database|config.Redis, app.Parts{Scheduler: true})
}

type opsCommand struct{}

// Help is the rest of what --help shows.
func (opsCommand) Help() string {
	return `The HTTP server for people and for what watches rappel: /healthz, /readyz, /metrics, the dashboard at /tasks/, and the
webhooks of providers. It decides nothing and sends nothing.

Example:
  RAPPEL_HTTP_ADDR=0.0.0.0:8080 RAPPEL_OPS_TOKEN_FILE=/run/secrets/ops-token rappel ops` +
		ending(stopped, "DATABASE_URL, REDIS_URL; RAPPEL_OPS_TOKEN, unless it listens on a loopback address")
}

func (opsCommand) Run(e *env) error {
	return e.run(config.Database|config.Redis|config.Listen, app.Parts{})
}

// run runs parts until the process is told to stop.
func (e *env) run(needs config.Need, parts app.Parts) error {
	if e.getenv("GOGC") == "" {
		collectSeldom()
	}
	a, err := e.open(needs)
	if err != nil {
		return err
	}
	defer a.Close()
	return a.Run(e.ctx, parts)
}
