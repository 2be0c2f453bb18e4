package app

import (
	"context"

	"rappel/jobs/forecast"
)

// An Explanation is the story of one appointment.
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
// of it, what waits, and what the rules will bring. It writes nothing.
func (a *App) Explain(ctx context.Context, appointmentID string) (Explanation, error) {
	if err := a.store.Ready(ctx); err != nil {
		return Explanation{}, err
	}
	return a.forecaster().Explain(ctx, appointmentID)
}
