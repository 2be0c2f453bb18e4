package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"rappel/internal/practice"
	"rappel/jobs"
	"rappel/recipients"
	"rappel/templates"
)

// A Queue is asked to offer notifications again at a later time. It may lose
// what it is asked: the ledger is the truth, and the reconciler reads it.
type Queue interface {
	OfferAt(ctx context.Context, c recipients.Channel, ids []string, at time.Time) error
}

// Limits is the chain of time limits; each is longer than the one before, so
// that a request ends before its claim does, a claim before the task, and the
// task before the process must be gone.
type Limits struct {
	Request, Claim, Task, Shutdown time.Duration
}

// longestClaim bounds how long what a killed process held stays with it.
const longestClaim = 45 * time.Second

// LimitsWithin derives the chain from the longest wait at shutdown.
func LimitsWithin(shutdown time.Duration) Limits {
	return Limits{
		Request:  min(shutdown*35/100, 10*time.Second),
		Claim:    min(shutdown*70/100, longestClaim),
		Task:     shutdown * 85 / 100,
		Shutdown: shutdown,
	}
}

// A Handler delivers the notifications of one channel.
type Handler struct {
	Channel recipients.Channel
	Via     Way
	Ledger  Ledger
	Sender  Sender
	Queue   Queue
	Ruler   Ruler
	Limits  Limits
	Now     func() time.Time
	Log     *slog.Logger
	// Slots bounds the messages in flight on this channel.
	Slots chan struct{}
	// Observe is told of each outcome; it may be nil.
	Observe func(Notification, Outcome)

	pause pause
}

// batch is how many notifications are claimed at once.
const batch = 100

// Handle delivers what a task names. It returns an error only where the ledger
// could not be asked: what became of each message is recorded there, and a
// refusal is not cured by running the task again.
func (h *Handler) Handle(ctx context.Context, t *asynq.Task) error {
	d, err := jobs.DecodeDeliver(t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, h.Limits.Task)
	defer cancel()
	var failed []error
	for ids := range slices.Chunk(d.IDs, batch) {
		if err := h.deliver(ctx, ids); err != nil {
			failed = append(failed, h.oneByOne(ctx, ids, err))
		}
	}
	return errors.Join(failed...)
}

