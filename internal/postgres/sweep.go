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
	err := q.QueryRow(ctx, `SELECT swept_to FROM rappel.sweeps WHERE name = $1`, mark).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, nil
	}
	return at, redact(err)
}

// Advance implements sweep.Store.
func (s *Store) Advance(ctx context.Context, t time.Time) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO rappel.sweeps AS s (name, swept_to) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET swept_to = greatest(s.swept_to, excluded.swept_to)`, mark, t)
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

// near reads, for each distinct offset of an active rule, the one range of
// appointments that can fall due by it: the cost follows what is near its due
// time, not what is stored, nor how many practices share an offset: hence
// MATERIALIZED, without which the planner reads a range anew for each of their
// rules. OFFSET 0 keeps it from pulling the range out of its index. $1 and $2 bound the span, $3 is how far ahead of its due
// time a message may leave. Days on the calendar differ from days of 24 hours
// by what schedule.Rule.Reach allows. Offsets beyond ten years are no rules:
// they would leave the range of timestamps, and rappel check names them. The
// practices are all, or those of a condition on practice_id.
func near(practices string) string {
	return `
WITH offsets AS (
	SELECT DISTINCT anchor::text, offset_minutes IS NULL AS in_days, coalesce(offset_minutes, offset_days) AS size, at_time IS NULL AS same_time,
		make_interval(mins => coalesce(offset_minutes, 0)::int, days => coalesce(offset_days, 0)::int) AS distance,
		CASE WHEN offset_days IS NULL THEN interval '0' WHEN at_time IS NULL THEN interval '3 hours'
			ELSE interval '27 hours' END AS slack
	FROM rappel.rules
	WHERE active AND ` + practices + ` AND (offset_minutes IS NULL) <> (offset_days IS NULL)
		AND coalesce(offset_minutes, 0) BETWEEN -5256000 AND 5256000
		AND coalesce(offset_days, 0) BETWEEN -3650 AND 3650
), ranges AS MATERIALIZED (
	SELECT o.anchor, o.in_days, o.size, o.same_time, a.id, a.practice_id
	FROM offsets o
	CROSS JOIN LATERAL (
		SELECT id, practice_id FROM rappel.appointments
		WHERE ` + practices + ` AND o.anchor = 'start' AND starts_at > $1::timestamptz - o.distance - o.slack AND starts_at <= $2::timestamptz - o.distance + o.slack + $3::interval
		UNION ALL
		SELECT id, practice_id FROM rappel.appointments
		WHERE ` + practices + ` AND o.anchor = 'end' AND ends_at > $1::timestamptz - o.distance - o.slack AND ends_at <= $2::timestamptz - o.distance + o.slack + $3::interval
		UNION ALL
		SELECT id, practice_id FROM rappel.appointments
		WHERE ` + practices + ` AND o.anchor = 'booked' AND booked_at > $1::timestamptz - o.distance - o.slack AND booked_at <= $2::timestamptz - o.distance + o.slack + $3::interval
		OFFSET 0) a
), near AS (
	SELECT r.id AS rule_id, a.id AS appointment_id
	FROM ranges a
	JOIN rappel.rules r ON r.practice_id = a.practice_id AND r.active AND r.anchor::text = a.anchor
		AND (r.offset_minutes IS NULL) = a.in_days AND coalesce(r.offset_minutes, r.offset_days) = a.size
		AND (r.at_time IS NULL) = a.same_time
	UNION
	SELECT r.id, a.id
	FROM (
		SELECT id, practice_id FROM rappel.appointments WHERE ` + practices + ` AND booked_at > $1 AND booked_at <= $2
		UNION
		SELECT id, practice_id FROM rappel.appointments WHERE ` + practices + ` AND start_set_at > $1 AND start_set_at <= $2
		UNION
		SELECT id, practice_id FROM rappel.appointments WHERE ` + practices + ` AND updated_at > $1 AND updated_at <= $2 AND start_set_at IS NULL
	) a
	JOIN rappel.rules r ON r.practice_id = a.practice_id AND r.active
)`
}

// undecided is the condition that rule n.rule_id was not decided for
// appointment a and its present start.
const undecided = `isfinite(a.starts_at) AND NOT EXISTS (
	SELECT 1 FROM rappel.decisions d
	WHERE d.rule_id = n.rule_id AND d.appointment_id = n.appointment_id AND d.starts_at = a.starts_at)`

func findQuery() string {
	return near(`true`) + `
