package deliver

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"
)

// deliver claims as many of ids as there is room for in flight, and goes on with
// the rest when there is room again: what is claimed was looked at a moment ago
// and leaves at once.
func (h *Handler) deliver(ctx context.Context, ids []string) error {
	due, err := h.Ledger.Due(ctx, ids, h.Now())
	if err != nil {
		return fmt.Errorf("look at %d notifications, first %v: %w", len(ids), ids[:min(len(ids), 1)], err)
	}
	patience, cancel := context.WithTimeout(ctx, yieldAfter)
	defer cancel()
	for len(due) > 0 {
		pass := h.Gate.Enter(patience, wants(due))
		if pass.empty() {
			h.offer(ctx, due, yieldFor) // others have waited behind this task
			return nil
		}
		var now []Due
		now, due = h.split(ctx, pass, due)
		if err := h.deliverNow(ctx, now); err != nil {
			return err
		}
	}
	return nil
}

// A task that finds no place for so long goes to the end of the queue.
const (
	yieldAfter = 5 * time.Second
	yieldFor   = time.Second
)

// split takes what the pass lets through out of due, and has what is parked
// looked at again when it no longer is.
func (h *Handler) split(ctx context.Context, pass Pass, due []Due) (now, rest []Due) {
	parked := map[string][]Due{}
	left := h.limited(ctx, pass)
	for _, d := range due {
		switch {
		case left[d.Practice] > 0:
			left[d.Practice]--
			now = append(now, d)
		case pass.Parked[d.Practice] > 0:
			parked[d.Practice] = append(parked[d.Practice], d)
		default:
			rest = append(rest, d)
		}
	}
	for practice, some := range parked {
		h.park(ctx, some, pass.Parked[practice])
	}
	return now, rest
}

// limited asks whether the practices' rates allow what the pass lets through,
// gives back places that nobody takes, and parks those who have to wait.
func (h *Handler) limited(ctx context.Context, pass Pass) map[string]int {
	if h.Rates == nil {
		return maps.Clone(pass.Granted)
	}
	left := map[string]int{}
	for practice, n := range pass.Granted {
		allowed, wait := h.Rates.Allow(ctx, h.Channel, practice, n)
		h.Gate.Leave(practice, n-allowed)
		if left[practice] = allowed; allowed < n {
			pass.Parked[practice] = max(wait, time.Millisecond)
		}
	}
	return left
}

func wants(due []Due) []Want {
	count := map[string]int{}
	var all []Want
	for _, d := range due {
		if count[d.Practice]++; count[d.Practice] == 1 {
			all = append(all, Want{Practice: d.Practice})
		}
	}
	for i := range all {
		all[i].Messages = count[all[i].Practice]
	}
	return all
}

// park has notifications looked at again after wait, and by nobody before.
func (h *Handler) park(ctx context.Context, due []Due, wait time.Duration) {
	wait += rand.N(wait/4 + time.Second) // not all at once
	if err := h.Ledger.Park(ctx, idsOf(due), wait); err != nil {
		h.Log.WarnContext(ctx, "parked notifications will be looked at too early", "count", len(due), "error", err)
	}
	h.offer(ctx, due, wait)
}

func (h *Handler) offer(ctx context.Context, due []Due, wait time.Duration) {
	if err := h.Queue.OfferAt(context.WithoutCancel(ctx), h.Channel, idsOf(due), h.Now().Add(wait)); err != nil {
		h.Log.WarnContext(ctx, "not on the queue for later: the reconciler will find them", "count", len(due), "error", err)
	}
}

func idsOf(due []Due) []string {
	ids := make([]string, len(due))
	for i, d := range due {
		ids[i] = d.ID
	}
	return ids
}
