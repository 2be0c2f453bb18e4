package main

import (
	"fmt"

	"rappel/internal/config"
	"rappel/internal/kind"
)

type eventCommand struct {
	Kind        string `arg:"" help:"What happened, such as appointment.booked."`
	Appointment string `required:"" help:"The appointment's id." placeholder:"ID"`
	ID          string `help:"The event's own id; the same id is told once." placeholder:"UUID"`
}

// Help is the rest of what --help shows.
func (eventCommand) Help() string {
	return `When the practice app could not, or to try something out: the same as a row in rappel.events. Prints the event's id; the
next worker plans it within two seconds. With the same --id it is told once.

Kinds: appointment.booked .confirmed .rescheduled .declined .cancelled .missed .telehealth_link

Example:
  rappel event appointment.cancelled --appointment 01900000-0000-7000-8000-000000000011` + ending("the work failed", "DATABASE_URL")
}

func (c eventCommand) Run(e *env) error {
	if k := kind.Kind(c.Kind); k.Sort() != kind.Event {
		return usage{fmt.Errorf("%q is not a kind of event about an appointment", c.Kind)}
	}
	a, err := e.open(config.Database)
	if err != nil {
		return err
	}
	defer a.Close()
	id, before, err := a.Report(e.ctx, kind.Kind(c.Kind), c.Appointment, c.ID)
	if err != nil {
		return err
	}
	if before {
		fmt.Fprintf(e.stderr, "rappel: warning: event %s was told before: nothing new comes of it\n", id)
	}
	fmt.Fprintln(e.stdout, id)
	return nil
}
