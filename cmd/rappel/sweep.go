package main

import (
	"fmt"
	"time"

	"rappel/internal/config"
)

type sweepCommand struct {
	At time.Time `help:"Sweep as of this time (RFC 3339), past or future; what is planned ahead waits." placeholder:"T"`
}

// Help is the rest of what --help shows.
func (sweepCommand) Help() string {
	return `What a cron job calls where no scheduler runs, or somebody who wants the reminders of tomorrow decided today. What was
decided once is not decided again, however often it is called. With a time gone by it looks further back, and sends nothing
that is of no more use.

Examples:
  rappel sweep
  rappel sweep --at 2026-12-10T09:00:00-05:00` + ending("the work failed", "DATABASE_URL, REDIS_URL")
}

// ahead is how far in the future a sweep may be without a warning.
const ahead = time.Minute

func (c sweepCommand) Run(e *env) error {
	a, err := e.open(config.Database | config.Redis)
	if err != nil {
		return err
	}
	defer a.Close()
	if wait := time.Until(c.At); wait > ahead {
		fmt.Fprintf(e.stderr, "rappel: warning: %s is %s ahead: what is due until then is decided now\n",
			c.At.Format(time.RFC3339), wait.Round(time.Second))
	}
	result, err := a.Sweep(e.ctx, c.At)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "swept to %s: %d due, %d newly decided\n",
		result.Span.To.UTC().Format(time.RFC3339), result.Found, result.Decided)
	return nil
}
