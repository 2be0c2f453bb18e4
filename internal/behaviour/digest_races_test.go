package behaviour_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"rappel/internal/app"
	"rappel/internal/tracing"
	"rappel/jobs/deliver"
)

func TestTwoRulesOfOneHourDoNotListAVisitTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.update("practices", w.practice, "family_digest = true")
	w.rule(row{"offset_minutes": -60})
	w.rule(row{"offset_minutes": -30})
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T16:15:00-05:00")
	w.at("2026-12-10T14:58:00-05:00")
	w.expect()
	w.at("2026-12-10T15:15:00-05:00")
	w.expect("sms +12015550101: Reminder: your appointment")
	w.at("2026-12-10T15:45:00-05:00")
	w.expect("sms +12015550101: Reminder: your appointment")
}

func TestWhereTheFamilysTextBreaksBetweenTwoTriesNobodyIsToldOfWhatWasCancelled(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.inbox.answers(answer{status: 503})
	eva := f.client("Eva", nil)
	f.link(eva, f.mary, nil)
	_, dans := f.visits()
	f.longBooked(eva, "2026-12-10T14:45:00-05:00")
	f.at(quarterPastTwo)
	f.expect()
	f.change(dans, "status = 'cancelled'")
	f.text("appointment.reminder_family", "Hello [Nobody]")
	f.pass(time.Minute)
	f.settle()
	for _, m := range f.inbox.take() {
		if strings.Contains(m, "Dan") {
			t.Errorf("of a cancelled visit: %s", m)
		}
	}
	f.oneKey()
}

func TestWhereTheFamilysTextBreaksARepeatIsOneMessageAtMost(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	f := directFamily(t, d)
	d.carriers.answers(answer{})
	eva := f.client("Eva", nil)
	f.link(eva, f.mary, nil)
	_, dans := f.visits()
	f.longBooked(eva, "2026-12-10T14:45:00-05:00")
	f.at(quarterPastTwo)
	f.settle()
	f.inbox.take()
	f.change(dans, "status = 'cancelled'")
	f.text("appointment.reminder_family", "Hello [Nobody]")
	f.pass(5 * time.Minute)
	f.settle()
	for _, m := range f.inbox.take() {
		t.Log(m)
		if strings.Contains(m, "Dan") {
			t.Errorf("of a cancelled visit: %s", m)
		}
	}
}

func TestAReceiptIsOnlyForTheVisitsThatItsTryToldOf(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	f := directFamily(t, d)
	d.carriers.answers(answer{})
	_, dans := f.visits()
	f.at(quarterPastTwo)
	f.expect(both)
	f.change(dans, "status = 'cancelled'")
	f.pass(5 * time.Minute)
	f.expect("sms +12015550102: the appointment for Cleo with")
	d.expectStatus(204, d.callback(1, "delivered"))
	f.expectLedger("appointment.reminder to Mary by sms: delivered", "appointment.reminder to Mary by sms: unknown")
}

func TestAfterAChangeOfTheWayOutAFamilysMessageWaitsInOnePiece(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	f := directFamily(t, d)
	d.carriers.answers(answer{status: 429, retryAfter: "30", body: `{"code":20429,"status":429}`})
	f.visits()
	f.at(quarterPastTwo)
	f.expect()
	// as an attempt by the admin endpoints that was not answered leaves it
	f.exec(`UPDATE rappel.notifications SET via = 'admin', attempts = 1`)
	f.pass(time.Minute)
	f.expect()
	f.expectLedger("appointment.reminder to Mary by sms: unknown", "appointment.reminder to Mary by sms: unknown")
	f.pass(5 * time.Minute)
	f.expect(both)
}

func TestANumberThatSaidStopGetsNothingAfterTheHolderIsForgotten(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.inbox.answers(answer{status: 503})
	f.visits()
	f.at(quarterPastTwo)
	f.expect()
	if _, err := f.app.Forget(t.Context(), app.Person{ClientID: f.cleo}, false); err != nil {
		t.Fatal(err)
	}
	f.update("contacts", f.mary, "phone = '+12015550109'")
	f.stop("+12015550102")
	f.pass(time.Minute)
	f.settle()
	for _, m := range f.inbox.take() {
		if strings.HasPrefix(m, "sms +12015550102") {
			t.Errorf("to a number that said STOP: %s", m)
		}
	}
}

