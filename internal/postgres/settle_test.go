package postgres_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rappel/jobs/deliver"
	"rappel/recipients"
)

// tell keeps receipts, and returns how many notifications they are about.
func (w *world) tell(receipts ...deliver.Receipt) int {
	w.t.Helper()
	known, err := w.Settle(w.t.Context(), receipts)
	if err != nil {
		w.t.Fatal(err)
	}
	return known
}

// via claims one notification for a way out.
func (w *world) via(way deliver.Way, id string, lease time.Duration) deliver.Claim {
	w.t.Helper()
	c, err := w.Claim(w.t.Context(), []string{id}, deliver.Terms{Now: noon(), Lease: lease, Via: way}, send)
	if err != nil || len(c.Messages) != 1 {
		w.t.Fatalf("claimed %+v: %v", c, err)
	}
	return c
}

// ended sends one notification through Twilio, with this outcome.
func (w *world) ended(id string, o deliver.Outcome) {
	w.t.Helper()
	o.ID = id
	if lost := w.record(w.via(deliver.ByTwilio, id, time.Minute).ID, o); lost != 0 {
		w.t.Fatalf("%d outcomes are lost", lost)
	}
}

// told is a receipt of Twilio's, a minute after noon.
func told(id string, s deliver.Status) deliver.Receipt {
	return deliver.Receipt{NotificationID: id, Status: s, MessageID: "SM1", Source: "twilio", At: noon().Add(time.Minute)}
}

// undelivered is one that gives a code and may say something of the address.
func undelivered(id, code, silence string) deliver.Receipt {
	r := told(id, deliver.Undelivered)
	r.ErrorCode, r.Silence = code, silence
	return r
}

// complaint is one that speaks of the address alone.
func complaint(id string) deliver.Receipt {
	r := told(id, "")
	r.Silence = deliver.CodeOptedOut
	return r
}

// stands is all that receipts may change of a notification, and what they say of
// its address.
func (w *world) stands(id string) string {
	w.t.Helper()
	return w.text(`SELECT concat_ws(' ', status, reason, coalesce(error_code, '-'), coalesce(message_id, '-'),
			coalesce(to_char(delivered_at AT TIME ZONE 'UTC', 'HH24:MI'), '-'), CASE WHEN sent_at IS NOT NULL THEN 'at a time' END,
			CASE WHEN coalesce(recipient_name, reply_to, body) IS NOT NULL THEN 'with words' END, claim_id, repeat_at)
		FROM rappel.notifications WHERE id = $1`, id) + w.silences()
}

func (w *world) silences() string {
	w.t.Helper()
	return w.text(`SELECT concat(
		(SELECT string_agg('; opted out by ' || source, '' ORDER BY source) FROM rappel.opt_outs WHERE revoked_at IS NULL),
		(SELECT string_agg('; ' || code, '' ORDER BY code) FROM rappel.unusable_addresses))`)
}

// A story is what a carrier tells of one message, all of which is true, and what
// the ledger then holds, in whatever order and however often it was told.
type story struct {
	receipts func(id string) []deliver.Receipt
	want     string
}

func stories() map[string]story {
	return map[string]story{
		"it is on its way": {func(id string) []deliver.Receipt {
			return []deliver.Receipt{told(id, deliver.Sent)}
		}, "sent - SM1 - at a time"},
		"it arrived": {func(id string) []deliver.Receipt {
			return []deliver.Receipt{told(id, deliver.Sent), told(id, deliver.Delivered)}
		}, "delivered - SM1 12:01 at a time"},
		"it did not arrive": {func(id string) []deliver.Receipt {
			return []deliver.Receipt{told(id, deliver.Sent), undelivered(id, "30003", "")}
		}, "undelivered 30003 SM1 - at a time"},
		"it waited too long in the carrier's queue": {func(id string) []deliver.Receipt {
			r := told(id, deliver.Expired)
			r.ErrorCode = "30036"
			return []deliver.Receipt{told(id, deliver.Sent), r}
		}, "expired past 30036 SM1 - at a time"},
		"it went to a landline": {func(id string) []deliver.Receipt {
			return []deliver.Receipt{told(id, deliver.Sent), undelivered(id, "30006", deliver.CodeLandline)}
		}, "undelivered 30006 SM1 - at a time; landline"},
		"it arrived, and the person complained": {func(id string) []deliver.Receipt {
			return []deliver.Receipt{told(id, deliver.Sent), told(id, deliver.Delivered), complaint(id)}
		}, "delivered - SM1 12:01 at a time; opted out by twilio"},
		"it is on its way, and the person complained": {func(id string) []deliver.Receipt {
			return []deliver.Receipt{told(id, deliver.Sent), complaint(id)}
		}, "sent - SM1 - at a time; opted out by twilio"},
	}
}

