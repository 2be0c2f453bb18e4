package app

import (
	"context"
	"fmt"

	"rappel/internal/postgres"
)

// A Person is somebody whose traces are to go.
type Person = postgres.Person

// Traces are what is held of a person.
type Traces = postgres.Traces

// Forget removes what rappel's own tables hold of a person, and returns what
// that was. A dry run tells the same and changes nothing.
func (a *App) Forget(ctx context.Context, p Person, dryRun bool) (Traces, error) {
	if err := a.store.Ready(ctx); err != nil {
		return Traces{}, err
	}
	t, err := a.store.Forget(ctx, p, dryRun)
	if err != nil {
		return t, fmt.Errorf("forget: %w", err)
	}
	return t, nil
}
