package behaviour_test

import (
	"context"
	"testing"
	"time"

	"rappel/jobs"
)

func TestEachThingThatHappensIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	visit := w.book(ann, thursday)
	w.expect("sms +12015550101: Your appointment with Elm Street Practice on Thursday, December 10, 2026 at 3:00 PM is booked.")
	w.confirm(visit)
	w.expect("sms +12015550101: is confirmed")
	w.move(visit, friday)
	w.expect("sms +12015550101: has moved to Friday, December 11, 2026 at 3:00 PM")
	w.cancel(visit)
	w.expect("sms +12015550101: on Friday, December 11, 2026 at 3:00 PM is canceled")

	asked := w.appointment(ann, thursday, row{"status": "requested"})
	w.decline(asked)
	w.expect("sms +12015550101: can't offer")

	missed := w.appointment(ann, thursday, nil)
	w.at("2026-12-10T16:00:00-05:00")
	w.miss(missed)
	w.expect("sms +12015550101: We missed you")
}

func TestATelehealthLinkGoesToWhomRemindersGoWithTheirOwnTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101", "time_zone": "America/Los_Angeles", "receives_confirmations": false})
	w.contact(ann, "Bob", row{"phone": "+12015550102"}, row{"receives_confirmations": false})
	w.contact(ann, "Cat", row{"phone": "+12015550103"}, row{"receives_reminders": false})
	visit := w.appointment(ann, thursday, row{"telehealth_url": "https://meet.example.com/1"})
	w.tell("appointment.telehealth_link", visit)
	w.expect(
		"sms +12015550101: December 10, 2026 at 12:00 PM here: https://meet.example.com/1",
		"sms +12015550102: December 10, 2026 at 3:00 PM here: https://meet.example.com/1",
	)
}

func TestATelehealthLinkWithoutALinkTellsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	w.tell("appointment.telehealth_link", visit)
	w.expectDecision("appointment.telehealth_link", visit, "skipped", "client Ann by sms: status")
}

func TestARequestedVisitIsNotSpokenOfUntilItStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(48*hour, "in two days")
	w.reminds(24*hour, "in one day")
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, row{"status": "requested"})
	w.tell("appointment.booked", visit)
	w.expectDecision("appointment.booked", visit, "skipped", "client Ann by sms: not_confirmed")
	w.at("2026-12-08T15:00:00-05:00")
	w.expectDecision("appointment.reminder", visit, "skipped", "client Ann by sms: not_confirmed")
	w.confirm(visit)
	w.expect("sms +12015550101: is confirmed")
	w.at("2026-12-09T15:00:00-05:00")
	w.expect("sms +12015550101: in one day")
}

func TestOfAStartThatHasPassedOnlyAMissedVisitIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	client := func() string { return w.client("Ann", row{"phone": "+12015550101"}) }
	cancelled, missed := w.longBooked(client(), "2026-11-23T09:00:00-05:00"), w.longBooked(client(), "2026-11-23T09:00:00-05:00")
	late := w.book(client(), "2026-11-23T09:59:00-05:00")
	w.cancel(cancelled)
	w.miss(missed)
	w.expect("sms +12015550101: We missed you")
	w.expectDecision("appointment.cancelled", cancelled, "skipped", "client Ann by sms: past")
	w.expectDecision("appointment.booked", late, "skipped", "client Ann by sms: past")
}

func TestAnEventThatNoLongerFitsTellsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	reinstated := w.appointment(ann, thursday, nil)
	w.tell("appointment.cancelled", reinstated)
	w.expectDecision("appointment.cancelled", reinstated, "skipped", "client Ann by sms: superseded")
	gone := w.appointment(ann, thursday, row{"status": "cancelled"})
	w.tell("appointment.booked", gone)
	w.expectDecision("appointment.booked", gone, "skipped", "client Ann by sms: cancelled")
}

func TestTheSameEventToldTwiceIsOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect("sms +12015550101: is booked")
	w.tell("appointment.booked", visit)
	w.expect()
	w.change(visit, "notify = true")
	w.tell("appointment.booked", visit)
	w.expect("sms +12015550101: is booked")
}

