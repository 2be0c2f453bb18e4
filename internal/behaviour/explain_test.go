package behaviour_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rappel/internal/app"
	"rappel/jobs/forecast"
)

// explain tells the story of an appointment, an entry and then its lines.
func (w *world) explain(appointment string) []string {
	w.t.Helper()
	w.settle()
	x, err := w.app.Explain(w.t.Context(), appointment)
	if err != nil {
		w.t.Fatal(err)
	}
	var story []string
	for _, e := range x.Entries {
		story = append(story, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", e.At.UTC().Format("01-02 15:04"), e.Kind, e.State, e.Outcome)))
		for _, l := range e.Lines {
			story = append(story, "  "+w.inWords(l))
		}
	}
	return story
}

func TestExplainTellsPastAndFutureInOneTimeline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60, "name": "a day"})
	w.rule(row{"offset_minutes": -48 * 60, "name": "two days"})
	w.rule(row{"offset_minutes": 60, "anchor": "end", "kind": "scheduled", "name": "thanks"})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.contact(ann, "Maria", nil, row{"receives_scheduled": false})
	visit := w.book(ann, "2026-12-10T20:00:00Z")
	w.expect("sms +12015550101: ")
	w.tell("appointment.booked", visit)
	w.at("2026-12-08T20:00:00Z")
	w.expect("sms +12015550101: ")
	w.same(
		w.explain(visit),
		"11-23 15:00 appointment.booked decided notify",
		"  11-23 15:00 sms to Ann sent",
		"  11-23 15:00 sms to Maria [no_address]",
		"11-23 15:00 appointment.booked again",
		"12-08 20:00 appointment.reminder decided notify",
		"  12-08 20:00 sms to Ann sent",
		"  12-08 20:00 sms to Maria [no_address]",
		"12-09 20:00 appointment.reminder ahead notify",
		"  12-09 20:00 sms to Ann",
		"  12-09 20:00 sms to Maria [no_address]",
		"12-10 21:50 appointment.scheduled ahead notify",
		"  12-10 21:50 sms to Ann",
		"  12-10 21:50 sms to Maria [flag_off no_address]",
	)
}

func TestExplainGivesTheReasonOfTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60})
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-11T03:00:00Z", nil)
	w.at("2026-12-10T03:00:00Z") // ten in the evening: it waits
	w.cancel(visit)
	w.expect("sms +12015550101: cancel")
	w.at("2026-12-10T13:00:00Z")
	w.same(
		w.explain(visit),
		"12-10 03:00 appointment.reminder decided notify",
		"  12-10 13:00 sms to Ann suppressed [cancelled]",
		"12-10 03:00 appointment.cancelled decided notify",
		"  12-10 03:00 sms to Ann sent",
	)
}

func TestExplainPointsFromARepeatToTheFirstDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T20:00:00Z")
	w.expect("sms +12015550101: ")
	w.tell("appointment.booked", visit)
	w.settle()
	x, err := w.app.Explain(t.Context(), visit)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Entries) != 2 || x.Entries[1].State != app.StateAgain || x.Entries[1].DecisionID != x.Entries[0].DecisionID || x.Entries[0].DecisionID == "" {
		t.Errorf("entries: %+v", x.Entries)
	}
}

func TestExplainTellsWhatAnEventThatWaitsWillBring(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101", "receives_confirmations": false}), "2026-12-10T20:00:00Z", nil)
	w.event(row{"kind": "appointment.booked", "appointment_id": visit, "look_at": "2100-01-01"})
	w.event(row{"kind": "appointment.booked", "appointment_id": visit, "look_at": "2100-01-01"})
	missing := newID()
	w.event(row{"kind": "appointment.booked", "appointment_id": missing, "look_at": "2100-01-01"})
	w.same(
		w.explain(visit),
		"11-23 15:00 appointment.booked waiting silenced",
		"  11-23 15:00 sms to Ann [flag_off]",
		"11-23 15:00 appointment.booked again",
	)
	w.same(w.explain(missing), "11-23 15:00 appointment.booked waiting")
}

func TestExplainOfAMovedVisitTellsBothStarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60})
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-25T15:00:00Z", nil)
	w.at("2026-11-24T15:00:00Z")
	w.expect("sms +12015550101: November 25")
	w.change(visit, "starts_at = $3, ends_at = $3, start_set_at = $2", instant(t, "2026-11-28T15:00:00Z"))
	w.same(
		w.explain(visit),
		"11-24 15:00 appointment.reminder decided notify",
		"  11-24 15:00 sms to Ann sent",
		"11-27 15:00 appointment.reminder ahead notify",
		"  11-27 15:00 sms to Ann",
	)
}

func TestExplainOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	if _, err := w.app.Explain(t.Context(), newID()); !errors.Is(err, forecast.ErrUnknown) {
		t.Errorf("error: %v", err)
	}
}

func TestExplainOfANoticeTellsItsDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	bob := w.contact(ann, "Bob", nil, row{"can_manage_billing": true})
	w.contact(ann, "Cat", row{"phone": "+12015550103"}, nil)
	visit := w.appointment(ann, "2026-12-10T20:00:00Z", nil)
	invoice := w.sends("invoice.issued", ann, "")
	w.sends("invoice.issued", ann, "") // another one
	named := w.event(row{"kind": "form.sent", "client_id": ann, "contact_id": bob, "appointment_id": visit})
	w.expect("sms +12015550101: invoice", "sms +12015550101: invoice")
	w.same(
		w.explain(invoice),
		"11-23 15:00 invoice.issued decided notify",
		"  11-23 15:00 sms to Ann sent",
		"  11-23 15:00 sms to Bob [no_address]",
		"  11-23 15:00 sms to Cat [flag_off]",
	)
	w.same(w.explain(named), "11-23 15:00 form.sent decided unreachable", "  11-23 15:00 sms to Bob [no_address]")
	w.same(
		w.explain(visit),
		"11-23 15:00 form.sent decided unreachable",
		"  11-23 15:00 sms to Bob [no_address]",
		"12-09 20:00 appointment.reminder ahead notify",
		"  12-09 20:00 sms to Ann",
		"  12-09 20:00 sms to Bob [no_address]",
		"  12-09 20:00 sms to Cat",
	)
	w.exec(`DELETE FROM rappel.events`) // its decision is kept for longer
	w.same(w.explain(named), "11-23 15:00 form.sent decided unreachable", "  11-23 15:00 sms to Bob [no_address]")
	if x, err := w.app.Explain(t.Context(), named); err != nil || x.AppointmentID != visit || x.Client != "Ann Lee" || x.EventID != named {
		t.Errorf("it is about %q and names %q: %v", x.Client, x.AppointmentID, err)
	}
	w.exec(`DELETE FROM rappel.clients`)
	w.same(w.explain(named), "11-23 15:00 form.sent decided unreachable", "  11-23 15:00 sms to Bob [no_address]")
}

func TestExplainOfANoticeThatWaitsTellsWhatItWillBring(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann, bea := w.client("Ann", row{"phone": "+12015550101"}), w.client("Bea", row{"phone": "+12015550102"})
	visit := w.appointment(bea, "2026-12-10T20:00:00Z", nil) // which a form for Ann names
	later := row{"kind": "form.sent", "client_id": ann, "look_at": "2100-01-01"}
	alone, named := w.event(later), w.event(later.with(row{"appointment_id": visit}))
	w.event(later.with(row{"appointment_id": visit}))
	waits := []string{"11-23 15:00 form.sent waiting notify", "  11-23 15:00 sms to Ann"}
	w.same(w.explain(alone), waits...)
	w.same(w.explain(named), waits...)
	w.same(w.explain(visit), append(waits, waits...)...) // two forms, and not one told twice
	w.same(w.explain(w.event(later.with(row{"client_id": newID()}))), "11-23 15:00 form.sent waiting")
	w.same(w.explain(w.event(row{"kind": "form.burnt", "client_id": ann})), "11-23 15:00 form.burnt decided skipped")
}

func TestExplainOfAnAppointmentsEventTellsThatEventAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60})
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T20:00:00Z", nil)
	booked := w.tell("appointment.booked", visit)
	w.expect("sms +12015550101: is booked")
	again := w.tell("appointment.booked", visit)
	w.expect()
	w.pass(time.Minute)
	w.confirm(visit)
	w.expect("sms +12015550101: is confirmed")
	told := []string{"11-23 15:00 appointment.booked decided notify", "  11-23 15:00 sms to Ann sent"}
	w.same(w.explain(booked), told...)
	w.same(w.explain(again), append(told, "11-23 15:00 appointment.booked again")...)
}
