package behaviour_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/kind"
)

func TestWhatAnEventBringsIsReadWhicheverWayItsMessageWent(t *testing.T) {
	t.Parallel()
	for name, prepare := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := openWorld(t, monday, prepare)
			w.text("appointment.booked", "Please fill in [FormLink]")
			visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
			w.event(row{"kind": "appointment.booked", "appointment_id": visit, "data": `{"form_link":"https://elm.example.com/f/1"}`})
			w.expect("sms +12015550101: Please fill in https://elm.example.com/f/1")
		})
	}
}

// deciding holds a decision that was not committed, until it is called: whoever
// decides the same waits for it.
func (w *world) deciding(k kind.Kind, rule any, client, visit string) (letGo func()) {
	w.t.Helper()
	tx, err := w.db.Begin(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(w.t.Context())) })
	_, err = tx.Exec(w.t.Context(), `
		INSERT INTO rappel.decisions (id, practice_id, client_id, appointment_id, event_id, rule_id, kind, revision, starts_at, decided_at, outcome)
		SELECT gen_random_uuid(), $1, $2, id, CASE WHEN $3::uuid IS NULL THEN gen_random_uuid() END, $3, $4, 1, starts_at, now(), 'notify'
		FROM rappel.appointments WHERE id = $5`, w.practice, client, rule, string(k), visit)
	if err != nil {
		w.t.Fatal(err)
	}
	return func() {
		w.t.Helper()
		if err := tx.Rollback(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// somebodyWaits waits until a transaction waits for another.
func (w *world) somebodyWaits() {
	w.t.Helper()
	w.untilTrue("somebody waits", `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())`)
}

// A rule that was switched off while a sweep is at work sends nothing more.
func TestARuleSwitchedOffDuringASweepSendsNothingMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann, rule := w.client("Ann", row{"phone": "+12015550101"}), w.reminds(24*hour, "see you")
	visit := w.longBooked(ann, "2026-11-24T10:00:00-05:00")
	letGo := w.deciding(kind.Reminder, rule, ann, visit)
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		w.sweep()
	}()
	w.somebodyWaits()
	w.update("rules", rule, "active = false")
	letGo()
	<-swept
	w.expect()
	w.expectLedger("appointment.reminder to Ann by sms: suppressed, superseded")
}

// Nobody reads that a visit is booked after they have read that it is cancelled,
// however long a planner hangs between its look and its commit.
func TestABookingIsNotToldAfterItsCancellation(t *testing.T) {
	t.Parallel()
	for name, hangs := range map[string]time.Duration{"for a moment": 0, "for half a second": time.Second / 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			w.startWorker()
			ann := w.client("Ann", row{"phone": "+12015550101"})
			x, y := w.appointment(ann, thursday, nil), w.appointment(ann, friday, nil)
			letGo := w.deciding(kind.Booked, nil, ann, y)
			w.exec(`INSERT INTO rappel.events (kind, appointment_id, occurred_at)
				SELECT 'appointment.booked', id, $2 FROM unnest($1::uuid[]) AS id`, []string{x, y}, w.clock.Now())
			w.somebodyWaits()
			w.cancel(x)
			w.untilTrue("the cancellation is decided about", `SELECT EXISTS (SELECT FROM rappel.decisions WHERE kind = 'appointment.cancelled')`)
			<-time.After(hangs)
			letGo()
			w.settle()
			kinds := w.toldOf(x)
			if n := len(kinds); n == 0 || kinds[n-1] != "appointment.cancelled" {
				t.Errorf("told in this order: %q", kinds)
			}
			w.inbox.take()
		})
	}
}