SELECT ` + ruleColumns + `, p.id, coalesce(p.time_zone::text, ''), coalesce(p.family_digest, false), p.sms_opens, p.sms_closes,
	a.id, a.starts_at, ` + finite("a.ends_at") + `, ` + finite("a.booked_at") + `, ` + finite(startSetAt) + `, coalesce(a.time_zone::text, ''),
	coalesce(a.service_name::text, ''), coalesce(a.status::text, '')
FROM near n
JOIN rappel.rules r ON r.id = n.rule_id
JOIN rappel.appointments a ON a.id = n.appointment_id
JOIN rappel.practices p ON p.id = a.practice_id
WHERE ` + undecided
}

// Find implements sweep.Store.
func (s *Store) Find(ctx context.Context, span sweep.Span, yield func(sweep.Found)) error {
	rows, err := s.pool.Query(ctx, findQuery(), span.From, span.To, schedule.MaxAdvance)
	if err != nil {
		return redact(err)
	}
	defer rows.Close()
	practices := map[string][]int{} // whose rules may take a found one's place
	var found []sweep.Found
	for rows.Next() {
		f, practiceID, err := s.found(rows)
		if err != nil {
			return redact(err)
		}
		if f.Rule.Valid() != nil {
			continue // rappel check names it
		}
		practices[practiceID] = append(practices[practiceID], len(found))
		found = append(found, f)
	}
	if err := rows.Err(); err != nil {
		return redact(err)
	}
	siblings, err := s.rules(ctx, keys(practices))
	if err != nil {
		return err
	}
	for practiceID, members := range practices {
		for _, i := range members {
			found[i].Rule.Siblings = siblings[practiceID]
		}
	}
	for _, f := range found {
		yield(f)
	}
	return nil
}

func (s *Store) found(rows pgx.Rows) (f sweep.Found, practiceID string, err error) {
	var (
		opens, closes       pgtype.Time
		ends, booked, setAt *time.Time
		practiceZone, zone  string
		digest              bool
	)
	v := &f.Visit
	f.Rule, err = scanRule(rows, &practiceID, &practiceZone, &digest, &opens, &closes,
		&f.AppointmentID, &v.StartsAt, &ends, &booked, &setAt, &zone, &v.ServiceName, &v.Status)
	v.EndsAt, v.BookedAt, v.SetAt = value(ends), value(booked), value(setAt)
	v.Zone, _ = s.zones.Of(zone, practiceZone)
	f.Window = schedule.Window{Opens: clock(opens), Closes: clock(closes)}
	if digest {
		f.Digest = practiceID
		f.PracticeZone, _ = s.zones.Load(practiceZone)
	}
	return f, practiceID, err
}

// rules reads the active rules of practices.
func (s *Store) rules(ctx context.Context, practices []string) (map[string][]schedule.Rule, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+ruleColumns+`, r.practice_id FROM rappel.rules r
		WHERE r.active AND r.practice_id = ANY ($1) ORDER BY r.id`, practices)
	if err != nil {
		return nil, redact(err)
	}
	defer rows.Close()
	of := map[string][]schedule.Rule{}
	for rows.Next() {
		var practiceID string
		r, err := scanRule(rows, &practiceID)
		if err != nil {
			return nil, redact(err)
		}
		if r.Valid() == nil {
			of[practiceID] = append(of[practiceID], r.Rule)
		}
	}
	return of, redact(rows.Err())
}

var (
	_ plan.Store  = (*Store)(nil)
	_ sweep.Store = (*Store)(nil)
)
