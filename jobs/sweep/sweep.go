// Package sweep finds the rules that fell due since it last looked, and has
// them decided. It keeps a high-water mark: what a stopped scheduler missed is
// found when it is back, and looking twice finds nothing new, because each rule
// is decided once for an appointment and its start.
//
// It deliberately does not know who is told, nor what: that is for jobs/plan.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"

	"rappel/internal/schedule"
	"rappel/jobs"
	"rappel/jobs/plan"
)

// Overlap is how far a sweep looks back behind the mark, for transactions that
// committed after a sweep had passed their time.
const Overlap = 10 * time.Minute

// FirstLook is how far the very first sweep looks back.
const FirstLook = time.Hour

// A Span is the time that a sweep covers: after From, up to To.
type Span struct {
	From, To time.Time
}

// Found is an undecided rule and an appointment that a store thinks near
// enough to its due time to be worth a closer look. If an appointment cannot be
// read, it is found once without a rule, and with each rule that may be due; a
// practice that cannot be read is found without either.
type Found struct {
	Rule          plan.Rule
	AppointmentID string
	Visit         schedule.Visit
	Window        schedule.Window // of SMS
	Digest        string          // the practice, if reminders to a family go in one message
	PracticeZone  *time.Location  // of Digest; nil: there is none
	PracticeID    string
	Unreadable    error // why the appointment cannot be read; nil: it can
}

// Due tells whether the matter is live in span: from when the message may have
// to leave in advance, until it is due or, if that is later, was booked or moved.
// It may be early by the rest of an hour: see plan.Join.
func (f Found) Due(span Span) bool {
	return f.last().After(span.From) && !f.Rule.LookAt(f.Visit, f.Window).After(f.horizon(span.To))
}

// last is when the matter is live for the last time.
func (f Found) last() time.Time {
	last := f.Rule.Due(f.Visit)
	for _, known := range []time.Time{f.Visit.BookedAt, f.Visit.SetAt} {
		if known.After(last) {
			last = known
		}
	}
	return last
}

// horizon is up to when a sweep as of at looks: to the end of the hour where
// what comes later in it may go with what is due.
func (f Found) horizon(at time.Time) time.Time {
	if f.Digest == "" {
		return at
	}
	return horizon(at, f.PracticeZone)
}

// horizon is that of practices with family digests in a zone.
func horizon(at time.Time, zone *time.Location) time.Time {
	if zone == nil {
		return at
	}
	return schedule.HourOf(at.Add(plan.DigestLead), zone).Add(time.Hour)
}

// A Store knows rules, appointments and the mark.
type Store interface {
	// Mark returns up to when everything was looked at; zero: never. It is never
	// a time to come: what will be booked until then was not looked at.
	Mark(ctx context.Context) (time.Time, error)
	// Advance notes at now that all is decided that is due up to at, and moves
	// the mark to the earlier of them, if that is later.
	Advance(ctx context.Context, at, now time.Time) error
	// Find calls yield for each undecided rule and appointment that may have
	// fallen due in span, or whose start was set in it, or that may have to
	// leave at its end before it is due: see [Looks]. It may find too much,
	// never too little.
	Find(ctx context.Context, span Span, yield func(Found)) error
}

// A Planner decides at now about what is due up to a time; it returns how many
// decisions are new.
type Planner interface {
	Rules(ctx context.Context, due []plan.Due, now, upTo time.Time) (int, error)
}

// A Sweeper sweeps.
type Sweeper struct {
	Store   Store
	Planner Planner
	Now     func() time.Time
	Log     *slog.Logger
}

// Result tells what a sweep did.
type Result struct {
	Span    Span
	Found   int // due, decided before or not
	Decided int // new decisions
}

// Sweep has everything decided that is due up to at, and moves the mark. After
// an error the mark stays, and the next sweep looks again; a plan.UndecidedError
// does not hold it.
//
// All is judged by the present. As of a time gone by, each of several reminders
// that an outage held up would go; as of a time to come, it would be too late
// for whatever starts before it.
func (s *Sweeper) Sweep(ctx context.Context, at time.Time) (Result, error) {
	now := s.Now()
	span, err := s.span(ctx, at, now)
	if err != nil {
		return Result{}, err
	}
	var due []plan.Due
	next := Next(earlier(at, now), now, now)
	err = s.Store.Find(ctx, span, func(f Found) {
		if f.Rule.ID == "" && f.Unreadable != nil || f.Due(span) {
			due = append(due, plan.Due{
				Rule: f.Rule, AppointmentID: f.AppointmentID, Digest: f.Digest, PracticeID: f.PracticeID, StartsAt: f.Visit.StartsAt,
				LastTry: f.Rule.ID != "" && !f.last().After(next.From), Unreadable: f.Unreadable,
			})
		}
	})
	if err != nil {
		return Result{}, fmt.Errorf("sweep: find what is due: %w", err)
	}
	upTo := at
	if now.After(at) {
		upTo = now
	}
	decided, undecided := s.Planner.Rules(ctx, due, now, upTo)
	if _, ok := errors.AsType[plan.UndecidedError](undecided); undecided != nil && !ok {
		return Result{}, fmt.Errorf("sweep: %w", undecided)
	}
	if err := s.Store.Advance(ctx, at, now); err != nil {
		return Result{}, fmt.Errorf("sweep: advance the mark: %w", err)
	}
	if undecided != nil {
		undecided = fmt.Errorf("sweep: %w", undecided)
	}
	return Result{Span: span, Found: len(due), Decided: decided}, undecided
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (s *Sweeper) span(ctx context.Context, at, now time.Time) (Span, error) {
	mark, err := s.Store.Mark(ctx)
	if err != nil {
		return Span{}, fmt.Errorf("sweep: read the mark: %w", err)
	}
	return Next(mark, at, now), nil
}

// Next is what the sweep as of at covers, made at now, after one that came as far
// as mark; a zero mark means that there was none.
func Next(mark, at, now time.Time) Span {
	first := at
	if now.Before(at) {
		first = now
	}
	switch {
	case mark.IsZero():
		return Span{From: first.Add(-FirstLook), To: at}
	case at.Before(mark):
		mark = at // as of a time gone by: what was due just before it
	}
	return Span{From: mark.Add(-Overlap), To: at}
}

// Handle sweeps for a task. A tick that comes late sweeps up to now: what fell
// due while it waited is not left for the next.
func (s *Sweeper) Handle(ctx context.Context, t *asynq.Task) error {
	task, err := jobs.DecodeSweep(t)
	if err != nil {
		return err
	}
	at := task.At
	if at.IsZero() {
		at = s.Now()
	}
	done, err := s.Sweep(ctx, at)
	if _, ok := errors.AsType[plan.UndecidedError](err); err != nil && !ok {
		return err // of an UndecidedError each row is in the log
	}
	if done.Decided > 0 {
		s.Log.InfoContext(ctx, "swept", "from", done.Span.From, "to", done.Span.To, "found", done.Found, "decided", done.Decided)
	}
	return nil
}
