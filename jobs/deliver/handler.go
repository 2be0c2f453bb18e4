package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
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

// longestClaim bounds how long what a killed process held stays with it: with
// the reconciler's tick, it goes out again within half a minute.
const longestClaim = 18 * time.Second

// LimitsWithin derives the chain from the longest wait at shutdown.
func LimitsWithin(shutdown time.Duration) Limits {
	return Limits{
		Request:  min(shutdown*35/100, longestClaim/2),
		Claim:    min(shutdown*70/100, longestClaim),
		Task:     shutdown * 85 / 100,
		Shutdown: shutdown,
	}
}

// Valid tells whether each limit leaves time after the one before it.
func (l Limits) Valid() error {
	before, last := "nothing", time.Duration(0)
	for _, link := range []struct {
		name  string
		limit time.Duration
	}{{"a request", l.Request}, {"a claim", l.Claim}, {"a task", l.Task}, {"the shutdown", l.Shutdown}} {
		if link.limit <= last {
			return fmt.Errorf("the time limit of %s, %s, is not longer than that of %s, %s: set a longer RAPPEL_SHUTDOWN_TIMEOUT",
				link.name, link.limit, before, last)
		}
		before, last = link.name, link.limit
	}
	return nil
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
	Gate    *Gate
	Rates   Rates // nil: no limit
	// Observe is told of each outcome; it may be nil.
	Observe func(Notification, Outcome)
}

// Rates limits how many messages of a practice leave in a time, on all machines
// together.
type Rates interface {
	// Allow returns how many of n may leave now, and, where that is none, when
	// to ask again.
	Allow(ctx context.Context, c recipients.Channel, practice string, n int) (allowed int, wait time.Duration)
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

// deliverNow delivers what was let through the gate.
func (h *Handler) deliverNow(ctx context.Context, due []Due) error {
	if len(due) == 0 {
		return nil
	}
	began := time.Now()
	claim, err := h.claim(ctx, idsOf(due))
	h.leaveUnclaimed(due, claim.Messages)
	if err != nil {
		return err
	}
	for _, c := range claim.Closed {
		h.tell(ctx, c.Notification, Outcome{ID: c.Notification.ID, Status: c.Ruling.Close, Reason: c.Ruling.Reason, At: h.Now()}, c.Ruling.Problem)
		if !c.Ruling.RepeatAt.IsZero() {
			claim.Waiting = append(claim.Waiting, Waiting{ID: c.Notification.ID, Until: c.Ruling.RepeatAt})
		}
	}
	h.offerWaiting(ctx, claim.Waiting)
	// No request starts that could outlive the claim.
	return h.send(ctx, claim, began.Add(h.Limits.Claim-h.Limits.Request))
}

// leaveUnclaimed gives back the places of what does not leave now.
func (h *Handler) leaveUnclaimed(due []Due, claimed []Claimed) {
	unused := map[string]int{}
	for _, d := range due {
		unused[d.Practice]++
	}
	for _, c := range claimed {
		unused[c.Notification.PracticeID]--
	}
	for practice, n := range unused {
		h.Gate.Leave(practice, n)
	}
}

func (h *Handler) claim(ctx context.Context, ids []string) (claim Claim, err error) {
	defer func() {
		if recover() != nil {
			claim, err = Claim{}, fmt.Errorf("ruling on %d notifications, first %v: a panic", len(ids), ids[:min(len(ids), 1)])
		}
	}()
	now := h.Now()
	claim, err = h.Ledger.Claim(ctx, ids, Terms{Now: now, Lease: h.Limits.Claim, Via: h.Via},
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
			practice := m.Notification.PracticeID
			defer h.Gate.Leave(practice, 1)
			if wait := h.Gate.Parked(practice); wait > 0 || time.Now().After(last) {
				outcomes <- h.release(m.Notification, wait)
				return
			}
			answer := h.try(ctx, m.Message)
			h.Gate.Report(practice, answer)
			outcome := h.outcome(m.Notification, m.Message, answer)
			h.tell(ctx, m.Notification, outcome, answer.Err)
			outcomes <- outcome
		})
	}
}

// release gives a notification back untried, for another look after wait.
func (h *Handler) release(n Notification, wait time.Duration) Outcome {
	o := Outcome{ID: n.ID, Refund: true, At: h.Now()}
	if n.Repeat {
		o.Status, o.RepeatAt = Unknown, o.At.Add(wait)
		return o
	}
	o.Status, o.NotBefore = Pending, o.At.Add(wait)
	return o
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
	switch o.Status {
	case Failed:
		level = slog.LevelError
	case Unknown:
		level = slog.LevelWarn
	default:
	}
	h.Log.Log(ctx, level, "delivery", "notification", n.ID, "kind", n.Kind, "channel", n.Channel,
		"status", o.Status, "reason", o.Reason, "attempt", n.Attempts, "code", o.ErrorCode, "problem", problem)
	if h.Observe != nil {
		h.Observe(n, o)
	}
}
