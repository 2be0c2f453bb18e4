package postgres_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rappel/internal/postgres"
	"rappel/jobs/deliver"
)

// everything is the span of all tests that look at no other.
func everything() postgres.Span {
	return postgres.Span{From: noon().AddDate(-1, 0, 0), To: noon().AddDate(1, 0, 0)}
}

// account tells of each day of a span what was planned, what is where, and what
// is missing, leaving out what is zero.
func (w *world) account(span postgres.Span) []string {
	w.t.Helper()
	days, err := w.Account(w.t.Context(), span)
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, d := range days {
		lines = append(lines, strings.TrimSpace(d.Date.Format("2006-01-02")+" "+d.Practice+" "+d.Zone)+":"+said(w.t, d.Counts))
	}
	return lines
}

// said tells of counts what is not zero, by the names of the contract.
func said(t *testing.T, c postgres.Counts) string {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var of map[string]int
	if err := json.Unmarshal(text, &of); err != nil {
		t.Fatal(err)
	}
	var words strings.Builder
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if of[name] != 0 {
			fmt.Fprintf(&words, " %s %d", name, of[name])
		}
	}
	return words.String()
}

// books are those of everything, and the metric must agree with them.
func (w *world) books() postgres.Counts {
	w.t.Helper()
	days, err := w.Account(w.t.Context(), everything())
	if err != nil {
		w.t.Fatal(err)
	}
	var total postgres.Counts
	for _, d := range days {
		total = total.Plus(d.Counts)
	}
	byMinute, err := w.Unaccounted(w.t.Context(), everything().From)
	var metric int64
	for _, n := range byMinute {
		metric += n
	}
	if err != nil || metric != total.Unaccounted {
		w.t.Errorf("%d unaccounted as a metric, %d in the books: %v", metric, total.Unaccounted, err)
	}
	return total
}

// decided writes a decision by hand that promises as many messages as it is
// given, and skips two.
func (w *world) decided(promised int, at time.Time, more row) string {
	w.t.Helper()
	candidates := slices.Repeat([]string{`{"outcome":"send"}`}, promised)
	candidates = append(candidates, `{"outcome":"skip"}`, `{"outcome":"skip"}`)
	r := row{
		"practice_id": w.practice, "client_id": newID(), "kind": "appointment.booked", "decided_at": at, "outcome": "notify",
		"candidates": "[" + strings.Join(candidates, ",") + "]",
	}
	maps.Copy(r, more)
	return w.insert("decisions", r)
}

// written writes a row of the ledger by hand.
func (w *world) written(decision string, status deliver.Status, at time.Time, more row) string {
	w.t.Helper()
	r := row{
		"decision_id": decision, "practice_id": w.practice, "client_id": newID(), "kind": "appointment.booked", "channel": "sms",
		"address": "+12015550101", "template": "appointment.booked", "status": string(status), "not_before": at, "created_at": at,
	}
	if status == deliver.Sending {
		r["claim_id"], r["claimed_until"] = newID(), at
	}
	maps.Copy(r, more)
	return w.insert("notifications", r)
}

