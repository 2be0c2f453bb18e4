package chaos_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/jobs"
)

// A load is everything that happens at the practices in a trial.
type load struct {
	practice *practice
	oracle   *oracle
	tasks    *jobs.Client
	dice     *dice
	margin   time.Duration // how long before a reminder is due it can be called off for sure
	soon     time.Duration // how long after a move near the new reminder is due
	ends     time.Time

	acts    []act // in order of time
	waiting []*waiting
	untold  []jobs.Event // by task, since Redis was away
	byTask  []jobs.Event // all that were told by task alone
	events  atomic.Int64
	again   int // events told by task that Redis forgot before anybody took them
	visits  []*visit
	lastDue time.Time
}

// An act happens at a time after the beginning.
type act struct {
	at time.Duration
	do func(ctx context.Context) error
}

// Waiting is a visit whose next step follows when people were told of the last.
type waiting struct {
	*visit
	event jobs.Event
}

// A story is how a visit begins and what becomes of it.
type story struct {
	weight   int
	before   bool // it was booked long ago, and nobody is told of that
	reminded bool
	missed   bool
	steps    []step
}

func stories() []story {
	return []story{
		{weight: 30},
		{weight: 12, reminded: true},
		{weight: 16, reminded: true, before: true},
		{weight: 6, reminded: true, before: true, steps: []step{cancel}},
		{weight: 6, reminded: true, before: true, steps: []step{moveNear}},
		{weight: 4, reminded: true, before: true, steps: []step{moveAway}},
		{weight: 4, before: true, missed: true, steps: []step{miss}},
		{weight: 4, steps: []step{confirm}},
		{weight: 6, steps: []step{cancel}},
		{weight: 5, reminded: true, steps: []step{cancel}},
		{weight: 5, steps: []step{moveAway, cancel}},
		{weight: 4, reminded: true, steps: []step{moveNear}},
	}
}

// tellings is by how many events a story is told.
func (s story) tellings() int {
	if s.before {
		return len(s.steps)
	}
	return len(s.steps) + 1
}

// plan throws the dice for a load of so many events within span from began.
func (l *load) plan(events int, began time.Time, span time.Duration) {
	l.ends = began.Add(span)
	for told := 0; told < events; {
		s := weighted(l.dice, stories(), func(s story) int { return s.weight })
		told += s.tellings()
		l.begin(s, began, span)
	}
	for at := time.Duration(0); at < span; at += 200 * time.Millisecond {
		l.acts = append(l.acts, act{at, l.practice.fuss})
	}
	slices.SortStableFunc(l.acts, func(a, b act) int { return cmp.Compare(a.at, b.at) })
}

// begin plans one story. What is called off before its reminder is due has the
// first half of the span for it, and the reminder falls due in the last quarter.
func (l *load) begin(s story, began time.Time, span time.Duration) {
	v := &visit{
		id: newID(), client: one(l.dice, l.practice.people.clients), revision: 1, status: "scheduled",
		start: began.Add(far + l.dice.between(0, far)).Truncate(time.Minute), lead: one(l.dice, leads()), steps: s.steps,
	}
	l.visits = append(l.visits, v)
	v.before = s.before
	at := l.dice.between(0, span*9/10)
	if len(s.steps) > 0 {
		at = l.dice.between(0, span/2)
	}
	if s.reminded {
		least := max(at+time.Second, span/10)
		if len(s.steps) > 0 {
			least = span * 3 / 4
		}
		v.remindAt = began.Add(l.dice.between(least, max(span, least))).Truncate(time.Second).Add(time.Second)
		v.start = v.remindAt.Add(v.lead)
		l.note(v.remindAt)
	}
	if s.missed {
		v.start = began.Add(-time.Hour).Truncate(time.Second)
	}
	if !s.before {
		l.acts = append(l.acts, act{at, func(ctx context.Context) error { return l.book(ctx, v) }})
		return
	}
	if s.reminded {
		l.oracle.due(v, reminder, v.start)
	}
	if len(s.steps) > 0 {
		l.acts = append(l.acts, act{at, func(ctx context.Context) error { return l.next(ctx, v) }})
	}
}

func (l *load) note(due time.Time) {
	if due.After(l.lastDue) {
		l.lastDue = due
	}
}

// seed writes the visits that were booked long ago.
func (l *load) seed(ctx context.Context) error {
	return l.practice.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		for _, v := range l.visits {
			if !v.before {
				continue
			}
			if err := v.insert(ctx, tx, longAgo()); err != nil {
				return err
			}
		}
		return nil
	})
}

