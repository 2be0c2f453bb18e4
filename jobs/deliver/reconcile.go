package deliver

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"rappel/recipients"
)

// A Reconciler puts notifications back on the queue that are due and on
// nobody's desk: Redis was emptied, a task was lost, a worker died.
type Reconciler struct {
	Ledger interface {
		// Forgotten names such notifications and notes them as offered now.
		Forgotten(ctx context.Context, c recipients.Channel, now time.Time, after time.Duration, limit int) ([]string, error)
	}
	Backlog interface {
		// Age is how long the oldest task of a channel's queue has waited.
		Age(c recipients.Channel) (time.Duration, error)
	}
	Queue Queue
	Now   func() time.Time
	Log   *slog.Logger
	// After is how long an open notification may be on no desk beyond what the
	// queue's backlog explains.
	After time.Duration
}

// forgottenAtOnce bounds how many are put back in one go.
const forgottenAtOnce = 5000

// Reconcile looks at every channel once and returns how many it put back. What
// waits in a long queue is not forgotten: only what has waited longer than the
// queue's oldest task is.
func (r *Reconciler) Reconcile(ctx context.Context) (int, error) {
	total := 0
	for _, c := range []recipients.Channel{recipients.SMS, recipients.Email} {
		age, err := r.Backlog.Age(c)
		if err != nil {
			return total, fmt.Errorf("reconcile: %w", err)
		}
		now := r.Now()
		ids, err := r.Ledger.Forgotten(ctx, c, now, r.After+age, forgottenAtOnce)
		if err != nil {
			return total, fmt.Errorf("reconcile %s: %w", c, err)
		}
		if len(ids) == 0 {
			continue
		}
		r.Log.InfoContext(ctx, "forgotten notifications go out again", "channel", c, "count", len(ids))
		if err := r.Queue.OfferAt(ctx, c, ids, now); err != nil {
			return total, fmt.Errorf("reconcile %s: %w", c, err)
		}
		total += len(ids)
	}
	return total, nil
}
