package postgres_test

import (
	"maps"
	"testing"
	"time"

	"rappel/jobs/retain"
)

// retain removes batch by batch what is older than noon, and returns how many
// there were.
func (w *world) retain(trace retain.Trace, batch int) int {
	w.t.Helper()
	total := 0
	for more := true; more; {
		var n int
		var err error
		if n, more, err = w.Retain(w.t.Context(), trace, noon(), batch); err != nil {
			w.t.Fatal(err)
		}
		if n > batch {
			w.t.Fatalf("%d in a batch of %d", n, batch)
		}
		total += n
	}
	return total
}

// long and lately are before and after what is kept.
func long() time.Time   { return noon().Add(-time.Hour) }
func lately() time.Time { return noon().Add(time.Hour) }

func TestRepliesGoAfterTheMainAppHasHadThemForLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for carrier, more := range map[string]row{
		"long posted":   {"outcome": "posted", "settled_at": long()},
		"lately posted": {"outcome": "posted", "settled_at": lately()},
		"open":          {"body": "Late"},
	} {
		more["carrier_id"], more["address"], more["received_at"], more["meaning"] = carrier, mobile, long(), "other"
		w.insert("replies", more)
	}
	if n := w.retain(retain.Replies, 1); n != 1 {
		t.Errorf("%d removed", n)
	}
	if got := w.text(`SELECT string_agg(carrier_id, ', ' ORDER BY carrier_id) FROM rappel.replies`); got != "lately posted, open" {
		t.Errorf("left: %s", got)
	}
}

func TestAnUnusableAddressGoesWhenItNoLongerCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.insert("unusable_addresses", row{"channel": "sms", "address": "+12015550101", "code": "landline", "refused_at": long()})
	w.insert("unusable_addresses", row{"channel": "sms", "address": "+12015550102", "code": "landline", "refused_at": lately()})
	if n := w.retain(retain.Unusable, 10); n != 1 {
		t.Errorf("%d removed", n)
	}
	if got := w.text(`SELECT string_agg(address, ', ') FROM rappel.unusable_addresses`); got != "+12015550102" {
		t.Errorf("left: %s", got)
	}
}

func TestEventsGoAfterTheStartThatTheyToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	about := func(starts time.Time) string {
		return w.insert("decisions", row{"kind": "appointment.rescheduled", "decided_at": long(), "outcome": "skipped", "starts_at": starts})
	}
	for name, more := range map[string]row{
		"long gone":         {"planned_at": long(), "look_at": long(), "decision_id": about(long())},
		"long told again":   {"planned_at": long(), "look_at": long()},
		"of a start ahead":  {"planned_at": long(), "look_at": long().Add(-time.Hour), "decision_id": about(lately())},
		"planned lately":    {"planned_at": lately(), "look_at": long(), "decision_id": about(long())},
		"not yet looked at": {},
	} {
		more["kind"], more["data"] = "appointment.rescheduled", `"`+name+`"`
		w.insert("events", more)
	}
	if n := w.retain(retain.Events, 1); n != 2 {
		t.Errorf("%d removed", n)
	}
	got := w.text(`SELECT string_agg(data #>> '{}', ', ' ORDER BY data #>> '{}' COLLATE "C") FROM rappel.events`)
	if want := "not yet looked at, of a start ahead, planned lately"; got != want {
		t.Errorf("left: %s", got)
	}
	// The next look at what is told of a start ahead is after that.
	if later := w.text(`SELECT data #>> '{}' FROM rappel.events WHERE look_at = $1`, lately()); later != "of a start ahead" {
		t.Errorf("put off: %s", later)
	}
}

// past adds a decision with its one notification and returns the latter's id.
func (w *world) past(decidedAt time.Time, decision, notification row) string {
	w.t.Helper()
	d := row{
		"practice_id": w.practice, "kind": "appointment.reminder", "decided_at": decidedAt, "outcome": "notify",
		"candidates": `[{"outcome": "send"}]`, "starts_at": decidedAt,
	}
	maps.Copy(d, decision)
	n := row{
		"decision_id": w.insert("decisions", d), "practice_id": w.practice, "client_id": newID(), "kind": "appointment.reminder", "channel": "sms",
		"address": mobile, "template": "x", "not_before": decidedAt, "created_at": decidedAt, "starts_at": d["starts_at"],
		"status": "sent", "sent_at": decidedAt,
	}
	maps.Copy(n, notification)
	return w.insert("notifications", n)
}

// pasts are messages by what speaks for or against keeping them.
func pasts() map[string]func(w *world) string {
	return map[string]func(w *world) string{
		"long ended":     func(w *world) string { return w.past(long(), nil, nil) },
		"long a notice":  func(w *world) string { return w.past(long(), row{"starts_at": nil}, nil) },
		"starts later":   func(w *world) string { return w.past(long(), row{"starts_at": lately()}, nil) },
		"decided lately": func(w *world) string { return w.past(lately(), row{"starts_at": long()}, nil) },
		"sent lately":    func(w *world) string { return w.past(long(), nil, row{"sent_at": lately()}) },
		"waits":          func(w *world) string { return w.past(long(), nil, row{"status": "pending", "sent_at": nil}) },
		"is repeated":    func(w *world) string { return w.past(long(), nil, row{"status": "unknown", "repeat_at": long()}) },
	}
}

func TestTheAddressOfAMessageGoesLongAfterIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone := map[string]bool{"long ended": true, "long a notice": true}
	ids := map[string]string{}
	for name, add := range pasts() {
		ids[name] = add(w)
	}
	if n := w.retain(retain.Addresses, 1); n != len(gone) {
		t.Errorf("%d addresses went", n)
	}
	for name, id := range ids {
		if got := w.text(`SELECT address = 'forgotten' FROM rappel.notifications WHERE id = $1`, id) == "true"; got != gone[name] {
			t.Errorf("that the address of what %s is gone: %t", name, got)
		}
	}
}

func TestADecisionGoesWithItsMessagesLongAfterTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone := map[string]bool{"long ended": true, "long a notice": true}
	ids := map[string]string{}
	for name, add := range pasts() {
		ids[name] = add(w)
	}
	w.insert("decisions", row{"kind": "appointment.reminder", "decided_at": long(), "starts_at": long(), "outcome": "silenced"})
	if n := w.retain(retain.Decisions, 1); n != len(gone)+1 {
		t.Errorf("%d decisions went", n)
	}
	for name, id := range ids {
		rows := w.text(`SELECT count(*) FROM rappel.notifications n JOIN rappel.decisions d ON d.id = n.decision_id WHERE n.id = $1`, id)
		if (rows == "0") != gone[name] {
			t.Errorf("of what %s, %s rows are left", name, rows)
		}
	}
	if n, err := w.Unaccounted(t.Context(), long().AddDate(-1, 0, 0)); err != nil || len(n) > 0 {
		t.Errorf("unaccounted: %v, %v", n, err)
	}
}

func TestATraceThatNobodyKnowsIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, _, err := w.Retain(t.Context(), "names", noon(), 1); err == nil {
		t.Error("no error")
	}
}
