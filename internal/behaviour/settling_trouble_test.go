package behaviour_test

import (
	"testing"
	"time"
)

func TestWhoWasRemindedHearsOfTheCancellation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.settles()
	w.rule(row{"offset_minutes": -24 * hour})
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-24T10:05:00-05:00")
	w.pass(5 * time.Minute)
	w.expect("sms +12015550101: Reminder")
	w.cancel(visit)
	w.settled()
	w.expect("sms +12015550101: cancel")
}

func TestACancellationShortBeforeTheStartIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-23T10:09:00-05:00")
	w.expect("sms +12015550101: is booked")
	w.settles()
	w.cancel(visit)
	w.settle()
	w.wait(8 * time.Minute)
	w.settle()
	w.wait(2 * time.Minute)
	w.settled()
	w.expect("sms +12015550101: cancel")
}

func TestARequestThatIsAcceptedIsToldAsBooked(t *testing.T) {
	t.Parallel()
	for name, settles := range map[string]bool{"settling": true, "at once": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			if settles {
				w.settles()
			}
			visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, row{"status": "requested"})
			w.tell("appointment.booked", visit)
			w.settled()
			w.expectDecision("appointment.booked", visit, "skipped", "client Ann by sms: not_confirmed")
			w.change(visit, "status = 'scheduled'")
			w.tell("appointment.booked", visit)
			w.settled()
			w.expect("sms +12015550101: is booked")
		})
	}
}

func TestABookingToldAgainOnceTheNumberIsThereIsTold(t *testing.T) {
	t.Parallel()
	for name, settles := range map[string]bool{"settling": true, "at once": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			if settles {
				w.settles()
			}
			ann := w.client("Ann", nil)
			visit := w.book(ann, thursday)
			w.settled()
			w.expectDecision("appointment.booked", visit, "unreachable", "client Ann by sms: no_address")
			w.update("clients", ann, "phone = '+12015550101'")
			w.change(visit, "notify = true")
			w.tell("appointment.booked", visit)
			w.settled()
			w.expect("sms +12015550101: is booked")
		})
	}
}

func TestABookingThatWasNotReceivedYetIsToldAfterMovesThereAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.settles()
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	settled := make(chan struct{})
	w.inbox.answers(answer{status: 503, after: settled})
	w.settled()
	close(settled)
	w.expect()
	w.move(visit, friday)
	w.pass(time.Minute) // the second try finds it moved
	w.expect()
	w.move(visit, thursday)
	w.settled()
	w.expect("sms +12015550101: Thursday, December 10")
}

func TestABookingThatWasNotReceivedYetIsToldAfterACancellationByMistake(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.settles()
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	settled := make(chan struct{})
	w.inbox.answers(answer{status: 503, after: settled})
	w.settled()
	close(settled)
	w.expect()
	w.cancel(visit)
	w.pass(time.Minute)
	w.expect()
	w.change(visit, "status = 'scheduled'")
	w.tell("appointment.booked", visit)
	w.settled()
	w.expect("sms +12015550101: Thursday, December 10")
}

func TestANewRoomIsTold(t *testing.T) {
	t.Parallel()
	for name, rooms := range map[string]func(w *world, visit string){
		"told once": func(w *world, v string) {
			w.change(v, "location_name = 'Oak Street 9'")
			w.tell("appointment.rescheduled", v)
		},
		"the same told twice": func(w *world, v string) {
			w.change(v, "location_name = 'Oak Street 9'")
			w.tell("appointment.rescheduled", v)
			w.tell("appointment.rescheduled", v)
		},
		"two rooms one after the other": func(w *world, v string) {
			w.change(v, "location_name = 'Oak Street 8'")
			w.tell("appointment.rescheduled", v)
			w.change(v, "location_name = 'Oak Street 9'")
			w.tell("appointment.rescheduled", v)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			w.text("appointment.rescheduled", "Now in [LocationName]")
			w.settles()
			visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
			w.exec("UPDATE rappel.appointments SET start_set_at = booked_at")
			w.settled()
			w.expect("sms +12015550101: is booked")
			rooms(w, visit)
			w.settled()
			w.expect("sms +12015550101: Now in Oak Street 9")
		})
	}
}

func TestANewRoomIsToldThoughTheVisitWasOnceMovedThereAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.text("appointment.rescheduled", "Now in [LocationName]")
	w.settles()
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.settled()
	w.expect("sms +12015550101: is booked")
	w.move(visit, friday)
	w.move(visit, thursday)
	w.settled()
	w.expect()
	w.pass(7 * 24 * time.Hour)
	w.exec("UPDATE rappel.events SET created_at = created_at - interval '7 days'") // by the machine's clock, too
	w.change(visit, "location_name = 'Oak Street 9'")
	w.tell("appointment.rescheduled", visit)
	w.settled()
	w.expect("sms +12015550101: Now in Oak Street 9")
}

