package app

import (
	"rappel/jobs/deliver"
	"rappel/jobs/reply"
)

// keeper takes what people answer.
func (a *App) keeper() *reply.Keeper {
	return &reply.Keeper{
		Store: a.store, Now: a.now, Log: a.log,
		Observe: func(r reply.Reply) { a.metrics.replies.WithLabelValues(string(r.Meaning)).Inc() },
	}
}

// poster passes it on to the main app.
func (a *App) poster(limits deliver.Limits) *reply.Poster {
	return &reply.Poster{
		Outbox: a.outbox(), MainApp: a.admin, Limits: limits, Now: a.now, Log: a.log,
		Observe: func(_ reply.Reply, o reply.Outcome) { a.metrics.passedOn.WithLabelValues(string(o.Result)).Inc() },
	}
}
