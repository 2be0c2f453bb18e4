package behaviour_test

import "testing"

func TestAnSMSWaitsForTheMorningAndAnEmailDoesNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	for name, more := range map[string]row{
		"Ann": {"phone": "+12015550101"},
		"Bob": {"email": "bob@example.com", "preferred_method": "email"},
		"Cat": {"phone": "+12015550103", "email": "cat@example.com", "preferred_method": "both"},
	} {
		w.appointment(w.client(name, more), "2026-12-10T06:00:00-05:00", nil)
	}
	w.at("2026-12-09T06:00:00-05:00")
	w.expect("email bob@example.com: Reminder", "email cat@example.com: Reminder")
	for _, at := range []string{"2026-12-09T06:30:00-05:00", "2026-12-09T07:30:00-05:00", "2026-12-09T07:59:00-05:00"} {
		w.at(at)
		w.expect()
	}
	w.at("2026-12-09T08:00:00-05:00")
	w.expect("sms +12015550101: Reminder", "sms +12015550103: Reminder")
}

func TestTheClosingMinuteIsOutside(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T20:59:00-05:00", nil)
	w.appointment(w.client("Bob", row{"phone": "+12015550102"}), "2026-12-10T21:00:00-05:00", nil)
	w.at("2026-12-09T20:59:00-05:00")
	w.expect("sms +12015550101: Reminder")
	w.at("2026-12-09T21:00:00-05:00")
	w.expect()
	w.at("2026-12-10T07:00:00-05:00")
	w.expect()
	w.at("2026-12-10T08:00:00-05:00")
	w.expect("sms +12015550102: Reminder")
}

func TestAnSMSThatCannotWaitGoesTheEveningBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -hour})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T07:30:00-05:00", nil)
	for _, at := range []string{"2026-12-09T15:00:00-05:00", "2026-12-09T16:00:00-05:00", "2026-12-09T20:29:00-05:00"} {
		w.at(at)
		w.expect()
	}
	w.at("2026-12-09T20:30:00-05:00")
	w.expect("sms +12015550101: Reminder")
	w.at("2026-12-10T06:30:00-05:00")
	w.expect()
}

func TestAnEveningBookingForTheMorningIsRemindedAtOnceOrNotAtAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2026-12-09T20:45:00-05:00")
	rule := w.rule(row{"offset_minutes": -hour})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T07:30:00-05:00", nil)
	w.sweep()
	w.expect("sms +12015550101: Reminder")
	w.at("2026-12-09T21:30:00-05:00")
	late := w.appointment(w.client("Bob", row{"phone": "+12015550102"}), "2026-12-10T07:30:00-05:00", nil)
	w.appointment(w.client("Cat", row{"email": "cat@example.com", "preferred_method": "email"}), "2026-12-10T07:30:00-05:00", nil)
	w.at("2026-12-09T21:31:00-05:00")
	w.expect()
	w.at("2026-12-10T06:30:00-05:00")
	w.expect("email cat@example.com: Reminder")
	if got := w.decided(rule, late); got != "skipped: quiet_hours" {
		t.Errorf("decided: %s", got)
	}
}

func TestTheWindowIsThatOfTheRecipientsZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	ann := w.client("Ann", row{"phone": "+12015550101", "time_zone": "America/Los_Angeles"})
	w.contact(ann, "Bob", row{"phone": "+12015550102"}, nil)
	w.appointment(ann, "2026-12-10T09:00:00-05:00", nil)
	w.at("2026-12-09T09:00:00-05:00")
	w.expect("sms +12015550102: at 9:00 AM.")
	w.at("2026-12-09T10:30:00-05:00")
	w.expect()
	w.at("2026-12-09T11:00:00-05:00")
	w.expect("sms +12015550101: at 9:00 AM Eastern Time.")
}

// Two have one number, and for one of them it is night: the other is no duplicate.
func TestWhoeverIsAwakeIsRemindedAtANumberThatTheyShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2026-12-10T02:00:00-05:00")
	w.reminds(hour, "see you")
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.contact(ann, "Mary", row{"phone": "+12015550101", "time_zone": "America/Los_Angeles"}, nil)
	visit := w.appointment(ann, "2026-12-10T09:15:00-05:00", nil)
	w.at("2026-12-10T08:15:00-05:00")
	w.expect("sms +12015550101: see you")
	w.expectDecision("appointment.reminder", visit, "notify", "client Ann by sms: send", "contact Mary by sms: quiet_hours")
}