// toldOf returns the kinds of what was asked about an appointment, in order.
func (w *world) toldOf(visit string) (kinds []string) {
	for _, try := range w.inbox.tried() {
		if strings.Contains(try.body, visit) {
			_, rest, _ := strings.Cut(try.body, `"kind":"`)
			k, _, _ := strings.Cut(rest, `"`)
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// takesTime has the main app answer late what bears certain words.
func takesTime(w *world, late func(body string) time.Duration) {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answered := httptest.NewRecorder()
		w.inbox.ServeHTTP(answered, r)
		<-time.After(late(string(body)))
		rw.WriteHeader(answered.Code)
		_, _ = rw.Write(answered.Body.Bytes())
	}))
	w.t.Cleanup(server.Close)
	w.cfg.AdminURL = server.URL
}

// bookMany books n visits at once.
func (w *world) bookMany(practice, client string, n int) {
	w.t.Helper()
	w.exec(`
		WITH made AS (
			INSERT INTO rappel.appointments (id, practice_id, client_id, starts_at, ends_at, status, booked_at, updated_at)
			SELECT gen_random_uuid(), $1, $2, $3, $3::timestamptz + interval '50 min', 'scheduled', $4, $4
			FROM generate_series(1, $5::int) RETURNING id)
		INSERT INTO rappel.events (kind, appointment_id, occurred_at) SELECT 'appointment.booked', id, $4 FROM made`,
		practice, client, instant(w.t, thursday), w.clock.Now(), n)
}

// A practice whose messages the main app takes slowly does not hold up others,
// however quick it was before.
func TestASlowPracticeDoesNotHoldUpALoneEvent(t *testing.T) { //nolint:paralleltest // it measures
	const answer = 5 * time.Second // of the slow practice: who is held up by it waits for one
	var quick atomic.Bool
	w := openWorld(t, monday, func(w *world) {
		w.cfg.Concurrency = 64
		takesTime(w, func(body string) time.Duration {
			if strings.Contains(body, "+12015550199") && !quick.Load() {
				return answer
			}
			return 0
		})
	})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.bookMany(w.practice, ann, 400)
	w.settle()
	other := w.insert("practices", row{"name": "Oak Street Practice", "time_zone": "America/New_York"})
	w.bookMany(other, w.client("Zoe", row{"practice_id": other, "phone": "+12015550199"}), 150)
	took := w.loneEvents(ann, 100, func() bool { return !w.busy(t.Context()) })
	if most := percentile(took, 100); most > answer/2 { // and far from what a busy machine takes
		t.Errorf("a lone event took %s beside a slow practice, the median %s", most, percentile(took, 50))
	}
	quick.Store(true)
	w.settle()
	w.inbox.take()
}

// What waits for a main app that became slow is looked at again before it goes.
func TestWhatIsCancelledWhileItWaitsInHandIsNotTold(t *testing.T) { //nolint:paralleltest // it measures
	var slow atomic.Bool
	const most = 64 / 2 * 3 / 4 // requests at once of one practice
	w := openWorld(t, monday, func(w *world) {
		w.cfg.Concurrency, w.cfg.ShutdownTimeout = 64, 25*time.Second
		takesTime(w, func(string) time.Duration {
			if slow.Load() {
				return 5 * time.Second // all that follows happens before the first answer
			}
			return 0
		})
	})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.bookMany(w.practice, ann, 400)
	w.settle()
	w.inbox.take()
	slow.Store(true)
	w.bookMany(w.practice, ann, 150)
	w.until("as many are on their way as may be", func(context.Context) bool { return len(w.inbox.tried()) >= 400+most })
	<-time.After(time.Second / 2)
	rows, err := w.db.Query(t.Context(), `
		UPDATE rappel.appointments SET status = 'cancelled', revision = revision + 1, updated_at = $1
		WHERE id IN (SELECT appointment_id FROM rappel.notifications WHERE status IN ('pending', 'sending')) RETURNING id::text`, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	gone, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(gone) < 50 {
		t.Fatalf("%d waited: %v", len(gone), err)
	}
	before := len(w.inbox.tried())
	slow.Store(false)
	w.settle()
	for _, try := range w.inbox.tried()[before:] {
		t.Errorf("half a second after its cancellation: %s", try.body)
	}
	w.inbox.take()
}
