package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/jobs/sweep"
)

// A list is what columns of a table or view hold, each combination once.
type list struct {
	table, condition string
	columns          []string
}

// stepwise goes through an index on the columns from one combination to the next,
// which takes no longer however many rows there are.
func (l list) stepwise() string {
	all, last := strings.Join(l.columns, ", "), "last."+strings.Join(l.columns, ", last.")
	return `
WITH RECURSIVE last AS (
	(SELECT ` + all + l.from() + ` ORDER BY ` + all + ` LIMIT 1)
	UNION ALL
	SELECT next.* FROM last CROSS JOIN LATERAL (
		SELECT ` + all + l.from() + ` AND (` + all + `) > (` + last + `) ORDER BY ` + all + ` LIMIT 1) next
)
SELECT * FROM last`
}

// throughout reads all rows.
func (l list) throughout() string {
	return `SELECT DISTINCT ` + strings.Join(l.columns, ", ") + l.from()
}

func (l list) from() string { return ` FROM rappel.` + l.table + ` WHERE ` + l.condition }

// indexed tells whether there is an index for l: on a table of ours, or on that
// of a main app which a view stands for. It is asked once.
func (s *Store) indexed(ctx context.Context, tx pgx.Tx, l list) (bool, error) {
	key := l.stepwise()
	if known, ok := s.lists.Load(key); ok {
		return known == true, nil
	}
	var plan string
	if err := tx.QueryRow(ctx, `EXPLAIN (FORMAT JSON) `+key).Scan(&plan); err != nil {
		return false, err
	}
	indexed := !strings.Contains(plan, `"Seq Scan"`) && !strings.Contains(plan, `Sort"`)
	s.lists.Store(key, indexed)
	return indexed, nil
}

// within is l, narrowed to a scope.
func (l list) within(of scope) (list, []any) {
	if of.practices == nil {
		return l, nil
	}
	column, is := "practice_id", "= ANY"
	if l.table == "practices" {
		column = "id"
	}
	if of.but {
		is = "<> ALL"
	}
	l.condition += " AND " + column + " " + is + " ($1::uuid[])"
	return l, []any{of.practices}
}

// query is the quickest there is for l. A part is read throughout.
func (s *Store) query(ctx context.Context, tx pgx.Tx, l list, of scope) (string, error) {
	if of.practices != nil {
		l, _ = l.within(of)
		return l.throughout(), nil
	}
	indexed, err := s.indexed(ctx, tx, l)
	if indexed {
		return l.stepwise(), err
	}
	return l.throughout(), err
}

// windows are those of SMS.
func windows() list {
	return list{"practices", "sms_opens IS NOT NULL AND sms_closes IS NOT NULL", []string{"sms_opens", "sms_closes"}}
}

// zonesOf are the time zones that rows of a table name.
func zonesOf(table string) list { return list{table, "time_zone IS NOT NULL", []string{"time_zone"}} }

// digestZones are those of practices with family digests.
func digestZones() list {
	return list{"practices", "family_digest AND time_zone IS NOT NULL", []string{"time_zone"}}
}

// offsets is a query for each anchor and offset that active rules have: in
// minutes, in days, and in days at a time of day.
func (s *Store) offsets(ctx context.Context, tx pgx.Tx, of scope) (string, error) {
	minutes, err := s.query(ctx, tx, list{"rules", "active AND offset_days IS NULL AND offset_minutes IS NOT NULL", []string{"anchor", "offset_minutes"}}, of)
	if err != nil {
		return "", err
	}
	const inDays = "active AND offset_minutes IS NULL AND offset_days IS NOT NULL AND at_time IS "
	days, err := s.query(ctx, tx, list{"rules", inDays + "NULL", []string{"anchor", "offset_days"}}, of)
	if err != nil {
		return "", err
	}
	times, err := s.query(ctx, tx, list{"rules", inDays + "NOT NULL", []string{"anchor", "offset_days", "at_time"}}, of)
	return `
SELECT coalesce(anchor::text, ''), offset_minutes, NULL::bigint, NULL::time FROM (` + minutes + `) o
UNION ALL
SELECT coalesce(anchor::text, ''), NULL, offset_days, NULL FROM (` + days + `) o
UNION ALL
SELECT coalesce(anchor::text, ''), NULL, offset_days, at_time FROM (` + times + `) o`, err
}

