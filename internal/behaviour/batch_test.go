package behaviour_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"rappel/internal/config"
)

// newBatching is a world whose main app takes several messages in one request.
func newBatching(t *testing.T, most int) *world {
	t.Helper()
	w := openWorld(t, monday, func(w *world) {
		w.inbox.batchMax = most
		w.cfg.Concurrency, w.cfg.SMSVia, w.cfg.EmailVia = 200, config.ViaAdmin, config.ViaAdmin
	})
	w.until("its health was asked for", func(ctx context.Context) bool { return w.app.Offers() == most })
	return w
}

// remindAll has clients reminded of visits at one moment, and returns what they
// are to hear.
func (w *world) remindAll(n int) (want []string) {
	w.t.Helper()
	w.rule(row{"offset_minutes": -24 * hour})
	for i := range n {
		number := fmt.Sprintf("+120155501%02d", i)
		w.longBooked(w.client(fmt.Sprintf("Client%02d", i), row{"phone": number}), thursday)
		want = append(want, "sms "+number+": Reminder")
	}
	return want
}

const due = "2026-12-09T15:00:00-05:00"

func TestManyMessagesGoInOneRequest(t *testing.T) {
	t.Parallel()
	for most, batches := range map[int][]batchOf{100: {30}, 12: {12, 12, 6}} {
		w := newBatching(t, most)
		want := w.remindAll(30)
		w.at(due)
		w.expect(want...)
		slices.Sort(w.inbox.batches)
		slices.Sort(batches)
		if !slices.Equal(w.inbox.batches, batches) {
			t.Errorf("batches of %v, want %v", w.inbox.batches, batches)
		}
		w.expectClosed(30)
	}
}

func TestALoneMessageGoesAlone(t *testing.T) {
	t.Parallel()
	w := newBatching(t, 100)
	want := w.remindAll(1)
	w.at(due)
	w.expect(want...)
	if len(w.inbox.batches) > 0 {
		t.Errorf("batches of %v", w.inbox.batches)
	}
}

func TestEachMessageOfABatchHasItsOwnAnswer(t *testing.T) {
	t.Parallel()
	w := newBatching(t, 100)
	want := w.remindAll(6)
	w.inbox.multi = http.StatusMultiStatus // the usual status of such an answer
	w.inbox.leaveOut = "+12015550105"
	w.inbox.answers(
		answer{status: 202, body: `{"message_id":"m0"}`},
		answer{status: 422, body: `{"code":"landline"}`},
		answer{status: 503, retryAfter: "90"},
		answer{status: 429, retryAfter: "30"},
		answer{status: 418, body: `{"code":7}`},
	)
	w.at(due)
	w.settle()
	stands := func() string {
		return w.value(`SELECT string_agg(concat_ws(' ', status, attempts, error_code, message_id), '; ' ORDER BY status, attempts, error_code)
			FROM rappel.notifications`)
	}
	// Which person got which answer is the order's in which they were claimed.
	if got := stands(); got != "failed 1 landline; pending 0; pending 1; pending 1; pending 1; sent 1 m0" {
		t.Errorf("the ledger holds %s", got)
	}
	w.inbox.take()
	w.inbox.leaveOut = ""
	w.pass(30 * time.Minute)
	w.settle()
	got := w.inbox.take()
	if n := w.value(`SELECT count(*)::text FROM rappel.notifications WHERE status = 'sent'`); n != "5" || len(got) < 3 {
		t.Errorf("%s are sent: %s, %q", n, stands(), got)
	}
	w.expectClosed(int64(len(want)))
}

func TestWhatIsSaidOfTheWholeIsSaidOfEach(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		whole answer
		then  string // what the ledger holds at first
	}{
		"later":       {answer{status: 503}, "pending 1"},
		"too much":    {answer{status: 429, retryAfter: "20"}, "pending 0"},
		"who are you": {answer{status: 401}, "pending 0"},
		"no answer":   {answer{}, "pending 1"},
		"no results":  {answer{status: 200, body: "<html>"}, "pending 1"},
		"a redirect":  {answer{status: 302, location: "/elsewhere"}, "pending 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newBatching(t, 100)
			want := w.remindAll(5)
			w.inbox.whole = []answer{c.whole}
			w.at(due)
			w.settle()
			if got := w.value(`SELECT string_agg(DISTINCT concat_ws(' ', status, attempts), '; ') FROM rappel.notifications`); got != c.then {
				t.Errorf("the ledger holds %s, want %s", got, c.then)
			}
			w.untilSent(len(want))
			w.expect(want...)
			w.expectClosed(int64(len(want)))
		})
	}
}

// untilSent lets time pass until so many are sent: a way that was parked opens
// by the machine's clock.
func (w *world) untilSent(n int) {
	w.t.Helper()
	w.until("all are sent", func(ctx context.Context) bool {
		w.clock.set(w.clock.Now().Add(30 * time.Second))
		if _, err := w.app.Reconcile(ctx, 0); err != nil {
			w.t.Fatal(err)
		}
		var sent int
		if err := w.db.QueryRow(ctx, `SELECT count(*) FROM rappel.notifications WHERE status = 'sent'`).Scan(&sent); err != nil {
			w.t.Fatal(err)
		}
		return sent == n
	})
}

func TestWhereABatchIsRefusedTheMessagesGoOneByOne(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 404, 405, 413, 422, 501} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			w := newBatching(t, 100)
			want := w.remindAll(5)
			w.inbox.whole = []answer{{status: status, body: `{"code":"too_many"}`}}
			w.at(due)
			w.expect(want...)
			if w.app.Offers() != 0 {
				t.Error("batches go on")
			}
			w.expectClosed(int64(len(want)))
		})
	}
}