// beginnings are where a message may stand when the first receipt comes. Each
// returns what its worker has still to record, and how much of it is lost; nil:
// nothing.
func (w *world) beginnings() map[string]func(id string) (late func() int) {
	after := func(o deliver.Outcome) func(string) func() int {
		return func(id string) func() int {
			w.ended(id, o)
			return nil
		}
	}
	return map[string]func(string) func() int{
		"sent":                    after(deliver.Outcome{Status: deliver.Sent, MessageID: "SM1"}),
		"unknown":                 after(deliver.Outcome{Status: deliver.Unknown}),
		"unknown, to be repeated": after(deliver.Outcome{Status: deliver.Unknown, RepeatAt: noon()}),
		"to be tried again":       after(deliver.Outcome{Status: deliver.Pending, NotBefore: noon()}),
		"sending": func(id string) func() int {
			claim := w.via(deliver.ByTwilio, id, time.Minute)
			return func() int {
				return w.record(claim.ID, deliver.Outcome{ID: id, Status: deliver.Sent, MessageID: "SM1"})
			}
		},
	}
}

// TestWhatReceiptsSayDoesNotDependOnTheirOrder tells a story in any order, some
// of it again, in batches of any size, and with the worker's own record
// anywhere between.
func TestWhatReceiptsSayDoesNotDependOnTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	beginnings := w.beginnings()
	rapid.Check(t, func(r *rapid.T) {
		w.exec(`DELETE FROM rappel.opt_outs`)
		w.exec(`DELETE FROM rappel.unusable_addresses`)
		id := w.notifications(1)[0]
		late := beginnings[rapid.SampledFrom(slices.Sorted(maps.Keys(beginnings))).Draw(r, "beginning")](id)
		story := stories()[rapid.SampledFrom(slices.Sorted(maps.Keys(stories()))).Draw(r, "story")]
		var steps []func()
		for rest := shuffled(r, story.receipts(id)); len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(r, "batch")
			batch := rest[:n]
			rest = rest[n:]
			steps = append(steps, func() {
				if known := w.tell(batch...); known != 1 {
					r.Errorf("%d notifications are known", known)
				}
			})
		}
		if late != nil {
			steps = slices.Insert(steps, rapid.IntRange(0, len(steps)).Draw(r, "recorded"), func() {
				if lost := late(); lost > 0 {
					r.Error("the answer to the request counts as lost")
				}
			})
		}
		for _, step := range steps {
			step()
		}
		if got := w.stands(id); got != story.want {
			r.Errorf("%s; want %s", got, story.want)
		}
	})
}

// shuffled draws an order of receipts, some of which come again.
func shuffled(r *rapid.T, receipts []deliver.Receipt) []deliver.Receipt {
	again := rapid.SliceOfN(rapid.SampledFrom(receipts), 0, 3).Draw(r, "again")
	return rapid.Permutation(append(receipts, again...)).Draw(r, "order")
}

func TestTheFirstEndStaysAndWhatIsSaidOfTheAddressCountsAnyway(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		tells func(id string) []deliver.Receipt
		want  string
	}{
		"a bounce after the delivery": {func(id string) []deliver.Receipt {
			return []deliver.Receipt{told(id, deliver.Delivered), undelivered(id, "5.1.1", deliver.CodeInvalidAddress)}
		}, "delivered - SM1 12:01 at a time; invalid_address"},
		"a delivery after the bounce": {func(id string) []deliver.Receipt {
			return []deliver.Receipt{undelivered(id, "5.1.1", deliver.CodeInvalidAddress), told(id, deliver.Delivered)}
		}, "undelivered 5.1.1 SM1 - at a time; invalid_address"},
		"a second failure": {func(id string) []deliver.Receipt {
			return []deliver.Receipt{undelivered(id, "30003", ""), undelivered(id, "30006", deliver.CodeLandline)}
		}, "undelivered 30003 SM1 - at a time; landline"},
		"a complaint after a failure": {func(id string) []deliver.Receipt {
			return []deliver.Receipt{undelivered(id, "30003", ""), complaint(id)}
		}, "undelivered 30003 SM1 - at a time; opted out by twilio"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ids := w.notifications(2)
			w.ended(ids[0], deliver.Outcome{Status: deliver.Sent, MessageID: "SM1"})
			w.ended(ids[1], deliver.Outcome{Status: deliver.Sent, MessageID: "SM1"})
			for _, r := range c.tells(ids[0]) {
				w.tell(r)
			}
			w.tell(c.tells(ids[1])...) // all at once
			for _, id := range ids {
				if got := w.stands(id); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			}
		})
	}
}

