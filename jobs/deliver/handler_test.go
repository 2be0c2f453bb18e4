package deliver_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"rappel/internal/practice"
	"rappel/jobs"
	"rappel/jobs/deliver"
	"rappel/recipients"
	"rappel/templates"
)

func TestAnAnswerIsRecordedAsTheContractHasIt(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	cases := map[string]struct {
		answer   deliver.Answer
		attempts int
		left     time.Duration // until the message is of no use
		want     deliver.Outcome
		asked    time.Duration // from now to the next try; zero: none, or a random time
	}{
		"accepted": {
			answer: deliver.Answer{Verdict: deliver.Accepted, MessageID: "m-1"},
			want:   deliver.Outcome{Status: deliver.Sent, MessageID: "m-1"},
		},
		"refused": {
			answer: deliver.Answer{Verdict: deliver.Refused, Code: "nope"},
			want:   deliver.Outcome{Status: deliver.Failed, Reason: recipients.Refused, ErrorCode: "nope"},
		},
		"refused without a code": {
			answer: deliver.Answer{Verdict: deliver.Refused},
			want:   deliver.Outcome{Status: deliver.Failed, Reason: recipients.Refused},
		},
		"the person has opted out": {
			answer: deliver.Answer{Verdict: deliver.Refused, Code: "opted_out"},
			want: deliver.Outcome{
				Status: deliver.Failed, Reason: recipients.Refused, ErrorCode: "opted_out",
				Silence: &deliver.Silence{PracticeID: "p", Channel: recipients.SMS, Address: phone(), Code: "opted_out"},
			},
		},
		"the address is none": {
			answer: deliver.Answer{Verdict: deliver.Refused, Code: "invalid_address"},
			want: deliver.Outcome{
				Status: deliver.Failed, Reason: recipients.Refused, ErrorCode: "invalid_address",
				Silence: &deliver.Silence{PracticeID: "p", Channel: recipients.SMS, Address: phone(), Code: "invalid_address"},
			},
		},
		"a landline": {
			answer: deliver.Answer{Verdict: deliver.Refused, Code: "landline"},
			want: deliver.Outcome{
				Status: deliver.Failed, Reason: recipients.Refused, ErrorCode: "landline",
				Silence: &deliver.Silence{PracticeID: "p", Channel: recipients.SMS, Address: phone(), Code: "landline"},
			},
		},
		"later, when the receiver says so": {
			answer: deliver.Answer{Verdict: deliver.Later, RetryAfter: 10 * time.Minute},
			want:   deliver.Outcome{Status: deliver.Pending}, asked: 10 * time.Minute,
		},
		"later, after an hour at most": {
			answer: deliver.Answer{Verdict: deliver.Later, RetryAfter: 20 * hour},
			want:   deliver.Outcome{Status: deliver.Pending}, asked: hour,
		},
		"busy takes no attempt": {
			answer: deliver.Answer{Verdict: deliver.Busy, RetryAfter: 10 * time.Minute},
			want:   deliver.Outcome{Status: deliver.Pending, Refund: true}, asked: 10 * time.Minute,
		},
		"we are not known takes no attempt": {
			answer: deliver.Answer{Verdict: deliver.Misconfigured},
			want:   deliver.Outcome{Status: deliver.Pending, Refund: true}, asked: 30 * time.Second,
		},
		"no verdict at all is later": {
			answer: deliver.Answer{RetryAfter: hour}, want: deliver.Outcome{Status: deliver.Pending},
		},
		"later would be too late": {
			answer: deliver.Answer{Verdict: deliver.Later, RetryAfter: 10 * time.Minute}, left: 10 * time.Minute,
			want: deliver.Outcome{Status: deliver.Expired, Reason: recipients.AttemptsExhausted},
		},
		"just in time": {
			answer: deliver.Answer{Verdict: deliver.Later, RetryAfter: 10 * time.Minute}, left: 10*time.Minute + time.Millisecond,
			want: deliver.Outcome{Status: deliver.Pending}, asked: 10 * time.Minute,
		},
		"busy until it is too late": {
			answer: deliver.Answer{Verdict: deliver.Busy, RetryAfter: hour}, left: hour,
			want: deliver.Outcome{Status: deliver.Expired, Reason: recipients.AttemptsExhausted, Refund: true},
		},
		"not known until it is too late": {
			answer: deliver.Answer{Verdict: deliver.Misconfigured}, left: 30 * time.Second,
			want: deliver.Outcome{Status: deliver.Expired, Reason: recipients.AttemptsExhausted, Refund: true},
		},
		"the twentieth attempt waits no longer than the rest": {
			answer: deliver.Answer{Verdict: deliver.Later, RetryAfter: 15 * time.Minute}, attempts: 20,
			want: deliver.Outcome{Status: deliver.Pending}, asked: 15 * time.Minute,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				d := newDesk(t, answers(c.answer))
				var observed []deliver.Outcome
				d.Observe = func(_ deliver.Notification, o deliver.Outcome) { observed = append(observed, o) }
				d.ledger.attempts = max(c.attempts, 1)
				if c.left > 0 {
					d.ledger.notAfter = began.Add(c.left)
				}
				if err := d.Handle(t.Context(), task(t, 1)); err != nil {
					t.Fatal(err)
				}
				got := d.ledger.outcomes()[id(0)]
				compare := cmp.Options{
					cmpopts.IgnoreFields(deliver.Outcome{}, "ID", "At", "NotBefore"),
					cmp.Comparer(func(a, b recipients.Address) bool { return a == b }),
				}
				if diff := cmp.Diff(c.want, got, compare); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if !got.At.Equal(began) {
					t.Errorf("recorded at %s", got.At)
				}
				if wait := got.NotBefore.Sub(began); c.asked > 0 && wait != c.asked {
					t.Errorf("asked again after %s, want %s", wait, c.asked)
				}
				if len(observed) != 1 || observed[0].Status != got.Status {
					t.Errorf("observed %+v", observed)
				}
				checkOffered(t, d, got)
			})
		})
	}
}

