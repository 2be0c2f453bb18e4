package behaviour_test

import (
	"testing"
	"time"
)

func TestMinutesAreExact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(90, "in ninety minutes")
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	w.at("2026-12-10T13:29:59-05:00")
	w.expect()
	w.at("2026-12-10T13:30:00-05:00")
	w.expect("sms +12015550101: in ninety minutes")
	w.at("2026-12-10T13:31:00-05:00")
	w.expect()
}

func TestADayIsADayOnTheCalendar(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.text("tomorrow", "tomorrow at [AppointmentTime]")
	w.rule(row{"offset_days": -1, "at_time": "18:00", "template": "tomorrow"})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	w.at("2026-12-09T17:59:00-05:00")
	w.expect()
	w.at("2026-12-09T18:00:00-05:00")
	w.expect("sms +12015550101: tomorrow at 3:00 PM")
}

func TestADayBeforeIsNot24HoursBeforeAcrossAClockChange(t *testing.T) {
	t.Parallel()
	for name, night := range map[string]struct{ zone, start, before, exact, day string }{
		"New York in spring": {"America/New_York", "2026-03-08T10:00:00-04:00", "2026-03-01T12:00:00-05:00", "2026-03-07T09:00:00-05:00", "2026-03-07T10:00:00-05:00"},
		"New York in autumn": {"America/New_York", "2026-11-01T10:00:00-05:00", "2026-10-25T12:00:00-04:00", "2026-10-31T11:00:00-04:00", "2026-10-31T10:00:00-04:00"},
		"Berlin in spring":   {"Europe/Berlin", "2026-03-29T10:00:00+02:00", "2026-03-22T12:00:00+01:00", "2026-03-28T09:00:00+01:00", "2026-03-28T10:00:00+01:00"},
		"Berlin in autumn":   {"Europe/Berlin", "2026-10-25T10:00:00+01:00", "2026-10-18T12:00:00+02:00", "2026-10-24T11:00:00+02:00", "2026-10-24T10:00:00+02:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, night.before)
			w.reminds(24*hour, "in 24 hours")
			w.text("tomorrow", "tomorrow at [AppointmentTime]")
			w.rule(row{"offset_days": -1, "template": "tomorrow"})
			ann := w.client("Ann", row{"preferred_method": "email", "email": "ann@example.com"})
			w.appointment(ann, night.start, row{"time_zone": night.zone})
			told := map[string]string{night.exact: "email ann@example.com: in 24 hours", night.day: "email ann@example.com: tomorrow at 10:00"}
			for _, at := range inOrder(t, night.exact, night.day) {
				w.at(instant(t, at).Add(-time.Minute).Format(time.RFC3339))
				w.expect()
				w.at(at)
				w.expect(told[at])
			}
		})
	}
}

func inOrder(t *testing.T, a, b string) []string {
	t.Helper()
	if instant(t, b).Before(instant(t, a)) {
		a, b = b, a
	}
	return []string{a, b}
}

func TestAnHourThatTheClocksSkipOrShowTwiceIsOneReminder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2026-03-01T12:00:00-05:00")
	ann := w.client("Ann", row{"preferred_method": "email", "email": "ann@example.com"})
	w.rule(row{"offset_days": -1, "at_time": "02:30", "service_name": "Spring"})
	w.rule(row{"offset_days": -1, "at_time": "01:30", "service_name": "Autumn"})
	w.appointment(ann, "2026-03-09T10:00:00-04:00", row{"service_name": "Spring"})
	w.appointment(ann, "2026-11-02T10:00:00-05:00", row{"service_name": "Autumn"})
	w.at("2026-03-08T03:29:00-04:00")
	w.expect()
	w.at("2026-03-08T03:30:00-04:00")
	w.expect("email ann@example.com: March 9")
	w.at("2026-11-01T01:29:00-04:00")
	w.expect()
	w.at("2026-11-01T01:30:00-04:00")
	w.expect("email ann@example.com: November 2")
	w.at("2026-11-01T01:30:00-05:00")
	w.expect()
}

func TestAZoneThatDoesNotExistIsNeverUTC(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	rule := w.rule(row{"offset_days": -1, "at_time": "12:00"})
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, row{"time_zone": "America/Elm"})
	w.at("2026-12-09T11:59:00-05:00")
	w.expect()
	w.at("2026-12-09T12:00:00-05:00")
	w.expect("sms +12015550101: at 3:00 PM")

	w.update("practices", w.practice, "time_zone = 'America/Elm'")
	w.change(visit, "starts_at = starts_at + interval '5 days', start_set_at = $2")
	w.at("2026-12-14T15:00:00-05:00")
	if got := w.decided(rule, visit); got != "notify; skipped: bad_zone" {
		t.Errorf("decided: %s", got)
	}
}

func TestARuleForAServiceIsForNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour, "service_name": "Intake"})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, row{"service_name": "Intake"})
	w.appointment(w.client("Bob", row{"phone": "+12015550102"}), thursday, row{"service_name": "Therapy"})
	w.at("2026-12-09T15:00:00-05:00")
	w.expect("sms +12015550101: Reminder")
}

func TestARuleSavedLaterDoesNotReachBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.longBooked(ann, "2026-11-24T09:59:00-05:00")
	w.longBooked(ann, "2026-11-24T10:01:00-05:00")
	w.sweep()
	w.rule(row{"offset_minutes": -24 * hour, "updated_at": w.clock.Now()})
	w.pass(2 * time.Minute)
	w.expect("sms +12015550101: at 10:01 AM")
}

func TestAnInactiveRuleRemindsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour, "active": false})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	w.at("2026-12-09T15:00:00-05:00")
	w.expectLedger()
}

func TestARuleSwitchedOffBeforeItsMessageLeavesWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	rule := w.rule(row{"offset_minutes": -24 * hour})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	w.inbox.answers(answer{status: 503})
	w.at("2026-12-09T15:00:00-05:00")
	w.expectLedger("appointment.reminder to Ann by sms: pending")
	w.update("rules", rule, "active = false")
	w.pass(time.Minute)
	w.expectLedger("appointment.reminder to Ann by sms: suppressed, superseded")
}

func TestALateBookingIsNotReminded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	rule := w.rule(row{"offset_minutes": -24 * hour})
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-24T09:00:00-05:00", nil)
	w.sweep()
	w.expect()
	if got := w.decided(rule, visit); got != "skipped: late_booking" {
		t.Errorf("decided: %s", got)
	}
}

func TestGraceRemindsAtOnceIfTwoThirdsOfTheTimeAreLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.update("practices", w.practice, "late_booking = 'grace'")
	rule := w.rule(row{"offset_minutes": -24 * hour})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-24T02:00:00-05:00", nil)
	late := w.appointment(w.client("Bob", row{"phone": "+12015550102"}), "2026-11-24T01:59:00-05:00", nil)
	w.sweep()
	w.expect("sms +12015550101: Reminder")
	if got := w.decided(rule, late); got != "skipped: late_booking" {
		t.Errorf("decided: %s", got)
	}
}

func TestGraceWaitsForTheWindowToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2026-11-23T22:00:00-05:00")
	w.update("practices", w.practice, "late_booking = 'grace'")
	w.rule(row{"offset_minutes": -24 * hour})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-24T16:00:00-05:00", nil)
	for _, at := range []string{"2026-11-23T22:00:00-05:00", "2026-11-24T02:00:00-05:00", "2026-11-24T07:59:00-05:00"} {
		w.at(at)
		w.expect()
	}
	w.at("2026-11-24T08:00:00-05:00")
	w.expect("sms +12015550101: Reminder")
}

func TestOfSeveralRemindersPassedByALateBookingTheNearestGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.update("practices", w.practice, "late_booking = 'grace'")
	far, near := w.reminds(24*hour, "in a day"), w.reminds(20*hour, "in twenty hours")
	w.reminds(2*hour, "in two hours")
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-24T04:00:00-05:00", row{"time_zone": "Asia/Tokyo"})
	w.sweep()
	w.expect("sms +12015550101: in twenty hours")
	if got := w.decided(far, visit) + " / " + w.decided(near, visit); got != "skipped: late_booking / notify" {
		t.Errorf("decided: %s", got)
	}
}

func TestOfSeveralRemindersPassedByAnOutageTheNearestGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	far, near := w.reminds(24*hour, "in a day"), w.reminds(2*hour, "in two hours")
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	w.at("2026-12-09T14:59:00-05:00")
	w.expect()
	w.at("2026-12-10T14:00:00-05:00")
	w.expect("sms +12015550101: in two hours")
	if got := w.decided(far, visit) + " / " + w.decided(near, visit); got != "skipped: superseded / notify" {
		t.Errorf("decided: %s", got)
	}
}

// The nearer of two reminders is decided before the window closes, since its SMS
// must leave then. Its e-mail waits for its own time, and until then says nothing
// against that of the other.
func TestAReminderThatIsNotDueYetIsNoReasonAgainstOneThatIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(12*hour, "in twelve hours")
	w.reminds(1*hour, "in one hour")
	w.longBooked(w.client("Ann", row{"phone": "+12015550101", "email": "ann@example.com", "preferred_method": "both"}), "2026-12-10T07:30:00-05:00")
	w.inbox.always(&answer{status: 503})
	w.at("2026-12-09T19:30:00-05:00")
	w.expect()
	w.at("2026-12-09T20:30:00-05:00")
	w.expect()
	w.inbox.always(nil)
	w.at("2026-12-09T20:45:00-05:00")
	w.expect("sms +12015550101: in one hour", "email ann@example.com: in twelve hours")
	w.at("2026-12-10T06:30:00-05:00")
	w.expect("email ann@example.com: in one hour")
}

