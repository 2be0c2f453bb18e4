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

func (c eventCommand) Run(e *env) error {
	if k := kind.Kind(c.Kind); k.Sort() != kind.Event {
		return usage{fmt.Errorf("%q is not a kind of event about an appointment", c.Kind)}
	}
	a, err := e.open(config.Database)
	if err != nil {
		return err
	}
	defer a.Close()
	id, err := a.Report(e.ctx, kind.Kind(c.Kind), c.Appointment, c.ID)
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, id)
	return nil
}
