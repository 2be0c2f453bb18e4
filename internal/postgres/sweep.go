package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"rappel/internal/schedule"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
)

const mark = "reminders"

// Mark implements sweep.Store.
func (s *Store) Mark(ctx context.Context) (time.Time, error) { return markOf(ctx, s.pool) }

// A querier answers with one row: the pool, or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func markOf(ctx context.Context, q querier) (time.Time, error) {
	var at time.Time
	err := q.QueryRow(ctx, `SELECT coalesce(looked_to, swept_to) FROM rappel.sweeps WHERE name = $1`, mark).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, nil
	}
	return at, redact(err)
}

// Advance implements sweep.Store.
func (s *Store) Advance(ctx context.Context, at, now time.Time) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO rappel.sweeps AS s (name, swept_to, looked_to) VALUES ($1, $2, least($2, $3::timestamptz))
		ON CONFLICT (name) DO UPDATE SET
			swept_to = greatest(s.swept_to, excluded.swept_to), looked_to = greatest(s.looked_to, excluded.looked_to)`, mark, at, now)
	return redact(err)
}

const ruleColumns = `r.id, 'appointment.' || coalesce(r.kind::text, ''), coalesce(r.anchor::text, ''), r.offset_minutes, r.offset_days, r.at_time,
	coalesce(r.template::text, ''), coalesce(r.service_name::text, ''),
	CASE WHEN isfinite(r.updated_at) THEN r.updated_at END`

func scanRule(row pgx.Rows, more ...any) (plan.Rule, error) {
	var (
		r     plan.Rule
		at    pgtype.Time
		saved *time.Time
	)
	err := row.Scan(append([]any{
		&r.ID, &r.Kind, &r.Anchor, &r.Minutes, &r.Days, &at, &r.Template, &r.ServiceName, &saved,
	}, more...)...)
	r.At, r.SavedAt = clock(at), value(saved)
	return r, err
}

func findQuery(appointments string) string {
	return `WITH ` + near(appointments) + `
SELECT a.rule_id, a.practice_id, a.practice_zone, a.digest, a.sms_opens, a.sms_closes,
	a.id, a.starts_at, ` + finite("a.ends_at") + `, ` + finite("a.booked_at") + `, ` + finite("s.at") + `, coalesce(a.time_zone::text, ''),
	coalesce(a.service_name::text, ''), coalesce(a.status::text, '')
FROM near a
CROSS JOIN LATERAL (SELECT ` + startSetAt + ` AS at OFFSET 0) s
WHERE ` + undecided
}

// sweeping fits a transaction to near. By its cost, which nobody can guess before
// the looks are known, it would be planned anew each time, compiled, and shared
// out among processes, and each of that takes longer than all the rest. And every
// step is to go by its index, whatever the statistics say: on the day after a
// restore they say nothing.
const sweeping = `SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true),
	set_config('max_parallel_workers_per_gather', '0', true),
	set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)`

func (s *Store) find(ctx context.Context, tx pgx.Tx, span sweep.Span, of scope) ([]sweep.Found, error) {
	if _, err := tx.Exec(ctx, sweeping); err != nil {
		return nil, err
	}
	habits, err := s.habits(ctx, tx, of)
	if err != nil {
		return nil, err
	}
	looks, err := inWords(sweep.Looks(span, habits))
	if err != nil {
		return nil, err
	}
	appointments, args := of.condition()
	rows, err := tx.Query(ctx, findQuery(appointments), append([]any{span.From, span.To, looks}, args...)...)
	if err != nil {
		return nil, err
	}
	pairs, practices, err := s.found(rows)
	if err != nil {
		return nil, err
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	rules, err := rulesOf(ctx, tx, practices)
	if err != nil {
		return nil, err
	}
	found := pairs[:0]
	for _, f := range pairs {
		if rule, ok := rules[f.Rule.ID]; ok { // else rappel check names it
			f.Rule = rule
			found = append(found, f)
		}
	}
	return found, nil
}

// found reads each pair once, of its rule only the id, and the practices of all.
func (s *Store) found(rows pgx.Rows) (all []sweep.Found, practices []string, err error) {
	defer rows.Close()
	pairs, in := map[pair]bool{}, map[string]bool{}
	for rows.Next() {
		f, practiceID, err := s.scanFound(rows)
		if err != nil {
			return nil, nil, err
		}
		if p := (pair{f.Rule.ID, f.AppointmentID}); !pairs[p] {
			pairs[p], in[practiceID] = true, true
			all = append(all, f)
		}
	}
	return all, keys(in), rows.Err()
}

func (s *Store) scanFound(rows pgx.Rows) (f sweep.Found, practiceID string, err error) {
	var (
		opens, closes       pgtype.Time
		ends, booked, setAt *time.Time
		practiceZone, zone  string
		digest              bool
	)
	v := &f.Visit
	err = rows.Scan(&f.Rule.ID, &practiceID, &practiceZone, &digest, &opens, &closes,
		&f.AppointmentID, &v.StartsAt, &ends, &booked, &setAt, &zone, &v.ServiceName, &v.Status)
	v.EndsAt, v.BookedAt, v.SetAt = value(ends), value(booked), value(setAt)
	v.Zone, _ = s.zones.Of(zone, practiceZone)
	f.Window = schedule.Window{Opens: clock(opens), Closes: clock(closes)}
	if digest {
		f.Digest = practiceID
		f.PracticeZone, _ = s.zones.Load(practiceZone)
	}
	f.PracticeID = practiceID
	return f, practiceID, err
}

// rulesOf reads the active rules of practices by id, each with those that may
// take its place. The fence has those of each practice found by its index,
// however many practices there are.
func rulesOf(ctx context.Context, tx pgx.Tx, practices []string) (map[string]plan.Rule, error) {
	rows, err := tx.Query(ctx, `
		SELECT r.*, p.n
		FROM unnest($1::uuid[]) WITH ORDINALITY AS p (id, n)
		CROSS JOIN LATERAL (SELECT `+ruleColumns+` FROM rappel.rules r WHERE r.practice_id = p.id AND r.active OFFSET 0) r`, practices)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	rules := map[string]plan.Rule{}
	practiceOf := map[string]int{}
	siblings := make([][]schedule.Rule, 1+len(practices))
	for rows.Next() {
		var practice int
		r, err := scanRule(rows, &practice)
		if err != nil {
			return nil, err
		}
		if r.Valid() == nil {
			rules[r.ID], practiceOf[r.ID] = r, practice
			siblings[practice] = append(siblings[practice], r.Rule)
		}
	}
	for id, r := range rules {
		r.Siblings = siblings[practiceOf[id]]
		rules[id] = r
	}
	return rules, rows.Err()
}

var (
	_ plan.Store  = (*Store)(nil)
	_ sweep.Store = (*Store)(nil)
)
