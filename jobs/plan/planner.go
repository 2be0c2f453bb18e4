package plan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/tracing"
	"rappel/jobs"
	"rappel/recipients"
)

// A Store keeps events, decisions and ledger rows.
type Store interface {
	// AddEvents keeps events that came as tasks, and returns how many are new: one
	// already known stays as it is.
	AddEvents(ctx context.Context, events []Event) (added int, err error)
	// PlanEvents takes up to limit events that wait, has each decided on what
	// is known of it at this moment (nil: nothing), and keeps the decisions
	// with their notifications in the same transaction. An event that decide
	// leaves for later waits. It returns how many it took and the decisions
	// that are new: an event told twice makes none. If the limit is 1 and that
	// event is at fault, the error is an *[EventError].
	PlanEvents(ctx context.Context, limit int, decide func(Event, *practice.Snapshot) (Decision, bool)) (int, []Decision, error)
	// SetAside leaves an event for later, and reports whether that was done before
	// and the event has been there for ten minutes.
	SetAside(ctx context.Context, id string) (tried bool, err error)
	// GiveUp keeps a decision about what could not be decided, which needs none
	// of the source tables, and marks its event as planned.
	GiveUp(ctx context.Context, d Decision) error
	// Blame finds out which row around an appointment, a client or, if both are
	// empty, a practice cannot be read.
	Blame(ctx context.Context, appointmentID, clientID, practiceID string) Blame
	// PlanRules does the same for rules that fell due. What was decided before
	// makes no new decision. The error is [ErrMissing] where nothing is known of
	// an appointment at its last try. Decisions are joined with each other, and with what
	// waits, before they are kept: see [Join].
	PlanRules(ctx context.Context, due []Due, decide func(Rule, *practice.Snapshot) (Decision, bool)) ([]Decision, error)
}

// An EventError says which event could not be planned.
type EventError struct {
	Event Event
	Err   error
}

func (e *EventError) Error() string { return e.Err.Error() }
func (e *EventError) Unwrap() error { return e.Err }

// ErrMissing says that an appointment, its client or its practice is not there.
var ErrMissing = errors.New("nothing is known of the appointment, its client or its practice: " + string(recipients.Status))

// An UndecidedError says how many of the due rules could not be decided, though
// the store is there.
type UndecidedError int

func (e UndecidedError) Error() string {
	return fmt.Sprintf("%d rules could not be decided: the log names the rows that cannot be read; correct them, or the views", int(e))
}

// A Blame names the row that cannot be read; its fields are empty where nobody
// knows.
type Blame struct {
	Relation, Column, ID string
}

// A Queue is told that notifications are there to be delivered. It may lose
// what it is told: the store is the truth.
type Queue interface {
	OfferAt(ctx context.Context, c recipients.Channel, ids []string, at time.Time) error
}

// A Planner decides about events and due rules.
type Planner struct {
	Store Store
	Queue Queue
	Now   func() time.Time
	Log   *slog.Logger
	// Observe is told of each decision; it may be nil.
	Observe func(Decision)
	// Failed is told of each failure to decide, with the relation whose row
	// cannot be read, if that is known; it may be nil.
	Failed func(relation string)
	// Turned is called after each try to plan a batch of events; it may be nil.
	Turned func()
	Tracer tracing.Tracer
}

// batch is how many events or due rules are decided in one transaction: enough
// to share its cost, few enough to keep it short.
const batch = 100

// alone bounds the planning of a single event or due rule, and together that of
// a batch: a view that never answers must not hold up the others.
const (
	alone    = 15 * time.Second
	together = 30 * time.Second
)

func within(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	if n == 1 {
		return context.WithTimeout(ctx, alone)
	}
	return context.WithTimeout(ctx, together)
}

// poll is how often events are looked for even if nobody says there are any.
const poll = time.Second

// Run plans events until ctx is done: whenever wake says so, and once a second
// in case nobody does.
func (p *Planner) Run(ctx context.Context, wake <-chan struct{}) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if _, err := p.Events(ctx); err != nil && ctx.Err() == nil {
			p.Log.ErrorContext(ctx, "events wait: they could not be planned", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		}
	}
}

// Events decides about all events that wait, and returns how many there were.
// One that cannot be planned is found out and set aside: it does not hold up
// the others.
func (p *Planner) Events(ctx context.Context) (int, error) {
	total, limit := 0, batch
	for {
		taken, err := p.events(ctx, limit)
		switch {
		case err != nil && ctx.Err() == nil && limit > 1:
			limit = 1 // which one is it?
			continue
		case err != nil:
			if err := p.setAside(ctx, err); err != nil {
				return total, err
			}
			limit = batch
			continue
		}
		total += taken
		if taken < limit {
			return total, nil
		}
		if limit == batch {
			total += p.abreast(ctx)
		}
	}
}