func TestTheBooksAreInTheWordsOfTheContract(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(postgres.Counts{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"planned": 0, "unaccounted": 0}
	for _, s := range deliver.Statuses() {
		want[string(s)] = 0
	}
	var got map[string]int
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheBooksOfThePlannerAreClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.notifications(3)
	silent := w.client()
	w.exec(`UPDATE rappel.clients SET receives_confirmations = false WHERE id = $1`, silent)
	w.event("appointment.booked", w.visit(silent, noon().AddDate(0, 0, 7), nil))
	w.event("appointment.booked", newID()) // there is no such appointment yet
	w.insert("events", row{"kind": "appointment.eaten"})
	w.plan()
	w.event("appointment.booked", w.visit(silent, noon().AddDate(0, 0, 7), nil)) // not answered yet
	want := []string{"2026-11-21 Elm Street America/New_York: pending 3 planned 3"}
	if diff := cmp.Diff(want, w.account(everything())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryStatusIsAccountedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, s := range deliver.Statuses() {
		for range i + 1 {
			w.written(w.decided(1, noon(), nil), s, noon(), nil)
		}
	}
	want := " delivered 4 expired 7 failed 8 pending 1 planned 45 sending 2 sent 3 suppressed 6 undelivered 5 unknown 9"
	if got := said(t, w.books()); got != want {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsUnaccountedFor(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		spoil func(*world)
		want  string
	}{
		"a row of the ledger is gone": {
			func(w *world) {
				w.exec(`DELETE FROM rappel.notifications WHERE id = (SELECT id FROM rappel.notifications LIMIT 1)`)
			},
			" pending 1 planned 2 unaccounted 1",
		},
		"a row too many of one decision makes none too few of another good": {
			func(w *world) {
				w.exec(`UPDATE rappel.notifications SET contact_id = rappel.uuid_v7()`)
				w.exec(`UPDATE rappel.notifications SET decision_id = (SELECT max(id::text)::uuid FROM rappel.decisions)`)
			},
			" pending 2 planned 2 unaccounted 2",
		},
		"a decision was rewritten to promise nobody anything": {
			func(w *world) {
				w.exec(`UPDATE rappel.decisions SET candidates = '[]' WHERE id = (SELECT id FROM rappel.decisions LIMIT 1)`)
			},
			" pending 2 planned 1 unaccounted 1",
		},
		"a decision was rewritten to promise more": {
			func(w *world) {
				w.exec(`UPDATE rappel.decisions SET candidates = candidates || candidates || candidates WHERE id = (SELECT id FROM rappel.decisions LIMIT 1)`)
			},
			" pending 2 planned 4 unaccounted 2",
		},
		"a row of the ledger went over to another practice": {
			func(w *world) {
				w.exec(`UPDATE rappel.notifications SET practice_id = rappel.uuid_v7() WHERE id = (SELECT id FROM rappel.notifications LIMIT 1)`)
			},
			" pending 2 planned 2 unaccounted 2",
		},
		"an event was answered by nothing": {
			func(w *world) {
				id := w.event("appointment.missed", w.visit(w.client(), noon(), nil))
				w.exec(`UPDATE rappel.events SET planned_at = $2 WHERE id = $1`, id, noon())
			},
			" pending 2 planned 2 unaccounted 1",
		},
		"a notice was answered by nothing": {
			func(w *world) {
				id := w.insert("events", row{"kind": "form.sent", "client_id": w.client()})
				w.exec(`UPDATE rappel.events SET planned_at = $2 WHERE id = $1`, id, noon())
			},
			" pending 2 planned 2 unaccounted 1",
		},
		"an event told twice was answered while its appointment changed": {
			func(w *world) {
				id := w.event("appointment.booked", w.text(`SELECT min(appointment_id::text) FROM rappel.notifications`))
				w.exec(`UPDATE rappel.events SET planned_at = $2 WHERE id = $1`, id, noon())
			},
			" pending 2 planned 2",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.notifications(2)
			if got := said(t, w.books()); got != " pending 2 planned 2" {
				t.Fatalf("before:%s", got)
			}
			c.spoil(w)
			if got := said(t, w.books()); got != c.want {
				t.Errorf("got%s, want%s", got, c.want)
			}
		})
	}
}

func TestAFaultIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sound, visit := w.decided(1, noon(), nil), newID()
	w.written(sound, deliver.Sent, noon(), nil)
	short := w.decided(2, noon().Add(time.Second), row{"appointment_id": visit})
	w.written(short, deliver.Sent, noon().Add(time.Second), nil)
	long := w.decided(0, noon().Add(2*time.Second), row{"appointment_id": visit})
	w.written(long, deliver.Failed, noon().Add(2*time.Second), nil)
	event := w.event("appointment.booked", visit)
	w.exec(`UPDATE rappel.events SET planned_at = $2 WHERE id = $1`, event, noon().Add(3*time.Second))
	got, err := w.Faults(t.Context(), everything(), 10)
	want := []postgres.Fault{
		{DecisionID: short, AppointmentID: visit, Planned: 2, Written: 1},
		{DecisionID: long, AppointmentID: visit, Planned: 0, Written: 1},
		{EventID: event, AppointmentID: visit},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if some, err := w.Faults(t.Context(), everything(), 2); len(some) != 2 || err != nil {
		t.Errorf("%d of at most two, %v", len(some), err)
	}
}

func TestADayIsThePracticesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zones := map[string]string{"Elm Street": "America/New_York", "Everest": "Asia/Kathmandu", "Olympus": "Mars/Olympus", "Nowhere": ""}
	at := time.Date(2026, time.November, 21, 4, 59, 59, 0, time.UTC)
	for name, zone := range zones {
		if name != "Elm Street" {
			w.practice = w.insert("practices", row{"name": name, "time_zone": zone})
		} else {
			w.practice = w.text(`SELECT id FROM rappel.practices WHERE name = 'Elm Street'`)
		}
		for _, t := range []time.Time{at, at.Add(time.Second), at.Add(13*time.Hour + 15*time.Minute), at.Add(13*time.Hour + 15*time.Minute + time.Second)} {
			w.written(w.decided(1, t, nil), deliver.Sent, t, nil)
		}
	}
	w.practice = newID() // gone from the practice side
	w.written(w.decided(1, at, nil), deliver.Sent, at, nil)
	want := []string{
		"2026-11-20 Elm Street America/New_York: planned 1 sent 1",
		"2026-11-21: planned 1 sent 1",
		"2026-11-21 Elm Street America/New_York: planned 3 sent 3",
		"2026-11-21 Everest Asia/Kathmandu: planned 3 sent 3",
		"2026-11-21 Nowhere: planned 4 sent 4",
		"2026-11-21 Olympus Mars/Olympus: planned 4 sent 4",
		"2026-11-22 Everest Asia/Kathmandu: planned 1 sent 1",
	}
	if diff := cmp.Diff(want, w.account(everything())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	days, err := w.Account(t.Context(), everything())
	for _, d := range days {
		if utc := d.Practice != "Elm Street" && d.Practice != "Everest"; d.InUTC != utc {
			t.Errorf("%q: in UTC %t, %v", d.Practice, d.InUTC, err)
		}
	}
}

func TestTheEndOfASpanDoesNotBelongToIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 4 {
		at := noon().Add(time.Duration(i) * time.Hour)
		w.written(w.decided(1, at, nil), deliver.Sent, at, nil)
	}
	span := postgres.Span{From: noon().Add(time.Hour), To: noon().Add(3 * time.Hour)}
	want := []string{"2026-11-21 Elm Street America/New_York: planned 2 sent 2"}
	if diff := cmp.Diff(want, w.account(span)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	span.PracticeID = newID()
	if got := w.account(span); len(got) > 0 {
		t.Errorf("another practice's: %v", got)
	}
	span.PracticeID = w.practice
	if diff := cmp.Diff(want, w.account(span)); diff != "" {
		t.Errorf("its own (-want +got):\n%s", diff)
	}
}

// TestUnaccountedIsEveryDifference writes what no planner would, and counts it
// by hand.
func TestUnaccountedIsEveryDifference(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	statuses := rapid.SampledFrom(deliver.Statuses())
	rapid.Check(t, func(r *rapid.T) {
		w.exec(`TRUNCATE rappel.notifications, rappel.decisions`)
		var want postgres.Counts
		rows := int64(0)
		for range rapid.IntRange(0, 6).Draw(r, "decisions") {
			promised, written := rapid.IntRange(0, 3).Draw(r, "promised"), rapid.IntRange(0, 3).Draw(r, "written")
			at := noon().Add(time.Duration(rapid.IntRange(-72, 72).Draw(r, "hours")) * time.Hour)
			decision := w.decided(promised, at, nil)
			for range written {
				w.written(decision, statuses.Draw(r, "status"), at, nil)
			}
			want.Planned += int64(promised)
			want.Unaccounted += int64(max(promised-written, written-promised))
			rows += int64(written)
		}
		got := w.books()
		inLedger := got.Sent + got.Delivered + got.Undelivered + got.Failed + got.Suppressed + got.Expired + got.Pending + got.Sending + got.Unknown
		if got.Planned != want.Planned || got.Unaccounted != want.Unaccounted || inLedger != rows {
			r.Fatalf("%+v: want %d planned, %d unaccounted and %d rows", got, want.Planned, want.Unaccounted, rows)
		}
		if got.Unaccounted == 0 && got.Planned != inLedger {
			r.Fatalf("closed, and %d planned are %d rows", got.Planned, inLedger)
		}
	})
}
