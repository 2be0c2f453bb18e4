package behaviour_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/app"
	"rappel/jobs/deliver"
)

// replay has everything that failed sent again, and returns what became of each,
// in words.
func (w *world) replay(dryRun bool) []string {
	w.t.Helper()
	ended, err := w.app.Ended(w.t.Context(), app.Selection{
		Status: deliver.Failed, From: w.clock.Now().AddDate(-1, 0, 0), To: w.clock.Now().AddDate(1, 0, 0),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	const rate = 10
	err = w.app.Replay(w.t.Context(), ended, rate, dryRun, func(r app.Replay) error {
		line := fmt.Sprintf("%s to %s: send", r.Notification.Kind, r.To)
		if !r.Send {
			line = fmt.Sprintf("%s to %s: %s", r.Notification.Kind, r.To, r.Reason)
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return lines
}

// expectReplay fails the test unless a dry run and then a replay find this.
func (w *world) expectReplay(want ...string) {
	w.t.Helper()
	for _, dryRun := range []bool{true, false} {
		if diff := cmp.Diff(want, w.replay(dryRun)); diff != "" {
			w.t.Errorf("dry run %t (-want +got):\n%s", dryRun, diff)
		}
	}
}

// expectClosed fails the test unless as many messages were planned, and all are
// accounted for.
func (w *world) expectClosed(planned int64) {
	w.t.Helper()
	w.settle()
	books, err := w.app.Account(w.t.Context(), app.Span{From: w.clock.Now().AddDate(-1, 0, 0), To: w.clock.Now().AddDate(1, 0, 0)})
	if err != nil || !books.Closed() || books.Total.Planned != planned {
		w.t.Errorf("the books of %d are %+v: %v", planned, books, err)
	}
}

func TestAMessageThatFailedIsReplayedUnderTheSameKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 422, body: `{"code":"spam"}`})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.book(ann, thursday)
	w.expectLedger("appointment.booked to Ann by sms: failed, refused")
	w.update("clients", ann, "phone = '+12015550102'")
	w.pass(time.Hour)
	w.expectReplay("appointment.booked to +1•••0102: send")
	w.expect("sms +12015550102: is booked")
	w.expectLedger("appointment.booked to Ann by sms: sent")
	tries := w.inbox.tried()
	if len(tries) != 2 || tries[0].key != tries[1].key || tries[0].key != w.value(`SELECT id::text FROM rappel.notifications`) {
		t.Errorf("these are not two requests under one key: %+v", tries)
	}
	got := w.value(`SELECT concat_ws(' ', attempts, error_code, replayed_at IS NOT NULL, history -> -1) FROM rappel.notifications`)
	if want := `1 t {"at": "2026-11-23T16:00:00Z", "replay": true, "status": "failed"}`; got != want {
		t.Errorf("the ledger holds %s, not %s", got, want)
	}
	w.expectReplay() // once is enough
	w.expectClosed(1)
}

func TestWhatIsStaleOrSupersededIsNotReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.always(&answer{status: 400})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	moved, cancelled, told := w.book(ann, thursday), w.book(ann, thursday), w.book(ann, thursday)
	w.book(ann, "2026-11-23T10:30:00-05:00") // over by then
	w.settle()
	w.inbox.always(nil)
	w.move(moved, "2026-11-27T10:00:00-05:00")
	w.expect("sms +12015550101: Friday")
	w.cancel(cancelled)
	w.expect("sms +12015550101: cancel")
	w.pass(time.Minute)
	w.change(told, "service_name = 'Talk'")
	w.tell("appointment.booked", told)
	w.expect("sms +12015550101: is booked")
	w.pass(time.Hour)
	ledger := w.ledger(t.Context())
	counts := map[string]int{}
	for _, line := range append(w.replay(true), w.replay(false)...) {
		counts[line]++
	}
	want := map[string]int{
		"appointment.booked to +1•••0101: superseded": 4, // moved, and told again
		"appointment.booked to +1•••0101: cancelled":  2,
		"appointment.booked to +1•••0101: past":       2,
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.expectLedger(ledger...)
	w.expectClosed(7)
}

func TestAReplayThatFailsAgainMayBeReplayedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 413}, answer{status: 413})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect()
	w.expectReplay("appointment.booked to +1•••0101: send")
	w.expectLedger("appointment.booked to Ann by sms: failed, refused")
	w.expectReplay("appointment.booked to +1•••0101: send")
	w.expect("sms +12015550101: is booked")
	w.expectClosed(1)
}

func TestAReplayIsPacedByTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.always(&answer{status: 400})
	var want []string
	for i := range 25 {
		phone := fmt.Sprintf("+120155501%02d", i)
		w.book(w.client("Ann", row{"phone": phone}), thursday)
		want = append(want, "sms "+phone+": is booked")
	}
	w.settle()
	w.inbox.always(nil)
	w.replay(false)
	w.settle()
	if n := len(w.inbox.tried()); n != 35 {
		t.Errorf("%d requests in the first second, of which 25 before", n)
	}
	w.wait(2 * time.Second)
	w.expect(want...)
}
