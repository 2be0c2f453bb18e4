package app

import (
	"context"
	"fmt"

	"rappel/jobs/deliver"
	"rappel/templates"
)

// A Selection is a part of what has ended.
type Selection = deliver.Selection

// A Status is where a notification stands in the ledger.
type Status = deliver.Status

// Ended is a notification that somebody may have sent again.
type Ended = deliver.Ended

// A Replay is what becomes of one.
type Replay = deliver.Replay

// ReplayBatch is how many notifications are sent again in one go.
const ReplayBatch = deliver.ReplayBatch

// Ended returns what was selected, the oldest first.
func (a *App) Ended(ctx context.Context, q Selection) ([]Ended, error) {
	if err := a.store.Ready(ctx); err != nil {
		return nil, err
	}
	ended, err := a.store.Ended(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("find what may be sent again: %w", err)
	}
	return ended, nil
}

// Replay has what ended sent again, at most so many in a second, and tells yield
// what becomes of each. A dry run tells the same and does nothing; it alone
// needs no Redis.
func (a *App) Replay(ctx context.Context, ended []Ended, rate int, dryRun bool, yield func(Replay) error) error {
	r := &deliver.Replayer{
		Ledger: a.store, Queue: a.queue, Ruler: deliver.Ruler{Templates: &templates.Cache{}},
		Now: a.now, Log: a.log, Rate: rate, DryRun: dryRun,
	}
	return r.Replay(ctx, ended, yield)
}

// NotReplayable says why a notification of this status is not sent again; it is
// empty where it may be.
func NotReplayable(status string) string {
	s := deliver.Status(status)
	if s.Replayable() {
		return ""
	}
	switch s {
	case deliver.Pending, deliver.Sending:
		return "it is on its way"
	case deliver.Sent, deliver.Delivered:
		return "the receiver has it"
	case deliver.Suppressed:
		return "it was decided that it should not go"
	case deliver.Expired:
		return "it came too late to be of use"
	case deliver.Undelivered, deliver.Failed, deliver.Unknown:
	}
	return "there is no such status"
}
