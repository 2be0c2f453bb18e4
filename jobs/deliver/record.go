package deliver

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Recording goes on when the process is stopped, and is tried again for a while:
// an answer that is forgotten is a message that may have gone.
const (
	recordWithin = 5 * time.Second
	recordAgain  = 250 * time.Millisecond
)

// record keeps what became of messages: what has left must be known to have
// left.
func (h *Handler) record(ctx context.Context, claimID string, outcomes []Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	lost, err := h.Ledger.Record(ctx, claimID, outcomes)
	for err != nil && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(recordAgain):
			lost, err = h.Ledger.Record(ctx, claimID, outcomes)
		}
	}
	if err != nil {
		return fmt.Errorf("record %d outcomes of claim %s: %w", len(outcomes), claimID, err)
	}
	if lost > 0 {
		h.Log.ErrorContext(ctx, "outcomes came after their claim had gone", "claim", claimID, "count", lost)
	}
	var again []Waiting
	for _, o := range outcomes {
		switch {
		case o.Status == Pending:
			again = append(again, Waiting{ID: o.ID, Until: o.NotBefore})
		case !o.RepeatAt.IsZero():
			again = append(again, Waiting{ID: o.ID, Until: o.RepeatAt})
		}
	}
	h.offerWaiting(ctx, again)
	return nil
}

// offerWaiting puts notifications back on the queue for later, those of one
// second together. Redis may be away: the reconciler finds them then.
func (h *Handler) offerWaiting(ctx context.Context, waiting []Waiting) {
	now, at := h.Now(), map[time.Time][]string{}
	for _, w := range waiting {
		when := time.Time{} // at once
		if w.Until.After(now) {
			when = time.Unix(w.Until.Unix()+1, 0)
		}
		at[when] = append(at[when], w.ID)
	}
	for when, ids := range at {
		if err := h.Queue.OfferAt(ctx, h.Channel, ids, when); err != nil {
			h.Log.WarnContext(ctx, "not on the queue for later: the reconciler will find them", "count", len(ids), "error", err)
		}
	}
}

// tell says what became of one notification, to the log and to the metrics.
func (h *Handler) tell(ctx context.Context, n Notification, o Outcome, problem error) {
	level := slog.LevelInfo
	if problem != nil {
		level = slog.LevelWarn
	}
	switch o.Status {
	case Failed:
		level = slog.LevelError
	case Unknown:
		level = slog.LevelWarn
	default:
	}
	h.Log.Log(ctx, level, "delivery", "notification", n.ID, "kind", string(n.Kind), "channel", string(n.Channel),
		"status", string(o.Status), "reason", string(o.Reason), "attempt", n.Attempts, "code", o.ErrorCode, "problem", problem)
	if h.Observe != nil {
		h.Observe(n, o)
	}
}