func TestWhatAnOutageHeldUpGoesLateOrNotAtAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	rule := w.rule(row{"offset_minutes": -24 * hour})
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-26T15:00:00-05:00")
	over := w.longBooked(w.client("Bob", row{"phone": "+12015550102"}), "2026-11-26T11:00:00-05:00")
	w.sweep()
	w.at("2026-11-26T12:00:00-05:00")
	w.expect("sms +12015550101: Reminder")
	if got := w.decided(rule, over); got != "skipped: past" {
		t.Errorf("decided: %s", got)
	}
	w.pass(time.Minute)
	w.expect()
}

func TestTheVeryFirstSweepLooksBackOneHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-24T09:01:00-05:00")
	w.longBooked(w.client("Bob", row{"phone": "+12015550102"}), "2026-11-24T08:59:00-05:00")
	w.sweep()
	w.expect("sms +12015550101: at 9:01 AM")
}

func TestAVisitMovedAwayAndBackIsNotRemindedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	w.at("2026-12-09T15:00:00-05:00")
	w.expect("sms +12015550101: Reminder")
	w.pass(time.Minute)
	w.move(visit, friday)
	w.expect("sms +12015550101: has moved to Friday")
	w.pass(time.Minute)
	w.move(visit, thursday)
	w.expect("sms +12015550101: has moved to Thursday")
	w.pass(time.Minute)
	w.expect()
	w.at("2026-12-10T15:00:00-05:00")
	w.expect()
}

func TestAMoveIsKnownAlsoWhereTheMainAppDoesNotSayWhen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(24*hour, "in a day")
	w.reminds(2*hour, "in two hours")
	visit := w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), friday)
	w.at("2026-12-09T20:00:00-05:00")
	w.change(visit, "starts_at = $3, ends_at = $3::timestamptz + interval '1 hour'", instant(t, thursday)) // 19 hours before
	w.tell("appointment.rescheduled", visit)
	w.expect("sms +12015550101: has moved to Thursday")
	w.pass(time.Minute)
	w.expect()
	w.at("2026-12-10T13:00:00-05:00")
	w.expect("sms +12015550101: in two hours")
}

func TestACancelledVisitIsNotReminded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	rule := w.rule(row{"offset_minutes": -24 * hour})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	for status, reason := range map[string]string{"cancelled": "cancelled", "declined": "status", "missed": "status", "arrived": "status"} {
		visit := w.appointment(ann, thursday, row{"status": status})
		w.at("2026-12-09T15:00:00-05:00")
		w.settle()
		if got := w.decided(rule, visit); got != "skipped: "+reason {
			t.Errorf("%s: decided %s", status, got)
		}
		w.clock.set(instant(t, monday))
	}
}

func TestAScheduledMessageFollowsTheVisit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.text("thanks", "How was it?")
	w.rule(row{"kind": "scheduled", "anchor": "end", "offset_minutes": 2 * hour, "template": "thanks"})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.contact(ann, "Bob", row{"phone": "+12015550102"}, row{"receives_scheduled": false})
	w.appointment(ann, thursday, row{"status": "completed"})
	w.appointment(ann, thursday, row{"status": "missed"})
	w.at("2026-12-10T17:49:00-05:00")
	w.expect()
	w.at("2026-12-10T17:50:00-05:00")
	w.expect("sms +12015550101: How was it?")
}

func TestAScheduledMessageFollowsTheBooking(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.text("papers", "Please fill in the papers.")
	w.rule(row{"kind": "scheduled", "anchor": "booked", "offset_minutes": 30, "template": "papers"})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	w.at("2026-11-23T10:29:00-05:00")
	w.expect()
	w.at("2026-11-23T10:30:00-05:00")
	w.expect("sms +12015550101: Please fill in the papers.")
}

func TestASweepAsOfATimeGoneByIsJudgedByThePresent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(24*hour, "a day")
	w.reminds(2*hour, "two hours")
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T15:00:00-05:00")
	w.wait(instant(t, "2026-12-10T13:30:00-05:00").Sub(w.clock.Now())) // nobody swept
	for _, at := range []string{"2026-12-09T15:00:00-05:00", "2026-12-09T20:00:00-05:00"} {
		if _, err := w.app.Sweep(t.Context(), instant(t, at)); err != nil {
			t.Fatal(err)
		}
	}
	w.sweep()
	w.expect("sms +12015550101: two hours")
}
