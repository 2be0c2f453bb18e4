package behaviour_test

import "testing"

func TestClientOfAnotherPracticeIsNotNotified(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(24*60, "in a day")
	other := w.insert("practices", row{"name": "Oak Street Practice", "time_zone": "America/New_York"})
	ann, ben := w.client("Ann", row{"phone": "+12015550101"}), w.client("Ben", row{"phone": "+12015550102", "practice_id": other})
	w.book(ben, "2026-12-10T20:00:00Z")
	visit := w.longBooked(ben, "2026-12-10T20:00:00Z")
	w.longBooked(ann, "2026-12-10T20:00:00Z")
	w.expect()
	w.at("2026-12-09T20:00:00Z")
	w.expect("sms +12015550101: in a day")
	w.at("2026-12-09T20:10:00Z")
	w.expect()
	if got := w.value(`SELECT outcome || ' ' || detail FROM rappel.decisions WHERE appointment_id = $1`, visit); got != "skipped nothing is known of the appointment, its client or its practice: status" {
		t.Errorf("decided %s", got)
	}
}
