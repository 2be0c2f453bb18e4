package app

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"rappel/jobs/forecast"
)

// A Query asks for what has its time in a span.
type Query = forecast.Query

// A Line is one candidate of one message, with all the reasons.
type Line = forecast.Line

// A Call is a family that no message will reach.
type Call = forecast.Call

// Forecast calls yield for each candidate of each message that a rule makes due
// in the span of q, in the order of time. It writes nothing.
func (a *App) Forecast(ctx context.Context, q Query, yield func(Line) error) error {
	if err := a.store.Ready(ctx); err != nil {
		return err
	}
	return a.forecaster().Forecast(ctx, q, yield)
}

// Unreachable calls yield for each appointment in the span of q about which no
// message will reach anybody, although somebody wants one.
func (a *App) Unreachable(ctx context.Context, q Query, yield func(Call) error) error {
	if err := a.store.Ready(ctx); err != nil {
		return err
	}
	return a.forecaster().Unreachable(ctx, q, yield)
}

func (a *App) forecaster() *forecast.Forecaster {
	return &forecast.Forecaster{Store: a.store, Now: a.now}
}

// Zone returns the time zone in which to show times of a practice or, where the
// id is empty, of all of them: UTC where they have several, or none that exists.
// It fails where there is no such practice.
func (a *App) Zone(ctx context.Context, practiceID string) (*time.Location, error) {
	names, err := a.store.Zones(ctx, practiceID)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the practices: %w", err)
	case len(names) == 0 && practiceID != "":
		return nil, fmt.Errorf("there is no practice %s", practiceID)
	case len(names) != 1:
		return time.UTC, nil
	}
	if zone, ok := a.store.Zone(names[0]); ok {
		return zone, nil
	}
	return time.UTC, nil
}

// ValidID reports whether an id can be one at all.
func ValidID(id string) bool { return uuid.Validate(id) == nil }
