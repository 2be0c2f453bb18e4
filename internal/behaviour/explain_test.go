package behaviour_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

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
