package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/bench"
	"rappel/internal/postgres"
	"rappel/internal/testenv"
)

// An effort is what PostgreSQL went through for something, whatever the machine
// was doing: rows of rappel's tables and entries of their indexes that were
// read, and pages of both that were looked at.
type effort struct{ rows, pages int }

// effort is that of work on a store of its own, which is the world's meanwhile:
// PostgreSQL counts it when the connection ends. It is for worlds of newPast, in
// which nothing else works on the database.
func (w *world) effort(work func(*postgres.Store)) effort {
	w.t.Helper()
	before := w.spent()
	store, err := postgres.Open(w.t.Context(), w.url, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Store = store
	work(store)
	store.Close()
	w.waitUntilAlone()
	after := w.spent()
	return effort{after.rows - before.rows, after.pages - before.pages}
}

// spent is the effort of all who have left so far. Block ranges are no entries:
// their index is counted by what it makes one read.
func (w *world) spent() (e effort) {
	w.t.Helper()
	w.exec(`SELECT pg_stat_force_next_flush()`) // what this connection did itself
	err := w.db.QueryRow(w.t.Context(), `
		SELECT
			(SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables WHERE schemaname = 'rappel')
			+ (SELECT sum(s.idx_tup_read) FROM pg_stat_user_indexes s JOIN pg_class c ON c.oid = s.indexrelid JOIN pg_am a ON a.oid = c.relam
				WHERE s.schemaname = 'rappel' AND a.amname <> 'brin'),
			(SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0)) FROM pg_statio_user_tables
				WHERE schemaname = 'rappel')`).Scan(&e.rows, &e.pages)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// waitUntilAlone waits until no store has a connection.
func (w *world) waitUntilAlone() {
	w.t.Helper()
	for ctx := soon(w.t); w.text(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rappel'`) != "0"; {
		if ctx.Err() != nil {
			w.t.Fatal("a connection did not end")
		}
	}
}

// undisturbed keeps PostgreSQL from reading the ledger of itself, at any time, to
// keep its indexes and statistics up to date. It has to come before the rows: what
// they ask for is done whatever is said later.
const undisturbed = `DO $$ DECLARE it regclass; BEGIN
	FOR it IN SELECT c.oid FROM pg_class c JOIN pg_am m ON m.oid = c.relam WHERE m.amname = 'brin' LOOP
		EXECUTE format('ALTER INDEX %s SET (autosummarize = off)', it);
	END LOOP;
	FOR it IN SELECT oid FROM pg_class WHERE relnamespace = 'rappel'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', it);
	END LOOP;
END $$`

// A past is a ledger of ten days that ends two days after noon, whenever the
// tests run. It is written once for all of them, and large enough that reading
// it all is seen.
const pastRows, pastDay = 200_000, 20_000

// pastUntil is when it was written, and a time before that.
func (w *world) pastUntil(before time.Duration) time.Time {
	w.t.Helper()
	var now time.Time
	if err := w.db.QueryRow(w.t.Context(), `SELECT growth.now()`).Scan(&now); err != nil {
		w.t.Fatal(err)
	}
	return now.Add(-before)
}

func withPast(ctx context.Context, url string) error {
	if err := migrate(ctx, url); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, undisturbed); err != nil {
		return err
	}
	return bench.Ledger{Rows: pastRows, Day: pastDay, Now: noon().AddDate(0, 0, 2), Progress: func(int) {}}.Fill(ctx, conn)
}

// newPast is a world with a ledger in which all has been sent, and PostgreSQL
// knows it.
func newPast(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, url: testenv.Database(t, withPast)}
	cfg, err := pgxpool.ParseConfig(w.url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = 1
	if w.db, err = pgxpool.NewWithConfig(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.db.Close)
	w.practice = w.insert("practices", row{"name": "Elm Street", "time_zone": "America/New_York"})
	w.exec(`ANALYZE`)
	return w
}

// toSend makes so many messages as notifications does.
func (w *world) toSend(n int) (ids []string) {
	w.t.Helper()
	w.effort(func(*postgres.Store) { ids = w.notifications(n) })
	return ids
}

// waits adds so many messages, each about a visit of its own, that have been due
// for an hour: every fifth is being sent, the others are on nobody's desk.
func (w *world) waits(n int) {
	w.t.Helper()
	w.exec(`
		WITH d AS (
			INSERT INTO rappel.decisions (id, practice_id, client_id, appointment_id, kind, starts_at, decided_at, outcome, candidates)
			SELECT rappel.uuid_v7(), $1, gen_random_uuid(), gen_random_uuid(), 'appointment.booked', $2::timestamptz + interval '7 days',
				$2::timestamptz - interval '1 hour', 'notify', '[{"outcome": "send"}]'
			FROM generate_series(1, $3)
			RETURNING *
		)
		INSERT INTO rappel.notifications (id, decision_id, practice_id, client_id, appointment_id, kind, channel, address, template, starts_at,
			not_before, not_after, created_at, offered_at, status, claim_id, claimed_until)
		SELECT rappel.uuid_v7(), id, practice_id, client_id, appointment_id, kind, 'sms', '+12015550101', kind, starts_at,
			decided_at, starts_at, decided_at, decided_at,
			CASE WHEN fifth THEN 'sending' ELSE 'pending' END, CASE WHEN fifth THEN id END, CASE WHEN fifth THEN now() + interval '1 hour' END
		FROM (SELECT *, row_number() OVER () % 5 = 0 AS fifth FROM d) d`, w.practice, noon(), n)
}