// What follows a visit has no start to come an hour before.
func TestAFollowUpThatRunsIntoTheNightWaitsForTheMorning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.text("thanks", "Thank you")
	w.rule(row{"kind": "scheduled", "anchor": "end", "offset_minutes": 0, "template": "thanks"})
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-24T07:40:00-05:00") // ends at 08:30, of use for a day
	w.inbox.always(&answer{status: 503})
	w.at("2026-11-24T08:30:00-05:00")
	w.expect()
	w.at("2026-11-24T20:50:00-05:00")
	w.expect()
	w.inbox.always(nil)
	w.at("2026-11-24T21:05:00-05:00")
	w.expect()
	w.at("2026-11-25T08:00:00-05:00")
	w.expect("sms +12015550101: Thank you")
}

func TestEqualTimesMeanNoWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.update("practices", w.practice, "sms_opens = '00:00', sms_closes = '00:00'")
	w.rule(row{"offset_minutes": -24 * hour})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T03:00:00-05:00", nil)
	w.at("2026-12-09T03:00:00-05:00")
	w.expect("sms +12015550101: Reminder")
}

func TestAWindowMaySpanMidnight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.update("practices", w.practice, "sms_opens = '18:00', sms_closes = '02:00'")
	w.rule(row{"offset_minutes": -24 * hour})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T01:00:00-05:00", nil)
	w.appointment(w.client("Bob", row{"phone": "+12015550102"}), "2026-12-10T20:00:00-05:00", nil)
	w.appointment(w.client("Cat", row{"phone": "+12015550103"}), "2026-12-11T03:00:00-05:00", nil)
	w.at("2026-12-09T01:00:00-05:00")
	w.expect("sms +12015550101: Reminder")
	w.at("2026-12-09T20:00:00-05:00")
	w.expect("sms +12015550102: Reminder")
	w.at("2026-12-10T03:00:00-05:00")
	w.expect()
	w.at("2026-12-10T18:00:00-05:00")
	w.expect("sms +12015550103: Reminder")
}

func TestARetryThatRunsIntoTheNightWaitsForTheMorning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T20:59:00-05:00", nil)
	w.inbox.answers(answer{status: 429, retryAfter: "120"})
	w.at("2026-12-09T20:59:00-05:00")
	w.expect()
	w.at("2026-12-09T21:05:00-05:00")
	w.expect()
	w.at("2026-12-10T08:00:00-05:00")
	w.expect("sms +12015550101: Reminder")
}

func TestWhatWaitsForTheWindowGivesWayToWhatHappensMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	both := row{"phone": "+12015550101", "email": "ann@example.com", "preferred_method": "both"}
	visit := w.appointment(w.client("Ann", both), "2026-12-10T06:00:00-05:00", nil)
	w.at("2026-12-09T06:00:00-05:00")
	w.expect("email ann@example.com: Reminder")
	w.cancel(visit)
	w.expect("email ann@example.com: is canceled", "sms +12015550101: is canceled")
	w.at("2026-12-09T08:00:00-05:00")
	w.expectLedger(
		"appointment.cancelled to Ann by email: sent", "appointment.cancelled to Ann by sms: sent",
		"appointment.reminder to Ann by email: sent", "appointment.reminder to Ann by sms: suppressed, cancelled",
	)
}

func TestTwoRemindersThatWaitForOneMorningAreOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	far, near := w.reminds(24*hour, "in a day"), w.reminds(22*hour, "in twenty-two hours")
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T05:00:00-05:00", nil)
	for _, at := range []string{"2026-12-09T05:00:00-05:00", "2026-12-09T06:00:00-05:00", "2026-12-09T07:00:00-05:00", "2026-12-09T07:30:00-05:00"} {
		w.at(at)
		w.expect()
	}
	w.at("2026-12-09T08:00:00-05:00")
	w.expect("sms +12015550101: in twenty-two hours")
	if got := w.decided(far, visit) + " / " + w.decided(near, visit); got != "skipped: superseded / notify" {
		t.Errorf("decided: %s", got)
	}
}
