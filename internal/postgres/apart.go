package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/schedule"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
)

// A scope narrows what a sweep reads; the zero scope is everything.
type scope struct {
	but          bool     // all practices but those
	practices    []string // nil: all
	appointments []string // nil: all of the practices
}

// condition is the scope for appointments a, with its arguments from $4 on.
func (s scope) condition() (string, []any) {
	switch {
	case s.practices == nil:
		return `true`, nil
	case s.but:
		return `coalesce(a.practice_id <> ALL ($4::uuid[]), true)`, []any{s.practices}
	case s.appointments == nil:
		return `a.practice_id = ANY ($4::uuid[])`, []any{s.practices}
	}
	return `a.practice_id = ANY ($4::uuid[]) AND a.id = ANY ($5::uuid[])`, []any{s.practices, s.appointments}
}

const (
	// allWithin bounds a search of all practices, and partWithin that of a part
	// of them.
	allWithin  = 30 * time.Second
	partWithin = 5 * time.Second

	// mostBad is how many unreadable appointments of one practice are found out.
	// If there are more, it is no matter of single rows.
	mostBad = 50
)

// Find implements sweep.Store. Where a row cannot be read, its practice is
// searched apart from the others, and each of its appointments apart if need be.
// A practice that failed stays apart until it can be read again.
func (s *Store) Find(ctx context.Context, span sweep.Span, yield func(sweep.Found)) error {
	apart := s.apart()
	rest := scope{but: true, practices: apart}
	if len(apart) == 0 {
		rest = scope{}
	}
	found, err := s.search(ctx, span, rest, allWithin)
	if err != nil {
		if ctx.Err() != nil || temporary(err) {
			return err
		}
		bad, all, err := s.searchByPractice(ctx, span, apart, err)
		if err != nil {
			return err
		}
		found, apart = all, append(apart, bad...)
	}
	for _, f := range found {
		yield(f)
	}
	for _, practice := range apart {
		if err := s.findApart(ctx, span, practice, yield); err != nil {
			return err
		}
	}
	return nil
}

// apart are the practices that are searched apart.
func (s *Store) apart() []string {
	var all []string
	s.failing.Range(func(practice, _ any) bool {
		all = append(all, practice.(string))
		return true
	})
	return all
}

// search looks through a scope within a time.
func (s *Store) search(ctx context.Context, span sweep.Span, of scope, within time.Duration) (found []sweep.Found, err error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("searching %d practices panicked", len(of.practices))
		}
	}()
	err = s.look(ctx, func(tx pgx.Tx) (err error) {
		found, err = s.find(ctx, tx, span, of)
		return err
	})
	return found, err
}

