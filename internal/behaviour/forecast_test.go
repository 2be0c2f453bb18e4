package behaviour_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rappel/internal/app"
)

// foresee forecasts the weeks from now on.
func (w *world) foresee() []string {
	w.t.Helper()
	return w.foreseeSpan(w.clock.Now(), w.clock.Now().AddDate(0, 0, 28))
}

func (w *world) foreseeSpan(from, to time.Time) []string {
	w.t.Helper()
	return w.foreseeQuery(app.Query{From: from, To: to, PracticeID: w.practice})
}

func (w *world) foreseeQuery(q app.Query) []string {
	w.t.Helper()
	var lines []string
	err := w.app.Forecast(w.t.Context(), q, func(l app.Line) error {
		lines = append(lines, w.inWords(l))
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return lines
}

// inWords is a line in a few words, such as "12-09 20:00 sms to Ann".
func (w *world) inWords(l app.Line) string {
	text := l.SendAt.UTC().Format("01-02 15:04 ")
	if l.Channel != "" {
		text += string(l.Channel) + " "
	}
	text += "to " + w.names[l.ID]
	if l.Status != "" {
		text += " " + l.Status
	}
	if len(l.Reasons) > 0 {
		text += fmt.Sprint(" ", l.Reasons)
	}
	return text
}

// same fails the test unless the lines are these, in this order.
func (w *world) same(got []string, want ...string) {
	w.t.Helper()
	if !slices.Equal(got, want) {
		w.t.Errorf("foreseen:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// unwritten returns every row that there is, as it lies in the tables: who
// wrote a row last shows in it.
func (w *world) unwritten() string {
	w.t.Helper()
	var all []string
	rows, err := w.db.Query(w.t.Context(), `SELECT format('SELECT count(*) || '' '' || coalesce(md5(string_agg(t.xmin || '' '' || t.ctid || '' '' || t.*::text, '''' ORDER BY t.ctid)), '''') FROM %I.%I t', schemaname, tablename)
		FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`)
	if err != nil {
		w.t.Fatal(err)
	}
	var query string
	var queries []string
	for rows.Next() {
		if err := rows.Scan(&query); err != nil {
			w.t.Fatal(err)
		}
		queries = append(queries, query)
	}
	for _, q := range queries {
		all = append(all, w.value(q))
	}
	return strings.Join(all, "\n")
}

func TestForecastTellsWhoWillBeRemindedAndWhoNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60})
	ann := w.client("Ann", row{"phone": "+12015550101", "receives_reminders": false})
	w.contact(ann, "Maria", row{"phone": "+12015550102"}, nil)
	w.contact(ann, "Paul", nil, nil)
	w.appointment(ann, "2026-12-10T20:00:00Z", nil)
	w.same(
		w.foresee(),
		"12-09 20:00 sms to Ann [flag_off]",
		"12-09 20:00 sms to Maria",
		"12-09 20:00 sms to Paul [no_address]",
	)
	w.at("2026-12-09T20:00:00Z")
	w.expect("sms +12015550102: ")
	w.same(w.foresee())
}

func TestForecastWritesAndSendsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	visit := w.book(ann, "2026-11-24T16:00:00Z")
	w.expect("sms +12015550101: ")
	w.sweep()
	before := w.unwritten()
	w.same(w.foresee(), "11-23 16:00 sms to Ann")
	if _, err := w.app.Explain(t.Context(), visit); err != nil {
		t.Error(err)
	}
	if _, err := w.app.Zone(t.Context(), w.practice); err != nil {
		t.Error(err)
	}
	if after := w.unwritten(); after != before {
		t.Errorf("the tables were\n%s\nand are\n%s", before, after)
	}
	w.expect()
}

func TestForecastHoldsTheBeginningOfItsSpanAndNotTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.appointment(ann, "2026-12-10T20:00:00Z", nil)
	due := instant(t, "2026-12-09T20:00:00Z")
	w.same(w.foreseeSpan(due, due.Add(time.Second)), "12-09 20:00 sms to Ann")
	w.same(w.foreseeSpan(due.Add(-time.Hour), due))
	w.same(w.foreseeSpan(due.Add(time.Microsecond), due.Add(time.Hour)))
}