// checkOffered tells whether what is still open was put back on the queue, not
// before its time and within a second of it.
func checkOffered(t *testing.T, d desk, o deliver.Outcome) {
	t.Helper()
	at, ok := d.queue.offered[o.ID]
	if ok != (o.Status == deliver.Pending) {
		t.Errorf("%s; offered again: %t", o.Status, ok)
	}
	if late := at.Sub(o.NotBefore); ok && (late < 0 || late > time.Second) {
		t.Errorf("offered %s after its time", late)
	}
}

func TestATaskThatCannotBeReadIsGivenUp(t *testing.T) {
	t.Parallel()
	d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
	err := d.Handle(t.Context(), asynq.NewTask(jobs.TypeDeliver, []byte(`{"ids":["Ann"]}`)))
	if !errors.Is(err, asynq.SkipRetry) || strings.Contains(err.Error(), "Ann") {
		t.Errorf("error %v", err)
	}
	if len(d.ledger.claims) > 0 {
		t.Errorf("claimed %v", d.ledger.claims)
	}
}

func TestManyAreClaimedAHundredAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
		d.Gate = deliver.NewGate(400, time.Now, nil)
		if err := d.Handle(t.Context(), task(t, 250)); err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for _, c := range d.ledger.claims {
			sizes = append(sizes, len(c))
		}
		if diff := cmp.Diff([]int{100, 100, 50}, sizes); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
		if got := len(d.ledger.outcomes()); got != 250 {
			t.Errorf("%d outcomes", got)
		}
	})
}

func TestOneThatCannotBeClaimedDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("a row that cannot be read")
		d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
		d.ledger.refuse = func(ids []string) error {
			if slices.Contains(ids, id(7)) {
				return broken
			}
			return nil
		}
		err := d.Handle(t.Context(), task(t, 20))
		if !errors.Is(err, broken) || errors.Is(err, asynq.SkipRetry) || !strings.Contains(err.Error(), id(7)) {
			t.Errorf("error %v", err)
		}
		got := d.ledger.outcomes()
		for i := range 20 {
			if o, ok := got[id(i)]; ok == (i == 7) || (ok && o.Status != deliver.Sent) {
				t.Errorf("%d: %+v", i, o)
			}
		}
	})
}

