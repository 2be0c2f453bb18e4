package app

import (
	"context"
	"fmt"
	"time"

	"rappel/internal/postgres"
)

// A Span is of what was decided from From on and before To.
type Span = postgres.Span

// Books are what was planned in a span and what became of it.
type Books struct {
	Days   []postgres.Day // in the order of days, then of the practices' names
	Total  postgres.Counts
	Faults []postgres.Fault // the first of them; none where the books are closed
}

// Closed tells whether everything is accounted for.
func (b Books) Closed() bool { return b.Total.Unaccounted == 0 }

// faultsShown is how many faults there are in Books.
const faultsShown = 10

// Account closes the books of a span. It writes nothing.
func (a *App) Account(ctx context.Context, s Span) (b Books, err error) {
	if err := a.store.Ready(ctx); err != nil {
		return b, err
	}
	if b.Days, err = a.store.Account(ctx, s); err != nil {
		return b, fmt.Errorf("read the books: %w", err)
	}
	for _, d := range b.Days {
		b.Total = b.Total.Plus(d.Counts)
	}
	if b.Closed() {
		return b, nil
	}
	if b.Faults, err = a.store.Faults(ctx, s, faultsShown); err != nil {
		return b, fmt.Errorf("read what is not accounted for: %w", err)
	}
	return b, nil
}

// Lately gives a span the bounds that it lacks, and returns the zone of its
// practices: it begins with the day before its end, or with yesterday, and has
// no end, so that what a sweep decided ahead of its time is in it.
func (a *App) Lately(ctx context.Context, s Span) (Span, *time.Location, error) {
	if err := a.store.Ready(ctx); err != nil {
		return s, nil, err
	}
	zone, err := a.Zone(ctx, s.PracticeID)
	if err != nil {
		return s, nil, err
	}
	last := a.now()
	if s.To.IsZero() {
		s.To = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)
	} else {
		last = s.To
	}
	if s.From.IsZero() {
		year, month, day := last.In(zone).Date()
		s.From = time.Date(year, month, day-1, 0, 0, 0, 0, zone)
	}
	return s, zone, nil
}