// atOnce is how many batches are planned at once where more than one waits:
// while one waits for the database to commit, the other is decided about.
const atOnce = 2

// abreast decides about whole batches, several at once, until there are no more
// or something goes wrong, which Events then finds out about. It returns how many
// events there were.
func (p *Planner) abreast(ctx context.Context) int {
	var (
		total atomic.Int64
		over  atomic.Bool
		loops sync.WaitGroup
	)
	for range atOnce {
		loops.Go(func() {
			for !over.Load() {
				taken, err := p.events(ctx, batch)
				total.Add(int64(taken))
				if err != nil || taken < batch {
					over.Store(true)
				}
			}
		})
	}
	loops.Wait()
	return int(total.Load())
}

func (p *Planner) events(ctx context.Context, limit int) (taken int, err error) {
	if p.Turned != nil {
		defer p.Turned()
	}
	defer recovered(&err)
	now := p.Now()
	bounded, cancel := within(ctx, limit)
	defer cancel()
	taken, decisions, err := p.Store.PlanEvents(bounded, limit, func(e Event, s *practice.Snapshot) (Decision, bool) {
		return p.traced(ctx, e.Traceparent, func() (Decision, bool) { return DecideEvent(e, s, now) })
	})
	if err != nil {
		return 0, fmt.Errorf("plan events: %w", err)
	}
	p.planned(ctx, decisions)
	return taken, nil
}

// recovered makes an error of a panic: one odd row must not end the process, and
// whoever meets an error finds out which one it is.
func recovered(err *error) {
	if recover() != nil {
		*err = errors.New("deciding panicked")
	}
}

// traced decides within a trace, in which the decision's messages stay.
func (p *Planner) traced(ctx context.Context, traceparent string, decide func() (Decision, bool)) (Decision, bool) {
	span := p.Tracer.Start(ctx, "decide", traceparent)
	d, ok := decide()
	if !ok || identify(&d) != nil {
		return d, false // what was not decided is no step
	}
	d.Traceparent = span.Traceparent()
	if d.Early {
		return d, true // it may be left out, and would be a step each minute
	}
	for name, value := range map[string]string{
		"decision": d.ID, "kind": string(named(d.Kind)), "outcome": string(d.Outcome),
		"event": d.EventID, "rule": d.RuleID, "appointment": d.AppointmentID,
	} {
		span.Note(name, value)
	}
	span.End(nil)
	return d, true
}

// setAside leaves the event that cannot be planned for later or, where that has
// been tried for long enough, decides that nobody is notified. It returns why if
// not even that can be done, which is when the store is away.
func (p *Planner) setAside(ctx context.Context, why error) error {
	failed, ok := errors.AsType[*EventError](why)
	if !ok {
		return why
	}
	e := failed.Event
	ctx, cancel := within(ctx, 1)
	defer cancel()
	tried, err := p.Store.SetAside(ctx, e.ID)
	if err != nil {
		return errors.Join(why, err)
	}
	blame := p.blame(ctx, e.AppointmentID, e.ClientID, "")
	attrs := []any{"event", e.ID, "appointment", e.AppointmentID, "relation", blame.Relation, "column", blame.Column, "row", blame.ID, "error", why}
	if !tried || passing(why) {
		p.Log.ErrorContext(ctx, "event set aside: it is tried again later", attrs...)
		return nil
	}
	p.Log.ErrorContext(ctx, "event given up: it cannot be decided", attrs...)
	return p.giveUp(ctx, Decision{
		ClientID: e.ClientID, AppointmentID: e.AppointmentID, EventID: e.ID, Kind: e.Kind, DecidedAt: p.Now(),
	}, blame.detail())
}

// giveUp keeps that nobody is notified, and why.
func (p *Planner) giveUp(ctx context.Context, d Decision, why string) error {
	if err := identify(&d); err != nil {
		return err
	}
	d.Outcome, d.Detail = recipients.Skipped, why
	if err := p.Store.GiveUp(ctx, d); err != nil {
		return fmt.Errorf("give up: %w", err)
	}
	if p.Observe != nil {
		p.Observe(d)
	}
	return nil
}

// blame finds out which row fails, and counts the failure.
func (p *Planner) blame(ctx context.Context, appointmentID, clientID, practiceID string) Blame {
	b := p.Store.Blame(ctx, appointmentID, clientID, practiceID)
	if p.Failed != nil {
		p.Failed(b.Relation)
	}
	return b
}

// detail is what a decision says of the row.
func (b Blame) detail() string {
	if b.Relation == "" {
		return "unreadable: it could not be decided; the log says why"
	}
	return "unreadable: rappel." + b.Relation + " " + b.ID + ", column " + b.Column
}