func TestMessageThatCannotBeClaimedEndsWhenItIsOfNoUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
		d.ledger.refuse = func(ids []string) error {
			if slices.Contains(ids, id(0)) {
				return errors.New("a row that cannot be read")
			}
			return nil
		}
		if err := d.Handle(t.Context(), task(t, 1)); err == nil || d.ledger.expired != nil {
			t.Errorf("expired %v, %v", d.ledger.expired, err)
		}
		d.ledger.notAfter = d.Now().Add(-time.Second)
		if err := d.Handle(t.Context(), task(t, 1)); err != nil || !slices.Equal(d.ledger.expired, []string{id(0)}) {
			t.Errorf("expired %v, %v", d.ledger.expired, err)
		}
	})
}

func TestALedgerThatIsAwayIsNotAskedForEach(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
	d.ledger.refuse = func([]string) error { return away }
	if err := d.Handle(t.Context(), task(t, 100)); !errors.Is(err, away) {
		t.Errorf("error %v", err)
	}
	if got := len(d.ledger.claims); got > 5 {
		t.Errorf("asked %d times", got)
	}
}

func TestAnOutcomeThatCannotBeRecordedIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("away")
		d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
		d.ledger.keep = func(context.Context, string) error { return away }
		if err := d.Handle(t.Context(), task(t, 1)); !errors.Is(err, away) || errors.Is(err, asynq.SkipRetry) {
			t.Errorf("error %v", err)
		}
	})
}

func TestAnOutcomeIsRecordedWhenTheLedgerIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(4 * time.Second)
		d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
		d.ledger.keep = func(context.Context, string) error {
			if time.Now().Before(back) {
				return errors.New("away")
			}
			return nil
		}
		if err := d.Handle(t.Context(), task(t, 1)); err != nil || d.ledger.outcomes()[id(0)].Status != deliver.Sent {
			t.Errorf("%v, %+v", err, d.ledger.outcomes())
		}
	})
}

func TestOutcomesOfALostClaimAreToldToOps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
		d.ledger.gone = true
		if err := d.Handle(t.Context(), task(t, 3)); err != nil {
			t.Fatal(err)
		}
		if log := d.log.String(); !strings.Contains(log, `"level":"ERROR"`) || !strings.Contains(log, `"claim":"claim"`) {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestAPanicOfASenderIsAFailedAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer { panic("Ann Lee +12015550101") }))
		if err := d.Handle(t.Context(), task(t, 2)); err != nil {
			t.Fatal(err)
		}
		got := d.ledger.outcomes()
		for i := range 2 {
			if o := got[id(i)]; o.Status != deliver.Pending || o.Refund {
				t.Errorf("outcome %+v", o)
			}
		}
		if got := d.Gate.InHand(); got != 0 {
			t.Errorf("%d places are lost", got)
		}
		if !strings.Contains(d.log.String(), "panicked") {
			t.Errorf("log:\n%s", d.log)
		}
	})
}

// What the library trips over may be the answer to a message that has gone.
func TestAPanicOnAWayThatKnowsNoRepeatsMayHaveSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer { panic("a bug") }))
		d.Via = deliver.ByTwilio
		if err := d.Handle(t.Context(), task(t, 1)); err != nil {
			t.Fatal(err)
		}
		if o := d.ledger.outcomes()[id(0)]; o.Status != deliver.Unknown {
			t.Errorf("outcome %+v", o)
		}
	})
}

func TestWhatHasBegunIsFinishedAndRecordedThoughTheProcessIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, senderFunc(func(ctx context.Context, _ deliver.Message) deliver.Answer {
			stop()
			select {
			case <-time.After(time.Second):
				return deliver.Answer{Verdict: deliver.Accepted, MessageID: "m-1"}
			case <-ctx.Done():
				return deliver.Answer{Verdict: deliver.Later, Err: ctx.Err()}
			}
		}))
		if err := d.Handle(ctx, task(t, 1)); err != nil {
			t.Fatal(err)
		}
		if o := d.ledger.outcomes()[id(0)]; o.Status != deliver.Sent || o.MessageID != "m-1" {
			t.Errorf("outcome %+v", o)
		}
	})
}

