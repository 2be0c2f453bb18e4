package deliver

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
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
	due = h.comeAfter(ctx, due)
	patience, cancel := context.WithTimeout(ctx, h.patience())
	defer cancel()
	for len(due) > 0 {
		pass := h.Gate.Enter(patience, wants(due))
		if pass.empty() {
			h.yield(ctx, due)
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

// comeAfter leaves what comes after something that is being planned for later:
// who is planning may have something to say of the same appointment that was true
// before.
func (h *Handler) comeAfter(ctx context.Context, due []Due) []Due {
	var later []Due
	due = slices.DeleteFunc(due, func(d Due) bool {
		if d.Planned {
			later = append(later, d)
		}
		return d.Planned
	})
	if len(later) > 0 {
		h.offer(ctx, later, yieldFor)
	}
	return due
}

// yieldFor is how long a task that found no place is away before it stands at
// the end of the queue.
const yieldFor = time.Second

// patience is how long a task waits for a place: longer than any place is taken.
func (h *Handler) patience() time.Duration { return h.Limits.Request + time.Second }

// yield lets others before, who have waited behind this task. What waits so is
// not forgotten, and the reconciler is told.
func (h *Handler) yield(ctx context.Context, due []Due) {
	if err := h.Ledger.Park(context.WithoutCancel(ctx), idsOf(due), yieldFor+h.patience()); err != nil {
		h.Log.WarnContext(ctx, "waiting notifications will be looked at twice", "count", len(due), "error", err)
	}
	h.offer(ctx, due, yieldFor)
}

// split takes what the pass lets through out of due, and has what is parked
// looked at again when it no longer is.
func (h *Handler) split(ctx context.Context, pass Pass, due []Due) (now, rest []Due) {
	parked := map[string][]Due{}
	left, paced := h.limited(ctx, pass)
	for _, d := range due {
		switch {
		case left[d.Practice] > 0:
			left[d.Practice]--
			now = append(now, d)
		case pass.Parked[d.Practice] > 0 || paced[d.Practice] > 0:
			parked[d.Practice] = append(parked[d.Practice], d)
		default:
			rest = append(rest, d)
		}
	}
	for practice, some := range parked {
		h.park(ctx, some, max(pass.Parked[practice], paceOf(paced[practice], len(some))))
	}
	return now, rest
}

// paceOf is how long n messages stay away that may leave one in each wait. They
// are not alone: to be back as soon as the next may leave would cost the ledger
// a hundred updates a message.
func paceOf(wait time.Duration, n int) time.Duration {
	const others = 4
	return min(others*time.Duration(n)*wait, mostRest)
}

// limited asks whether the practices' rates allow what the pass lets through,
// and gives back places that nobody takes. Who has to wait is told how long for
// each message.
func (h *Handler) limited(ctx context.Context, pass Pass) (left map[string]int, paced map[string]time.Duration) {
	if h.Rates == nil {
		return maps.Clone(pass.Granted), nil
	}
	left, paced = map[string]int{}, map[string]time.Duration{}
	for practice, n := range pass.Granted {
		allowed, wait := h.Rates.Allow(ctx, h.Channel, practice, n)
		h.Gate.Leave(practice, n-allowed)
		if left[practice] = allowed; allowed < n {
			paced[practice] = max(wait, time.Millisecond)
		}
	}
	return left, paced
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
