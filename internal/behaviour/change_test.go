package behaviour_test

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func TestWhatChangedSinceThePlanWinsOverIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.always(&answer{status: 503})
	type visit struct{ client, contact, id string }
	changes := map[string]struct {
		person, reason string
		change         func(visit)
	}{
		"Cancelled": {"client", "cancelled", func(v visit) { w.change(v.id, "status = 'cancelled'") }},
		"Declined":  {"client", "superseded", func(v visit) { w.change(v.id, "status = 'declined'") }},
		"Moved":     {"client", "superseded", func(v visit) { w.change(v.id, "starts_at = starts_at + interval '1 hour'") }},
		"Requested": {"client", "not_confirmed", func(v visit) { w.change(v.id, "status = 'requested'") }},
		"Notify":    {"client", "notify_off", func(v visit) { w.change(v.id, "notify = false") }},
		"Archived":  {"client", "client_archived", func(v visit) { w.update("clients", v.client, "archived_at = now()") }},
		"Private":   {"client", "do_not_contact", func(v visit) { w.update("clients", v.client, "do_not_contact = true") }},
		"Switched":  {"client", "flag_off", func(v visit) { w.update("clients", v.client, "receives_confirmations = false") }},
		"Method":    {"client", "superseded", func(v visit) { w.update("clients", v.client, "preferred_method = 'email', email = 'x@example.com'") }},
		"Silent":    {"client", "method_none", func(v visit) { w.update("clients", v.client, "preferred_method = 'none'") }},
		"Stopped": {"client", "opted_out", func(v visit) {
			w.stop(w.value(`SELECT phone FROM rappel.clients WHERE id = $1`, v.client))
		}},
		"Unlinked": {"contact", "superseded", func(v visit) { w.unlink(v.client, v.contact) }},
		"Flagged": {"contact", "flag_off", func(v visit) {
			w.exec("UPDATE rappel.client_contacts SET receives_confirmations = false WHERE contact_id = $1", v.contact)
		}},
	}
	visits := map[string]visit{}
	var want []string
	for name, c := range changes {
		var v visit
		phone := row{"phone": fmt.Sprintf("+120155501%02d", len(visits))}
		if c.person == "contact" {
			v.client = w.client("Child", nil)
			v.contact = w.contact(v.client, name, phone, nil)
		} else {
			v.client = w.client(name, phone)
		}
		v.id = w.book(v.client, thursday)
		visits[name] = v
		want = append(want, "appointment.booked to "+name+" by sms: suppressed, "+c.reason)
	}
	w.expect()
	for name, c := range changes {
		c.change(visits[name])
	}
	w.inbox.always(nil)
	w.pass(time.Minute)
	w.expect()
	w.expectLedger(want...)
}

func TestAPracticeThatClosesMeanwhileTellsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 503})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.settle()
	w.update("practices", w.practice, "active = false")
	w.pass(time.Minute)
	w.expectLedger("appointment.booked to Ann by sms: suppressed, practice_inactive")
}

func TestAVisitThatIsDeletedMeanwhileIsNotSpokenOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 503})
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.settle()
	w.exec("DELETE FROM rappel.appointments WHERE id = $1", visit)
	w.pass(time.Minute)
	w.expectLedger("appointment.booked to Ann by sms: suppressed, superseded")
}

func TestABookingThatIsMovedBeforeItWasToldIsToldAsAMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 503})
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.settle()
	w.move(visit, friday)
	w.expect("sms +12015550101: has moved to Friday")
	w.pass(time.Minute)
	w.expectLedger("appointment.booked to Ann by sms: suppressed, superseded", "appointment.rescheduled to Ann by sms: sent")
}

func TestAStopOfTheNumberThatAMessageIsOnItsWayToWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 503})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.book(ann, thursday)
	w.settle()
	w.update("clients", ann, "phone = '+12015550102'")
	w.stop("+12015550101")
	w.pass(time.Minute)
	w.expectLedger("appointment.booked to Ann by sms: suppressed, opted_out")
}

func TestANumberCorrectedBeforeTheFirstTryIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	both := row{"phone": "+12015550101", "email": "ann@example.com", "preferred_method": "both"}
	ann := w.client("Ann", both)
	w.appointment(ann, "2026-12-10T06:00:00-05:00", nil)
	w.at("2026-12-09T06:00:00-05:00")
	w.expect("email ann@example.com: Reminder")
	w.update("clients", ann, "phone = '+12015550102'")
	w.at("2026-12-09T08:00:00-05:00")
	w.expect("sms +12015550102: Reminder")
}

