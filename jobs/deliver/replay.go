package deliver

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"rappel/internal/practice"
	"rappel/recipients"
	"rappel/templates"
)

// A Selection is a part of what has ended.
type Selection struct {
	Status     Status // one that is Replayable
	Reason     string // the ledger's, or the receiver's code; empty: any
	From, To   time.Time
	PracticeID string // empty: all practices
}

// Ended is a notification that somebody may have sent again.
type Ended struct {
	ID        string
	Status    Status
	Via       Way // the way out of its last attempt
	CreatedAt time.Time
}

// MayHaveGone tells whether the person may have the message by now without
// anybody knowing, so that another could be the second.
func (e Ended) MayHaveGone() bool { return e.Status != Failed && !e.Via.KnowsRepeats() }

// A Reopening is a notification that waits again until NotBefore.
type Reopening struct {
	ID        string
	Was       Status
	NotBefore time.Time
}

// An Archive keeps what has ended.
type Archive interface {
	// Ended returns what was selected, the oldest first.
	Ended(ctx context.Context, q Selection) ([]Ended, error)
	// Judge shows each of ids as it would be claimed if it had never been tried,
	// with what is known at this moment. It writes nothing.
	Judge(ctx context.Context, ids []string, now time.Time, look func(Notification, *practice.Snapshot, []templates.Source)) error
	// Reopen has those wait again whose status is still what it was, with a
	// trace in their history, and returns their ids.
	Reopen(ctx context.Context, again []Reopening, at time.Time) ([]string, error)
}

// A Replayer has notifications sent again that ended without reaching anybody.
// They keep their id, which is their idempotency key.
//
// It asks the ruler that the claim asks, for the second at which each would go,
// and the claim asks once more: a dry run and a replay differ in what they
// write, not in what they find.
type Replayer struct {
	Ledger Archive
	Queue  Queue
	Ruler  Ruler
	Now    func() time.Time
	Log    *slog.Logger
	Rate   int  // at most so many go in a second
	DryRun bool // nothing is written, and nothing put on the queue
}

// A Replay is what becomes of one notification.
type Replay struct {
	Ended

	Notification Notification
	To           recipients.Address // where it would go; of a skip: where it went
	Send         bool
	Reason       recipients.Reason // of a skip
	NotBefore    time.Time         // of what is sent
	Waits        bool              // for the SMS window to open
}

// ReplayBatch is how many notifications are judged, and reopened, at once.
const ReplayBatch = 500

// Replay tells yield what becomes of each of ended, in their order. What was
// reopened before an error stays so, and another run passes over it.
func (r *Replayer) Replay(ctx context.Context, ended []Ended, yield func(Replay) error) error {
	pace := newPace(r.Rate, r.Now())
	for some := range slices.Chunk(ended, ReplayBatch) {
		replays, err := r.judge(ctx, some, pace)
		if err == nil && !r.DryRun {
			err = r.reopen(ctx, replays)
		}
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		for _, p := range replays {
			if err := yield(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// judge finds what is to become of each. A notification that is no longer there
// is passed over: nobody deletes one that might still be of use.
func (r *Replayer) judge(ctx context.Context, ended []Ended, p *pace) ([]Replay, error) {
	ids, now := make([]string, len(ended)), r.Now()
	for i, e := range ended {
		ids[i] = e.ID
	}
	of := map[string]Replay{}
	err := r.Ledger.Judge(ctx, ids, now, func(n Notification, s *practice.Snapshot, rows []templates.Source) {
		of[n.ID] = r.foresee(n, s, rows, p, now)
	})
	if err != nil {
		return nil, err
	}
	var all []Replay
	for _, e := range ended {
		if replay, ok := of[e.ID]; ok {
			replay.Ended = e
			all = append(all, replay)
		}
	}
	return all, nil
}

// foresee rules on n for the next second that has room. What the window holds
// back then is ruled on for its opening, and keeps its distance from the others
// that wait for it.
func (r *Replayer) foresee(n Notification, s *practice.Snapshot, rows []templates.Source, p *pace, now time.Time) Replay {
	at := p.next(now)
	replay := Replay{Notification: n, To: n.Address, NotBefore: at}
	ruling := r.Ruler.Rule(n, s, rows, at)
	if !ruling.Until.IsZero() {
		replay.Waits, replay.NotBefore = true, ruling.Until.Add(at.Sub(p.began))
		ruling = r.Ruler.Rule(n, s, rows, replay.NotBefore)
	}
	switch {
	case ruling.Close != "":
		return Replay{Notification: n, To: n.Address, Reason: ruling.Reason}
	case ruling.Send != nil:
		replay.To = ruling.Send.To
	}
	replay.Send = true
	p.take()
	return replay
}

// reopen has the ledger wait for what may go, and puts it on the queue. What
// somebody else has moved meanwhile is left to them.
func (r *Replayer) reopen(ctx context.Context, replays []Replay) error {
	var again []Reopening
	for _, p := range replays {
		if p.Send {
			again = append(again, Reopening{ID: p.ID, Was: p.Status, NotBefore: p.NotBefore})
		}
	}
	ids, err := r.Ledger.Reopen(ctx, again, r.Now())
	if err != nil {
		return err
	}
	reopened := map[string]bool{}
	for _, id := range ids {
		reopened[id] = true
	}
	for i, p := range replays {
		if p.Send && !reopened[p.ID] {
			replays[i] = Replay{Ended: p.Ended, Notification: p.Notification, To: p.Notification.Address, Reason: recipients.Status}
		}
	}
	r.offer(ctx, replays)
	return nil
}

// offer puts what was reopened on the queue, those of one second and channel
// together. Redis may be away: the reconciler finds them then.
func (r *Replayer) offer(ctx context.Context, replays []Replay) {
	type turn struct {
		channel recipients.Channel
		at      time.Time
	}
	ids := map[turn][]string{}
	for _, p := range replays {
		if p.Send {
			t := turn{p.Notification.Channel, p.NotBefore}
			ids[t] = append(ids[t], p.ID)
		}
	}
	for t, some := range ids {
		if err := r.Queue.OfferAt(ctx, t.channel, some, t.at); err != nil {
			r.Log.WarnContext(ctx, "replayed but not on the queue: the reconciler will find them", "count", len(some), "error", err)
		}
	}
}

// A pace gives out seconds, each to so many at most. Two of them begin at least
// a second apart, however long it takes to ask for the next.
type pace struct {
	rate   int
	began  time.Time
	second time.Time
	taken  int
}

func newPace(rate int, now time.Time) *pace {
	return &pace{rate: rate, began: now, second: now}
}

// next is the second that has room, as of now.
func (p *pace) next(now time.Time) time.Time {
	if p.taken >= p.rate {
		p.second, p.taken = p.second.Add(time.Second), 0
	}
	if now.Sub(p.second) >= time.Second {
		p.second, p.taken = now, 0
	}
	return p.second
}

// take uses up a place in the second that next returned.
func (p *pace) take() { p.taken++ }

// Anew is n as it is claimed after a replay: as if it had never been tried. Its
// text and its address are those of that moment.
func (n Notification) Anew() Notification {
	n.Attempts, n.Fixed, n.Interrupted, n.Repeat = 1, nil, false, false
	return n
}
