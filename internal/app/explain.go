package app

import (
	"context"
	"errors"
	"fmt"

	"rappel/jobs/forecast"
)

// An Explanation is the story of one appointment, or of one event.
type Explanation = forecast.Explanation

// An Entry is one step in it.
type Entry = forecast.Entry

// How far an entry has come.
const (
	StateDecided = forecast.StateDecided
	StateAgain   = forecast.StateAgain
	StateWaiting = forecast.StateWaiting
	StateAhead   = forecast.StateAhead
	StateMissed  = forecast.StateMissed
)

// Explain tells the story of one appointment: what was decided and what became
// of it, what waits, and what the rules will bring. Of an event's id it tells
// that event's own. It writes nothing.
func (a *App) Explain(ctx context.Context, id string) (Explanation, error) {
	if err := a.store.Ready(ctx); err != nil {
		return Explanation{}, err
	}
	f := a.forecaster()
	x, err := f.Explain(ctx, id)
	if !errors.Is(err, forecast.ErrUnknown) {
		return x, err
	}
	if x, err = f.ExplainEvent(ctx, id); errors.Is(err, forecast.ErrUnknown) {
		return Explanation{}, fmt.Errorf("%s: %w", id, forecast.ErrUnknown)
	}
	return x, err
}
