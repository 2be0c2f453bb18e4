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

// text is what every message of these tests says.
func text() deliver.Text {
	return deliver.Text{Name: "Ann Lee", ReplyTo: "desk@example.com", Body: "See you.", Version: 3, Segments: 1}
}

// send rules that everything goes, with the text of its first attempt.
func send(n deliver.Notification, _ *practice.Snapshot, _ []templates.Source) deliver.Ruling {
	m := deliver.Message{NotificationID: n.ID, To: n.Address, Channel: n.Channel, Text: text()}
	if n.Fixed != nil {
		m.Text = *n.Fixed
	}
	return deliver.Ruling{Send: &m}
}

// expired is a lease that is over at once.
const expired = -time.Second

func (w *world) claim(ids []string, lease time.Duration) deliver.Claim {
	w.t.Helper()
	c, err := w.Claim(w.t.Context(), ids, deliver.Terms{Now: noon(), Lease: lease}, send)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func claimedIDs(c deliver.Claim) []string {
	var ids []string
	for _, m := range c.Messages {
		ids = append(ids, m.Notification.ID)
	}
	slices.Sort(ids)
	return ids
}

// record keeps an outcome and returns how many were lost.
func (w *world) record(claimID string, outcomes ...deliver.Outcome) int {
	w.t.Helper()
	for i := range outcomes {
		outcomes[i].At = noon()
	}
	lost, err := w.Record(w.t.Context(), claimID, outcomes)
	if err != nil {
		w.t.Fatal(err)
	}
	return lost
}

// status is where a notification stands.
func (w *world) status(id string) string {
	w.t.Helper()
	return w.text(`SELECT concat_ws(' ', status, attempts) FROM rappel.notifications WHERE id = $1`, id)
}

func TestTwoClaimersGetDifferentNotifications(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.notifications(30)
	holds, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var mine deliver.Claim
	var wait sync.WaitGroup
	wait.Go(func() {
		var err error
		mine, err = w.Claim(t.Context(), ids[:10], deliver.Terms{Now: noon(), Lease: time.Minute}, func(n deliver.Notification, s *practice.Snapshot, rows []templates.Source) deliver.Ruling {
			once.Do(func() { close(holds); <-release })
			return send(n, s, rows)
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-holds
	theirs, err := w.Claim(soon(t), ids, deliver.Terms{Now: noon(), Lease: time.Minute}, send) // does not wait for the other
	close(release)
	wait.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ids[:10], claimedIDs(mine)); diff != "" {
		t.Errorf("mine (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ids[10:], claimedIDs(theirs)); diff != "" {
		t.Errorf("theirs (-want +got):\n%s", diff)
	}
	if mine.ID == theirs.ID {
		t.Error("both claims have one id")
	}
	if again := w.claim(ids, time.Minute); len(again.Messages) > 0 {
		t.Errorf("%d were claimed while others held them", len(again.Messages))
	}
}

func TestManyClaimersAtOnceClaimEachOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.notifications(60)
	var mu sync.Mutex
	var wait sync.WaitGroup
	var all []string
	for i := range 6 {
		mine := slices.Clone(ids)
		if i%2 == 1 {
			slices.Reverse(mine)
		}
		wait.Go(func() {
			c, err := w.Claim(t.Context(), mine, deliver.Terms{Now: noon(), Lease: time.Minute}, send)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, claimedIDs(c)...)
		})
	}
	wait.Wait()
	slices.Sort(all)
	if diff := cmp.Diff(ids, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOnlyTheHolderOfAClaimRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	first := w.claim([]string{id}, expired)
	second := w.claim([]string{id}, time.Minute) // its time had run out
	if len(second.Messages) != 1 || second.Messages[0].Notification.Attempts != 2 {
		t.Fatalf("not taken over: %+v", second)
	}
	if lost := w.record(first.ID, deliver.Outcome{ID: id, Status: deliver.Failed, Reason: recipients.Refused}); lost != 1 {
		t.Errorf("%d outcomes of the first count as lost", lost)
	}
	if got := w.status(id); got != "sending 2" {
		t.Errorf("after the first: %s", got)
	}
	if lost := w.record(second.ID, deliver.Outcome{ID: id, Status: deliver.Sent, MessageID: "m-1"}); lost != 0 {
		t.Errorf("%d outcomes of the second count as lost", lost)
	}
	if got := w.status(id); got != "sent 2" {
		t.Errorf("after the second: %s", got)
	}
	if w.record(second.ID, deliver.Outcome{ID: id, Status: deliver.Pending}); w.status(id) != "sent 2" {
		t.Errorf("recorded twice: %s", w.status(id))
	}
}

func TestAFinalStatusNeverChanges(t *testing.T) {
	t.Parallel()
	for _, status := range deliver.Statuses() {
		if status == deliver.Pending || status == deliver.Sending {
			continue
		}
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			claim := w.claim([]string{id}, expired)
			w.exec(`UPDATE rappel.notifications SET status = $2, claim_id = NULL, claimed_until = NULL, offered_at = '2000-01-01' WHERE id = $1`, id, string(status))
			if again := w.claim([]string{id}, time.Minute); len(again.Messages)+len(again.Closed)+len(again.Waiting) > 0 {
				t.Errorf("claimed: %+v", again)
			}
			if lost := w.record(claim.ID, deliver.Outcome{ID: id, Status: deliver.Pending}); lost != 1 {
				t.Error("recorded")
			}
			forgotten, err := w.Forgotten(t.Context(), recipients.SMS, noon().AddDate(1, 0, 0), 0, 10)
			if len(forgotten) > 0 || err != nil {
				t.Errorf("forgotten: %v, %v", forgotten, err)
			}
			if got := w.status(id); got != string(status)+" 1" {
				t.Errorf("now %s", got)
			}
		})
	}
}

func TestWhatIsClaimedIsWhatTheLedgerHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.insert("templates", row{"practice_id": w.practice, "name": "appointment.booked", "channel": "sms", "body": "Ours."})
	w.insert("templates", row{"practice_id": newID(), "name": "appointment.booked", "channel": "sms", "body": "Another's."})
	w.insert("templates", row{"name": "appointment.booked", "channel": "sms", "body": "For all."})
	w.insert("templates", row{"practice_id": w.practice, "name": "appointment.booked", "channel": "sms", "body": "Not active.", "active": false})
	id := w.notifications(1)[0]
	var bodies []string
	c, err := w.Claim(t.Context(), []string{id, newID()}, deliver.Terms{Now: noon(), Lease: time.Minute}, func(n deliver.Notification, s *practice.Snapshot, rows []templates.Source) deliver.Ruling {
		for _, r := range rows {
			bodies = append(bodies, r.Body)
		}
		if s == nil || s.Client.FirstName != "Ann" || s.Appointment == nil || s.Practice.ID != w.practice {
			t.Errorf("snapshot %+v", s)
		}
		return send(n, s, rows)
	})
	if err != nil || len(c.Messages) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	slices.Sort(bodies)
	if diff := cmp.Diff([]string{"For all.", "Ours."}, bodies); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
	n := c.Messages[0].Notification
	if n.PracticeID != w.practice || n.ContactID != "" || n.Kind != "appointment.booked" || n.RuleID != "" || n.Rule != nil ||
		n.Channel != recipients.SMS || n.Address.Reveal() != "+12015550101" || n.Attempts != 1 || n.Fixed != nil ||
		!n.NotBefore.Equal(noon()) || !n.NotAfter.Equal(noon().AddDate(0, 0, 7)) || !n.StartsAt.Equal(noon().AddDate(0, 0, 7)) {
		t.Errorf("%+v", n)
	}
}

func TestATextIsFixedAtItsFirstAttemptAndForgottenAtTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	const words = `SELECT concat_ws('|', recipient_name, reply_to, subject, body, html, body_hash IS NOT NULL) FROM rappel.notifications WHERE id = $1`
	c := w.claim([]string{id}, time.Minute)
	if got := w.text(words, id); got != "Ann Lee|desk@example.com|See you.|t" {
		t.Errorf("while it is sent: %s", got)
	}
	w.record(c.ID, deliver.Outcome{ID: id, Status: deliver.Pending, NotBefore: noon()})
	w.exec(`UPDATE rappel.clients SET phone = '+12015550199', first_name = 'Anne'`)

	again := w.claim([]string{id}, time.Minute)
	want := text()
	if diff := cmp.Diff(&want, again.Messages[0].Notification.Fixed); diff != "" {
		t.Errorf("the second attempt (-want +got):\n%s", diff)
	}
	if got := again.Messages[0].Notification.Address.Reveal(); got != "+12015550101" {
		t.Errorf("the second attempt goes to %s", got)
	}
	w.record(again.ID, deliver.Outcome{ID: id, Status: deliver.Sent, MessageID: "m-1"})
	if got := w.text(words, id); got != "t" {
		t.Errorf("at the end: %s", got)
	}
	if got := w.text(`SELECT concat_ws(' ', status, attempts, message_id, segments, template_version, sent_at = $2, claim_id, claimed_until)
		FROM rappel.notifications WHERE id = $1`, id, noon()); got != "sent 2 m-1 1 3 t" {
		t.Errorf("the row: %s", got)
	}
}