// passing reports whether an error is of the server, a connection or a lock, and
// not of the rows that were read.
func passing(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return false // it is temporary in the eyes of the standard library
	}
	temporary, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && temporary.Temporary()
}

// Rules decides about rules that are due up to a time, now or a later one, as seen
// at now, and returns how many of the decisions are new. What cannot be decided
// does not hold up the others: the next sweep tries again or, where it does not
// look back so far, that nobody is notified is kept as the decision. It makes an
// [UndecidedError], unless the store cannot be asked, which is another error.
func (p *Planner) Rules(ctx context.Context, due []Due, now, upTo time.Time) (int, error) {
	var (
		mu     sync.Mutex
		total  int
		unread UndecidedError
		failed []error
		away   bool
		loops  sync.WaitGroup
	)
	readable := make([]Due, 0, len(due))
	for _, d := range due {
		if d.Unreadable == nil {
			readable = append(readable, d)
		} else if err := p.undecided(ctx, d, now, d.Unreadable); err != nil {
			failed = append(failed, err)
		} else if d.Rule.ID != "" {
			unread++
		}
	}
	next, stop := iter.Pull(families(readable))
	defer stop()
	take := func() (chunk []Due, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if away || ctx.Err() != nil {
			return nil, false
		}
		return next()
	}
	for range atOnce {
		loops.Go(func() {
			for chunk, ok := take(); ok; chunk, ok = take() {
				bad := 0
				n, err := p.rules(ctx, chunk, now, upTo)
				if err != nil {
					n, bad, err = p.oneByOne(ctx, chunk, now, upTo)
				}
				mu.Lock()
				total += n
				unread += UndecidedError(bad)
				if err != nil {
					failed, away = append(failed, err), away || errors.Is(err, errAway)
				}
				mu.Unlock()
			}
		})
	}
	loops.Wait()
	if len(failed) == 0 && unread > 0 {
		return total, unread
	}
	return total, errors.Join(failed...)
}

// families parts due in batches. All that a practice with family digests has due
// stays together, so that what may go in one message is planned in one
// transaction, and offered after it.
func families(due []Due) iter.Seq[[]Due] {
	due = slices.Clone(due)
	slices.SortStableFunc(due, func(a, b Due) int { return strings.Compare(a.Digest, b.Digest) })
	return func(yield func([]Due) bool) {
		for len(due) > 0 {
			n := min(batch, len(due))
			for n < len(due) && due[n].Digest != "" && due[n].Digest == due[n-1].Digest {
				n++
			}
			if !yield(due[:n]) {
				return
			}
			due = due[n:]
		}
	}
}

// errAway says that the fault is the store's, not that of what it was asked.
var errAway = errors.New("the store cannot be asked")

// oneByOne decides about each of due alone, and returns how many of the decisions
// are new and how many could not be made. To decide about nothing at all shows
// whether the store is there.
func (p *Planner) oneByOne(ctx context.Context, due []Due, now, upTo time.Time) (total, bad int, err error) {
	for _, d := range due {
		n, err := p.rules(ctx, []Due{d}, now, upTo)
		total += n
		if err == nil {
			continue
		}
		if _, away := p.rules(ctx, nil, now, upTo); away != nil {
			return total, bad, fmt.Errorf("%w: %w", errAway, away)
		}
		if d.LastTry { // once more: a connection may have been lost
			if n, err = p.rules(ctx, []Due{d}, now, upTo); err == nil {
				total += n
				continue
			}
		}
		if err := p.undecided(ctx, d, now, err); err != nil {
			return total, bad, err
		}
		if errors.Is(err, ErrMissing) {
			total++
			continue
		}
		bad++
	}
	return total, bad, nil
}

// undecided deals with a due rule that could not be decided.
func (p *Planner) undecided(ctx context.Context, d Due, now time.Time, why error) error {
	ctx, cancel := within(ctx, 1)
	defer cancel()
	decision := Decision{
		PracticeID: d.PracticeID, AppointmentID: d.AppointmentID, RuleID: d.Rule.ID, Kind: d.Rule.Kind, StartsAt: d.StartsAt, DecidedAt: now,
	}
	if errors.Is(why, ErrMissing) {
		return p.giveUp(ctx, decision, ErrMissing.Error())
	}
	blame := p.blame(ctx, d.AppointmentID, "", d.PracticeID)
	attrs := []any{"rule", d.Rule.ID, "appointment", d.AppointmentID, "relation", blame.Relation, "column", blame.Column, "row", blame.ID, "error", why}
	switch {
	case d.Rule.ID == "":
		p.Log.ErrorContext(ctx, "appointment cannot be read: nothing is decided about it", append(attrs, "practice", d.PracticeID)...)
		return nil
	case passing(why):
		return fmt.Errorf("rule %s, appointment %s: %w", d.Rule.ID, d.AppointmentID, why)
	case !d.LastTry:
		p.Log.ErrorContext(ctx, "reminder not decided: the next sweep tries again", attrs...)
		return nil
	}
	p.Log.ErrorContext(ctx, "reminder given up: it cannot be decided", attrs...)
	return p.giveUp(ctx, decision, blame.detail())
}

