package postgres_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/practice"
	"rappel/jobs/deliver"
	"rappel/recipients"
	"rappel/templates"
)

// failed adds that many notifications that the receiver has refused.
func (w *world) failed(n int) []string {
	w.t.Helper()
	ids := w.notifications(n)
	claim := w.claim(ids, time.Minute)
	for _, id := range ids {
		w.record(claim.ID, deliver.Outcome{ID: id, Status: deliver.Failed, Reason: recipients.Refused, ErrorCode: "spam", Problem: "refused"})
	}
	return ids
}

// reopen has notifications wait again from later on, and returns those that do.
func (w *world) reopen(was deliver.Status, ids ...string) []string {
	w.t.Helper()
	var all []deliver.Reopening
	for _, id := range ids {
		all = append(all, deliver.Reopening{ID: id, Was: was, NotBefore: later()})
	}
	again, err := w.Reopen(w.t.Context(), all, noon())
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(again)
	return again
}

// later is when what was reopened goes.
func later() time.Time { return noon().Add(time.Minute) }

func TestWhatIsReopenedWaitsAsIfItHadNeverBeenTried(t *testing.T) {
	t.Parallel()
	const row = `SELECT concat_ws(' ', status, attempts, to_char(not_before AT TIME ZONE 'UTC', 'HH24:MI'), reason, error_code, message_id, sent_at,
		repeat_at, repeated_at, settled_claim, body, replayed_at IS NOT NULL) FROM rappel.notifications WHERE id = $1`
	cases := map[deliver.Status]string{
		deliver.Failed:      `reason = 'refused', error_code = 'spam'`,
		deliver.Undelivered: `error_code = '30003', message_id = 'SM1', sent_at = now(), settled_claim = rappel.uuid_v7()`,
		deliver.Unknown:     `repeat_at = now(), repeated_at = now(), body = 'See you.', attempts = 4`,
	}
	for status, set := range cases {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			w.claim([]string{id}, time.Minute)
			w.exec(`UPDATE rappel.notifications SET claim_id = NULL, claimed_until = NULL, status = $2, offered_at = '2000-01-01', `+set+` WHERE id = $1`, id, string(status))
			if got := w.reopen(status, id); !slices.Equal(got, []string{id}) {
				t.Fatalf("reopened %v", got)
			}
			if got := w.text(row, id); got != "pending 0 12:01 t" {
				t.Errorf("the row: %s", got)
			}
			if got := w.text(`SELECT history -> -1 FROM rappel.notifications WHERE id = $1`, id); got != `{"at": "2026-11-21T12:00:00Z", "replay": true, "status": "`+string(status)+`"}` {
				t.Errorf("its history ends with %s", got)
			}
			if got := w.text(`SELECT offered_at > now() - interval '1 min' FROM rappel.notifications WHERE id = $1`, id); got != "true" {
				t.Error("it does not count as offered")
			}
			if again := w.reopen(status, id); len(again) > 0 {
				t.Error("reopened twice")
			}
		})
	}
}

func TestWhatIsReopenedIsWrittenAnewUnderItsID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.failed(1)[0]
	w.reopen(deliver.Failed, id)
	c, err := w.Claim(t.Context(), []string{id}, deliver.Terms{Now: later(), Lease: time.Minute}, send)
	if err != nil || len(c.Messages) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	if n := c.Messages[0].Notification; n.ID != id || n.Attempts != 1 || n.Fixed != nil || n.Repeat || n.Interrupted {
		t.Errorf("%+v", n)
	}
	w.record(c.ID, deliver.Outcome{ID: id, Status: deliver.Failed, Reason: recipients.Refused, ErrorCode: "spam"})
	if got := w.reopen(deliver.Failed, id); len(got) != 1 {
		t.Error("it cannot be replayed a second time")
	}
	if got := w.text(`SELECT jsonb_path_query_array(history, '$[*].replay') FROM rappel.notifications WHERE id = $1`, id); got != "[true, true]" {
		t.Errorf("the history has %s", got)
	}
}

