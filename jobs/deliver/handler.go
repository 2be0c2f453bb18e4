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
	"rappel/internal/tracing"
	"rappel/jobs"
	"rappel/recipients"
	"rappel/templates"
)

// A Queue is asked to offer notifications again at a later time. It may lose
// what it is asked: the ledger is the truth, and the reconciler reads it.
type Queue interface {
	OfferAt(ctx context.Context, c recipients.Channel, ids []string, at time.Time) error
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
	Senders *Senders
	Rates   Rates // nil: no limit
	// Observe is told of each outcome; it may be nil.
	Observe func(Notification, Outcome)
	Tracer  tracing.Tracer

	straight sync.WaitGroup // the claims that no task brought
}

// Rates limits how many messages of a practice leave in a time, on all machines
// together.
type Rates interface {
	// Allow returns how many of n may leave now, and, where these are not all,
	// when the next one may.
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
	if _, away := h.claim(ctx, nil); away != nil {
		return why
	}
	if len(ids) == 1 {
		return h.expire(ctx, ids[0], why)
	}
	var failed []error
	for _, id := range ids {
		if err := h.deliver(ctx, []string{id}); err != nil {
			failed = append(failed, h.expire(ctx, id, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// expire ends a notification that cannot be claimed, once it is of no use.
func (h *Handler) expire(ctx context.Context, id string, why error) error {
	expired, err := h.Ledger.Expire(ctx, id, h.Now())
	if err != nil || !expired {
		return errors.Join(why, err)
	}
	h.Log.ErrorContext(ctx, "message expired: it could never be claimed", "notification", id, "error", why)
	return nil
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
	claim, err = h.Ledger.Claim(ctx, ids, Terms{Now: now, Lease: h.Limits.Claim, Via: h.Via, Join: h.Ruler.Join},
		func(n Notification, s *practice.Snapshot, rows []templates.Source) Ruling {
			return h.Ruler.Rule(n, s, rows, now)
		})
	if err != nil {
		return Claim{}, fmt.Errorf("claim %d notifications, first %v: %w", len(ids), ids[:min(len(ids), 1)], err)
	}
	return claim, nil
}

// send hands all messages of a claim to the way out and records outcomes as
// they come in.
func (h *Handler) send(ctx context.Context, claim Claim, last time.Time) error {
	outcomes, left := make(chan []Outcome, len(claim.Messages)), 0
	if soon := time.Now().Add(stale); soon.Before(last) {
		last = soon
	}
	for parcel := range slices.Chunk(claim.Messages, h.parcel()) {
		left++
		h.Senders.Do(parcel[0].Notification.PracticeID, last, func() { outcomes <- h.leave(ctx, parcel, last) })
	}
	defer time.AfterFunc(time.Until(last)+time.Millisecond, h.Senders.Overdue).Stop()
	var failed error
	for left > 0 {
		some, parcels := together(outcomes, left)
		left -= parcels
		if err := h.record(ctx, claim.ID, some); err != nil {
			failed = err
		}
	}
	return failed
}

// company is how long an answer waits for others of its claim, to be recorded
// with them. That of the last one never waits.
const company = 5 * time.Millisecond

// together returns what comes next, and within a moment of it, of what is left;
// and of how many parcels.
func together(outcomes <-chan []Outcome, left int) (got []Outcome, parcels int) {
	got = <-outcomes
	enough := time.After(company)
	for parcels = 1; parcels < left; parcels++ {
		select {
		case some := <-outcomes:
			got = append(got, some...)
		case <-enough:
			return got, parcels
		}
	}
	return got, parcels
}

// parcel is how many messages leave in one request.
func (h *Handler) parcel() int {
	if way, ok := h.Sender.(BatchSender); ok {
		return max(way.Batch(), 1)
	}
	return 1
}

// leave hands a parcel to the way out, without what is parked by now or comes
// after the last moment, and gives back its places.
func (h *Handler) leave(ctx context.Context, parcel []Claimed, last time.Time) (outcomes []Outcome) {
	var going []Claimed
	for _, m := range parcel {
		defer h.Gate.Leave(m.Notification.PracticeID, 1)
		wait, late := h.Gate.Parked(m.Notification.PracticeID), time.Now().After(last)
		if late { // nobody answers, or not soon: what comes back must not wait in hand again
			h.Gate.Answered(m.Notification.PracticeID, slowest, 1)
		}
		if wait > 0 || late {
			outcomes = append(outcomes, m.outcomes(func(n Notification) Outcome { return h.release(n, wait) })...)
			continue
		}
		going = append(going, m)
	}
	for i, answer := range h.traced(ctx, going) {
		m := going[i]
		h.Gate.Report(m.Notification.PracticeID, answer)
		all := m.outcomes(func(n Notification) Outcome { return h.outcome(n, m.Message, answer) })
		for k, n := range m.all() {
			h.tell(ctx, n, all[k], answer.Err)
		}
		outcomes = append(outcomes, all...)
	}
	return outcomes
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

// traced sends messages, each as a step of the trace of each visit that it tells
// of. The request belongs to the first one's.
func (h *Handler) traced(ctx context.Context, going []Claimed) []Answer {
	if len(going) == 0 {
		return nil
	}
	spans, messages := make([]tracing.Span, len(going)), make([]Message, len(going))
	for i, m := range going {
		var others []string
		for _, n := range m.With {
			others = append(others, n.Traceparent)
		}
		spans[i] = h.Tracer.Start(ctx, "send "+string(h.Channel), m.Notification.Traceparent, others...)
		messages[i] = m.Message
	}
	began := time.Now()
	answers := h.try(tracing.Under(ctx, spans[0].Traceparent()), messages)
	if took := time.Since(began); h.Via.KnowsRepeats() { // else what is in hand when a process dies is lost: nothing waits
		for _, m := range going {
			h.Gate.Answered(m.Notification.PracticeID, took, len(going))
		}
	}
	for i, span := range spans {
		for name, value := range map[string]string{
			"notification": messages[i].NotificationID, "kind": string(messages[i].Kind), "via": string(h.Via), "code": answers[i].Code,
		} {
			span.Note(name, value)
		}
		span.End(answers[i].Err)
	}
	return answers
}

// try sends messages in one request. It outlives a stop of the process: what has
// begun is finished and recorded within the time that the shutdown leaves.
func (h *Handler) try(ctx context.Context, messages []Message) (answers []Answer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.Limits.Request)
	defer cancel()
	defer func() {
		if recover() != nil {
			a := Answer{Verdict: Later, Err: fmt.Errorf("the way out of %s panicked", h.Channel)}
			if !h.Via.KnowsRepeats() {
				a.Verdict = Unanswered
			}
			answers = slices.Repeat([]Answer{a}, len(messages))
		}
	}()
	if way, ok := h.Sender.(BatchSender); ok && len(messages) > 1 {
		return way.SendAll(ctx, messages)
	}
	for _, m := range messages { // one: see parcel
		answers = append(answers, h.Sender.Send(ctx, m))
	}
	return answers
}