// oneByOne delivers each of ids alone, so that one that cannot be claimed does
// not hold up the others, and returns what still failed. To claim nothing at all
// shows whether the ledger is there.
func (h *Handler) oneByOne(ctx context.Context, ids []string, why error) error {
	if len(ids) == 1 {
		return why
	}
	if _, away := h.claim(ctx, nil); away != nil {
		return why
	}
	var failed []error
	for _, id := range ids {
		if err := h.deliver(ctx, []string{id}); err != nil {
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// deliver claims as many of ids as there is room for in flight, and goes on with
// the rest when there is room again: what is claimed was looked at a moment ago
// and leaves at once.
func (h *Handler) deliver(ctx context.Context, ids []string) error {
	for len(ids) > 0 {
		if h.pause.active(h.Now()) {
			return nil // the rows wait in the ledger; the reconciler offers them again
		}
		room := h.room(ctx, len(ids))
		if room == 0 {
			return fmt.Errorf("no room in flight for %d notifications: %w", len(ids), ctx.Err())
		}
		if err := h.deliverNow(ctx, ids[:room]); err != nil {
			return err
		}
		ids = ids[room:]
	}
	return nil
}

// room waits for one slot in flight, and takes up to most where they are free.
// It is 0 where ctx ends before.
func (h *Handler) room(ctx context.Context, most int) int {
	select {
	case h.Slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for taken := 1; taken < most; taken++ {
		select {
		case h.Slots <- struct{}{}:
		default:
			return taken
		}
	}
	return most
}

func (h *Handler) free(slots int) {
	for range slots {
		<-h.Slots
	}
}

// deliverNow delivers ids, for each of which a slot was taken.
func (h *Handler) deliverNow(ctx context.Context, ids []string) error {
	began := time.Now()
	claim, err := h.claim(ctx, ids)
	h.free(len(ids) - len(claim.Messages))
	if err != nil {
		return err
	}
	for _, c := range claim.Closed {
		h.tell(ctx, c.Notification, Outcome{ID: c.Notification.ID, Status: c.Ruling.Close, Reason: c.Ruling.Reason, At: h.Now()}, c.Ruling.Problem)
	}
	h.offerWaiting(ctx, claim.Waiting)
	// No request starts that could outlive the claim.
	return h.send(ctx, claim, began.Add(h.Limits.Claim-h.Limits.Request))
}

func (h *Handler) claim(ctx context.Context, ids []string) (Claim, error) {
	now := h.Now()
	claim, err := h.Ledger.Claim(ctx, ids, Terms{Now: now, Lease: h.Limits.Claim, Via: h.Via},
		func(n Notification, s *practice.Snapshot, rows []templates.Source) Ruling {
			return h.Ruler.Rule(n, s, rows, now)
		})
	if err != nil {
		return Claim{}, fmt.Errorf("claim %d notifications, first %v: %w", len(ids), ids[:min(len(ids), 1)], err)
	}
	return claim, nil
}

// send hands all messages of a claim to the way out and records outcomes as
// they come in, many at once where many are there.
func (h *Handler) send(ctx context.Context, claim Claim, last time.Time) error {
	outcomes := make(chan Outcome, len(claim.Messages))
	go h.fanOut(ctx, claim.Messages, last, outcomes)
	var failed error
	for first := range outcomes {
		if err := h.record(ctx, claim.ID, drain(first, outcomes)); err != nil {
			failed = err
		}
	}
	return failed
}

func drain(first Outcome, more <-chan Outcome) []Outcome {
	got := []Outcome{first}
	for {
		select {
		case o, ok := <-more:
			if !ok {
				return got
			}
			got = append(got, o)
		default:
			return got
		}
	}
}

func (h *Handler) fanOut(ctx context.Context, messages []Claimed, last time.Time, outcomes chan<- Outcome) {
	defer close(outcomes)
	var sending sync.WaitGroup
	defer sending.Wait()
	for _, m := range messages {
		sending.Go(func() {
			defer h.free(1)
			if time.Now().After(last) || h.pause.active(h.Now()) {
				outcomes <- h.release(m.Notification)
				return
			}
			answer := h.try(ctx, m.Message)
			outcome := h.outcome(m.Notification, m.Message, answer)
			h.tell(ctx, m.Notification, outcome, answer.Err)
			outcomes <- outcome
		})
	}
}

// release gives a notification back untried.
func (h *Handler) release(n Notification) Outcome {
	return Outcome{ID: n.ID, Status: Pending, NotBefore: h.Now(), Refund: true, At: h.Now()}
}

// try sends m. The request outlives a stop of the process: what has begun is
// finished and recorded within the time that the shutdown leaves.
func (h *Handler) try(ctx context.Context, m Message) (a Answer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.Limits.Request)
	defer cancel()
	defer func() {
		if recover() != nil {
			a = Answer{Verdict: Later, Err: fmt.Errorf("the way out of %s panicked", h.Channel)}
		}
	}()
	return h.Sender.Send(ctx, m)
}

// recordWithin bounds the recording, which goes on when the process is stopped.
const recordWithin = 5 * time.Second

// record keeps what became of messages, also while the process is being
// stopped: what has left must be known to have left.
func (h *Handler) record(ctx context.Context, claimID string, outcomes []Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	lost, err := h.Ledger.Record(ctx, claimID, outcomes)
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
	bySecond := map[int64][]string{}
	for _, w := range waiting {
		second := w.Until.Unix()
		bySecond[second] = append(bySecond[second], w.ID)
	}
	for second, ids := range bySecond {
		if err := h.Queue.OfferAt(ctx, h.Channel, ids, time.Unix(second+1, 0)); err != nil {
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
	if o.Status == Failed {
		level = slog.LevelError
	}
	h.Log.Log(ctx, level, "delivery", "notification", n.ID, "kind", n.Kind, "channel", n.Channel,
		"status", o.Status, "reason", o.Reason, "attempt", n.Attempts, "code", o.ErrorCode, "problem", problem)
	if h.Observe != nil {
		h.Observe(n, o)
	}
}
