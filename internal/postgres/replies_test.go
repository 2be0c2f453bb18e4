package postgres_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/internal/postgres"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/jobs/deliver"
	"rappel/jobs/reply"
	"rappel/recipients"
	"rappel/templates"
)

const mobile = "+12015550101"

func numberOf(t *testing.T, raw string) recipients.Address {
	t.Helper()
	a, err := recipients.ParsePhone(raw, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sent adds a reminder to mobile of a visit tomorrow, which went an hour ago,
// and returns its id and that of the visit.
func (w *world) sent(practice string, more row) (notification, visit string) {
	w.t.Helper()
	starts := noon().AddDate(0, 0, 1)
	client := w.insert("clients", row{"practice_id": practice, "preferred_method": "sms"})
	visit = w.visit(client, starts, row{"practice_id": practice})
	decision := w.insert("decisions", row{"kind": "appointment.reminder", "decided_at": noon(), "outcome": "notify"})
	r := row{
		"decision_id": decision, "practice_id": practice, "client_id": client, "appointment_id": visit, "kind": "appointment.reminder",
		"channel": "sms", "address": mobile, "template": "appointment.reminder", "starts_at": starts,
		"status": "sent", "not_before": noon(), "sent_at": noon().Add(-time.Hour),
	}
	maps.Copy(r, more)
	return w.insert("notifications", r), visit
}

func (w *world) another() (practice string) {
	w.t.Helper()
	return w.insert("practices", row{"name": "Oak Street", "time_zone": "America/New_York"})
}

// receive keeps a message from mobile as the keeper does, and tells whether it
// was new.
func (w *world) receive(carrierID, text string) (reply.Reply, bool) {
	w.t.Helper()
	in := reply.Inbound{CarrierID: carrierID, From: numberOf(w.t, mobile), Text: reply.WordsOf(text), ReceivedAt: noon()}
	r, fresh, err := w.KeepReply(w.t.Context(), in, noon().Add(-reply.Window), reply.Understand)
	if err != nil {
		w.t.Fatal(err)
	}
	return r, fresh
}

// optOuts lists the opt-outs as practice, address and whether they are live.
func (w *world) optOuts() []string {
	w.t.Helper()
	all := w.text(`SELECT string_agg(concat_ws(' ', coalesce(practice_id::text, 'all'), address, channel, source,
		CASE WHEN revoked_at IS NULL THEN 'live' ELSE 'revoked' END), ',' ORDER BY address, created_at, practice_id) FROM rappel.opt_outs`)
	if all == "-" {
		return nil
	}
	return strings.Split(all, ",")
}

func TestAReplyIsKeptWithWhatItIsAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	older, _ := w.sent(w.practice, row{"sent_at": noon().Add(-2 * time.Hour), "kind": "appointment.booked", "status": "delivered"})
	newest, visit := w.sent(w.practice, nil)
	r, fresh := w.receive("SM1", " c ")
	if !fresh || r.Meaning != reply.Confirm || r.PracticeID != w.practice || r.NotificationID != newest || r.NotificationID == older {
		t.Errorf("%+v, %v", r, fresh)
	}
	got := w.text(`SELECT concat_ws('|', id, carrier_id, address, body, received_at = $1, meaning, practice_id, notification_id,
		appointment_ids, coalesce(outcome, 'open'), not_before = $1, claim_id, attempts) FROM rappel.replies`, noon())
	want := fmt.Sprintf("%s|SM1|%s| c |t|confirm|%s|%s|{%s}|open|t|0", r.ID, mobile, w.practice, newest, visit)
	if got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
}

func TestWhatWasSentToANumberIsReadNewestFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(d time.Duration) row { return row{"sent_at": noon().Add(-d)} }
	with := func(r, more row) row {
		maps.Copy(r, more)
		return r
	}
	first, visit := w.sent(w.practice, at(96*time.Hour))
	oak := w.another()
	second, _ := w.sent(oak, with(at(3*time.Hour), row{"status": "unknown", "kind": "invoice.issued", "appointment_id": nil, "starts_at": nil}))
	third, _ := w.sent(w.practice, with(at(2*time.Hour), row{"status": "delivered", "appointment_id": newID()}))
	w.sent(w.practice, at(96*time.Hour+time.Microsecond))
	w.sent(w.practice, with(at(time.Hour), row{"status": "undelivered"}))
	w.sent(w.practice, with(at(time.Hour), row{"address": "+12015550102"}))
	w.sent(w.practice, with(at(time.Hour), row{"channel": "email"}))
	w.sent(w.practice, row{"status": "pending", "sent_at": nil})
	starts := noon().AddDate(0, 0, 1)
	want := []reply.Sent{
		{NotificationID: third, PracticeID: w.practice, AppointmentID: "?", Kind: kind.Reminder, StartsAt: starts},
		{NotificationID: second, PracticeID: oak, Kind: kind.InvoiceIssued},
		{NotificationID: first, PracticeID: w.practice, AppointmentID: visit, Kind: kind.Reminder, StartsAt: starts, VisitStartsAt: starts, VisitStatus: schedule.StatusScheduled},
	}
	in := reply.Inbound{CarrierID: "SM1", From: numberOf(t, mobile), ReceivedAt: noon()}
	_, _, err := w.KeepReply(t.Context(), in, noon().Add(-reply.Window), func(in reply.Inbound, sent []reply.Sent) reply.Reply {
		if len(sent) > 0 {
			want[0].AppointmentID = sent[0].AppointmentID // one that is gone
		}
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		return reply.Understand(in, sent)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAMessageThatMayHaveGoneHasATime(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(w *world, id string){
		"no answer came": func(w *world, id string) {
			w.record(w.claim([]string{id}, time.Minute).ID, deliver.Outcome{ID: id, Status: deliver.Unknown})
		},
		"its sender died": func(w *world, id string) {
			w.claim([]string{id}, expired)
			_, err := w.Claim(w.t.Context(), []string{id}, deliver.Terms{Now: noon(), Lease: time.Minute},
				func(deliver.Notification, *practice.Snapshot, []templates.Source) deliver.Ruling {
					return deliver.Ruling{Close: deliver.Unknown}
				})
			if err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			lose(w, id)
			if got := w.text(`SELECT concat_ws(' ', status, sent_at IS NOT NULL) FROM rappel.notifications WHERE id = $1`, id); got != "unknown t" {
				t.Error(got)
			}
		})
	}
}

func TestToldTwiceAReplyIsKeptOnceAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sent(w.practice, nil)
	w.receive("SM1", "STOP")
	w.receive("SM2", "START")
	before := w.optOuts()
	if r, fresh := w.receive("SM1", "STOP"); fresh || r.ID != "" {
		t.Errorf("%+v is new", r)
	}
	if diff := cmp.Diff(before, w.optOuts()); diff != "" || len(before) != 1 || !strings.HasSuffix(before[0], " sms reply revoked") {
		t.Errorf("opt-outs %v\n%s", before, diff)
	}
	if n := w.text(`SELECT count(*) FROM rappel.replies`); n != "2" {
		t.Errorf("%s replies", n)
	}
}

func TestASTOPBindsThoseWhoWrote(t *testing.T) {
	t.Parallel()
	stop := func(practice string) string { return practice + " " + mobile + " sms reply live" }
	cases := map[string]func(w *world) (want []string){
		"the one practice": func(w *world) []string {
			w.another()
			w.sent(w.practice, nil)
			return []string{stop(w.practice)}
		},
		"each of two": func(w *world) []string {
			oak := w.another()
			w.sent(w.practice, nil)
			w.sent(oak, nil)
			w.sent(oak, nil)
			return []string{stop(w.practice), stop(oak)}
		},
		"this one, though another is stopped already": func(w *world) []string {
			oak := w.another()
			for _, practice := range []any{oak, nil} {
				w.insert("opt_outs", row{"practice_id": practice, "channel": "sms", "address": mobile, "source": "reply"})
			}
			w.sent(w.practice, nil)
			return []string{stop(oak), stop("all"), stop(w.practice)}
		},
		"all, where none wrote lately": func(w *world) []string {
			w.sent(w.practice, row{"sent_at": noon().Add(-97 * time.Hour)})
			return []string{stop("all")}
		},
		"once, however often it is said": func(w *world) []string {
			w.sent(w.practice, nil)
			w.receive("SM0", "stop")
			return []string{stop(w.practice)}
		},
		"all once, however often it is said": func(w *world) []string {
			w.receive("SM0", "stop")
			return []string{stop("all")}
		},
	}
	for name, prepare := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			want := prepare(w)
			w.receive("SM1", "STOP")
			got := w.optOuts()
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestASTOPAfterASTARTCountsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sent(w.practice, nil)
	for i, text := range []string{"STOP", "START", "STOP"} {
		w.receive(fmt.Sprint("SM", i), text)
	}
	got := w.optOuts()
	slices.Sort(got)
	if len(got) != 2 || !strings.HasSuffix(got[0], "live") || !strings.HasSuffix(got[1], "revoked") {
		t.Errorf("%v", got)
	}
}

func TestASTARTRevokesEverySpellingOfTheNumbersOwnStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	oak, paris := w.another(), w.insert("practices", row{"name": "Rue", "time_zone": "Europe/Paris", "country": "FR"})
	w.sent(w.practice, nil)
	optOut := func(practice any, address string, more row) {
		r := row{"practice_id": practice, "channel": "sms", "address": address, "source": "twilio"}
		maps.Copy(r, more)
		w.insert("opt_outs", r)
	}
	optOut(w.practice, mobile, nil)
	optOut(w.practice, "(201) 555-0101", row{"source": "reply"})
	optOut(w.practice, "1 201 555 0101 (Ann)", nil)
	optOut(nil, "+1-201-555-0101", nil)
	optOut(nil, "2015550101", nil)
	optOut(oak, mobile, nil) // Twilio's list is by our number, for all who write from it
	optOut(paris, mobile, nil)
	optOut(w.practice, "+13035550101", nil)             // another with its last digits
	optOut(w.practice, "ask Ann about 550101", nil)     // nobody knows whose
	optOut(w.practice, mobile, row{"channel": "email"}) // not what they read
	optOut(w.practice, mobile, row{"source": "staff"})  // staff's own note stays
	optOut(nil, mobile, row{"source": "staff: court order, never text"})
	optOut(w.practice, mobile, row{"source": "admin"})
	optOut(w.practice, "201.555.0101", row{"revoked_at": noon().AddDate(-1, 0, 0)})
	optOut(w.practice, mobile, row{"revoked_at": noon().AddDate(-1, 0, 0)})
	w.receive("SM1", "START")
	if got := w.text(`SELECT string_agg(address, ', ' ORDER BY address COLLATE "C") FROM rappel.opt_outs WHERE revoked_at = $1`, noon()); got !=
		"(201) 555-0101, +1-201-555-0101, +12015550101, +12015550101, +12015550101, 1 201 555 0101 (Ann), 2015550101" {
		t.Errorf("revoked: %s", got)
	}
	if n := w.text(`SELECT count(*) FROM rappel.opt_outs WHERE revoked_at IS NULL`); n != "6" {
		t.Errorf("%s are live", n)
	}
}

