package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"rappel/jobs/deliver"
	"rappel/jobs/reply"
)

// Of what claims are counted that were in conflict.
const (
	ofNotifications = "notification"
	ofReplies       = "reply"
)

// A watchedLedger counts the outcomes that come to be recorded after their claim
// had gone to somebody else, which must not happen: two had the message in hand,
// and each of them lives. A claim that ran out because its holder died is no
// conflict, since the dead record nothing; nor is an outcome that a receipt has
// overtaken, or one that was recorded before and whose commit was not heard of.
type watchedLedger struct {
	deliver.Ledger

	conflicts prometheus.Counter
}

func (l watchedLedger) Record(ctx context.Context, claimID string, outcomes []deliver.Outcome) (lost int, err error) {
	lost, err = l.Ledger.Record(ctx, claimID, outcomes)
	if err == nil { // else it is tried again
		l.conflicts.Add(float64(lost))
	}
	return lost, err
}

// A watchedOutbox does the same for replies on their way to the main app.
type watchedOutbox struct {
	reply.Outbox

	conflicts prometheus.Counter
}

func (b watchedOutbox) RecordReply(ctx context.Context, claimID string, o reply.Outcome) (held bool, err error) {
	held, err = b.Outbox.RecordReply(ctx, claimID, o)
	if err == nil && !held {
		b.conflicts.Inc()
	}
	return held, err
}

func (a *App) ledger() deliver.Ledger {
	return watchedLedger{a.store, a.metrics.conflicts.WithLabelValues(ofNotifications)}
}

func (a *App) outbox() reply.Outbox {
	return watchedOutbox{a.store, a.metrics.conflicts.WithLabelValues(ofReplies)}
}