func (p *Planner) rules(ctx context.Context, due []Due, now, upTo time.Time) (made int, err error) {
	defer recovered(&err)
	bounded, cancel := within(ctx, len(due))
	defer cancel()
	decisions, err := p.Store.PlanRules(bounded, due, func(r Rule, s *practice.Snapshot) (Decision, bool) {
		return p.traced(ctx, "", func() (Decision, bool) {
			d, ready := DecideRule(r, s, now, upTo)
			d.Early = !ready
			return d, ready || d.nearsDigest(upTo)
		})
	})
	if err != nil {
		return 0, fmt.Errorf("plan rules: %w", err)
	}
	p.planned(ctx, decisions)
	return len(decisions), nil
}

// planned says what was decided and offers it for delivery. Redis may be away:
// what it was not told is found again by the reconciler.
func (p *Planner) planned(ctx context.Context, decisions []Decision) {
	for _, d := range decisions {
		level := slog.LevelInfo
		if d.Kind.Sort() == kind.Unknown {
			level = slog.LevelWarn // a typing error, most likely
		}
		// Strings as such: of a type of their own, slog has encoding/json write them.
		p.Log.Log(ctx, level, "decided", "decision", d.ID, "kind", string(named(d.Kind)), "outcome", string(d.Outcome),
			"appointment", d.AppointmentID, "event", d.EventID, "rule", d.RuleID,
			"notifications", len(d.Notifications), "detail", d.Detail)
		if p.Observe != nil {
			p.Observe(d)
		}
	}
	for when, ids := range byTime(decisions) {
		if err := p.Queue.OfferAt(ctx, when.channel, ids, when.at); err != nil {
			p.Log.WarnContext(ctx, "decided but not on the queue: the reconciler will find them", "count", len(ids), "error", err)
		}
	}
}

// named is the kind as a log may have it: one that nobody knows can be anything,
// and stands in the event.
func named(k kind.Kind) kind.Kind {
	if k.Sort() == kind.Unknown {
		return "unknown"
	}
	return k
}

// A slot is what notifications that are offered together have in common.
type slot struct {
	channel recipients.Channel
	at      time.Time // the end of the second before which they may not go
}

// byTime puts notifications together that may go on one channel at one time.
func byTime(decisions []Decision) map[slot][]string {
	ids := map[slot][]string{}
	for _, d := range decisions {
		for _, n := range d.Notifications {
			if n.OnDesk {
				continue
			}
			s := slot{n.Channel, n.NotBefore.Truncate(time.Second)}
			if s.at.Before(n.NotBefore) {
				s.at = s.at.Add(time.Second)
			}
			if !n.NotBefore.After(d.DecidedAt) {
				s.at = time.Time{} // now
			}
			ids[s] = append(ids[s], n.ID)
		}
	}
	return ids
}

// HandleEvent takes an event that came as a task: once it returns nil the event
// is safe, and is planned at the next turn of Run, which wake brings about.
func (p *Planner) HandleEvent(wake func()) asynq.HandlerFunc {
	return func(ctx context.Context, t *asynq.Task) error {
		e, err := jobs.DecodeEvent(t)
		if err != nil {
			return err
		}
		if e.OccurredAt.IsZero() {
			e.OccurredAt = p.Now()
		}
		_, err = p.Store.AddEvents(ctx, []Event{{
			ID: e.ID, Kind: e.Kind, AppointmentID: e.AppointmentID, OccurredAt: e.OccurredAt,
			Traceparent: tracing.Valid(ctx, t.Headers()[tracing.Header]),
		}})
		if err != nil {
			return fmt.Errorf("take event %s: %w", e.ID, err)
		}
		wake()
		return nil
	}
}

// identify gives the decision and its notifications their ids: version 7, so
// that rows of one time stand together.
func identify(d *Decision) error {
	ids := make([]string, 1+len(d.Notifications))
	var errs error
	for i := range ids {
		id, err := uuid.NewV7()
		errs = errors.Join(errs, err)
		ids[i] = id.String()
	}
	d.ID = ids[0]
	for i := range d.Notifications {
		d.Notifications[i].ID = ids[1+i]
	}
	return errs
}
