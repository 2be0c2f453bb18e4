package postgres_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/practice"
	"rappel/jobs/deliver"
	"rappel/recipients"
	"rappel/templates"
)

// words tells which words of a message the ledger still holds.
func (w *world) words(id string) string {
	w.t.Helper()
	return w.text(`SELECT concat_ws('|', recipient_name, reply_to, body, body_hash IS NOT NULL) FROM rappel.notifications WHERE id = $1`, id)
}

func TestWhatMayHaveGoneIsTakenOnlyWhereItIsToBeRepeated(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		repeatAt time.Time
		taken    bool
	}{
		"never":        {time.Time{}, false},
		"later":        {noon().Add(time.Millisecond), false},
		"at this time": {noon(), true},
		"before":       {noon().Add(-time.Hour), true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			w.ended(id, deliver.Outcome{Status: deliver.Unknown, RepeatAt: c.repeatAt})
			due, err := w.Due(t.Context(), []string{id}, noon())
			if err != nil || (len(due) == 1) != c.taken {
				t.Errorf("due: %v, %v", due, err)
			}
			w.exec(`UPDATE rappel.notifications SET offered_at = now() - interval '1 h'`)
			forgotten, err := w.Forgotten(t.Context(), recipients.SMS, noon(), 0, 10)
			if err != nil || slices.Equal(forgotten, []string{id}) != c.taken {
				t.Errorf("forgotten: %v, %v", forgotten, err)
			}
			got := w.claim([]string{id}, time.Minute).Messages
			if (len(got) == 1) != c.taken {
				t.Fatalf("claimed: %+v", got)
			}
			for _, m := range got {
				if n := m.Notification; !n.Repeat || n.Interrupted || n.Attempts != 2 || n.Fixed == nil || n.Fixed.Body != text().Body {
					t.Errorf("it is not the same message once more: %+v", n)
				}
			}
		})
	}
}

