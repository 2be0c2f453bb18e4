// Package forecast tells what will be decided before it is, and what was: which
// messages a practice's rules make due in a span of time, to whom and by which
// channel, which not and why; and the whole story of one appointment.
//
// It decides nothing itself. Every answer is that of jobs/plan for the facts of
// this moment, which overdue matters still count is what jobs/sweep would find, and
// whether what waits still goes is what jobs/deliver would see, so that a forecast
// cannot differ from what is done. It deliberately writes nothing, sends nothing,
// and does not know how its answers are shown.
package forecast

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"rappel/internal/practice"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
)

// A Matter is an active rule that was not decided for an appointment and its
// present start, with all that bears on it.
type Matter struct {
	Rule     plan.Rule
	RuleName string
	Snapshot *practice.Snapshot
}

// A View is the store as it was in one moment, to be read only.
type View interface {
	// Mark returns up to when the sweep has looked at everything; zero: never.
	Mark(ctx context.Context) (time.Time, error)
	// Near calls yield for each matter that may fall due in span, leave early in
	// it, or whose start was set in it, of one practice or, where the id is
	// empty, of all, and returns how many there were. It may find too much,
	// never too little, and holds but a page of them at a time.
	Near(ctx context.Context, span sweep.Span, practiceID string, yield func(Matter)) (int, error)
	// Waiting returns what was decided, waits, and may go in a digest of an hour
	// that begins in span, likewise.
	Waiting(ctx context.Context, span sweep.Span, practiceID string) (plan.Company, error)
	// Pending calls yield for each message of a rule that was decided and waits
	// for a time from the beginning of span on, and before its end.
	Pending(ctx context.Context, span sweep.Span, practiceID string, now time.Time, yield func(Pending)) error
}

// A Store is where matters and their history are kept.
type Store interface {
	// View calls look with a view that stays as it is until look returns.
	View(ctx context.Context, look func(View) error) error
	// History returns what is known of an appointment.
	History(ctx context.Context, appointmentID string) (History, error)
	// EventHistory returns that of the appointment which an event is about,
	// without what is to come, or of a notice alone; of an event that nobody
	// knows, nothing.
	EventHistory(ctx context.Context, eventID string) (History, error)
}

// A Forecaster forecasts.
type Forecaster struct {
	Store Store
	Now   func() time.Time
}

// A Query asks for what has its time from From on and before To.
type Query struct {
	From, To   time.Time
	PracticeID string // empty: all practices
	Pending    bool   // also what was decided, and waits for its time
}

// longestWait bounds how long a message waits for the next opening of the SMS
// window: a day, another where a zone skips one, and a change of the clocks.
const longestWait = 51 * time.Hour

// Forecast calls yield for each candidate of each undecided rule and appointment
// whose time lies in the span of q, and where q asks for them for each message that
// waits for such a time, in the order of time. What it holds at once does not grow
// with the span: it goes in strides.
func (f *Forecaster) Forecast(ctx context.Context, q Query, yield func(Line) error) error {
	return f.Store.View(ctx, func(v View) error {
		seer, err := newSeer(ctx, v, f.Now())
		if err != nil {
			return err
		}
		s := stride{from: q.From, length: firstStride}
		for s.from.Before(q.To) {
			s.to = earlier(s.from.Add(s.length), q.To)
			lines, found, err := seer.look(ctx, v, s, q)
			if err != nil {
				return err
			}
			for _, l := range lines {
				if err := yield(*l); err != nil {
					return err
				}
			}
			s = s.next(found)
		}
		return nil
	})
}

// A stride is the part of a span that is looked at in one go: from its
// beginning on, before its end.
type stride struct {
	from, to time.Time
	length   time.Duration
}

const (
	firstStride    = 24 * time.Hour
	shortestStride = time.Hour
	longestStride  = 32 * 24 * time.Hour

	fewMatters, manyMatters = 2_000, 8_000
)

// next is the stride after s, longer or shorter after as many matters as were
// found in it.
func (s stride) next(found int) stride {
	length := s.length
	switch {
	case found < fewMatters:
		length = min(2*length, longestStride)
	case found > manyMatters:
		length = max(length/2, shortestStride)
	}
	return stride{from: s.to, length: length}
}

func (s stride) widened(by time.Duration) stride {
	return stride{from: s.from.Add(-by), to: s.to.Add(by), length: s.length}
}

func (s stride) holds(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }

// A seer knows the moment of which everything is seen.
type seer struct {
	now   time.Time
	reach sweep.Span // of the next sweep, and all after it
}

func newSeer(ctx context.Context, v View, now time.Time) (seer, error) {
	mark, err := v.Mark(ctx)
	if err != nil {
		return seer{}, fmt.Errorf("read the mark: %w", err)
	}
	return seer{now: now, reach: reachOf(mark, now)}, nil
}

// reachOf is the time in which something must happen for a sweep to come across
// it, now or later.
func reachOf(mark, now time.Time) sweep.Span {
	return sweep.Span{
		From: sweep.Next(mark, now, now).From,
		To:   time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC),
	}
}

// look returns the lines of one stride, in the order of time, and how many
// matters it came across.
func (s seer) look(ctx context.Context, v View, in stride, q Query) ([]*Line, int, error) {
	wide := in.widened(time.Hour) // what is in it may go with what is not
	company, err := v.Waiting(ctx, sweep.Span{From: wide.from, To: wide.to}, q.PracticeID)
	if err != nil {
		return nil, 0, fmt.Errorf("find what waits: %w", err)
	}
	var lines []*Line
	found, err := v.Near(ctx, s.near(wide), q.PracticeID, func(m Matter) {
		all := s.foresee(m)
		for i := range all {
			l := &all[i]
			company.Meet(l.digest, l.AppointmentID, l.SendAt)
			if in.holds(l.SendAt) || (l.digest != plan.Digest{} && wide.holds(l.SendAt)) {
				lines = append(lines, l)
			}
		}
	})
	if err != nil {
		return nil, 0, fmt.Errorf("find what is due: %w", err)
	}
	for _, l := range lines {
		l.SendAt, _ = company.Joins(l.digest, l.AppointmentID, l.SendAt)
	}
	lines = slices.DeleteFunc(lines, func(l *Line) bool { return !in.holds(l.SendAt) })
	if q.Pending {
		pending, err := s.pending(ctx, v, in, q.PracticeID)
		if err != nil {
			return nil, 0, fmt.Errorf("find what was decided and waits: %w", err)
		}
		lines = append(lines, pending...)
	}
	slices.SortStableFunc(lines, compare)
	return lines, found, nil
}

// near is where the due time may lie of what has its time in a stride: it may
// have waited for the window, and what is overdue waits from now.
func (s seer) near(in stride) sweep.Span {
	from := in.from.Add(-longestWait)
	if from.Before(s.now) {
		from = earlier(from, s.reach.From)
	}
	return sweep.Span{From: from, To: in.to}
}

func compare(a, b *Line) int {
	return cmp.Or(
		a.SendAt.Compare(b.SendAt), a.StartsAt.Compare(b.StartsAt),
		cmp.Compare(a.AppointmentID, b.AppointmentID), cmp.Compare(a.RuleID, b.RuleID),
	)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
