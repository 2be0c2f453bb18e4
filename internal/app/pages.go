package app

import (
	"context"
	"net/http"
	"time"

	"github.com/hibiken/asynq"

	"rappel/internal/pages"
	"rappel/internal/postgres"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

// pages are rappel's own pages, as the ops server shows them.
func (a *App) pages() (http.Handler, error) {
	p, err := pages.New(pages.Options{
		Ledger: a.store, Foreseer: a.forecaster(), Texts: a.store,
		Books: a.closedBooks, Watch: a.watched, Zone: a.Zone,
		Now: a.now, Version: a.version, ZoneData: a.zones.String(), Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	return p.Handler(), nil
}

func (a *App) closedBooks(ctx context.Context, from, until time.Time) (pages.Books, error) {
	span := postgres.Span{From: from, To: until}
	days, err := a.store.Account(ctx, span)
	if err != nil {
		return pages.Books{}, err
	}
	var all postgres.Counts
	for _, d := range days {
		all = all.Plus(d.Counts)
	}
	books := pages.Books{Planned: all.Planned, Unaccounted: all.Unaccounted}
	if all.Unaccounted == 0 {
		return books, nil
	}
	faults, err := a.store.Faults(ctx, span, faultsShown)
	for _, f := range faults {
		books.Faults = append(books.Faults, pages.Fault(f))
	}
	return books, err
}

// watched is what this process can say of the ways out. The gates are asked by
// their metrics, so that a page and a graph cannot disagree.
func (a *App) watched(ctx context.Context) (w pages.Watch, err error) {
	gauge := a.gauges()
	if up, ok := gauge("rappel_admin_endpoints_up", ""); ok {
		w.AdminUp = map[bool]string{true: "up", false: "down"}[up == 1]
	}
	for _, c := range []recipients.Channel{recipients.SMS, recipients.Email} {
		way := pages.Way{Channel: c, Via: string(a.ways[c].name)}
		state, here := gauge("rappel_breaker_state", c)
		parked, _ := gauge("rappel_parked_practices", c)
		way.Here, way.Breaker, way.Parked = here, deliver.BreakerState(state).String(), int(parked)
		since, err := a.store.OldestDue(ctx, c, a.now())
		if err != nil {
			return pages.Watch{}, err
		}
		if !since.IsZero() {
			way.OldestDue = a.now().Sub(since)
		}
		w.Ways = append(w.Ways, way)
	}
	w.Workers, w.WorkersKnown = a.workers(ctx)
	return w, nil
}

// gauges returns what finds the gauge of a channel; an empty channel is one
// without a label.
func (a *App) gauges() func(name string, c recipients.Channel) (float64, bool) {
	found, err := a.metrics.registry.Gather()
	if err != nil {
		a.log.Warn("some metrics are missing", "error", err)
	}
	return func(name string, c recipients.Channel) (float64, bool) {
		for _, family := range found {
			for _, m := range family.GetMetric() {
				labels := m.GetLabel()
				ofChannel := (c == "" && len(labels) == 0) || (len(labels) == 1 && labels[0].GetValue() == string(c))
				if family.GetName() == name && ofChannel {
					return m.GetGauge().GetValue(), true
				}
			}
		}
		return 0, false
	}
}

// workers is how many processes work on the queues: each tells Redis every few
// seconds that it lives. It is not known where Redis does not tell in time;
// asynq would wait for it without an end.
func (a *App) workers(ctx context.Context) (n int, known bool) {
	if a.redis.Ping(ctx).Err() != nil {
		return 0, false
	}
	type process struct {
		host string
		pid  int
	}
	all := map[process]bool{}
	told := make(chan error, 1)
	go func() {
		servers, err := asynq.NewInspectorFromRedisClient(a.redis).Servers()
		for _, s := range servers {
			all[process{s.Host, s.PID}] = true
		}
		told <- err
	}()
	select {
	case err := <-told:
		return len(all), err == nil
	case <-ctx.Done():
		return 0, false
	}
}