// run does what happens when its time has come, and what follows from that. It
// returns when nothing is left to be done by the clock.
func (l *load) run(ctx context.Context, began time.Time) error {
	for _, a := range l.acts {
		for time.Until(began.Add(a.at)) > 0 {
			if !wait(ctx, min(time.Until(began.Add(a.at)), 100*time.Millisecond)) {
				return ctx.Err()
			}
			if err := l.follow(ctx); err != nil {
				return err
			}
		}
		if err := a.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// A way is how an event is told.
type way int

const (
	byRow  way = iota
	byTask     // after the transaction
	ahead      // before the transaction has committed, which a main app should not do, and does
	twice      // the same event, by row and by task
	asTwo      // as two events of one revision
)

func (l *load) anyWay() way {
	if l.dice.chance(4) {
		return ahead
	}
	return one(l.dice, []way{byRow, byRow, byRow, byTask, byTask, byTask, twice, asTwo})
}

// book books a visit, and tells of it.
func (l *load) book(ctx context.Context, v *visit) error {
	booked := time.Now()
	err := l.tell(ctx, v, jobs.Booked, func(ctx context.Context, tx pgx.Tx) error { return v.insert(ctx, tx, booked) })
	if err != nil {
		return err
	}
	if !v.remindAt.IsZero() && !booked.After(v.remindAt) {
		l.oracle.due(v, reminder, v.start)
	}
	return nil
}

// next takes the next step of a visit, and tells of it.
func (l *load) next(ctx context.Context, v *visit) error {
	s := v.steps[0]
	v.steps = v.steps[1:]
	before, at := *v, time.Now()
	if s == moveNear && at.Add(l.soon).After(l.ends) {
		s = moveAway // else everybody would wait for it in the end
	}
	k := v.take(s, at.Add(l.soon).Truncate(time.Second).Add(time.Second))
	moved := !v.start.Equal(before.start)
	err := l.tell(ctx, v, k, func(ctx context.Context, tx pgx.Tx) error { return v.update(ctx, tx, at, moved) })
	if err != nil {
		return err
	}
	if !before.remindAt.IsZero() && (moved || s == cancel) {
		l.oracle.undue(v, reminder, before.start, time.Now().After(before.remindAt.Add(-l.margin)))
	}
	if s == moveNear {
		l.oracle.due(v, reminder, v.start)
		l.note(v.remindAt)
	}
	return nil
}

// tell commits a change together with, or followed by, the event that tells of
// it.
func (l *load) tell(ctx context.Context, v *visit, k jobs.Kind, change func(context.Context, pgx.Tx) error) error {
	e, err := jobs.NewEvent(k, v.id, time.Now())
	if err != nil {
		return err
	}
	how := l.anyWay()
	switch {
	case how == asTwo && len(v.steps) > 0:
		how = twice // the second could come after the next step, and then tells of something else
	case how == ahead && k == jobs.Rescheduled && v.before:
		how = byTask // of a visit that nobody told of, nothing shows that it is yet to be moved
	}
	if how == ahead {
		l.report(ctx, e)
		wait(ctx, l.dice.between(0, 150*time.Millisecond))
	}
	err = l.practice.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := change(ctx, tx); err != nil || how == byTask || how == ahead {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO rappel.events (id, kind, appointment_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			e.ID, string(k), v.id)
		return err
	})
	if err != nil {
		return err
	}
	switch how {
	case byRow:
	case ahead, byTask:
		l.byTask = append(l.byTask, e)
		if how == byTask {
			l.report(ctx, e)
		}
	case twice:
		l.report(ctx, e)
	case asTwo:
		other, err := jobs.NewEvent(k, v.id, time.Now())
		if err != nil {
			return err
		}
		l.byTask = append(l.byTask, other)
		l.report(ctx, other)
	}
	l.events.Add(1)
	l.oracle.due(v, string(k), v.start)
	if len(v.steps) > 0 {
		l.waiting = append(l.waiting, &waiting{v, e})
	}
	return nil
}

// report puts an event on the queue, or notes it for later.
func (l *load) report(ctx context.Context, e jobs.Event) {
	try, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if l.tasks.ReportEvent(try, e) != nil {
		l.untold = append(l.untold, e)
	}
}

// follow tells what could not be told, and takes the next step where people
// were told of the last: to cancel what nobody has heard of yet would leave
// open which of the two they are to hear of.
func (l *load) follow(ctx context.Context) error {
	untold := l.untold
	l.untold = nil
	for _, e := range untold {
		l.report(ctx, e)
	}
	told, err := l.told(ctx)
	if err != nil || len(told) == 0 {
		return nil //nolint:nilerr // the database is away: later
	}
	var waits []*waiting
	var errs []error
	for _, w := range l.waiting {
		if !told[w.event.ID] {
			waits = append(waits, w)
		}
	}
	ready := slices.DeleteFunc(l.waiting, func(w *waiting) bool { return !told[w.event.ID] })
	l.waiting = waits
	for _, w := range ready {
		errs = append(errs, l.next(ctx, w.visit))
	}
	return errors.Join(errs...)
}

// told returns the events that were decided and whose messages have all gone.
func (l *load) told(ctx context.Context) (map[string]bool, error) {
	if len(l.waiting) == 0 {
		return nil, nil
	}
	ids := make([]string, len(l.waiting))
	for i, w := range l.waiting {
		ids[i] = w.event.ID
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	rows, err := l.practice.db.Query(ctx, `
		SELECT e.id FROM rappel.events e
		WHERE e.id = ANY ($1) AND e.planned_at IS NOT NULL AND NOT EXISTS (
			SELECT 1 FROM rappel.notifications n
			WHERE n.appointment_id = e.appointment_id AND n.kind = e.kind AND n.status NOT IN ('sent', 'delivered'))`, ids)
	if err != nil {
		return nil, err
	}
	known, err := pgx.CollectRows(rows, pgx.RowTo[string])
	told := map[string]bool{}
	for _, id := range known {
		told[id] = true
	}
	return told, err
}

// untaken returns what was told by task alone and that no worker has taken: it
// waits on the queue, or in the hands of one that died, where asynq finds it
// after a minute or two.
func (l *load) untaken(ctx context.Context) ([]jobs.Event, error) {
	ids := make([]string, len(l.byTask))
	for i, e := range l.byTask {
		ids[i] = e.ID
	}
	rows, err := l.practice.db.Query(ctx, `SELECT id FROM rappel.events WHERE id = ANY ($1)`, ids)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	var id string
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		taken[id] = true
		return nil
	})
	return slices.DeleteFunc(slices.Clone(l.byTask), func(e jobs.Event) bool { return taken[e.ID] }), err
}

// remind tells again what is untaken after Redis was emptied. A main app that
// cannot bear that tells by row.
func (l *load) remind(ctx context.Context) error {
	untaken, err := l.untaken(ctx)
	for _, e := range untaken {
		l.again++
		l.report(ctx, e)
	}
	return err
}