func TestOnlyWhatIsStillAsItWasIsReopened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.failed(3)
	w.exec(`UPDATE rappel.notifications SET status = 'pending', replayed_at = now() WHERE id = $1`, ids[1])
	if diff := cmp.Diff([]string{ids[0], ids[2]}, w.reopen(deliver.Failed, ids...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if none := w.reopen(deliver.Failed); len(none) > 0 {
		t.Errorf("of nothing: %v", none)
	}
}

func TestTwoReplaysAtOnceReopenEachOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.failed(40)
	var mu sync.Mutex
	var wait sync.WaitGroup
	var all []string
	for i := range 4 {
		mine := slices.Clone(ids)
		if i%2 == 1 {
			slices.Reverse(mine)
		}
		wait.Go(func() {
			got := w.reopen(deliver.Failed, mine...)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, got...)
		})
	}
	wait.Wait()
	slices.Sort(all)
	if diff := cmp.Diff(ids, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAReceiptOfTheFirstTrySettlesWhatWaitsAgain(t *testing.T) {
	t.Parallel()
	for status, want := range map[deliver.Status]string{
		deliver.Delivered:   "delivered 0", // it did arrive: nobody needs another
		deliver.Sent:        "pending 0",   // that it left is known
		deliver.Undelivered: "pending 0",   // that is why it goes again
	} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			w.record(w.claim([]string{id}, time.Minute).ID, deliver.Outcome{ID: id, Status: deliver.Unknown})
			w.reopen(deliver.Unknown, id)
			if known, err := w.Settle(t.Context(), []deliver.Receipt{{NotificationID: id, Status: status, Source: "twilio", At: noon()}}); known != 1 || err != nil {
				t.Fatalf("%d known, %v", known, err)
			}
			if got := w.status(id); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// judged is what a replay is shown of notifications.
func (w *world) judged(ids ...string) map[string]deliver.Notification {
	w.t.Helper()
	of := map[string]deliver.Notification{}
	err := w.Judge(w.t.Context(), ids, noon(), func(n deliver.Notification, s *practice.Snapshot, _ []templates.Source) {
		if s == nil || s.Client.FirstName != "Ann" || s.Practice.ID != w.practice {
			w.t.Errorf("snapshot %+v", s)
		}
		of[n.ID] = n
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return of
}

func TestAReplayIsShownWhatTheClaimWillFind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.failed(1)[0]
	w.exec(`UPDATE rappel.notifications SET body = 'Kept.', attempts = 3, repeated_at = now() WHERE id = $1`, id)
	before := w.text(`SELECT n FROM rappel.notifications n WHERE id = $1`, id)
	shown := w.judged(id, newID())[id]
	if after := w.text(`SELECT n FROM rappel.notifications n WHERE id = $1`, id); after != before {
		t.Errorf("it was\n%s, and is\n%s", before, after)
	}
	w.reopen(deliver.Failed, id)
	w.exec(`UPDATE rappel.notifications SET not_before = $1, planned_for = $1`, noon())
	claimed := w.claim([]string{id}, time.Minute).Messages[0].Notification
	addresses := cmp.Comparer(func(a, b recipients.Address) bool { return a == b })
	if diff := cmp.Diff(claimed, shown, addresses); diff != "" {
		t.Errorf("(-claimed +shown):\n%s", diff)
	}
}

func TestAMessageThatWasToldAgainIsOvertaken(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		set  string // of the newer one
		want bool
	}{
		"it went":                    {`status = 'sent'`, true},
		"it waits":                   {`status = 'pending'`, true},
		"it failed too":              {`status = 'failed'`, false},
		"it was not of use":          {`status = 'suppressed'`, false},
		"it went to a contact":       {`status = 'sent', contact_id = rappel.uuid_v7()`, false},
		"it went by another channel": {`status = 'sent', channel = 'email'`, false},
		"it says something else":     {`status = 'sent', kind = 'appointment.confirmed'`, false},
		"it is older":                {`status = 'sent', created_at = created_at - interval '1 day'`, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.failed(1)[0]
			visit := w.text(`SELECT appointment_id FROM rappel.notifications`)
			at := noon().Add(time.Hour)
			newer := w.written(w.decided(1, at, nil), deliver.Pending, at, row{
				"appointment_id": visit, "client_id": w.text(`SELECT client_id FROM rappel.notifications`),
			})
			w.exec(`ALTER TABLE rappel.notifications DISABLE TRIGGER transition`)
			w.exec(`UPDATE rappel.notifications SET `+c.set+` WHERE id = $1`, newer)
			if got := w.judged(id)[id].Overtaken; got != c.want {
				t.Errorf("overtaken: %t", got)
			}
		})
	}
}

func TestASelectionOfWhatHasEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := func(status deliver.Status, at time.Time, more row) string {
		return w.written(w.decided(1, at, nil), status, at, more)
	}
	second := add(deliver.Failed, noon().Add(time.Hour), row{"reason": "refused", "error_code": "spam", "via": "twilio"})
	first := add(deliver.Failed, noon(), row{"reason": "refused"})
	other := add(deliver.Failed, noon().Add(2*time.Hour), row{"practice_id": newID()})
	unknown := add(deliver.Unknown, noon(), nil)
	add(deliver.Sent, noon(), nil)
	cases := map[string]struct {
		q    deliver.Selection
		want []string
	}{
		"the oldest first":             {deliver.Selection{Status: deliver.Failed}, []string{first, second, other}},
		"of a status":                  {deliver.Selection{Status: deliver.Unknown}, []string{unknown}},
		"of a reason":                  {deliver.Selection{Status: deliver.Failed, Reason: "refused"}, []string{first, second}},
		"of a code":                    {deliver.Selection{Status: deliver.Failed, Reason: "spam"}, []string{second}},
		"of a practice":                {deliver.Selection{Status: deliver.Failed, PracticeID: w.practice}, []string{first, second}},
		"of a span, without its end":   {deliver.Selection{Status: deliver.Failed, To: noon().Add(time.Hour)}, []string{first}},
		"of a span, and its beginning": {deliver.Selection{Status: deliver.Failed, From: noon().Add(time.Hour)}, []string{second, other}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.q.From.IsZero() {
				c.q.From = everything().From
			}
			if c.q.To.IsZero() {
				c.q.To = everything().To
			}
			ended, err := w.Ended(t.Context(), c.q)
			var got []string
			for _, e := range ended {
				got = append(got, e.ID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	ended, err := w.Ended(t.Context(), deliver.Selection{Status: deliver.Failed, Reason: "spam", From: noon(), To: everything().To})
	want := []deliver.Ended{{ID: second, Status: deliver.Failed, Via: deliver.ByTwilio, CreatedAt: noon().Add(time.Hour)}}
	if diff := cmp.Diff(want, ended); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