func TestWhatMayHaveGoneKeepsItsWordsWhileItIsToBeRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.notifications(2)
	w.ended(ids[0], deliver.Outcome{Status: deliver.Unknown, RepeatAt: noon()})
	w.ended(ids[1], deliver.Outcome{Status: deliver.Unknown})
	got := []string{w.words(ids[0]), w.words(ids[1])}
	w.ended(ids[0], deliver.Outcome{Status: deliver.Unknown})
	got = append(got, w.words(ids[0]))
	if diff := cmp.Diff([]string{"Ann Lee|desk@example.com|See you.|t", "t", "t"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTheLedgerSaysThatAMessageMayBeThereTwice only where it went once more.
func TestTheLedgerSaysThatAMessageMayBeThereTwice(t *testing.T) {
	t.Parallel()
	once := func(o deliver.Outcome) func(*world, string) {
		return func(w *world, id string) { w.ended(id, o) }
	}
	cases := map[string]struct {
		then func(w *world, id string)
		want string
	}{
		"waiting to go once more": {func(*world, string) {}, "unknown 1 once"},
		"it went once more":       {once(deliver.Outcome{Status: deliver.Sent, MessageID: "SM2"}), "sent 2 twice"},
		"no answer once more":     {once(deliver.Outcome{Status: deliver.Unknown}), "unknown 2 twice"},
		"given back untried":      {once(deliver.Outcome{Status: deliver.Unknown, RepeatAt: noon(), Refund: true}), "unknown 1 once"},
		"not taken now":           {once(deliver.Outcome{Status: deliver.Unknown, RepeatAt: noon()}), "unknown 2 once"},
		"no longer right": {func(w *world, id string) {
			w.ruled(id, deliver.Ruling{Close: deliver.Unknown})
		}, "unknown 1 once"},
		"not right now": {func(w *world, id string) {
			w.ruled(id, deliver.Ruling{Close: deliver.Unknown, RepeatAt: noon()})
		}, "unknown 1 once"},
		"interrupted once more": {func(w *world, id string) {
			w.via(deliver.ByTwilio, id, expired)
			if n := w.ruled(id, deliver.Ruling{Close: deliver.Unknown}); !n.Interrupted || !n.Repeat {
				w.t.Errorf("%+v", n)
			}
		}, "unknown 2 twice"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			w.ended(id, deliver.Outcome{Status: deliver.Unknown, RepeatAt: noon()})
			c.then(w, id)
			got := w.text(`SELECT concat_ws(' ', status, attempts, CASE WHEN repeated_at IS NULL THEN 'once' ELSE 'twice' END) FROM rappel.notifications WHERE id = $1`, id)
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// ruled claims one notification, rules so, and returns what was ruled on.
func (w *world) ruled(id string, r deliver.Ruling) (n deliver.Notification) {
	w.t.Helper()
	_, err := w.Claim(w.t.Context(), []string{id}, deliver.Terms{Now: noon(), Lease: time.Minute, Via: deliver.ByTwilio},
		func(claimed deliver.Notification, _ *practice.Snapshot, _ []templates.Source) deliver.Ruling {
			n = claimed
			return r
		})
	if err != nil || n.ID != id {
		w.t.Fatalf("claimed %+v: %v", n, err)
	}
	return n
}

func TestWhoeverDiedWhileSendingLeavesWhatMayHaveGone(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		way         deliver.Way
		interrupted bool
	}{
		"by the admin endpoints, which know a repeat only of their own": {deliver.ByAdmin, true},
		"by a way nobody wrote down":                                    {"", false},
		"by Twilio":                                                     {deliver.ByTwilio, true},
		"by SendGrid":                                                   {deliver.BySendGrid, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			first := w.via(c.way, id, expired)
			n := w.ruled(id, deliver.Ruling{Close: deliver.Unknown, RepeatAt: noon()})
			if n.Interrupted != c.interrupted || n.Repeat {
				t.Errorf("%+v", n)
			}
			if got := w.text(`SELECT concat_ws(' ', status, attempts, reason, repeat_at = $2, repeated_at, sent_at IS NOT NULL, body)
				FROM rappel.notifications WHERE id = $1`, id, noon()); got != "unknown 1 t t See you." {
				t.Errorf("the row: %s", got)
			}
			lost := w.record(first.ID, deliver.Outcome{ID: id, Status: deliver.Sent, MessageID: "SM1"})
			if got := w.text(`SELECT concat_ws(' ', status, message_id, repeat_at) FROM rappel.notifications`); lost != 0 || got != "sent SM1" {
				t.Errorf("an answer that comes after all: %s, %d lost", got, lost)
			}
		})
	}
}

func TestAClaimThatIsHeldIsNotInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	w.via(deliver.ByTwilio, id, time.Minute)
	if again := w.claim([]string{id}, time.Minute); len(again.Messages)+len(again.Closed) > 0 {
		t.Errorf("claimed: %+v", again)
	}
}

func TestTheReconcilerLeavesParkedOnesAlone(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		begin  func(w *world, id string)
		parked bool
	}{
		"planned":        {func(*world, string) {}, true},
		"to be repeated": {func(w *world, id string) { w.ended(id, deliver.Outcome{Status: deliver.Unknown, RepeatAt: noon()}) }, true},
		"interrupted":    {func(w *world, id string) { w.via(deliver.ByTwilio, id, expired) }, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			c.begin(w, id)
			w.exec(`UPDATE rappel.notifications SET offered_at = now() - interval '1 h'`)
			if err := w.Park(t.Context(), []string{id}, time.Hour); err != nil {
				t.Fatal(err)
			}
			const after = 10 * time.Second
			got, err := w.Forgotten(t.Context(), recipients.SMS, noon().Add(time.Minute), after, 10)
			if err != nil || (len(got) == 0) != c.parked {
				t.Errorf("forgotten: %v, %v", got, err)
			}
			// It is there for whoever comes by all the same.
			due, err := w.Due(t.Context(), []string{id}, noon().Add(time.Minute))
			if diff := cmp.Diff([]deliver.Due{{ID: id, Practice: w.practice}}, due); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			w.exec(`UPDATE rappel.notifications SET offered_at = offered_at - interval '62 min'`)
			got, err = w.Forgotten(t.Context(), recipients.SMS, noon().Add(time.Minute), after, 10)
			if err != nil || !slices.Equal(got, []string{id}) && c.parked {
				t.Errorf("forgotten when the time is over: %v, %v", got, err)
			}
		})
	}
}

// An idempotency key means nothing to another receiver.
func TestWhatMayHaveGoneByTheWayOutBeforeIsNotSentByAnother(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		first       deliver.Outcome
		interrupted bool
	}{
		"no answer":  {deliver.Outcome{Status: deliver.Pending, NotBefore: noon()}, true},
		"given back": {deliver.Outcome{Status: deliver.Pending, NotBefore: noon(), Refund: true}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.first.ID = w.notifications(1)[0]
			w.record(w.via(deliver.ByAdmin, c.first.ID, time.Minute).ID, c.first)
			if n := w.ruled(c.first.ID, deliver.Ruling{Close: deliver.Unknown}); n.Interrupted != c.interrupted {
				t.Errorf("%+v", n)
			}
		})
	}
}
