package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"rappel/internal/queue"
	"rappel/recipients"
)

// The books are looked at now and then, as far back as what goes wrong now would
// show; rappel account looks further.
const (
	booksEvery = 15 * time.Second
	booksSpan  = time.Hour
)

// books are metrics of what all processes share. Each process with an ops server
// looks for itself, so that none of them has to be the one that does.
type books struct {
	ready       *prometheus.GaugeVec
	unaccounted prometheus.Gauge
	orphans     *prometheus.GaugeVec
	oldestDue   *prometheus.GaugeVec
	sweptTo     prometheus.Gauge
}

func newBooks(factory promauto.Factory) books {
	return books{
		ready: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rappel_ready", Help: "1 where what this process rests on was usable when last asked: database, schema, redis.",
		}, []string{"check"}),
		unaccounted: factory.NewGauge(prometheus.GaugeOpts{
			Name: "rappel_unaccounted", Help: "Messages decided in the last hour that the ledger does not account for; rappel account has the books.",
		}),
		orphans: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rappel_queue_orphans", Help: "Entries of a queue that will never be worked on, since Redis lost a part of them.",
		}, []string{"queue"}),
		oldestDue: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rappel_oldest_due_seconds", Help: "For how long the notification has been due that should have gone out first; 0 where none is.",
		}, []string{"channel"}),
		sweptTo: factory.NewGauge(prometheus.GaugeOpts{
			Name: "rappel_swept_to_timestamp_seconds", Help: "Up to when everything that rules make due was looked at, in Unix time; 0: never.",
		}),
	}
}

// watchBooks keeps them, until ctx is done.
func (a *App) watchBooks(ctx context.Context) {
	tick := time.NewTicker(booksEvery)
	defer tick.Stop()
	for {
		a.askReady(ctx)
		err := errors.Join(a.countUnaccounted(ctx), a.countOrphans(ctx), a.measureOldest(ctx), a.readMark(ctx))
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

// askReady says nothing to the log: /readyz does, and who looks at it acts.
func (a *App) askReady(ctx context.Context) {
	for _, check := range a.ready() {
		ctx, cancel := context.WithTimeout(ctx, checkWithin)
		usable := 1.0
		if check.Ask(ctx) != nil {
			usable = 0
		}
		a.metrics.books.ready.WithLabelValues(check.Name).Set(usable)
		cancel()
	}
}

func (a *App) countUnaccounted(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	n, err := a.store.Unaccounted(ctx, a.now().Add(-booksSpan))
	if err != nil {
		return fmt.Errorf("unaccounted messages: %w", err)
	}
	if a.metrics.books.unaccounted.Set(float64(n)); n > 0 {
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
		if a.metrics.books.orphans.WithLabelValues(name).Set(float64(n)); n > 0 {
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
		a.metrics.books.oldestDue.WithLabelValues(string(c)).Set(waited)
	}
	return nil
}

func (a *App) readMark(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	mark, err := a.store.Mark(ctx)
	if err != nil {
		return fmt.Errorf("up to when was swept: %w", err)
	}
	if !mark.IsZero() {
		a.metrics.books.sweptTo.Set(float64(mark.Unix()))
	}
	return nil
}
