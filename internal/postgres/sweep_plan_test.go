package postgres_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/jobs/sweep"
)

// TestASweepReadsNoTableFromEndToEnd counts what PostgreSQL read in a sweep's
// look at a minute, with statistics that know how much there is. The practice
// side is tables, or views over a main app's own, with the same indexes. Of the
// appointments no more is read than has to do with that minute.
func TestASweepReadsNoTableFromEndToEnd(t *testing.T) {
	t.Parallel()
	minutes := map[string]struct {
		at   time.Time
		want int
		most int64
	}{
		"a quiet minute":                  {crowdedNoon().Add(30 * time.Minute), 0, 40},
		"a minute with many due":          {crowdedNoon(), 200, 250},
		"half an hour before hours close": {crowdedNoon().Add(13*time.Hour + 20*time.Minute), 1, 450}, // 20:32 in New York: all of the night
		"a calendar day is due":           {crowdedNoon().Add(108 * time.Minute), 1, 900},             // 09:00 in New York: all of tomorrow
	}
	for _, side := range []string{"tables", "views"} {
		t.Run(side, func(t *testing.T) {
			t.Parallel()
			w := newCrowd(t)
			if side == "views" {
				w.becomeViews()
			}
			for _, name := range slices.Sorted(maps.Keys(minutes)) {
				m := minutes[name]
				read, found := w.readBy(sweep.Next(m.at.Add(-time.Minute), m.at, m.at))
				if found < m.want {
					t.Errorf("%s: %d were found", name, found)
				}
				for table, r := range read {
					if r.endToEnd > 0 {
						t.Errorf("%s: %s is read from end to end, %d times in %d looks", name, table, r.endToEnd, looks)
					}
				}
				if n := read["appointments"].rows / looks; n > m.most {
					t.Errorf("%s: %d appointments are read, and no more than %d have to do with it", name, n, m.most)
				}
			}
		})
	}
}

// crowdedNoon is a minute at which many reminders fall due.
func crowdedNoon() time.Time { return noon().Add(12 * time.Minute) }

// newCrowd has enough of everything that a plan which reads it all is a plan that
// somebody would notice: 40,000 appointments of 2,000 practices, and a decision
// and a message about each that was.
func newCrowd(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	for _, sql := range []string{
		undisturbed,
		`INSERT INTO rappel.practices (id, name, time_zone)
		SELECT md5('practice' || n)::uuid, 'Elm', 'America/New_York' FROM generate_series(1, 2000) n`,
		`INSERT INTO rappel.clients (id, practice_id, phone)
		SELECT md5('client' || n)::uuid, md5('practice' || n)::uuid, '+12015550101' FROM generate_series(1, 2000) n`,
		`INSERT INTO rappel.rules (id, practice_id, kind, name, offset_minutes, offset_days, at_time, template, updated_at)
		SELECT md5('rule' || n || o.name)::uuid, md5('practice' || n)::uuid, 'reminder', o.name, o.minutes, o.days, o.at::time, 'appointment.reminder', '2020-01-01'
		FROM generate_series(1, 2000) n,
			(VALUES ('a day', -1440, NULL::int, NULL), ('two hours', -120, NULL, NULL), ('the morning before', NULL, -1, '09:00')) o (name, minutes, days, at)`,
		`INSERT INTO rappel.appointments (id, practice_id, client_id, starts_at, ends_at, booked_at, updated_at)
		SELECT md5('visit' || n)::uuid, md5('practice' || p)::uuid, md5('client' || p)::uuid, starts, starts + interval '45 minutes',
			starts - interval '30 days', starts - interval '30 days'
		FROM generate_series(1, 40000) n, LATERAL (SELECT 1 + n % 2000 AS p,
			timestamptz '2026-11-21 12:12Z' + CASE WHEN n <= 200 THEN interval '1 day' ELSE (n - 20000) * interval '3 minutes' + interval '97 s' END AS starts) s`,
		`INSERT INTO rappel.decisions (id, practice_id, client_id, appointment_id, rule_id, kind, revision, starts_at, decided_at, outcome, candidates)
		SELECT md5('decision' || a.id)::uuid, a.practice_id, a.client_id, a.id, md5('rule')::uuid, 'appointment.reminder', 1, a.starts_at,
			a.starts_at - interval '1 day', 'notify', '[]' FROM rappel.appointments a`,
		`INSERT INTO rappel.notifications (id, decision_id, practice_id, client_id, appointment_id, kind, channel, address, template, status,
			not_before, not_after, created_at, planned_for)
		SELECT md5('message' || d.id)::uuid, d.id, d.practice_id, d.client_id, d.appointment_id, d.kind, 'sms', '+12015550101', 'appointment.reminder', 'sent',
			d.decided_at, d.starts_at, d.decided_at, d.decided_at FROM rappel.decisions d`,
		`ANALYZE`,
	} {
		w.exec(sql)
	}
	return w
}

// looks is how often a minute is looked at: after five times PostgreSQL may think
// of another plan.
const looks = 7

// A reading is what was read of a table: how often from end to end, and how many
// rows by an index.
type reading struct{ endToEnd, rows int64 }

// readBy looks at a span, and returns what was read of the tables that grow, and
// how many rules and appointments were found.
func (w *world) readBy(span sweep.Span) (read map[string]reading, found int) {
	w.t.Helper()
	before := w.readings()
	store := open(w.t, w.url)
	for range looks {
		found = 0
		if err := store.Find(w.t.Context(), span, func(sweep.Found) { found++ }); err != nil {
			w.t.Fatal(err)
		}
	}
	store.Close() // which has its sessions say what they read
	w.waitUntilAlone()
	read = map[string]reading{}
	for table, r := range w.readings() {
		read[table] = reading{r.endToEnd - before[table].endToEnd, r.rows - before[table].rows}
	}
	return read, found
}

// readings tells what has been read so far, wherever the tables are.
func (w *world) readings() map[string]reading {
	w.t.Helper()
	w.exec(`SELECT pg_stat_force_next_flush()`) // what this connection read itself, to fill the tables
	rows, err := w.db.Query(w.t.Context(), `SELECT relname, seq_scan, idx_tup_fetch FROM pg_stat_user_tables
		WHERE relname IN ('appointments', 'decisions', 'notifications')`)
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]reading{}
	var table string
	var r reading
	if _, err := pgx.ForEachRow(rows, []any{&table, &r.endToEnd, &r.rows}, func() error {
		all[table] = r
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return all
}