// A main app may report a move before its own transaction has committed.
func TestABookingThatIsToldAgainWhileTheFirstWaitsIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 503}, answer{status: 503})
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.settle()
	w.clock.set(w.clock.Now().Add(time.Second))
	w.change(visit, "status = 'scheduled'") // another revision
	w.tell("appointment.booked", visit)
	w.settle()
	w.pass(2 * time.Minute)
	w.expect("sms +12015550101: is booked")
	w.expectLedger("appointment.booked to Ann by sms: suppressed, superseded", "appointment.booked to Ann by sms: sent")
}

func TestAVisitOfAnotherServiceByNowIsNotSpokenOfAsOfTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.text("fast", "Do not eat for 12 hours")
	w.rule(row{"offset_minutes": -24 * hour, "service_name": "Blood test", "template": "fast"})
	visit := w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T06:00:00-05:00")
	w.change(visit, "service_name = 'Blood test'")
	w.at("2026-12-09T06:00:00-05:00") // waits for the window
	w.expect()
	w.change(visit, "service_name = 'Therapy'")
	w.at("2026-12-09T08:00:00-05:00")
	w.expect()
	w.expectLedger("appointment.reminder to Ann by sms: suppressed, superseded")
}

func TestAVisitThatIsSomebodyElsesByNowIsNotSpokenOfInTheFirstsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(24*hour, "see you")
	ann, bob := w.client("Ann", row{"phone": "+12015550101"}), w.client("Bob", row{"phone": "+12015550102"})
	mary := w.contact(ann, "Mary", row{"phone": "+12015550103"}, nil)
	w.link(bob, mary, nil)
	visit := w.longBooked(ann, "2026-12-10T06:00:00-05:00")
	w.at("2026-12-09T06:00:00-05:00")
	w.expect()
	w.change(visit, "client_id = $3", bob)
	w.at("2026-12-09T08:00:00-05:00")
	w.expect()
}

// The last that people were told is what they know: a cancellation that named a
// start they never heard of would have them come.
func TestACancellationNamesTheStartThatPeopleKnow(t *testing.T) {
	t.Parallel()
	const known, other = "Thursday, December 10, 2026", "Friday, December 11, 2026"
	begin := func(t *testing.T) (*world, string) {
		t.Helper()
		w := newWorld(t, monday)
		w.text("appointment.cancelled", "[AppointmentDate] [AppointmentTime]-[AppointmentEndTime] is off")
		visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
		w.expect("sms +12015550101: " + known)
		return w, visit
	}
	t.Run("the move was not received", func(t *testing.T) {
		t.Parallel()
		w, visit := begin(t)
		w.inbox.answers(answer{status: 503})
		w.move(visit, friday)
		w.settle()
		w.cancel(visit)
		w.wait(2 * time.Minute)
		w.expect("sms +12015550101: " + known + " 3:00 PM-")
	})
	t.Run("the move was not told, for it settled with the cancellation", func(t *testing.T) {
		t.Parallel()
		w, visit := begin(t)
		w.settles()
		w.move(visit, friday)
		w.cancel(visit)
		w.settled()
		w.expect("sms +12015550101: " + known)
	})
	t.Run("the move was received", func(t *testing.T) {
		t.Parallel()
		w, visit := begin(t)
		w.move(visit, friday)
		w.expect("sms +12015550101: " + other)
		w.cancel(visit)
		w.expect("sms +12015550101: " + other)
	})
}

// Somebody else has the address by now, and was written nothing: whoever was to
// be told there is.
func TestAnAddressThatSomebodyWithoutAMessageHasTooIsToldStill(t *testing.T) {
	t.Parallel()
	const shared = "+12015550101"
	for name, meanwhile := range map[string]func(w *world, ann, mary string){
		"a contact comes by the client's number": func(w *world, ann, _ string) {
			w.contact(ann, "Cleo", row{"phone": shared}, nil)
		},
		"a contact who was not told wants to be": func(w *world, _, mary string) {
			w.update("contacts", mary, "phone = '"+shared+"'")
			w.exec("UPDATE rappel.client_contacts SET receives_confirmations = true WHERE contact_id = $1", mary)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			ann := w.client("Ann", row{"phone": shared})
			mary := w.contact(ann, "Mary", row{"phone": "+12015550102"}, row{"receives_confirmations": false})
			w.inbox.answers(answer{status: 429, retryAfter: "60"})
			w.book(ann, thursday)
			w.expect()
			meanwhile(w, ann, mary)
			w.pass(time.Minute)
			w.expect("sms " + shared + ": booked")
			w.expectLedger("appointment.booked to Ann by sms: sent")
		})
	}
}