func TestAReceiptThatOvertakesTheAnswerSettlesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	claim := w.via(deliver.ByTwilio, id, time.Minute)
	early := told(id, deliver.Delivered)
	early.MessageID = "" // SendGrid's receipts have none
	w.tell(early)
	if got, want := w.stands(id), "delivered - - 12:01 at a time"; got != want {
		t.Errorf("before the answer: %s, want %s", got, want)
	}
	if lost := w.record(claim.ID, deliver.Outcome{ID: id, Status: deliver.Sent, MessageID: "m-1"}); lost != 0 {
		t.Errorf("%d outcomes count as lost", lost)
	}
	if got, want := w.stands(id), "delivered - m-1 12:01 at a time"; got != want {
		t.Errorf("after the answer: %s, want %s", got, want)
	}
	if got := w.text(`SELECT sent_at = $2 FROM rappel.notifications WHERE id = $1`, id, noon()); got != "true" {
		t.Error("it was not sent when the answer says")
	}
	if lost := w.record(newID(), deliver.Outcome{ID: id, Status: deliver.Sent, MessageID: "m-2"}); lost != 1 {
		t.Error("an answer to another claim counts")
	}
}

func TestAReceiptForWhatWasNeverSentChangesNothing(t *testing.T) {
	t.Parallel()
	untried := deliver.Outcome{Status: deliver.Pending, NotBefore: noon(), Refund: true}
	cases := map[string]struct {
		begin func(w *world, id string)
		want  string
	}{
		"planned":    {func(*world, string) {}, "pending - - -"},
		"given back": {func(w *world, id string) { w.ended(id, untried) }, "pending - - - with words"},
		"refused": {func(w *world, id string) {
			w.ended(id, deliver.Outcome{Status: deliver.Failed, Reason: recipients.Refused, ErrorCode: "21211"})
		}, "failed refused 21211 - -"},
		"not right by now": {func(w *world, _ string) {
			w.exec(`UPDATE rappel.notifications SET status = 'suppressed', reason = 'cancelled'`)
		}, "suppressed cancelled - - -"},
		"too late": {func(w *world, _ string) {
			w.exec(`UPDATE rappel.notifications SET status = 'expired', reason = 'past'`)
		}, "expired past - - -"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			c.begin(w, id)
			for _, r := range []deliver.Receipt{told(id, deliver.Sent), undelivered(id, "30003", ""), told(id, deliver.Delivered)} {
				if known := w.tell(r); known != 1 {
					t.Errorf("%d are known", known)
				}
				if got := w.stands(id); got != c.want {
					t.Errorf("after %q: %s, want %s", r.Status, got, c.want)
				}
			}
		})
	}
}

func TestAReceiptForWhatIsToBeTriedAgainKeepsItFromGoingTwice(t *testing.T) {
	t.Parallel()
	for name, unanswered := range map[string]deliver.Outcome{
		"after no answer":         {Status: deliver.Pending, NotBefore: noon()},
		"as it may have gone":     {Status: deliver.Unknown, RepeatAt: noon()},
		"and the receiver's busy": {Status: deliver.Unknown, RepeatAt: noon(), Refund: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			w.ended(id, unanswered)
			w.tell(told(id, deliver.Sent))
			if due, err := w.Due(t.Context(), []string{id}, noon().AddDate(0, 0, 1)); len(due) > 0 || err != nil {
				t.Errorf("due: %v, %v", due, err)
			}
			if again := w.claim([]string{id}, time.Minute); len(again.Messages) > 0 {
				t.Error("sent again")
			}
		})
	}
}

