package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rappel/internal/queue"
	"rappel/recipients"
)

// The books are looked at now and then, as far back as what goes wrong now would
// show; rappel account looks further.
const (
	booksEvery = 15 * time.Second
	booksSpan  = time.Hour
)

// watchBooks keeps the metrics about what should be nothing, until ctx is done.
func (a *App) watchBooks(ctx context.Context) {
	tick := time.NewTicker(booksEvery)
	defer tick.Stop()
	for {
		err := errors.Join(a.countUnaccounted(ctx), a.countOrphans(ctx), a.measureOldest(ctx))
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			a.log.WarnContext(ctx, "some metrics are old", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *App) countUnaccounted(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	n, err := a.store.Unaccounted(ctx, a.now().Add(-booksSpan))
	if err != nil {
		return fmt.Errorf("unaccounted messages: %w", err)
	}
	if a.metrics.unaccounted.Set(float64(n)); n > 0 {
		a.log.ErrorContext(ctx, "messages are not accounted for: see rappel account", "count", n)
	}
	return nil
}

func (a *App) countOrphans(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	found, err := queue.Orphans(ctx, a.redis)
	if err != nil {
		return err
	}
	for name, n := range found {
		if a.metrics.orphans.WithLabelValues(name).Set(float64(n)); n > 0 {
			a.log.WarnContext(ctx, "orphans in a queue: Redis loses data; nothing that is due depends on them", "queue", name, "count", n)
		}
	}
	return nil
}

func (a *App) measureOldest(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	for _, c := range []recipients.Channel{recipients.SMS, recipients.Email} {
		since, err := a.store.OldestDue(ctx, c, a.now())
		if err != nil {
			return fmt.Errorf("oldest due: %w", err)
		}
		waited := 0.0
		if !since.IsZero() {
			waited = a.now().Sub(since).Seconds()
		}
		a.metrics.oldestDue.WithLabelValues(string(c)).Set(waited)
	}
	return nil
}