func TestTwoContactsOfOneNumberWhoChangePlacesAreToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 429, retryAfter: "60"})
	ann := w.client("Ann", nil)
	w.contact(ann, "Mary", row{"phone": "+12015550102"}, row{"position": 1})
	bob := w.contact(ann, "Bob", row{"phone": "+12015550102"}, row{"position": 2})
	w.book(ann, thursday)
	w.expect()
	w.exec("UPDATE rappel.client_contacts SET position = 0 WHERE contact_id = $1", bob)
	w.pass(time.Minute)
	w.expect("sms +12015550102: booked")
}

func TestTwoWhoComeToHaveOneNumberAreToldThereOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 429, retryAfter: "60"}, answer{status: 429, retryAfter: "60"})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	mary := w.contact(ann, "Mary", row{"phone": "+12015550102"}, nil)
	w.book(ann, thursday)
	w.expect()
	w.update("contacts", mary, "phone = '+12015550101'")
	w.pass(time.Minute)
	w.expect("sms +12015550101: booked")
	w.expectLedger("appointment.booked to Ann by sms: suppressed, duplicate", "appointment.booked to Mary by sms: sent")
}

func TestAMoveThatIsToldTooEarlyIsToldWhenItIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect("sms +12015550101: is booked")
	w.wait(time.Minute)
	w.tell("appointment.rescheduled", visit)
	w.untilTrue("it was looked at", `SELECT look_at > created_at FROM rappel.events WHERE kind = 'appointment.rescheduled'`)
	at := instant(t, friday)
	w.change(visit, "starts_at = $3, ends_at = $4, start_set_at = $2", at, at.Add(50*time.Minute))
	w.until("it is told", func(context.Context) bool { return len(w.inbox.tried()) == 2 })
	w.expect("sms +12015550101: has moved to Friday, December 11, 2026 at 3:00 PM")
}

func TestWhatAConfirmationOrALinkTellsOfMayComeAfterIt(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		before row
		comes  string
		told   string
	}{
		"appointment.confirmed":       {row{"status": "requested"}, "status = 'confirmed'", "is confirmed"},
		"appointment.telehealth_link": {nil, "telehealth_url = 'https://meet.example.com/1'", "https://meet.example.com/1"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, c.before)
			w.wait(time.Minute)
			w.tell(kind, visit)
			w.untilTrue("it was looked at", `SELECT look_at > created_at FROM rappel.events`)
			w.change(visit, c.comes)
			w.untilTrue("it is answered", `SELECT planned_at IS NOT NULL FROM rappel.events`)
			w.expect("sms +12015550101: " + c.told)
		})
	}
}

func TestAMoveThatIsThereIsToldAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect("sms +12015550101: is booked")
	w.wait(time.Minute)
	at := instant(t, friday)
	w.change(visit, "starts_at = $3, ends_at = $4, start_set_at = $2, status = 'confirmed'", at, at.Add(50*time.Minute))
	w.wait(time.Second) // the main app tells after it has committed
	w.tell("appointment.confirmed", visit)
	w.expect("sms +12015550101: is confirmed")
	w.tell("appointment.rescheduled", visit)
	w.expect("sms +12015550101: has moved to Friday, December 11, 2026 at 3:00 PM")
	w.tell("appointment.rescheduled", visit) // the same once more
	w.expect()
	w.untilTrue("it is answered", `SELECT NOT EXISTS (SELECT FROM rappel.events WHERE planned_at IS NULL)`)
}

func TestTheNextMoveThatIsToldTooEarlyIsToldToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.move(visit, friday)
	w.settle()
	w.inbox.take()
	w.wait(2 * time.Minute)
	w.tell("appointment.rescheduled", visit)
	w.untilTrue("it was looked at", `SELECT count(*) = 1 FROM rappel.events WHERE look_at > created_at + interval '1 ms'`)
	at := instant(t, thursday)
	w.change(visit, "starts_at = $3, ends_at = $4, start_set_at = $2", at, at.Add(50*time.Minute))
	w.untilTrue("it is told", `SELECT NOT EXISTS (SELECT FROM rappel.events WHERE planned_at IS NULL)`)
	w.expect("sms +12015550101: has moved to Thursday, December 10, 2026 at 3:00 PM")
}
