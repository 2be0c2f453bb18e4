package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"rappel/internal/practice"
	"rappel/templates"
)

// Admit takes a place for one message of a practice, if there is one at this
// moment and nobody waits for it. The message may then be claimed where it is
// planned: what is known of it was read in that very transaction, and need not
// be read once more. A practice whose rate is limited has no such places.
func (h *Handler) Admit(practiceID string) bool { return h.Rates == nil && h.Gate.admit(practiceID) }

func (g *Gate) admit(practice string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing || len(g.waiting[practice]) > 0 || g.parked(practice, g.now()) > 0 || g.grantable(practice, 1) < 1 {
		return false
	}
	g.take(practice, 1)
	return true
}

// Compose rules on a notification that has a place and was never tried, and
// returns the message if it is to be sent. Anything else is for Handle to find
// out.
func (h *Handler) Compose(n Notification, s *practice.Snapshot, rows []templates.Source) (m *Message) {
	defer func() {
		if recover() != nil {
			m = nil
		}
	}()
	return h.Ruler.Rule(n, s, rows, h.Now()).Send
}

// A Begun claim is made by the transaction that plans its messages.
type Begun struct {
	Claim

	began time.Time
}

// Begin begins a claim. Its lease counts from now.
func (h *Handler) Begin() (Begun, error) {
	id, err := uuid.NewV7()
	return Begun{Claim{ID: id.String()}, time.Now()}, err
}

// Add adds a message that was admitted.
func (b *Begun) Add(n Notification, m Message) {
	m.ClaimID = b.ID
	b.Messages = append(b.Messages, Claimed{Notification: n, Message: m})
}

// Take sends a claim that was committed. It returns when there is room for more,
// or soon: who plans need not wait for a slow receiver, nor run ahead of a quick
// one. What was looked at too long ago, since the commit hung, is looked at again.
func (h *Handler) Take(ctx context.Context, b Begun) {
	ctx = context.WithoutCancel(ctx)
	last := b.began.Add(h.Limits.Claim - h.Limits.Request)
	if time.Since(b.began) > stale {
		last = b.began
	}
	h.straight.Go(func() {
		if err := h.sendCaught(ctx, b.Claim, last); err != nil {
			h.Log.ErrorContext(ctx, "what became of messages is not recorded: they are looked at again when their claim has run out", "error", err)
		}
	})
	h.Gate.ease(patienceOfPlan)
}

// sendCaught makes an error of a panic, as asynq does for what a task brought: it
// must not end the process.
func (h *Handler) sendCaught(ctx context.Context, claim Claim, last time.Time) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("sending claim %s panicked", claim.ID)
		}
	}()
	return h.send(ctx, claim, last)
}

// patienceOfPlan is how long who plans waits for room at most.
const patienceOfPlan = 25 * time.Millisecond

// ease waits until half of the places are free, but not for long.
func (g *Gate) ease(patience time.Duration) {
	g.mu.Lock()
	if 2*g.taken <= g.room() {
		g.mu.Unlock()
		return
	}
	if g.eased == nil {
		g.eased = make(chan struct{})
	}
	eased := g.eased
	g.mu.Unlock()
	select {
	case <-eased:
	case <-time.After(patience):
	}
}

// Wait waits until what was taken is sent and recorded.
func (h *Handler) Wait() { h.straight.Wait() }