func TestAnOutcomeIsKept(t *testing.T) {
	t.Parallel()
	later := noon().Add(time.Hour)
	cases := map[string]struct {
		outcome deliver.Outcome
		want    string // status, attempts, reason, message id, code, not before
	}{
		"sent":     {deliver.Outcome{Status: deliver.Sent, MessageID: "m-1"}, "sent 1 - m-1 - 12:00"},
		"failed":   {deliver.Outcome{Status: deliver.Failed, Reason: recipients.Refused, ErrorCode: "landline"}, "failed 1 refused - landline 12:00"},
		"later":    {deliver.Outcome{Status: deliver.Pending, NotBefore: later}, "pending 1 - - - 13:00"},
		"untried":  {deliver.Outcome{Status: deliver.Pending, NotBefore: later, Refund: true}, "pending 0 - - - 13:00"},
		"too late": {deliver.Outcome{Status: deliver.Expired, Reason: recipients.AttemptsExhausted}, "expired 1 attempts_exhausted - - 12:00"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			c.outcome.ID = id
			if lost := w.record(w.claim([]string{id}, time.Minute).ID, c.outcome); lost != 0 {
				t.Errorf("lost %d", lost)
			}
			got := w.text(`SELECT concat_ws(' ', status, attempts, coalesce(reason, '-'), coalesce(message_id, '-'), coalesce(error_code, '-'),
				to_char(not_before AT TIME ZONE 'UTC', 'HH24:MI')) FROM rappel.notifications WHERE id = $1`, id)
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestARulingAtTheClaimIsKept(t *testing.T) {
	t.Parallel()
	later := noon().Add(time.Hour)
	cases := map[string]struct {
		ruling deliver.Ruling
		want   string
	}{
		"it will not go": {deliver.Ruling{Close: deliver.Suppressed, Reason: recipients.Cancelled}, "suppressed 0 cancelled 12:00"},
		"too late":       {deliver.Ruling{Close: deliver.Expired, Reason: recipients.Past}, "expired 0 past 12:00"},
		"not yet":        {deliver.Ruling{Until: later}, "pending 0 - 13:00"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			got, err := w.Claim(t.Context(), []string{id}, deliver.Terms{Now: noon(), Lease: time.Minute}, func(deliver.Notification, *practice.Snapshot, []templates.Source) deliver.Ruling {
				return c.ruling
			})
			if err != nil || len(got.Messages) > 0 || len(got.Closed)+len(got.Waiting) != 1 {
				t.Errorf("%+v, %v", got, err)
			}
			if got := w.text(`SELECT concat_ws(' ', status, attempts, coalesce(reason, '-'), to_char(not_before AT TIME ZONE 'UTC', 'HH24:MI'), claim_id, claimed_until)
				FROM rappel.notifications WHERE id = $1`, id); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestNothingIsClaimedBeforeItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	w.exec(`UPDATE rappel.notifications SET not_before = $1`, noon().Add(time.Millisecond))
	if c := w.claim([]string{id}, time.Minute); len(c.Messages) > 0 {
		t.Error("claimed")
	}
}

func TestAnAddressThatIsSilencedIsKnownAtTheNextLook(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		code, want string
	}{
		"a STOP":             {deliver.CodeOptedOut, "1 0"},
		"an invalid address": {deliver.CodeInvalidAddress, "0 1"},
		"a landline":         {deliver.CodeLandline, "0 1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ids := w.notifications(3)
			for _, id := range ids[:2] { // told twice, kept once
				claim := w.claim([]string{id}, time.Minute)
				w.record(claim.ID, deliver.Outcome{
					ID: id, Status: deliver.Failed, Reason: recipients.Refused, ErrorCode: c.code,
					Silence: &deliver.Silence{PracticeID: w.practice, Channel: recipients.SMS, Address: claim.Messages[0].Message.To, Code: c.code},
				})
			}
			got := w.text(`SELECT count(*) FROM rappel.opt_outs`) + " " + w.text(`SELECT count(*) FROM rappel.unusable_addresses`)
			if got != c.want {
				t.Errorf("opt-outs and unusable addresses: %s, want %s", got, c.want)
			}
			_, err := w.Claim(t.Context(), ids[2:], deliver.Terms{Now: noon(), Lease: time.Minute}, func(_ deliver.Notification, s *practice.Snapshot, _ []templates.Source) deliver.Ruling {
				if len(s.OptOuts)+len(s.Unusable) != 1 {
					t.Errorf("not known at the next look: %v, %v", s.OptOuts, s.Unusable)
				}
				return deliver.Ruling{Until: noon()}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOptOutsBindTheAddressInEverySpellingWithinThePractice(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		row  func(*world) row
		want int
	}{
		"as people write it": {func(w *world) row {
			return row{"practice_id": w.practice, "channel": "sms", "address": "(201) 555-0101"}
		}, 1},
		"for all practices": {func(*world) row { return row{"channel": "sms", "address": "+12015550101"} }, 1},
		"an e-mail": {func(w *world) row {
			return row{"practice_id": w.practice, "channel": "email", "address": " ANN@Example.com"}
		}, 1},
		"of another practice": {func(*world) row { return row{"practice_id": newID(), "channel": "sms", "address": "+12015550101"} }, 0},
		"on the other channel": {func(w *world) row {
			return row{"practice_id": w.practice, "channel": "email", "address": "+12015550101"}
		}, 0},
		"revoked": {func(w *world) row {
			return row{"practice_id": w.practice, "channel": "sms", "address": "+12015550101", "revoked_at": noon()}
		}, 0},
		"of somebody else": {func(w *world) row { return row{"practice_id": w.practice, "channel": "sms", "address": "+12015550777"} }, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ids := w.notifications(1)
			w.insert("opt_outs", c.row(w))
			_, err := w.Claim(t.Context(), ids, deliver.Terms{Now: noon(), Lease: time.Minute}, func(_ deliver.Notification, s *practice.Snapshot, _ []templates.Source) deliver.Ruling {
				if len(s.OptOuts) != c.want {
					t.Errorf("opt-outs: %v", s.OptOuts)
				}
				return deliver.Ruling{Until: noon()}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatIsOnNobodysDeskIsForgotten(t *testing.T) {
	t.Parallel()
	const after = 10 * time.Minute // so long that the test itself counts as a moment
	now := noon().Add(time.Hour)
	cases := map[string]struct {
		set  string
		want bool
	}{
		"open, due and offered long ago":       {`offered_at = now() - interval '11 min'`, true},
		"offered a moment ago":                 {`offered_at = now() - interval '5 min'`, false},
		"not due yet":                          {`offered_at = now() - interval '1 h', not_before = '2026-11-21T13:00:01Z'`, false},
		"due a moment ago":                     {`offered_at = now() - interval '1 h', not_before = '2026-11-21T12:55:00Z'`, false},
		"its sender's time ran out":            {`offered_at = now() - interval '1 h', status = 'sending', claim_id = rappel.uuid_v7(), claimed_until = now() - interval '1 s'`, true},
		"its sender has time":                  {`offered_at = now() - interval '1 h', status = 'sending', claim_id = rappel.uuid_v7(), claimed_until = now() + interval '1 min'`, false},
		"of the other channel":                 {`offered_at = now() - interval '1 h', channel = 'email'`, false},
		"its sender ran out, offered just now": {`status = 'sending', claim_id = rappel.uuid_v7(), claimed_until = now() - interval '1 s'`, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			w.exec(`UPDATE rappel.notifications SET ` + c.set)
			for _, want := range []bool{c.want, false} { // once found, it is offered again
				got, err := w.Forgotten(t.Context(), recipients.SMS, now, after, 10)
				if err != nil || slices.Equal(got, []string{id}) != want || (!want && len(got) > 0) {
					t.Errorf("forgotten: %v, %v; want it: %t", got, err, want)
				}
			}
		})
	}
}

func TestNoMoreAreForgottenThanAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.notifications(5)
	w.exec(`UPDATE rappel.notifications SET offered_at = now() - interval '1 h'`)
	for _, want := range []int{3, 2, 0} {
		got, err := w.Forgotten(t.Context(), recipients.SMS, noon().Add(time.Hour), 10*time.Minute, 3)
		if len(got) != want || err != nil {
			t.Errorf("%d forgotten, want %d: %v", len(got), want, err)
		}
	}
}

func TestOnlyWhatWaitsAndIsOfNoUseExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.notifications(2)
	w.claim(ids[1:], time.Minute)
	late := noon().AddDate(0, 0, 8) // the visits are in a week
	if got, err := w.Expire(t.Context(), ids[0], noon()); got || err != nil {
		t.Errorf("expired while it is of use: %t, %v", got, err)
	}
	if got, err := w.Expire(t.Context(), ids[1], late); got || err != nil {
		t.Errorf("expired while it is being sent: %t, %v", got, err)
	}
	if got, err := w.Expire(t.Context(), ids[0], late); !got || err != nil {
		t.Errorf("expired: %t, %v", got, err)
	}
	if got := w.text(`SELECT string_agg(concat_ws(' ', status, reason), ', ' ORDER BY id) FROM rappel.notifications`); got != "expired past, sending" {
		t.Errorf("now %s", got)
	}
}