func TestAWaitThatIsShortenedIsShorter(t *testing.T) {
	t.Parallel()
	for name, to := range map[string]string{"off": "0", "a minute": "60"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			w.slow = true // else the booking has settled by itself some days after that Monday
			w.update("practices", w.practice, "settle_seconds = 1000000")
			w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
			w.settle()
			w.untilTrue("it waits", `SELECT look_at > now() FROM rappel.events`)
			w.update("practices", w.practice, "settle_seconds = "+to)
			// ten minutes go by
			w.exec("UPDATE rappel.events SET created_at = created_at - interval '10 minutes', look_at = look_at - interval '10 minutes'")
			w.untilTrue("it is decided about", `SELECT planned_at IS NOT NULL FROM rappel.events`)
			w.expect("sms +12015550101: is booked")
		})
	}
}

func TestAReinstatedVisitThatWasRemindedOfIsCancelledAgain(t *testing.T) {
	t.Parallel()
	for name, settles := range map[string]bool{"settling": true, "at once": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			if settles {
				w.settles()
			}
			w.rule(row{"offset_minutes": -24 * hour})
			visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
			w.settled()
			w.expect("sms +12015550101: is booked")
			w.cancel(visit)
			w.settled()
			w.expect("sms +12015550101: cancel")
			w.change(visit, "status = 'scheduled'") // told by nobody
			w.at("2026-12-09T15:00:00-05:00")
			w.expect("sms +12015550101: Reminder")
			w.cancel(visit)
			w.settled()
			w.expect("sms +12015550101: cancel")
		})
	}
}

func TestWhatIsToldInOneTransactionIsInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.settles()
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	at := instant(t, friday)
	w.change(visit, "starts_at = $3, ends_at = $4, start_set_at = $2", at, at.Add(50*time.Minute))
	w.exec(`INSERT INTO rappel.events (id, kind, appointment_id) VALUES
		('ffffffff-0000-4000-8000-000000000000', 'appointment.booked', $1), ('00000000-0000-4000-8000-000000000000', 'appointment.rescheduled', $1)`, visit)
	w.settled()
	w.expect("sms +12015550101: December 11, 2026 at 3:00 PM is booked")
}

func TestABookingThatFailedMayBeToldAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.settles()
	ann := w.client("Ann", row{"phone": "+12015550102"})
	w.inbox.answers(answer{status: 422, body: `{"code":"landline"}`})
	visit := w.book(ann, thursday)
	w.settled()
	w.expectLedger("appointment.booked to Ann by sms: failed, refused")
	w.update("clients", ann, "phone = '+12015550101'")
	w.change(visit, "notify = true")
	w.tell("appointment.booked", visit)
	w.settled()
	w.expect("sms +12015550101: is booked")
}

func TestWhoWasRemindedOfTheOtherDayHearsThatItIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.settles()
	w.update("practices", w.practice, "late_booking = 'grace'")
	w.rule(row{"offset_minutes": -24 * hour})
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.settled()
	w.expect("sms +12015550101: is booked")
	w.pass(time.Hour)
	w.move(visit, "2026-11-24T11:03:00-05:00")
	w.pass(3 * time.Minute)
	w.expect("sms +12015550101: Reminder")
	w.move(visit, thursday)
	w.settled()
	w.expect("sms +12015550101: December 10")
}

func TestAMoveToTodayIsToldBeforeItsStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect("sms +12015550101: is booked")
	w.settles()
	w.wait(time.Minute)
	w.move(visit, "2026-11-23T10:09:00-05:00")
	w.settle()
	w.wait(9 * time.Minute)
	w.settled()
	w.expect("sms +12015550101: has moved")
}

func TestAVisitOfTodayThatIsMovedAwayIsToldBeforeItsOldStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-23T10:09:00-05:00")
	w.expect("sms +12015550101: is booked")
	w.settles()
	w.wait(time.Minute)
	w.move(visit, friday)
	w.settle()
	w.wait(8 * time.Minute) // the old start: Ann is at the door
	w.exec("UPDATE rappel.events SET created_at = created_at - interval '8 minutes', look_at = now() WHERE planned_at IS NULL")
	w.expect("sms +12015550101: has moved")
}