func TestAReceiptOfOneReplayIsNotForTheOtherThatWaits(t *testing.T) {
	t.Parallel()
	d := newHooked(t)
	f := directFamily(t, d)
	f.inbox.answers(answer{status: 422, body: `{"code":"spam"}`})
	f.visits()
	f.at(quarterPastTwo)
	f.expectLedger("appointment.reminder to Mary by sms: failed, refused", "appointment.reminder to Mary by sms: failed, refused")
	key := f.value(`SELECT DISTINCT sent_with::text FROM rappel.notifications`)
	f.clock.set(instant(t, "2026-12-09T20:58:00-05:00"))
	f.replayOne(key)
	f.settle()
	if n := len(f.inbox.take()); n != 1 {
		t.Fatalf("%d messages", n)
	}
	f.clock.set(instant(t, "2026-12-09T21:30:00-05:00")) // closed until eight
	f.replayOne(f.value(`SELECT id::text FROM rappel.notifications WHERE id <> $1::uuid`, key))
	f.settle()
	f.expectStatus(d, `{"notification_id":"`+key+`","status":"delivered"}`)
	f.at("2026-12-10T08:01:00-05:00")
	f.settle()
	if got := f.inbox.take(); len(got) != 1 {
		t.Errorf("the other one's message did not come: %v; ledger %v", got, f.ledger(t.Context()))
	}
}

func (f *family) replayOne(id string) {
	f.t.Helper()
	ended, err := f.app.Ended(f.t.Context(), app.Selection{Status: deliver.Failed, From: f.clock.Now().AddDate(-1, 0, 0), To: f.clock.Now().AddDate(1, 0, 0)})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range ended {
		if e.ID == id {
			if err := f.app.Replay(f.t.Context(), []deliver.Ended{e}, 10, false, func(app.Replay) error { return nil }); err != nil {
				f.t.Fatal(err)
			}
		}
	}
}

func TestWhatMayHaveGoneIsNeverCalledSuppressed(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	f := directFamily(t, d)
	d.carriers.answers(answer{})
	_, dans := f.visits()
	f.at(quarterPastTwo)
	f.expect(both)
	f.change(dans, "status = 'cancelled'")
	f.text("appointment.reminder", "Hello [Nobody]")
	f.pass(5 * time.Minute)
	f.settle()
	f.inbox.take()
	f.expectLedger("appointment.reminder to Mary by sms: unknown", "appointment.reminder to Mary by sms: unknown")
}

func TestForgettingAndRecordingDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.inbox.answers(answer{status: 503})
	f.visits()
	f.at(quarterPastTwo)
	f.expect()
	low := f.value(`SELECT min(id::text) FROM rappel.notifications`)
	high := f.value(`SELECT max(id::text) FROM rappel.notifications`)
	f.exec(`UPDATE rappel.notifications SET body = CASE WHEN id = $1 THEN 'x' END`, low) // whoever is first holds it
	client := f.value(`SELECT client_id::text FROM rappel.notifications WHERE id = $1`, high)
	tx, err := f.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	// Record, receipts and claims lock in the order of the ids.
	if _, err := tx.Exec(t.Context(), `SELECT FROM rappel.notifications WHERE id = $1 FOR UPDATE`, low); err != nil {
		t.Fatal(err)
	}
	forgot := make(chan error, 1)
	go func() {
		_, err := f.app.Forget(context.WithoutCancel(t.Context()), app.Person{ClientID: client}, true)
		forgot <- err
	}()
	f.untilTrue("forget waits", `SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	if _, err := tx.Exec(t.Context(), `SELECT FROM rappel.notifications WHERE id = $1 FOR UPDATE`, high); err != nil {
		t.Errorf("recording: %v", err)
	}
	_ = tx.Rollback(t.Context())
	if err := <-forgot; err != nil {
		t.Errorf("forgetting: %v", err)
	}
}

func TestWhoeverHasToWaitForTheirOwnWindowIsRemindedToo(t *testing.T) {
	t.Parallel()
	for name, zones := range map[string][2]string{ // of Cleo, who has her mother's number, and of Mary
		"the first one waits":  {"America/New_York", "America/Chicago"},
		"the second one waits": {"America/Chicago", "America/New_York"},
	} {
		for what, arrived := range map[string]bool{"the first try was lost": false, "the first try arrived": true} {
			t.Run(name+", "+what, func(t *testing.T) {
				t.Parallel()
				f := newFamily(t)
				f.unlink(f.cleo, f.mary)
				f.update("clients", f.cleo, "phone = '+12015550102', time_zone = '"+zones[0]+"'")
				f.update("contacts", f.mary, "time_zone = '"+zones[1]+"'")
				f.longBooked(f.cleo, "2026-12-10T20:58:00-05:00")
				f.longBooked(f.dan, "2026-12-10T20:59:00-05:00")
				f.inbox.answers(answer{status: 503})
				f.at("2026-12-09T20:59:50-05:00")
				f.settle()
				if arrived { // though it was answered otherwise
					f.inbox.mu.Lock()
					f.inbox.accept(f.inbox.tries[len(f.inbox.tries)-1])
					f.inbox.mu.Unlock()
				}
				f.pass(time.Minute) // after nine in New York
				f.settle()
				f.at("2026-12-10T08:00:00-05:00")
				f.at("2026-12-10T09:00:00-05:00")
				f.settle()
				cleo, dan := 0, 0
				for _, m := range f.inbox.take() {
					t.Log(m)
					if strings.HasPrefix(m, "AGAIN") {
						continue // recognised by its key, and brought to nobody
					}
					if strings.Contains(m, "Cleo") || strings.Contains(m, "your appointment") {
						cleo++
					}
					if strings.Contains(m, "Dan") {
						dan++
					}
				}
				if cleo != 1 || dan != 1 {
					t.Errorf("of Cleo's visit %d times, of Dan's %d times; %v", cleo, dan, f.ledger(t.Context()))
				}
			})
		}
	}
}

func TestAVisitThatIsBackBeforeItsReminderIsDueIsRemindedOf(t *testing.T) {
	t.Parallel()
	for name, digest := range map[string]string{"one message for a family": "true", "each alone": "false"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFamily(t)
			f.update("practices", f.practice, "family_digest = "+digest)
			f.longBooked(f.cleo, "2026-12-10T14:15:00-05:00")
			dans := f.longBooked(f.dan, "2026-12-10T14:45:00-05:00")
			f.at("2026-12-09T13:58:00-05:00")
			f.at("2026-12-09T14:10:00-05:00")
			f.change(dans, "status = 'cancelled'")
			f.at(quarterPastTwo)
			f.expect("sms +12015550102: for Cleo")
			f.at("2026-12-09T14:20:00-05:00")
			f.change(dans, "status = 'scheduled'") // by mistake
			f.at("2026-12-09T14:45:00-05:00")
			f.expect("sms +12015550102: for Dan")
		})
	}
}

func TestWhatWasNotDecidedIsNoStep(t *testing.T) {
	t.Parallel()
	kept := tracetest.NewInMemoryExporter()
	f := &family{world: openWorld(t, monday, func(w *world) {
		w.tracer = tracing.New(trace.NewTracerProvider(trace.WithSyncer(kept)))
	})}
	f.meet()
	f.longBooked(f.cleo, "2026-12-10T14:45:00-05:00")
	f.at("2026-12-09T13:58:00-05:00")
	for range 10 {
		f.pass(time.Minute)
	}
	f.expect()
	if n, decided := len(kept.GetSpans()), f.value(`SELECT count(*)::text FROM rappel.decisions`); n > 0 {
		t.Errorf("%d steps, the first of them %v, of %s decisions", n, kept.GetSpans()[0].Attributes, decided)
	}
}

func TestTheBooksCloseAfterAllThat(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	f := directFamily(t, d)
	d.carriers.answers(answer{})
	_, dans := f.visits()
	f.at(quarterPastTwo)
	f.settle()
	f.change(dans, "status = 'cancelled'")
	f.text("appointment.reminder", "Hello [Nobody]")
	f.pass(5 * time.Minute)
	f.settle()
	f.inbox.take()
	f.expectClosed(2)
	d.expectStatus(204, d.callback(0, "delivered"))
	f.expectClosed(2)
	t.Log(f.ledger(t.Context()))
}

func TestADigestWithGrace(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.update("practices", f.practice, "late_booking = 'grace'")
	f.longBooked(f.cleo, "2026-12-10T14:45:00-05:00")
	f.at("2026-12-09T14:20:00-05:00")
	f.expect()
	f.appointment(f.dan, "2026-12-10T14:10:00-05:00", nil) // ten minutes late
	f.sweep()
	f.expect("sms +12015550102: Dan: Thursday, December 10, 2026, 2:10 PM\nCleo: Thursday, December 10, 2026, 2:45 PM")
	f.at("2026-12-09T14:45:00-05:00")
	f.expect()
	f.expectClosed(2)
}

func TestABrotherBookedBetweenTwoTriesIsRemindedOnce(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]answer{"503": {status: 503}, "401": {status: 401}, "429": {status: 429}, "cut": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFamily(t)
			eva := f.client("Eva", nil)
			f.link(eva, f.mary, nil)
			f.visits()
			f.inbox.answers(a)
			f.at(quarterPastTwo)
			f.expect()
			f.longBooked(eva, "2026-12-10T14:20:00-05:00")
			f.sweep()
			f.pass(5 * time.Minute)
			f.pass(11 * time.Minute)
			f.settle()
			seen := map[string]int{}
			for _, m := range f.inbox.take() {
				for _, n := range []string{"Cleo", "Dan", "Eva"} {
					seen[n] += strings.Count(m, n)
				}
			}
			if seen["Cleo"] != 1 || seen["Dan"] != 1 || seen["Eva"] != 1 {
				t.Errorf("%v", seen)
			}
			f.expectClosed(3)
		})
	}
}
