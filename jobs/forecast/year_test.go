package forecast_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/postgres"
	"rappel/internal/testenv"
	"rappel/jobs/forecast"
)

// A year of one practice with 200 appointments a week, among nine others: what
// the acceptance of the forecast asks for.
const (
	weekly    = 200
	practices = 10
	ofWhich   = "00000000-0000-4000-8000-000000000003"
)

// fillYear writes practices with 300 clients each, of whom two in three have a
// contact and some have opted out, three rules, and a year of appointments that
// begins at $1.
const fillYear = `
CREATE FUNCTION pg_temp.id(kind int, practice bigint, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS
	$$ SELECT (lpad(to_hex(kind), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(practice + n * 16), 12, '0'))::uuid $$;
INSERT INTO rappel.practices (id, name, time_zone, channel_fallback)
	SELECT pg_temp.id(0, p, 0), 'Practice ' || p, 'America/New_York', p % 2 = 0 FROM generate_series(1, 10) p;
INSERT INTO rappel.rules (id, practice_id, kind, name, anchor, offset_minutes, offset_days, at_time, template, updated_at)
	SELECT pg_temp.id(1, p, n), pg_temp.id(0, p, 0), kind, name, anchor, minutes, days, at_time, 'appointment.reminder', '2020-01-01'
	FROM generate_series(1, 10) p, (VALUES
		(1, 'reminder', 'two days', 'start', NULL::int, -2, '09:00'::time),
		(2, 'reminder', 'two hours', 'start', -120, NULL, NULL),
		(3, 'scheduled', 'thanks', 'end', 60, NULL, NULL)) AS r (n, kind, name, anchor, minutes, days, at_time);
INSERT INTO rappel.clients (id, practice_id, first_name, last_name, email, phone, preferred_method)
	SELECT pg_temp.id(2, p, c), pg_temp.id(0, p, 0), 'Ann', 'Lee', 'ann' || c || '@example.com',
		CASE WHEN c % 20 > 0 THEN '+1201555' || lpad(c::text, 4, '0') END, (ARRAY['sms', 'email', 'both'])[1 + c % 3]
	FROM generate_series(1, 10) p, generate_series(1, 300) c;
INSERT INTO rappel.contacts (id, practice_id, first_name, last_name, email, phone)
	SELECT pg_temp.id(3, p, c), pg_temp.id(0, p, 0), 'Maria', 'Lee', 'maria' || c || '@example.com', '+1202555' || lpad(c::text, 4, '0')
	FROM generate_series(1, 10) p, generate_series(1, 300) c WHERE c % 3 > 0;
INSERT INTO rappel.client_contacts (client_id, contact_id, receives_reminders, receives_scheduled)
	SELECT pg_temp.id(2, p, c), pg_temp.id(3, p, c), true, c % 2 = 0
	FROM generate_series(1, 10) p, generate_series(1, 300) c WHERE c % 3 > 0;
INSERT INTO rappel.opt_outs (practice_id, channel, address)
	SELECT pg_temp.id(0, p, 0), 'sms', '+1202555' || lpad(c::text, 4, '0')
	FROM generate_series(1, 10) p, generate_series(1, 300, 15) c;
INSERT INTO rappel.appointments (id, practice_id, client_id, service_name, starts_at, ends_at, booked_at, updated_at, start_set_at)
	SELECT pg_temp.id(4, p, n), pg_temp.id(0, p, 0), pg_temp.id(2, p, 1 + n % 300), 'Therapy', at, at + interval '50 minutes',
		'2026-01-01', '2026-01-01', CASE WHEN n % 2 = 0 THEN '2026-01-01'::timestamptz END
	FROM generate_series(1, 10) p, generate_series(0, 52 * 200 - 1) n,
		LATERAL (SELECT '2026-11-23T14:00:00Z'::timestamptz + n * interval '7 days' / 200 AS at) t;
ANALYZE`

func yearStore(tb testing.TB) *postgres.Store {
	tb.Helper()
	url := testenv.Database(tb, migrate)
	conn, err := pgx.Connect(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(tb.Context())
	if _, err := conn.Exec(tb.Context(), fillYear); err != nil {
		tb.Fatal(err)
	}
	return openStore(tb, url)
}

func openStore(tb testing.TB, url string) *postgres.Store {
	tb.Helper()
	store, err := postgres.Open(tb.Context(), url, 4)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(store.Close)
	return store
}

func migrate(ctx context.Context, url string) error {
	store, err := postgres.Open(ctx, url, 2)
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Migrate(ctx, nil)
	return err
}

// year forecasts some months of one practice, and counts the lines.
func year(tb testing.TB, store *postgres.Store, months int) (lines int) {
	tb.Helper()
	from := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
	f := forecast.Forecaster{Store: store, Now: func() time.Time { return from }}
	q := forecast.Query{From: from, To: from.AddDate(0, months, 0), PracticeID: ofWhich}
	err := f.Forecast(tb.Context(), q, func(forecast.Line) error {
		lines++
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return lines
}

// atMost is what the acceptance allows; the best of a few tries counts, since
// other tests run beside this one.
const (
	atMost = 2 * time.Second
	tries  = 4
)

func TestAYearTakesLessThanTwoSeconds(t *testing.T) {
	t.Parallel()
	store := yearStore(t)
	if raceDetector {
		if lines := year(t, store, 1); lines < 4*weekly*3 {
			t.Errorf("only %d lines", lines)
		}
		return
	}
	best := time.Hour
	for try := 0; try < tries && best > atMost; try++ {
		began := time.Now()
		lines := year(t, store, 12)
		took := time.Since(began)
		t.Logf("a year of %d appointments a week: %d lines in %s", weekly, lines, took)
		if lines < 52*weekly*3 {
			t.Errorf("only %d lines", lines)
		}
		best = min(best, took)
	}
	if best > atMost {
		t.Errorf("took %s", best)
	}
}

func BenchmarkYear(b *testing.B) {
	store := yearStore(b)
	for b.Loop() {
		year(b, store, 12)
	}
	b.ReportMetric(52*weekly, "appointments")
}