// What is decided and waits goes in its hour all the same, unless something speaks
// against it by now.
func TestForecastTellsWhatWaitsInTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.exec(`UPDATE rappel.practices SET sms_opens = '11:00', sms_closes = '21:00'`)
	w.reminds(24*hour, "see you")
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.contact(ann, "Mary", row{"phone": "+12015550102"}, nil)
	w.longBooked(ann, "2026-11-24T10:05:00-05:00") // due at 10:05, waits for 11:00
	off := w.longBooked(w.client("Bob", row{"phone": "+12015550103"}), "2026-11-24T10:05:00-05:00")
	span := app.Query{From: w.clock.Now(), To: instant(t, "2026-11-23T12:00:00-05:00"), PracticeID: w.practice, Pending: true}
	ahead := w.foreseeQuery(span)
	w.at("2026-11-23T10:06:00-05:00")
	w.expect()
	w.same(w.foreseeQuery(span), ahead...)
	w.same(w.foreseeSpan(span.From, span.To))
	w.change(off, "status = 'cancelled'")
	w.exec(`UPDATE rappel.client_contacts SET receives_reminders = false`)
	w.same(w.foreseeQuery(span), "11-23 16:00 sms to Ann", "11-23 16:00 sms to Mary [flag_off]", "11-23 16:00 sms to Bob [cancelled]")
	w.at("2026-11-23T11:00:00-05:00")
	w.expect("sms +12015550101: see you")
}

func TestForecastWaitsForTheWindowAndLeavesInAdvance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60, "name": "day"})
	w.rule(row{"offset_minutes": -2 * 60, "name": "hours", "kind": "scheduled"})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.appointment(ann, "2026-12-11T03:00:00Z", nil) // 22:00 in New York
	w.appointment(ann, "2026-12-15T13:30:00Z", nil) // 08:30
	w.same(
		w.foresee(),
		"12-10 13:00 sms to Ann",
		"12-11 01:00 sms to Ann",
		"12-14 13:30 sms to Ann",
		"12-15 01:30 sms to Ann",
	)
	w.at("2026-12-10T03:00:00Z")
	w.at("2026-12-10T13:00:00Z")
	w.expect("sms +12015550101: ")
	w.at("2026-12-11T01:00:00Z")
	w.expect("sms +12015550101: ")
	w.at("2026-12-14T13:30:00Z")
	w.expect("sms +12015550101: ")
	w.at("2026-12-15T01:30:00Z")
	w.expect("sms +12015550101: ")
}

func TestForecastNamesEveryReasonOfTheVisit(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		"requested": "[not_confirmed]", "cancelled": "[cancelled]", "declined": "[status]",
		"missed": "[status]", "arrived": "[status]", "completed": "[status]",
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			w.rule(row{"offset_minutes": -24 * 60})
			w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T20:00:00Z", row{"status": status})
			w.same(w.foresee(), "12-09 20:00 sms to Ann "+want)
		})
	}
}

func TestForecastOfALateBooking(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ policy, starts, want string }{
		"is a skip when the rule was due":          {"skip", "2026-11-24T12:00:00Z", "11-23 12:00 sms to Ann [late_booking]"},
		"goes by grace when it was booked":         {"grace", "2026-11-24T12:00:00Z", "11-23 15:00 sms to Ann"},
		"is too late for grace, and no longer due": {"grace", "2026-11-24T04:00:00Z", "11-23 04:00 sms to Ann [late_booking]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			w.exec("UPDATE rappel.practices SET late_booking = $1", c.policy)
			w.rule(row{"offset_minutes": -24 * 60, "updated_at": w.clock.Now().AddDate(0, -1, 0)})
			w.appointment(w.client("Ann", row{"phone": "+12015550101"}), c.starts, nil)
			w.same(w.foreseeSpan(w.clock.Now().AddDate(0, 0, -2), w.clock.Now().AddDate(0, 0, 2)), c.want)
		})
	}
}

func TestForecastDoesNotRepeatAMoveAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	visit := w.appointment(ann, "2026-11-25T15:00:00Z", nil)
	w.at("2026-11-24T15:00:00Z")
	w.expect("sms +12015550101: November 25")
	w.change(visit, "starts_at = $3, start_set_at = $2", instant(t, "2026-11-27T15:00:00Z"))
	w.same(w.foresee(), "11-26 15:00 sms to Ann")
	w.change(visit, "starts_at = $3, start_set_at = $2", instant(t, "2026-11-25T15:00:00Z"))
	w.same(w.foresee())
}

// What no sweep will come across any more does not go, and the forecast of a
// span that has gone by says so.
func TestForecastOfWhatNobodyLookedAt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60, "updated_at": w.clock.Now().AddDate(0, -1, 0)})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.longBooked(ann, "2026-11-24T13:00:00Z") // due two hours ago
	w.longBooked(ann, "2026-11-24T14:30:00Z") // half an hour: the first sweep looks back one
	w.same(
		w.foreseeSpan(w.clock.Now().Add(-3*time.Hour), w.clock.Now()),
		"11-23 13:00 sms to Ann [past]",
		"11-23 14:30 sms to Ann",
	)
	w.sweep()
	w.expect("sms +12015550101: ")
}

