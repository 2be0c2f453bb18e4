package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	// A decision and its messages are written at once, so that nothing that a
	// worker does changes the books of a minute long gone. Only somebody's hand
	// does, and that is looked for more seldom: the books of an hour are read in
	// seconds where there are hundreds of messages a second.
	booksLately = 2 * time.Minute
	booksAnew   = 15 * time.Minute
)

// books are metrics of what all processes share. Each process with an ops server
// looks for itself, so that none of them has to be the one that does.
type books struct {
	ready       *prometheus.GaugeVec
	unaccounted prometheus.Gauge
	orphans     *prometheus.GaugeVec
	oldestDue   *prometheus.GaugeVec
	sweptTo     prometheus.Gauge
	unplanned   prometheus.Gauge
	eventWaits  prometheus.Gauge
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
		unplanned: factory.NewGauge(prometheus.GaugeOpts{
			Name: "rappel_unplanned_events", Help: "Events that were reported and are not decided yet, also those that wait for their appointment or for more changes.",
		}),
		eventWaits: factory.NewGauge(prometheus.GaugeOpts{
			Name: "rappel_oldest_unplanned_event_seconds", Help: "For how long the event has been due to be decided that should have been first; 0 where none is.",
		}),
		sweptTo: factory.NewGauge(prometheus.GaugeOpts{
			Name: "rappel_swept_to_timestamp_seconds", Help: "Up to when everything that rules make due was looked at, in Unix time; 0: never.",
		}),
	}
}

// watchBooks keeps them, until ctx is done. It calls turned after each look.
func (a *App) watchBooks(ctx context.Context, turned func()) {
	tick := time.NewTicker(booksEvery)
	defer tick.Stop()
	var unaccounted tally
	for {
		a.askReady(ctx)
		err := errors.Join(a.countUnaccounted(ctx, &unaccounted), a.countOrphans(ctx), a.measureOldest(ctx), a.countUnplanned(ctx), a.readMark(ctx))
		turned()
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

// A tally is what is unaccounted for in the books' span, by the minute. Its zero
// value has looked at nothing.
type tally struct {
	byMinute map[time.Time]int64
	anew     time.Time // when the whole span was looked at last
}

// since is from when the books are to be read at a time.
func (t *tally) since(now time.Time) time.Time {
	if now.Sub(t.anew).Abs() >= booksAnew {
		return now.Add(-booksSpan).Truncate(time.Minute)
	}
	return now.Add(-booksLately).Truncate(time.Minute)
}

// add keeps what was found since a time, and returns how many there are in all.
func (t *tally) add(now, since time.Time, found map[time.Time]int64) (n int64) {
	if now.Sub(since) >= booksSpan {
		t.byMinute, t.anew = map[time.Time]int64{}, now
	}
	maps.DeleteFunc(t.byMinute, func(minute time.Time, _ int64) bool {
		return !minute.Before(since) || minute.Before(now.Add(-booksSpan).Truncate(time.Minute))
	})
	maps.Copy(t.byMinute, found)
	for _, one := range t.byMinute {
		n += one
	}
	return n
}

func (a *App) countUnaccounted(ctx context.Context, t *tally) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	now := a.now()
	since := t.since(now)
	found, err := a.store.Unaccounted(ctx, since)
	if err != nil {
		return fmt.Errorf("unaccounted messages: %w", err)
	}
	n := t.add(now, since, found)
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

func (a *App) countUnplanned(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	count, waited, err := a.store.Unplanned(ctx)
	if err != nil {
		return fmt.Errorf("unplanned events: %w", err)
	}
	a.metrics.books.unplanned.Set(float64(count))
	a.metrics.books.eventWaits.Set(waited.Seconds())
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
