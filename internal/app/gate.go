package app

import (
	"context"
	"log/slog"
	"time"

	"rappel/internal/config"
	"rappel/internal/queue"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

// openGate opens the gate of a channel, for so many requests at once.
func (a *App) openGate(c recipients.Channel, requests int) *deliver.Gate {
	gate := deliver.NewGate(requests, a.now, func(change deliver.GateChange) { a.tellGate(c, change) })
	a.metrics.watchGate(c, gate)
	a.gates = append(a.gates, gate)
	return gate
}

// tellGate tells ops what is parked and what resumes. Only people can mend what
// makes a receiver not know us.
func (a *App) tellGate(c recipients.Channel, change deliver.GateChange) {
	log := a.log.With("channel", c, "via", a.ways[c].name)
	switch {
	case change.Practice != "":
		log.Warn("a practice is parked: its messages wait, and lose no attempt by it", "practice", change.Practice, "for", change.Parked)
	case change.Parked == 0:
		log.Info("the way out takes messages again")
	case change.Cause == deliver.Misconfigured:
		log.Error("the way out is parked: the receiver does not know us; check its URL and token", "for", change.Parked)
	default:
		log.Error("the way out is parked: the receiver takes nothing", "for", change.Parked)
	}
}

// rates are the limits of single practices, or nil where there are none.
func (a *App) rates() deliver.Rates {
	if a.cfg.PracticeRate == 0 {
		return nil
	}
	return queue.NewRates(a.redis, a.cfg.PracticeRate, a.log)
}

// healthEvery is how often the main app is asked whether it knows us: what is
// wrong shows before the first message meets it.
const healthEvery = 5 * time.Minute

// learnFeatures asks the main app for its features before the first message, so
// that a retry has the same fields as the first request.
func (a *App) learnFeatures(ctx context.Context) {
	if !a.sendsByAdmin() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, featuresWithin)
	defer cancel()
	_ = a.admin.Health(ctx) // watchHealth reports what is wrong
}

// featuresWithin bounds how long a main app that hangs delays a worker's start.
const featuresWithin = 2 * time.Second

// sendsByAdmin tells whether messages go by the main app's admin endpoints.
func (a *App) sendsByAdmin() bool {
	return a.admin != nil && (a.cfg.SMSVia == config.ViaAdmin || a.cfg.EmailVia == config.ViaAdmin)
}

// watchHealth asks at once and then now and again, until ctx is done.
func (a *App) watchHealth(ctx context.Context, turned func()) {
	a.metrics.registry.MustRegister(a.metrics.adminUp) // who does not ask, does not tell
	tick := time.NewTicker(healthEvery)
	defer tick.Stop()
	for {
		err := a.askHealth(ctx)
		turned()
		if ctx.Err() != nil {
			return
		}
		healthy, level := 1.0, slog.LevelDebug
		if err != nil {
			healthy, level = 0, slog.LevelWarn
		}
		a.metrics.adminUp.Set(healthy)
		a.log.Log(ctx, level, "health of the admin endpoints", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Offers is how many messages the main app takes in one request, as its health
// said last.
func (a *App) Offers() int {
	if a.admin == nil {
		return 0
	}
	return a.admin.Batch()
}

func (a *App) askHealth(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	return a.admin.Health(ctx)
}