func TestWhatHasNotBegunIsNotClaimedWhenTheProcessIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var tried atomic.Int32
		d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer {
			tried.Add(1)
			stop()
			<-time.After(time.Second) // the others wait for this slot, and see the stop first
			return deliver.Answer{Verdict: deliver.Accepted}
		}))
		d.Gate = deliver.NewGate(1, time.Now, nil)
		d.Gate.Enter(ctx, []deliver.Want{{Practice: "another", Messages: 1}})
		go func() {
			<-time.After(time.Millisecond)
			d.Gate.Leave("another", 1)
		}()
		if err := d.Handle(ctx, task(t, 3)); err != nil {
			t.Fatal(err)
		}
		got := d.ledger.outcomes()
		for i := range 3 { // what was not begun is for somebody else
			if _, offered := d.queue.offered[id(i)]; offered == (got[id(i)].Status == deliver.Sent) {
				t.Errorf("%d: offered again is %t, and %+v", i, offered, got[id(i)])
			}
		}
		if got[id(0)].Status != deliver.Sent {
			t.Errorf("tried %d, the first %+v", tried.Load(), got[id(0)])
		}
		if int(tried.Load()) != len(got) || len(got) != len(d.ledger.claims) {
			t.Errorf("tried %d, claimed %d, recorded %d", tried.Load(), len(d.ledger.claims), len(got))
		}
	})
}

func TestARequestIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		d := newDesk(t, senderFunc(func(ctx context.Context, _ deliver.Message) deliver.Answer {
			<-ctx.Done()
			return deliver.Answer{Verdict: deliver.Later, Err: ctx.Err()}
		}))
		if err := d.Handle(t.Context(), task(t, 1)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != d.Limits.Request {
			t.Errorf("took %s, want %s", took, d.Limits.Request)
		}
	})
}

// A slowLedger takes its time to claim.
type slowLedger struct {
	deliver.Ledger
	takes time.Duration
}

func (l slowLedger) Claim(
	ctx context.Context, ids []string, terms deliver.Terms,
	rule func(deliver.Notification, *practice.Snapshot, []templates.Source) deliver.Ruling,
) (deliver.Claim, error) {
	<-time.After(l.takes)
	return l.Ledger.Claim(ctx, ids, terms, rule)
}

func TestNoRequestBeginsThatCouldOutliveTheClaim(t *testing.T) {
	t.Parallel()
	limits := deliver.Limits{Request: 3 * time.Second, Claim: 10 * time.Second, Task: 12 * time.Second, Shutdown: 15 * time.Second}
	for name, c := range map[string]struct {
		takes time.Duration
		tried int32
	}{
		"claimed in time":  {7 * time.Second, 2},
		"claimed too late": {7*time.Second + time.Millisecond, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var tried atomic.Int32
				d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer {
					tried.Add(1)
					return deliver.Answer{Verdict: deliver.Accepted}
				}))
				d.Limits, d.Ledger = limits, slowLedger{d.ledger, c.takes}
				if err := d.Handle(t.Context(), task(t, 2)); err != nil {
					t.Fatal(err)
				}
				if tried.Load() != c.tried || d.Gate.InHand() != 0 {
					t.Errorf("tried %d, %d places are lost", tried.Load(), d.Gate.InHand())
				}
				for i, o := range d.ledger.outcomes() {
					if released := o.Status == deliver.Pending && o.Refund; released != (c.tried == 0) {
						t.Errorf("%s: %+v", i, o)
					}
				}
			})
		})
	}
}

// What was looked at must leave at once: while one is under way, the next is
// not claimed yet.
func TestNoMoreIsClaimedThanCanLeaveAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer {
			<-time.After(time.Second)
			return deliver.Answer{Verdict: deliver.Accepted}
		}))
		d.Gate = deliver.NewGate(2, time.Now, nil)
		if err := d.Handle(t.Context(), task(t, 5)); err != nil {
			t.Fatal(err)
		}
		for i, c := range d.ledger.claims {
			if len(c) > 2 {
				t.Errorf("claim %d took %d", i, len(c))
			}
		}
		if got := len(d.ledger.outcomes()); got != 5 {
			t.Errorf("%d outcomes", got)
		}
	})
}