func TestARuleForAnotherServiceSaysNothingWhereTheZoneIsBad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.exec("UPDATE rappel.practices SET time_zone = 'Moon/Mare'")
	w.rule(row{"offset_minutes": -24 * 60, "service_name": "Massage"})
	w.rule(row{"offset_minutes": -2 * 60})
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-24T20:00:00Z", row{"status": "cancelled"})
	w.same(w.foresee(), "11-24 18:00 sms to Ann [cancelled bad_zone]")
	w.at("2026-11-24T17:59:00Z")
	if n := w.value("SELECT count(*)::text FROM rappel.decisions WHERE appointment_id = $1", visit); n != "0" {
		t.Errorf("%s decisions before the due time", n)
	}
	w.at("2026-11-24T18:00:00Z")
	if n := w.value("SELECT count(*)::text FROM rappel.decisions WHERE appointment_id = $1", visit); n != "1" {
		t.Errorf("%s decisions at the due time", n)
	}
}

// A start that was set with the request and accepted later counts from then.
func TestABookingAcceptedLateIsRemindedByGrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.exec("UPDATE rappel.practices SET late_booking = 'grace'")
	w.rule(row{"offset_minutes": -24 * 60, "updated_at": w.clock.Now().AddDate(0, -1, 0)})
	w.sweep()
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.appointment(ann, "2026-11-24T12:00:00Z", row{"start_set_at": w.clock.Now().AddDate(0, 0, -3)})
	w.same(w.foresee(), "11-23 15:00 sms to Ann")
	w.pass(time.Minute)
	w.expect("sms +12015550101: ")
}

func TestUnreachableFamiliesAreCalledOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60})
	w.rule(row{"offset_minutes": -2 * 60})
	ann := w.client("Ann", nil)
	w.contact(ann, "Maria", row{"phone": "+12015550102"}, nil)
	w.put("opt_outs", row{"practice_id": w.practice, "channel": "sms", "address": "+12015550102"})
	bea := w.client("Bea", row{"phone": "+12015550103"})
	w.client("Cleo", nil)
	call := w.appointment(ann, "2026-12-10T20:00:00Z", nil)
	w.appointment(bea, "2026-12-10T20:00:00Z", nil)
	w.appointment(ann, "2026-12-11T20:00:00Z", row{"status": "cancelled"})
	var calls []string
	q := app.Query{From: w.clock.Now(), To: w.clock.Now().AddDate(0, 1, 0)}
	err := w.app.Unreachable(t.Context(), q, func(c app.Call) error {
		calls = append(calls, fmt.Sprint(c.AppointmentID == call, " ", c.Client, " ", c.At.UTC().Format("01-02 15:04")))
		for _, l := range c.Lines {
			calls = append(calls, w.inWords(l))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.same(
		calls, "true Ann Lee 12-09 20:00",
		"12-09 20:00 sms to Ann [no_address]", "12-09 20:00 sms to Maria [opted_out]",
	)
}

func TestForecastAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	rule := w.rule(row{"offset_minutes": -24 * 60})
	ann := w.client("Ann", row{"email": "ann@example.com", "preferred_method": "email"})
	maria := w.contact(ann, "Maria", nil, nil)
	visit := w.appointment(ann, "2026-12-10T15:00:00-05:00", nil)
	var got []string
	err := w.app.Forecast(t.Context(), app.Query{From: w.clock.Now(), To: w.clock.Now().AddDate(0, 1, 0)}, func(l app.Line) error {
		line, err := json.Marshal(l)
		got = append(got, string(line))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const shape = `{"send_at":"2026-12-09T20:00:00Z","kind":"appointment.reminder","rule_id":%q,"appointment_id":%q,` +
		`"starts_at":"2026-12-10T20:00:00Z","client_id":%q,"contact_id":%s,"recipient":%q,"channel":"email","address":%s,"outcome":%q,"reasons":%s}`
	w.same(
		got,
		fmt.Sprintf(shape, rule, visit, ann, "null", "client", `"a•••@example.com"`, "send", "[]"),
		fmt.Sprintf(shape, rule, visit, ann, `"`+maria+`"`, "contact", "null", "skip", `["no_address"]`),
	)
}

func TestForecastOfOnePracticeLeavesOutTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T20:00:00Z", nil)
	elm := w.practice
	w.practice = w.insert("practices", row{"name": "Oak Lane Practice", "time_zone": "Europe/Berlin"})
	w.rule(row{"offset_minutes": -24 * 60})
	w.appointment(w.client("Bea", row{"phone": "+12015550102"}), "2026-12-10T20:00:00Z", nil)
	// Nine in the evening in Berlin, where the window has closed.
	w.same(w.foresee(), "12-10 07:00 sms to Bea")
	for id, want := range map[string]string{elm: "America/New_York", w.practice: "Europe/Berlin", "": "UTC"} {
		if zone, err := w.app.Zone(t.Context(), id); err != nil || zone.String() != want {
			t.Errorf("zone of %q: %s, %v; want %s", id, zone, err, want)
		}
	}
	w.practice = ""
	w.same(w.foresee(), "12-09 20:00 sms to Ann", "12-10 07:00 sms to Bea")
}