// habits reads what rules, practices, recipients and appointments of a scope have
// in common. For all but some practices those of all will do, if they can be
// read.
func (s *Store) habits(ctx context.Context, tx pgx.Tx, of scope) (h sweep.Habits, err error) {
	if !of.but {
		return s.habitsOf(ctx, tx, of)
	}
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		h, err = s.habitsOf(ctx, tx, scope{})
		return err
	})
	if err != nil {
		return s.habitsOf(ctx, tx, of)
	}
	return h, nil
}

func (s *Store) habitsOf(ctx context.Context, tx pgx.Tx, of scope) (h sweep.Habits, err error) {
	offsets, err := s.offsets(ctx, tx, of)
	if err != nil {
		return h, err
	}
	_, args := list{}.within(of)
	var b pgx.Batch
	b.Queue(offsets, args...).Query(func(rows pgx.Rows) (err error) {
		h.Offsets, err = scanOffsets(rows)
		return err
	})
	query, err := s.query(ctx, tx, windows(), of)
	if err != nil {
		return h, err
	}
	b.Queue(query, args...).Query(func(rows pgx.Rows) (err error) {
		h.Windows, err = scanWindows(rows)
		return err
	})
	for _, z := range []struct {
		list  list
		zones *[]sweep.Zone
	}{
		{zonesOf("practices"), &h.Practices},
		{digestZones(), &h.Digests},
		{zonesOf("clients"), &h.Recipients},
		{zonesOf("contacts"), &h.Recipients},
	} {
		if of.practices != nil && s.unreadableZones(ctx, tx, z.list, of) {
			continue
		}
		query, err := s.query(ctx, tx, z.list, of)
		if err != nil {
			return h, err
		}
		s.queueZones(&b, query, z.zones, args...)
	}
	// A practice may have none, over a view: there nothing leaves, which is told.
	none, _ := list{"practices", "time_zone IS NULL", []string{"time_zone"}}.within(of)
	s.queueZones(&b, none.throughout(), &h.Practices, args...)
	// Of appointments there are too many to read them all.
	visits := zonesOf("appointments")
	if of.practices != nil {
		h.AnyVisits = true
		return h, tx.SendBatch(ctx, &b).Close()
	}
	indexed, err := s.indexed(ctx, tx, visits)
	if err != nil {
		return h, err
	}
	if h.AnyVisits = !indexed; indexed {
		s.queueZones(&b, visits.stepwise(), &h.Visits)
	}
	err = tx.SendBatch(ctx, &b).Close()
	return h, err
}

// unreadableZones reports whether a person's zone cannot be read. It is then done
// without: what has to leave in advance for people abroad leaves when it is due.
func (s *Store) unreadableZones(ctx context.Context, tx pgx.Tx, l list, of scope) bool {
	if l.table == "practices" {
		return false
	}
	return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		l, args := l.within(of)
		_, err := tx.Exec(ctx, l.throughout(), args...)
		return err
	}) != nil
}

// scanOffsets leaves out those that no sound rule has.
func scanOffsets(rows pgx.Rows) ([]schedule.Rule, error) {
	defer rows.Close()
	var all []schedule.Rule
	for rows.Next() {
		r := schedule.Rule{Kind: kind.Reminder}
		var at pgtype.Time
		if err := rows.Scan(&r.Anchor, &r.Minutes, &r.Days, &at); err != nil {
			return nil, err
		}
		if r.At = clock(at); r.Valid() == nil {
			all = append(all, r)
		}
	}
	return all, rows.Err()
}

func scanWindows(rows pgx.Rows) ([]schedule.Window, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (schedule.Window, error) {
		var opens, closes pgtype.Time
		err := row.Scan(&opens, &closes)
		return schedule.Window{Opens: clock(opens), Closes: clock(closes)}, err
	})
}

func (s *Store) queueZones(b *pgx.Batch, query string, zones *[]sweep.Zone, args ...any) {
	b.Queue(query, args...).Query(func(rows pgx.Rows) error {
		var name *string
		_, err := pgx.ForEachRow(rows, []any{&name}, func() error {
			z := sweep.Zone{Name: value(name)}
			z.Location, _ = s.zones.Load(z.Name)
			*zones = append(*zones, z)
			return nil
		})
		return err
	})
}