func TestAChannelRestsWhenTheReceiverDoesNotKnowUs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tried atomic.Int32
		d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer {
			if tried.Add(1) > 2 {
				return deliver.Answer{Verdict: deliver.Accepted}
			}
			<-time.After(time.Millisecond)
			return deliver.Answer{Verdict: deliver.Misconfigured, Err: errors.New("401")}
		}))
		d.Gate = deliver.NewGate(1, time.Now, nil)
		handle := func() {
			t.Helper()
			if err := d.Handle(t.Context(), task(t, 10)); err != nil {
				t.Fatal(err)
			}
		}

		handle()
		if got := tried.Load(); got > 2 { // one may have waited for the place
			t.Errorf("%d requests were made without the right token", got)
		}
		for i, o := range d.ledger.outcomes() {
			if o.Status != deliver.Pending || !o.Refund {
				t.Errorf("%s: %+v", i, o)
			}
		}
		if got := len(d.ledger.outcomes()); got != 1 {
			t.Errorf("%d outcomes", got)
		}

		asked := len(d.ledger.claims)
		<-time.After(29 * time.Second)
		handle()
		if len(d.ledger.claims) != asked {
			t.Error("claimed while the channel rests")
		}

		<-time.After(time.Second)
		tried.Store(2)
		handle()
		for i, o := range d.ledger.outcomes() {
			if o.Status != deliver.Sent {
				t.Errorf("%s: %+v", i, o)
			}
		}
	})
}

// TestWhatIsThereIsRecordedTogether has one answer come first and 49 while it
// is being recorded.
func TestWhatIsThereIsRecordedTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, senderFunc(func(_ context.Context, m deliver.Message) deliver.Answer {
			if m.NotificationID != id(0) {
				<-time.After(time.Second)
			}
			return deliver.Answer{Verdict: deliver.Accepted}
		}))
		d.Gate = deliver.NewGate(67, time.Now, nil)
		d.ledger.keep = func(context.Context, string) error {
			<-time.After(2 * time.Second)
			return nil
		}
		if err := d.Handle(t.Context(), task(t, 50)); err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for _, r := range d.ledger.records {
			sizes = append(sizes, len(r))
		}
		if diff := cmp.Diff([]int{1, 49}, sizes); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestNoMoreRequestsAreMadeAtOnceThanThereAreSenders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			<-time.After(time.Millisecond)
			return deliver.Answer{Verdict: deliver.Accepted}
		}))
		d.Senders.Stop()
		d.Senders = deliver.StartSenders(4) // one is for another practice
		d.Gate = deliver.NewGate(400, time.Now, nil)
		if err := d.Handle(t.Context(), task(t, 30)); err != nil {
			t.Fatal(err)
		}
		if most.Load() != 3 {
			t.Errorf("%d were in flight at once", most.Load())
		}
	})
}

func TestWhatIsNoLongerRightIsObserved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
		until := time.Now().Add(time.Hour)
		d.ledger.closed = []deliver.Closed{{
			Notification: deliver.Notification{ID: "closed", Address: phone()},
			Ruling:       deliver.Ruling{Close: deliver.Suppressed, Reason: recipients.BadTemplate, Problem: errors.New("template t: line 3")},
		}}
		d.ledger.waiting = []deliver.Waiting{{ID: "waiting", Until: until}}
		var got []string
		d.Observe = func(n deliver.Notification, o deliver.Outcome) {
			got = append(got, n.ID+" "+string(o.Status)+" "+string(o.Reason))
		}
		if err := d.Handle(t.Context(), task(t, 1)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"closed suppressed bad_template", id(0) + " sent "}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !strings.Contains(d.log.String(), "template t: line 3") {
			t.Errorf("ops are not told why:\n%s", d.log)
		}
		if late := d.queue.offered["waiting"].Sub(until); late < 0 || late > time.Second {
			t.Errorf("offered %s after its time", late)
		}
	})
}

func TestAQueueThatIsAwayIsNoError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Later}))
		d.queue.err = errors.New("away")
		if err := d.Handle(t.Context(), task(t, 2)); err != nil {
			t.Errorf("the ledger knows of them: %v", err)
		}
		if !strings.Contains(d.log.String(), `"level":"WARN"`) {
			t.Errorf("log:\n%s", d.log)
		}
	})
}