func TestRevisionsMayBeginAtZero(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, row{"revision": 0})
	w.tell("appointment.booked", visit)
	w.expect("sms +12015550101: is booked")
	w.tell("appointment.booked", visit)
	w.expect()
	w.move(visit, friday)
	w.expect("sms +12015550101: moved")
}

func TestTwoReportsOfOneChangeAtTheSameMomentAreOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	w.exec(`INSERT INTO rappel.events (kind, appointment_id) SELECT 'appointment.booked', $1::uuid FROM generate_series(1, 5)`, visit)
	w.expect("sms +12015550101: is booked")
	if n := w.value(`SELECT count(*)::text FROM rappel.events WHERE planned_at IS NULL OR decision_id IS NULL`); n != "0" {
		t.Errorf("%s events are not answered by a decision", n)
	}
}

func TestOfATelehealthLinkOnlyTheEventsOwnIDCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, row{"telehealth_url": "https://meet.example.com/1"})
	w.tell("appointment.telehealth_link", visit)
	w.tell("appointment.telehealth_link", visit)
	w.expect("sms +12015550101: https://meet.example.com/1", "sms +12015550101: https://meet.example.com/1")
}

func TestAMainAppInGoReportsByTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	client := w.mainApp()
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	event, err := jobs.NewEvent(jobs.Booked, visit, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same event, told again after an answer that was lost
		if err := client.ReportEvent(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		w.settle()
	}
	w.expect("sms +12015550101: is booked")

	w.change(visit, "status = 'cancelled'")
	if _, err := client.Report(t.Context(), jobs.Cancelled, visit, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.tell("appointment.cancelled", visit) // and as a row as well
	w.expect("sms +12015550101: is canceled")
}

func TestAnEventMayComeBeforeItsAppointmentIsCommitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann, visit := w.client("Ann", row{"phone": "+12015550101"}), newID()
	w.tell("appointment.booked", visit)
	w.expect()
	w.appointment(ann, thursday, row{"id": visit})
	w.exec(`UPDATE rappel.events SET look_at = now()`) // a second goes by
	w.expect("sms +12015550101: is booked")
}

func TestAnEventWhoseAppointmentNeverComesIsDecidedAfterTenMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	event := w.tell("appointment.booked", newID())
	w.settle()
	w.expectAnswer(event, "")
	w.exec(`UPDATE rappel.events SET created_at = now() - interval '11 minutes', look_at = now()`)
	w.settle()
	w.expectAnswer(event, "skipped", "status")
}

func TestRulesCanBeToldByTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-24T10:00:00-05:00")
	tick, err := jobs.Sweep{}.Task()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // every scheduler ticks
		w.enqueue(tick)
	}
	w.expect("sms +12015550101: Reminder")
}

func TestConfirmationsGoAtAnyHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2026-11-23T03:00:00-05:00")
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect("sms +12015550101: is booked")
	w.pass(time.Minute)
	w.cancel(visit)
	w.expect("sms +12015550101: is canceled")
}

func TestACancellationToldBeforeItIsCommittedIsToldOnceItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect("sms +12015550101: is booked")
	w.wait(time.Minute)
	w.tell("appointment.cancelled", visit)
	w.untilEvents("the event waits", 1, "look_at > created_at")
	w.expect()
	w.change(visit, "status = 'cancelled'")
	w.untilEvents("the event is planned", 0, "true")
	w.expect("sms +12015550101: cancel")
}

// untilEvents waits until so many events that answer to a condition are not
// planned.
func (w *world) untilEvents(what string, want int, condition string) {
	w.t.Helper()
	w.until(what, func(ctx context.Context) bool {
		var n int
		err := w.db.QueryRow(ctx, `SELECT count(*) FROM rappel.events WHERE planned_at IS NULL AND `+condition).Scan(&n)
		return err == nil && n == want
	})
}