// searchByPractice halves the practices, but for those that are known to fail,
// until each that fails stands alone.
func (s *Store) searchByPractice(ctx context.Context, span sweep.Span, known []string, why error) (bad []string, found []sweep.Found, err error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text FROM rappel.practices`)
	if err != nil {
		return nil, nil, redact(err)
	}
	practices, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, nil, why
	}
	practices = slices.DeleteFunc(practices, func(id string) bool { return slices.Contains(known, id) })
	bad, err = halve(ctx, practices, len(practices), func(part []string) error {
		some, err := s.search(ctx, span, scope{practices: part}, partWithin)
		found = append(found, some...)
		return err
	})
	for _, id := range bad {
		s.failing.Store(id, true)
	}
	return bad, found, err
}

// halve tries ids together and, where that fails, in ever smaller parts, and
// returns those that fail alone. The error says that the fault is no row's, or
// that more than most fail.
func halve(ctx context.Context, ids []string, most int, try func([]string) error) (bad []string, err error) {
	waiting := [][]string{ids}
	for len(waiting) > 0 {
		part := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		if len(part) == 0 {
			continue
		}
		err := try(part)
		switch {
		case err == nil:
		case ctx.Err() != nil || temporary(err):
			return bad, err
		case len(part) > 1:
			waiting = append(waiting, part[len(part)/2:], part[:len(part)/2])
		case len(bad) == most:
			return bad, err
		default:
			bad = append(bad, part[0])
		}
	}
	return bad, nil
}

// findApart searches one practice. Appointments that cannot be read are found
// with the reason; where nothing of the practice can be, that is found alone.
func (s *Store) findApart(ctx context.Context, span sweep.Span, practice string, yield func(sweep.Found)) error {
	found, why := s.search(ctx, span, scope{practices: []string{practice}}, partWithin)
	switch {
	case why == nil:
		s.failing.Delete(practice)
	case ctx.Err() != nil || temporary(why):
		return why
	default:
		var bad []string
		var err error
		if found, bad, err = s.searchByAppointment(ctx, span, practice); err != nil {
			if ctx.Err() != nil || temporary(err) {
				return err
			}
			yield(sweep.Found{PracticeID: practice, Unreadable: why})
			return nil
		}
		for _, id := range bad {
			s.yieldUnreadable(ctx, practice, id, why, yield)
		}
	}
	for _, f := range found {
		yield(f)
	}
	return nil
}

func (s *Store) searchByAppointment(ctx context.Context, span sweep.Span, practice string) (found []sweep.Found, bad []string, err error) {
	of := scope{practices: []string{practice}, appointments: []string{}}
	if _, err := s.search(ctx, span, of, partWithin); err != nil {
		return nil, nil, err // it is not the appointments
	}
	if _, err := s.rulesFor(ctx, practice); err != nil {
		return nil, nil, err
	}
	rows, err := s.pool.Query(ctx, `SELECT id::text FROM rappel.appointments WHERE practice_id = $1`, practice)
	if err != nil {
		return nil, nil, redact(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, nil, redact(err)
	}
	bad, err = halve(ctx, ids, mostBad, func(part []string) error {
		of.appointments = part
		some, err := s.search(ctx, span, of, partWithin)
		found = append(found, some...)
		return err
	})
	return found, bad, err
}

// yieldUnreadable finds the rules for an appointment that cannot be read, as far as
// its times can be; and the appointment alone where there are none.
func (s *Store) yieldUnreadable(ctx context.Context, practice, id string, why error, yield func(sweep.Found)) {
	f := sweep.Found{PracticeID: practice, AppointmentID: id, Unreadable: why}
	rules, err := s.rulesFor(ctx, practice)
	zone := ""
	if err == nil {
		err = s.pool.QueryRow(ctx, `SELECT coalesce(time_zone::text, '') FROM rappel.practices WHERE id = $1`, practice).Scan(&zone)
	}
	times := map[string]time.Time{}
	for _, column := range []string{"starts_at", "ends_at", "booked_at"} {
		var at *time.Time
		if s.pool.QueryRow(ctx, `SELECT `+finite(column)+` FROM rappel.appointments WHERE id = $1`, id).Scan(&at) == nil {
			times[column] = value(at)
		}
	}
	f.Visit = schedule.Visit{StartsAt: times["starts_at"], EndsAt: times["ends_at"], BookedAt: times["booked_at"]}
	f.Visit.Zone, _ = s.zones.Load(zone)
	yield(f)
	if err != nil || f.Visit.StartsAt.IsZero() || f.Visit.Zone == nil {
		return
	}
	for _, r := range rules {
		var decided bool
		if s.pool.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM rappel.decisions WHERE rule_id = $1 AND appointment_id = $2 AND starts_at = $3)`,
			r.ID, id, f.Visit.StartsAt).Scan(&decided) == nil && !decided {
			f.Rule = r
			yield(f)
		}
	}
}

// rulesFor are the active rules of a practice, by id.
func (s *Store) rulesFor(ctx context.Context, practice string) (rules map[string]plan.Rule, err error) {
	err = s.look(ctx, func(tx pgx.Tx) (err error) {
		rules, err = rulesOf(ctx, tx, []string{practice})
		return err
	})
	return rules, err
}
