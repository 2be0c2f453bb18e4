package behaviour_test

import "testing"

func TestABookingIsConfirmedToTheClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2026-11-23T15:00:00Z")
	ann := w.client("Ann", row{"phone": "(201) 555-0101"})
	w.book(ann, "2026-12-10T20:00:00Z")
	w.expect("sms +12015550101: Thursday, December 10, 2026")
}

func TestACancelledVisitIsToldAndNotReminded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2026-11-23T15:00:00Z")
	w.rule(row{"offset_minutes": -24 * 60})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	visit := w.book(ann, "2026-12-10T20:00:00Z")
	w.expect("sms +12015550101: Thursday")
	w.cancel(visit)
	w.expect("sms +12015550101: cancel")
	w.at("2026-12-09T20:00:00Z")
	w.expect()
}

func TestAMovedVisitIsRemindedForItsNewStartAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2026-11-23T15:00:00Z")
	w.rule(row{"offset_minutes": -24 * 60})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	visit := w.book(ann, "2026-12-10T20:00:00Z")
	w.expect("sms +12015550101: December 10")
	w.at("2026-12-09T20:00:00Z")
	w.expect("sms +12015550101: December 10")
	w.move(visit, "2026-12-12T20:00:00Z")
	w.expect("sms +12015550101: December 12")
	w.at("2026-12-11T19:59:00Z")
	w.expect()
	w.at("2026-12-11T20:00:00Z")
	w.expect("sms +12015550101: December 12")
	w.at("2026-12-11T20:01:00Z")
	w.expect()
}