func TestReceiptsOfManyAreKeptTogetherAndStrangersPassedOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.notifications(3)
	for _, id := range ids {
		w.ended(id, deliver.Outcome{Status: deliver.Sent, MessageID: "SM1"})
	}
	known := w.tell(told(ids[2], deliver.Delivered), told(newID(), deliver.Delivered), undelivered(ids[0], "30003", ""), told(ids[0], deliver.Sent))
	got := []string{w.status(ids[0]), w.status(ids[1]), w.status(ids[2])}
	if diff := cmp.Diff([]string{"undelivered 1", "sent 1", "delivered 1"}, got); diff != "" || known != 2 {
		t.Errorf("%d known (-want +got):\n%s", known, diff)
	}
	if known := w.tell(told(newID(), deliver.Delivered)) + w.tell(); known != 0 {
		t.Errorf("%d of nobody's are known", known)
	}
}

func TestAnOptOutToldAgainDoesNotUndoAStart(t *testing.T) {
	t.Parallel()
	const start = `UPDATE rappel.opt_outs SET revoked_at = $1`
	w := newWorld(t)
	id := w.notifications(1)[0]
	w.ended(id, deliver.Outcome{Status: deliver.Sent, MessageID: "SM1"})
	stop := complaint(id)
	w.tell(stop)
	w.tell(stop, stop)
	if got := w.text(`SELECT count(*) FROM rappel.opt_outs WHERE practice_id = $1 AND channel = 'sms' AND address = '+12015550101'`, w.practice); got != "1" {
		t.Errorf("opted out %s times", got)
	}
	w.exec(start, stop.At.Add(time.Minute))
	w.tell(stop)
	if got := w.silences(); got != "" {
		t.Errorf("after the start%s", got)
	}
	stop.At = stop.At.Add(2 * time.Minute)
	w.tell(stop)
	if got := w.silences(); got != "; opted out by twilio" {
		t.Errorf("after another stop%s", got)
	}
}

func TestWhoWantsMessagesAgainGetsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	w.ended(id, deliver.Outcome{Status: deliver.Sent, MessageID: "SM1"})
	w.exec(`INSERT INTO rappel.opt_outs (practice_id, channel, address, source) VALUES ($1, 'sms', '+12015550101', 'staff')`, w.practice)
	w.exec(`INSERT INTO rappel.opt_outs (channel, address, source) VALUES ('sms', '+12015550102', 'twilio')`)
	stop, again := complaint(id), told(id, "")
	stop.At, again.At, again.Resumes = noon(), noon().Add(time.Hour), true
	const others = "; opted out by staff; opted out by twilio"
	w.exec(`UPDATE rappel.opt_outs SET created_at = $1`, noon().AddDate(0, 0, -1))
	w.exec(`UPDATE rappel.opt_outs SET revoked_at = NULL WHERE source = 'staff'`)
	if w.tell(stop); w.silences() != others { // the staff's note binds already
		t.Errorf("after the stop%s", w.silences())
	}
	w.exec(`DELETE FROM rappel.opt_outs WHERE source = 'staff'`)
	if w.tell(stop); w.silences() != "; opted out by twilio; opted out by twilio" {
		t.Errorf("after the stop%s", w.silences())
	}
	w.exec(`INSERT INTO rappel.opt_outs (practice_id, channel, address, source, created_at) VALUES ($1, 'sms', '+12015550101', 'staff', $2)`,
		w.practice, noon())
	w.tell(again, stop)
	if w.silences() != others {
		t.Errorf("after the person subscribed again%s", w.silences())
	}
	stop.At = again.At.Add(time.Hour)
	w.exec(`DELETE FROM rappel.opt_outs WHERE source = 'staff'`)
	w.tell(again, stop)
	if w.silences() != "; opted out by twilio; opted out by twilio" {
		t.Errorf("after another stop%s", w.silences())
	}
}

func TestTheNewestWordOnAnAddressStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	w.ended(id, deliver.Outcome{Status: deliver.Sent, MessageID: "SM1"})
	older, newer := undelivered(id, "30006", deliver.CodeLandline), undelivered(id, "21211", deliver.CodeInvalidAddress)
	newer.At = older.At.Add(time.Hour)
	w.tell(newer)
	w.tell(older)
	if got := w.silences(); got != "; invalid_address" {
		t.Errorf("one by one%s", got)
	}
	w.exec(`DELETE FROM rappel.unusable_addresses`)
	w.tell(older, newer)
	if got := w.silences(); got != "; invalid_address" {
		t.Errorf("together%s", got)
	}
}

