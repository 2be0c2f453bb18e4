package main

import (
	"rappel/internal/app"
	"rappel/internal/config"
)

type runCommand struct{}

func (runCommand) Run(e *env) error {
	return e.run(config.Database|config.Redis|config.Delivery|config.Listen, app.Parts{Worker: true, Scheduler: true})
}

type workerCommand struct{}

func (workerCommand) Run(e *env) error {
	return e.run(config.Database|config.Redis|config.Delivery, app.Parts{Worker: true})
}

type schedulerCommand struct{}

func (schedulerCommand) Run(e *env) error {
	return e.run(config.Database|config.Redis, app.Parts{Scheduler: true})
}

type opsCommand struct{}

func (opsCommand) Run(e *env) error {
	return e.run(config.Database|config.Redis|config.Listen, app.Parts{})
}

// run runs parts until the process is told to stop.
func (e *env) run(needs config.Need, parts app.Parts) error {
	a, err := e.open(needs)
	if err != nil {
		return err
	}
	defer a.Close()
	return a.Run(e.ctx, parts)
}