// Two practices write from one number of Twilio's. Its list of who said STOP is by
// that number.
func TestASTARTLiftsWhatTwilioAnsweredToAnotherPractice(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"START", "YES"} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			oak := w.another()
			w.sent(oak, nil)
			w.receive("SM1", "STOP")
			w.insert("opt_outs", row{"practice_id": w.practice, "channel": "sms", "address": mobile, "source": "twilio"})
			if r, _ := w.receive("SM2", word); r.Meaning != reply.OptIn {
				t.Errorf("%s means %s", word, r.Meaning)
			}
			for _, o := range w.optOuts() {
				if !strings.HasSuffix(o, "revoked") {
					t.Errorf("%s", o)
				}
			}
		})
	}
}

// Nothing was sent to the number lately, so a START could be about any practice:
// what staff noted is none of its business.
func TestASTARTToNobodyInParticularLeavesWhatStaffNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.insert("opt_outs", row{"practice_id": w.practice, "channel": "sms", "address": mobile, "source": "staff: court order, never text"})
	w.insert("opt_outs", row{"practice_id": nil, "channel": "sms", "address": mobile, "source": ""})
	for i, word := range []string{"START", "YES"} {
		w.receive(fmt.Sprint("SM", i), word)
	}
	if n := w.text(`SELECT count(*) FROM rappel.opt_outs WHERE revoked_at IS NULL`); n != "2" {
		t.Errorf("%s are live", n)
	}
}

func TestASTARTToNobodyInParticularIsToAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paris := w.insert("practices", row{"name": "Rue", "time_zone": "Europe/Paris", "country": "FR"})
	gone := newID()
	for _, practice := range []any{w.practice, paris, gone, nil} {
		w.insert("opt_outs", row{"practice_id": practice, "channel": "sms", "address": "+33612345678", "source": "reply"})
		w.insert("opt_outs", row{"practice_id": practice, "channel": "sms", "address": "06 12 34 56 78", "source": "twilio"})
	}
	in := reply.Inbound{CarrierID: "SM1", From: numberOf(t, "+33612345678"), Text: reply.WordsOf("start"), ReceivedAt: noon()}
	if _, _, err := w.KeepReply(t.Context(), in, noon(), reply.Understand); err != nil {
		t.Fatal(err)
	}
	got := w.text(`SELECT string_agg(practice_id::text || ' ' || address, ',' ORDER BY practice_id) FROM rappel.opt_outs WHERE revoked_at IS NULL`)
	if want := w.practice + " 06 12 34 56 78," + gone + " 06 12 34 56 78"; got != want {
		t.Errorf("live: %s, want %s", got, want) // whose that is in New York, nobody knows
	}
}

func TestOneNumbersMessagesAreKeptOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sent(w.practice, nil)
	var wait sync.WaitGroup
	for i := range 12 {
		wait.Go(func() {
			in := reply.Inbound{CarrierID: fmt.Sprint("SM", i/2), From: numberOf(t, mobile), Text: reply.WordsOf("STOP"), ReceivedAt: noon()}
			if _, _, err := w.KeepReply(soon(t), in, noon().Add(-reply.Window), reply.Understand); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := w.text(`SELECT concat_ws(' ', (SELECT count(*) FROM rappel.replies), (SELECT count(*) FROM rappel.opt_outs))`); got != "6 1" {
		t.Errorf("replies and opt-outs: %s", got)
	}
}

func TestOneNumberWaitsForItselfAndForNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keep := func(carrierID, from string, understand func(reply.Inbound, []reply.Sent) reply.Reply) {
		in := reply.Inbound{CarrierID: carrierID, From: numberOf(t, from), Text: reply.WordsOf("STOP"), ReceivedAt: noon()}
		if _, _, err := w.KeepReply(soon(t), in, noon().Add(-reply.Window), understand); err != nil {
			t.Error(err)
		}
	}
	holds, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		keep("SM1", mobile, func(in reply.Inbound, sent []reply.Sent) reply.Reply {
			close(holds)
			<-release
			return reply.Understand(in, sent)
		})
	})
	<-holds
	wait.Go(func() {
		defer close(done)
		keep("SM2", mobile, reply.Understand)
	})
	keep("SM3", "+12015550102", reply.Understand)
	for waits := "f"; waits != "true"; {
		waits = w.text(`SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		select {
		case <-done:
			t.Error("it did not wait")
			waits = "true"
		default:
		}
	}
	close(release)
	wait.Wait()
}

func TestAnOptOutBindsWhatIsPlannedNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sent(w.practice, nil)
	w.receive("SM1", "STOP")
	starts := noon().AddDate(0, 0, 7)
	w.event("appointment.booked", w.visit(w.client(), starts, nil))
	if d := w.plan(); len(d) != 1 || len(d[0].Notifications) != 0 {
		t.Errorf("planned %+v", d)
	}
	w.receive("SM2", "START")
	w.event("appointment.booked", w.visit(w.client(), starts, nil))
	if d := w.plan(); len(d) != 1 || len(d[0].Notifications) != 1 {
		t.Errorf("planned %+v", d)
	}
}

func TestNoTextIsTooOddToBeKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for text, want := range map[string]string{"": "", "a\x00b": "ab", "\xff\xfe": "\uFFFD", "🙂\u202e": "🙂\u202e"} {
		r, fresh := w.receive(fmt.Sprintf("SM%q", text), text)
		if got := w.text(`SELECT body FROM rappel.replies WHERE id = $1`, r.ID); !fresh || got != want {
			t.Errorf("%q is kept as %q", text, got)
		}
	}
}

// take claims replies as the poster does.
func (w *world) take(most int, lease time.Duration) reply.Claim {
	w.t.Helper()
	c, err := w.ClaimReplies(w.t.Context(), reply.Terms{Now: noon(), Lease: lease, Most: most, Turns: 3})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) settle(claimID string, o reply.Outcome) bool {
	w.t.Helper()
	o.At = noon()
	held, err := w.RecordReply(w.t.Context(), claimID, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return held
}

// open adds an open reply of a number, that came so long before noon.
func (w *world) open(from string, before time.Duration, more row) string {
	w.t.Helper()
	r := row{
		"carrier_id": newID(), "address": from, "body": "Late, Ann", "received_at": noon().Add(-before), "meaning": "other",
		"not_before": noon().Add(-before),
	}
	maps.Copy(r, more)
	return w.insert("replies", r)
}

func idsOf(c reply.Claim) []string {
	var ids []string
	for _, r := range c.Replies {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestAClaimedReplyIsAsItWasKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sent(w.practice, nil)
	w.sent(w.another(), nil)
	kept, _ := w.receive("SM1", "C")
	got := w.take(8, time.Minute).Replies
	kept.Attempts = 1
	masked := cmp.Transformer("", func(words reply.Words) string { return words.Reveal() })
	same := cmp.Comparer(func(a, b recipients.Address) bool { return a.Reveal() == b.Reveal() })
	if diff := cmp.Diff([]reply.Reply{kept}, got, masked, same); diff != "" || len(kept.AppointmentIDs) != 2 {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOneNumbersRepliesAreClaimedInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second, third := w.open(mobile, 3*time.Minute, nil), w.open(mobile, 2*time.Minute, nil), w.open(mobile, time.Minute, nil)
	other := w.open("+12015550102", time.Second, nil)
	expect := func(why string, c reply.Claim, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, idsOf(c)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", why, diff)
		}
	}
	c := w.take(8, time.Minute)
	expect("at first", c, first, other)
	expect("while the first is under way", w.take(8, time.Minute))
	w.settle(c.ID, reply.Outcome{ReplyID: first, NotBefore: noon().Add(time.Second)})
	expect("while the first is to be tried again", w.take(8, time.Minute))
	w.exec(`UPDATE rappel.replies SET attempts = 3 WHERE id = $1`, first)
	c = w.take(8, time.Minute)
	expect("when the first was tried often", c, second)
	w.settle(c.ID, reply.Outcome{ReplyID: second, Result: reply.Posted})
	expect("when the second is there", w.take(8, time.Minute), third)
	w.exec(`UPDATE rappel.replies SET attempts = 3, claim_id = NULL, claimed_until = NULL, not_before = received_at WHERE outcome IS NULL`)
	expect("when each was tried often", w.take(8, time.Minute), first, third, other)
}

func TestNoMoreRepliesAreClaimedThanAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := make([]string, 5) // the oldest first
	for i, place := range []int{2, 4, 0, 3, 1} {
		want[place] = w.open(number(i), time.Duration(5-place)*time.Second, nil)
	}
	if diff := cmp.Diff(want[:2], idsOf(w.take(2, time.Minute))); diff != "" {
		t.Errorf("not the oldest (-want +got):\n%s", diff)
	}
	w.open("+12015550109", -time.Microsecond, nil)
	if diff := cmp.Diff(want[2:], idsOf(w.take(8, time.Minute))); diff != "" {
		t.Errorf("not those that are due (-want +got):\n%s", diff)
	}
}

func TestAClaimThatRanOutIsTakenOverAndItsHolderRecordsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open(mobile, time.Minute, nil)
	lost, held := w.take(8, expired), w.take(8, time.Minute)
	if len(held.Replies) != 1 || held.Replies[0].Attempts != 2 || lost.ID == held.ID {
		t.Fatalf("%+v", held)
	}
	if w.settle(lost.ID, reply.Outcome{ReplyID: id, Result: reply.Dropped}) {
		t.Error("recorded by whoever lost it")
	}
	if !w.settle(held.ID, reply.Outcome{ReplyID: id, Result: reply.Posted}) || w.settle(held.ID, reply.Outcome{ReplyID: id, Result: reply.Dropped}) {
		t.Error("not recorded once")
	}
}

func TestWhatIsRecordedOfAReply(t *testing.T) {
	t.Parallel()
	later := noon().Add(time.Minute)
	for name, c := range map[string]struct {
		outcome reply.Outcome
		want    string
	}{
		"posted":               {reply.Outcome{Result: reply.Posted}, "posted 1 t f"},
		"dropped":              {reply.Outcome{Result: reply.Dropped}, "dropped 1 t f"},
		"expired":              {reply.Outcome{Result: reply.Expired, Refund: true}, "expired 0 t f"},
		"later":                {reply.Outcome{NotBefore: later}, "1 t Late, Ann"},
		"later, and not tried": {reply.Outcome{NotBefore: later, Refund: true}, "0 t Late, Ann"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.open(mobile, time.Minute, nil)
			c.outcome.ReplyID = id
			w.settle(w.take(8, time.Minute).ID, c.outcome)
			got := w.text(`SELECT CASE WHEN outcome IS NULL THEN concat_ws(' ', attempts, not_before = $1 AND settled_at IS NULL, body)
				ELSE concat_ws(' ', outcome, attempts, settled_at = $2, body IS NOT NULL) END || coalesce(' ' || claim_id, '') || coalesce(' ' || claimed_until, '')
				FROM rappel.replies`, later, noon())
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestManyPostersClaimEachReplyOnceAndInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const numbers, each = 6, 8
	for n := range numbers {
		for i := range each {
			w.open(number(n), time.Duration(each-i)*time.Second, row{"carrier_id": fmt.Sprint(n, " ", i)})
		}
	}
	var mu sync.Mutex
	posted := map[string][]string{}
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() {
			for {
				c, err := w.ClaimReplies(soon(t), reply.Terms{Now: noon(), Lease: time.Minute, Most: 2, Turns: 3})
				if err != nil {
					t.Error(err)
					return
				}
				for _, r := range c.Replies {
					from := r.From.Reveal()
					mu.Lock()
					posted[from] = append(posted[from], r.CarrierID)
					mu.Unlock()
					if held, err := w.RecordReply(soon(t), c.ID, reply.Outcome{ReplyID: r.ID, Result: reply.Posted, At: noon()}); err != nil || !held {
						t.Errorf("%v %v", held, err)
					}
				}
				mu.Lock()
				done := len(slices.Concat(slices.Collect(maps.Values(posted))...))
				mu.Unlock()
				if done >= numbers*each {
					return
				}
			}
		})
	}
	wait.Wait()
	for n := range numbers {
		var want []string
		for i := range each {
			want = append(want, fmt.Sprint(n, " ", i))
		}
		if diff := cmp.Diff(want, posted[number(n)]); diff != "" {
			t.Errorf("number %d (-want +got):\n%s", n, diff)
		}
	}
}

func number(n int) string { return fmt.Sprint("+1201555010", n) }

func TestAListenerForRepliesIsWokenByThemAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	woken, done := make(chan struct{}, 10), make(chan error, 1)
	go func() { done <- w.Listen(ctx, postgres.NewReplies, func() { woken <- struct{}{} }, func() {}) }()
	wake := func(why string) {
		t.Helper()
		select {
		case <-woken:
		case err := <-done:
			t.Fatalf("%s: the listener ended: %v", why, err)
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: not woken", why)
		}
	}
	wake("at first")
	w.event("appointment.booked", newID())
	w.receive("SM1", "STOP")
	wake("after a reply")
	if len(woken) != 0 {
		t.Error("woken by an event, too")
	}
	stop()
	if err := <-done; err == nil {
		t.Error("ended without a word")
	}
}

func TestAnAddressWrittenByHandHoldsUpNoReply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open("ask Ann", time.Minute, nil)
	w.open(mobile, time.Second, nil)
	if got := w.take(8, time.Minute).Replies; len(got) != 2 || got[0].From != (recipients.Address{}) {
		t.Errorf("%+v", got)
	}
}

func TestRepliesAreKeptOverViewsToo(t *testing.T) {
	t.Parallel()
	w := newApp(t, "")
	visit := w.appVisit(noon().AddDate(0, 0, 1))
	decision := w.insert("decisions", row{"kind": "appointment.reminder", "decided_at": noon(), "outcome": "notify"})
	w.insert("notifications", row{
		"decision_id": decision, "practice_id": w.practice, "client_id": newID(), "appointment_id": visit, "kind": "appointment.reminder",
		"channel": "sms", "address": mobile, "template": "appointment.reminder", "starts_at": noon().AddDate(0, 0, 1),
		"status": "sent", "not_before": noon(), "sent_at": noon(),
	})
	if r, _ := w.receive("SM1", "1"); r.Meaning != reply.Confirm || !slices.Equal(r.AppointmentIDs, []string{visit}) {
		t.Errorf("%+v", r)
	}
	w.receive("SM2", "STOP")
	w.receive("SM3", "START")
	if got := w.optOuts(); len(got) != 1 || !strings.HasSuffix(got[0], "revoked") {
		t.Errorf("%v", got)
	}
}
