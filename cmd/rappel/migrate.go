package main

import (
	"fmt"

	"rappel/internal/app"
	"rappel/internal/config"
	"rappel/internal/postgres"
)

type migrateCommand struct {
	Status bool `help:"Only tell which steps are applied."`
}

// Help is the rest of what --help shows.
func (migrateCommand) Help() string {
	return `Before a new version's processes start, and the first time of all: they refuse to start on an older schema, while those of
the version before go on working on the newer one. Creates schema rappel, its own tables, and those of the practice side that
are neither a table nor a view yet. Of several at once, one works and the others wait. It may be run again at any time.

Examples:
  rappel migrate
  rappel migrate --status     which steps are applied; exits 1 if one is not` + ending("a step failed, or with --status one is not applied", "DATABASE_URL")
}

func (c migrateCommand) Run(e *env) error {
	a, err := e.open(config.Database)
	if err != nil {
		return err
	}
	defer a.Close()
	if c.Status {
		return status(e, a)
	}
	pending, err := pendingSteps(e, a)
	if err != nil {
		return err
	}
	p := e.progress("migrate", pending)
	out := p.beside(e.stdout)
	steps, err := a.Migrate(e.ctx, func(m postgres.Migration) {
		fmt.Fprintf(out, "applied %d\n", m.Version)
		p.step()
	})
	p.end()
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		fmt.Fprintln(e.stdout, "schema rappel is up to date")
	}
	return nil
}

func pendingSteps(e *env, a *app.App) (int, error) {
	steps, err := a.Migrations(e.ctx)
	n := 0
	for _, m := range steps {
		if !m.Applied {
			n++
		}
	}
	return n, err
}

// status tells of each step whether it is applied, and fails if one is not.
func status(e *env, a *app.App) error {
	steps, err := a.Migrations(e.ctx)
	if err != nil {
		return err
	}
	behind := false
	for _, m := range steps {
		word := "applied"
		if !m.Applied {
			word, behind = "pending", true
		}
		fmt.Fprintf(e.stdout, "%s %d\n", word, m.Version)
	}
	if behind {
		return errFailed
	}
	return nil
}