// TestReceiptsAndAnswersOfTheSameMessagesWaitForEachOther has both come at once,
// in opposite orders, while somebody holds the first row.
func TestReceiptsAndAnswersOfTheSameMessagesWaitForEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.notifications(2)
	claim := w.claim(ids, time.Minute)
	w.exec(`UPDATE rappel.notifications SET claimed_until = claimed_until + interval '1 s' WHERE id = $1`, ids[0]) // found last, by time and by place
	first, err := w.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.Rollback(context.WithoutCancel(t.Context())) })
	if _, err := first.Exec(t.Context(), `SELECT FROM rappel.notifications WHERE id = $1 FOR UPDATE`, ids[0]); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	both.Go(func() {
		if _, err := w.Settle(soon(t), []deliver.Receipt{told(ids[0], deliver.Delivered), told(ids[1], deliver.Delivered)}); err != nil {
			t.Errorf("the receipts are refused: %v", err)
		}
	})
	w.waiting(1)
	both.Go(func() {
		outcomes := []deliver.Outcome{{ID: ids[1], Status: deliver.Sent, At: noon()}, {ID: ids[0], Status: deliver.Sent, At: noon()}}
		if lost, err := w.Record(soon(t), claim.ID, outcomes); lost > 0 || err != nil {
			t.Errorf("of the answers %d are lost: %v", lost, err)
		}
	})
	w.waiting(2)
	if err := first.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	both.Wait()
	for _, id := range ids {
		if got := w.status(id); got != "delivered 1" {
			t.Errorf("now %s", got)
		}
	}
}

// waiting waits until as many statements wait for a lock.
func (w *world) waiting(n int) {
	w.t.Helper()
	ctx, tick := soon(w.t), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for {
		var waiting int
		err := w.db.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			w.t.Fatal(err)
		}
		if waiting == n {
			return
		}
		<-tick.C
	}
}

// history is what the ledger remembers of a notification.
func (w *world) history(id string) (entries []map[string]any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.text(`SELECT history FROM rappel.notifications WHERE id = $1`, id)), &entries); err != nil {
		w.t.Fatal(err)
	}
	return entries
}

func TestTheHistoryTellsWhatBecameOfAMessageAndNamesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	w.ended(id, deliver.Outcome{Status: deliver.Pending, NotBefore: noon(), Problem: "twilio answered 503"})
	w.ended(id, deliver.Outcome{Status: deliver.Sent, MessageID: "SM1"})
	w.tell(told(id, deliver.Sent))
	w.tell(told(id, deliver.Sent)) // told again, it adds nothing
	bounce := undelivered(id, "30006", deliver.CodeLandline)
	w.tell(bounce, bounce)
	w.tell(told(id, deliver.Delivered)) // too late
	want := []map[string]any{
		{"at": "2026-11-21T12:00:00Z", "status": "pending", "problem": "twilio answered 503"},
		{"at": "2026-11-21T12:01:00Z", "via": "twilio", "status": "sent", "told": true},
		{"at": "2026-11-21T12:01:00Z", "via": "twilio", "status": "undelivered", "code": "30006", "told": true},
		{"at": "2026-11-21T12:01:00Z", "via": "twilio", "status": "delivered", "told": true},
	}
	if diff := cmp.Diff(want, w.history(id)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, private := range []string{"Ann", "Lee", "5550101", "See you", "example.com"} {
		if got := w.text(`SELECT history FROM rappel.notifications`); strings.Contains(got, private) {
			t.Errorf("%q is in %s", private, got)
		}
	}
}

func TestTheHistoryKeepsTheNewestFifty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	for i := range 53 {
		o := deliver.Outcome{Status: deliver.Pending, NotBefore: noon(), ErrorCode: string(rune('A' + i))}
		w.ended(id, o)
		got := w.history(id)
		if len(got) != min(i+1, 50) || got[len(got)-1]["code"] != o.ErrorCode || got[0]["code"] != string(rune('A'+max(i-49, 0))) {
			t.Fatalf("after %d: %v", i+1, got)
		}
	}
	w.tell(told(id, deliver.Delivered))
	if got := w.history(id); len(got) != 50 || got[49]["status"] != "delivered" || got[0]["code"] != "E" {
		t.Errorf("after a receipt: %v", got)
	}
}

