package behaviour_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"rappel/internal/app"
	"rappel/jobs"
)

// directFamily is a family that hears by Twilio.
func directFamily(t *testing.T, d *direct) *family {
	t.Helper()
	f := &family{world: d.world}
	f.meet()
	return f
}

const twoSent = "appointment.reminder to Mary by sms: sent"

func TestAReceiptOfTheFamilysMessageIsForEachVisit(t *testing.T) {
	t.Parallel()
	d := newHooked(t)
	f := directFamily(t, d)
	f.visits()
	f.at(quarterPastTwo)
	f.expect(both)
	f.expectLedger(twoSent, twoSent)
	key := f.inbox.tried()[0].key
	f.expectStatus(d, `{"notification_id":"`+key+`","status":"delivered"}`)
	f.expectLedger("appointment.reminder to Mary by sms: delivered", "appointment.reminder to Mary by sms: delivered")
	f.expectClosed(2)
}

func (f *family) expectStatus(d *direct, body string) {
	f.t.Helper()
	if got := d.status(body); got != 204 {
		f.t.Errorf("answered %d", got)
	}
}

func TestAFamilysMessageThatMayHaveGoneIsSentOnceMoreInOnePiece(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cancelled bool
		want      string
		ledger    []string
	}{
		"as it was":                  {false, both, []string{twoSent, twoSent}},
		"without what was cancelled": {true, "sms +12015550102: the appointment for Cleo with", []string{twoSent, "appointment.reminder to Mary by sms: unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDirect(t)
			f := directFamily(t, d)
			d.carriers.answers(answer{})
			_, dans := f.visits()
			f.at(quarterPastTwo)
			f.expect(both)
			f.expectLedger("appointment.reminder to Mary by sms: unknown", "appointment.reminder to Mary by sms: unknown")
			if c.cancelled {
				f.change(dans, "status = 'cancelled'")
			}
			f.pass(5 * time.Minute)
			f.expect(c.want)
			f.expectLedger(c.ledger...)
			f.pass(time.Hour)
			f.expect()
			d.expectStatus(204, d.callback(0, "delivered"))
			if got := f.value(`SELECT string_agg(DISTINCT status, ' ') FROM rappel.notifications`); got != "delivered" {
				t.Errorf("the ledger holds %s", got)
			}
		})
	}
}

func TestWhoeverTakesOverAfterADeathSendsTheSame(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.inbox.answers(answer{status: 503})
	cleos, dans := f.visits()
	f.at(quarterPastTwo)
	f.expect()
	f.exec(`UPDATE rappel.notifications SET status = 'sending', claim_id = $1, claimed_until = now() - interval '1 s'`, newID())
	f.pass(time.Minute)
	f.expect(both)
	f.together(cleos, dans)
	f.oneKey()
}

// Each visit has a task of its own, each of which comes several times, and two
// workers take them: one message goes.
func TestHoweverManyTasksSayItAFamilyGetsOneMessage(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.startWorker()
	var children []string
	for i := range 6 {
		child := f.client(fmt.Sprintf("Child%d", i), nil)
		f.link(child, f.mary, nil)
		children = append(children, child)
	}
	f.clock.set(instant(t, "2026-12-09T13:58:00-05:00"))
	for i, child := range children {
		f.longBooked(child, fmt.Sprintf("2026-12-10T14:%02d:00-05:00", 15+i))
	}
	f.sweep()
	var ids []string
	if err := f.db.QueryRow(t.Context(), `SELECT array_agg(id::text) FROM rappel.notifications`).Scan(&ids); err != nil {
		t.Fatal(err)
	}
	f.clock.set(instant(t, quarterPastTwo))
	for range 5 {
		for _, id := range ids {
			task, err := jobs.Deliver{IDs: []string{id}}.Task("sms")
			if err != nil {
				t.Fatal(err)
			}
			f.enqueue(task)
		}
	}
	f.until("all are sent", func(ctx context.Context) bool {
		return !slices.ContainsFunc(f.ledger(ctx), func(l string) bool { return l != twoSent })
	})
	f.expect("sms +12015550102: Child0: Thursday, December 10, 2026, 2:15 PM\nChild1: ")
	f.oneKey()
	f.expectClosed(6)
}

func TestAFamilysMessageIsReplayedInOnePiece(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.inbox.answers(answer{status: 422})
	cleos, dans := f.visits()
	f.at(quarterPastTwo)
	f.expect()
	f.expectReplay("appointment.reminder to +1•••0102: send", "appointment.reminder to +1•••0102: send")
	f.wait(time.Minute)
	f.expect(both)
	f.together(cleos, dans)
	f.oneKey()
	f.expectClosed(2)
}

func TestAnAnswerToAFamilysMessageIsNeverGuessed(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	f := directFamily(t, d)
	cleos, dans := f.visits()
	f.at(quarterPastTwo)
	f.expect(both)
	d.writes("+12015550102", "C")
	d.hears("0102 C: other " + sorted(cleos, dans))
	f.change(dans, "status = 'cancelled'")
	d.writes("+12015550102", "C")
	d.hears("0102 C: confirm " + cleos)
}

func TestWhoIsForgottenIsNotInTheFamilysMessage(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.inbox.answers(answer{status: 503})
	f.visits()
	f.at(quarterPastTwo)
	f.expect()
	if got := f.value(`SELECT count(*)::text FROM rappel.notifications WHERE body LIKE '%Dan:%'`); got != "1" {
		t.Fatalf("%s texts name Dan", got)
	}
	if _, err := f.app.Forget(t.Context(), app.Person{ClientID: f.dan}, false); err != nil {
		t.Fatal(err)
	}
	if got := f.value(`SELECT count(*)::text FROM rappel.notifications WHERE body LIKE '%Dan:%'`); got != "0" {
		t.Errorf("%s texts name Dan", got)
	}
	f.pass(time.Minute)
	f.expect("sms +12015550102: the appointment for Cleo with")
}