// The database may commit and its answer be lost: then the outcome is recorded
// once more.
func TestAnOutcomeThatIsRecordedTwiceCountsOnceAndIsNotLost(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]deliver.Outcome{
		"sent":        {Status: deliver.Sent, MessageID: "m-1"},
		"tried again": {Status: deliver.Pending, NotBefore: noon().Add(time.Hour), Problem: "the endpoint answered 503"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			outcome.ID = w.notifications(1)[0]
			claim := w.claim([]string{outcome.ID}, time.Minute)
			var after []string
			for range 2 {
				if lost := w.record(claim.ID, outcome); lost != 0 {
					t.Errorf("%d lost", lost)
				}
				after = append(after, w.text(`SELECT concat_ws(' ', status, attempts, message_id, sent_at, not_before, history) FROM rappel.notifications`))
			}
			if after[0] != after[1] {
				t.Errorf("first %s\nthen  %s", after[0], after[1])
			}
		})
	}
}

// A message that was sent again, perhaps to another number, may hear of its
// first try at any time.
func TestAReceiptOfAnEarlierTryCountsOnlyIfItArrived(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	try := func() string {
		t.Helper()
		c := w.claim([]string{id}, time.Minute)
		if got := c.Messages[0].Message.ClaimID; got != c.ID {
			t.Fatalf("the message says claim %q", got)
		}
		w.record(c.ID, deliver.Outcome{ID: id, Status: deliver.Sent})
		return c.ID
	}
	tell := func(claim string, status deliver.Status, want string) {
		t.Helper()
		r := deliver.Receipt{NotificationID: id, ClaimID: claim, Status: status, Source: "twilio", At: noon()}
		if status == deliver.Undelivered {
			r.ErrorCode, r.Silence = "30006", deliver.CodeLandline
		}
		if _, err := w.Settle(t.Context(), []deliver.Receipt{r}); err != nil {
			t.Fatal(err)
		}
		if got := w.text(`SELECT concat_ws(' ', status, error_code, (SELECT count(*) FROM rappel.unusable_addresses)) FROM rappel.notifications`); got != want {
			t.Errorf("after %s: %s, want %s", status, got, want)
		}
	}
	first := try()
	tell(first, deliver.Undelivered, "undelivered 30006 1")
	w.exec(`DELETE FROM rappel.unusable_addresses`)
	w.reopen(deliver.Undelivered, id)
	w.exec(`UPDATE rappel.notifications SET not_before = $1`, noon())
	tell(first, deliver.Sent, "pending 0")
	tell(first, deliver.Undelivered, "pending 0")
	second := try()
	tell(first, deliver.Undelivered, "sent 0")
	tell(first, deliver.Sent, "sent 0")
	tell(second, deliver.Delivered, "delivered 0")
	tell(second, deliver.Undelivered, "delivered 1")
}

func TestTheReceiptsOfBothTriesMayComeTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	first := w.claim([]string{id}, time.Minute).ID
	w.record(first, deliver.Outcome{ID: id, Status: deliver.Unknown, RepeatAt: noon()})
	second := w.claim([]string{id}, time.Minute).ID
	w.record(second, deliver.Outcome{ID: id, Status: deliver.Sent})
	_, err := w.Settle(t.Context(), []deliver.Receipt{
		{NotificationID: id, ClaimID: second, Status: deliver.Delivered, At: noon()},
		{NotificationID: id, ClaimID: first, Status: deliver.Undelivered, ErrorCode: "30003", At: noon()},
	})
	if got := w.text(`SELECT status FROM rappel.notifications`); got != "delivered" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestTimesThatMakeNoSenseHoldNothingUp(t *testing.T) {
	t.Parallel()
	for _, set := range []string{`not_before = '-infinity'`, `starts_at = 'infinity'`} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ids := w.notifications(2)
			w.exec(`UPDATE rappel.notifications SET `+set+` WHERE id = $1`, ids[0])
			if got := len(w.claim(ids, time.Minute).Messages); got != 2 {
				t.Errorf("%d claimed", got)
			}
			if _, err := w.OldestDue(t.Context(), recipients.SMS, noon()); err != nil {
				t.Error(err)
			}
		})
	}
}
