package deliver_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rappel/internal/kind"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

// moment is when the messages of these tests are answered.
func moment() time.Time { return time.Date(2026, time.December, 9, 12, 0, 0, 0, time.UTC) }

// became is what is recorded of one message about which the ledger holds more,
// and whether the queue was asked for another look at the right time.
func became(t *testing.T, a deliver.Answer, about func(*deliver.Notification)) deliver.Outcome {
	t.Helper()
	d := newDesk(t, answers(a))
	d.Now = moment
	d.ledger.notAfter, d.ledger.about = moment().Add(24*time.Hour), about
	if err := d.Handle(t.Context(), task(t, 1)); err != nil {
		t.Fatal(err)
	}
	o := d.ledger.outcomes()[id(0)]
	next := o.NotBefore
	if !o.RepeatAt.IsZero() {
		next = o.RepeatAt
	}
	at, offered := d.queue.offered[id(0)]
	if late := at.Sub(next); offered == next.IsZero() || (offered && (late < 0 || late > time.Second)) {
		t.Errorf("%s, offered for %s: %+v", o.Status, at, o)
	}
	return o
}

func TestWhatMayHaveGoneIsRepeatedWhereItMatters(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	type message struct {
		kind   kind.Kind
		starts time.Time
		want   time.Duration // to the repeat; zero: never
	}
	in := func(d time.Duration) time.Time { return moment().Add(d) }
	cases := map[string]message{
		"a reminder":                           {kind.Reminder, in(day), 5 * time.Minute},
		"a cancellation":                       {kind.Cancelled, in(day), 5 * time.Minute},
		"a reminder of what is a year ahead":   {kind.Reminder, in(365 * day), 5 * time.Minute},
		"more than an hour before the start":   {kind.Reminder, in(65*time.Minute + time.Nanosecond), 5 * time.Minute},
		"an hour before the start":             {kind.Reminder, in(65 * time.Minute), 0},
		"a cancellation an hour before":        {kind.Cancelled, in(65 * time.Minute), 0},
		"a reminder at the last moment":        {kind.Reminder, in(time.Minute), 0},
		"a reminder of what is over":           {kind.Reminder, in(-day), 0},
		"a reminder of what begins at no time": {kind.Reminder, time.Time{}, 0},
	}
	for _, k := range kind.All() {
		if k != kind.Reminder && k != kind.Cancelled {
			cases["not "+string(k)] = message{k, in(day), 0}
		}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := became(t, deliver.Answer{Verdict: deliver.Unanswered, Err: errors.New("no answer")}, func(n *deliver.Notification) {
				n.Kind, n.StartsAt = c.kind, c.starts
			})
			want := deliver.Outcome{ID: id(0), Status: deliver.Unknown, Problem: "no answer", At: moment()}
			if c.want > 0 {
				want.RepeatAt = moment().Add(c.want)
			}
			if diff := cmp.Diff(want, o); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// repeated is a reminder, a day ahead, that may have gone before.
func repeated(n *deliver.Notification) {
	n.Repeat, n.StartsAt, n.Attempts = true, moment().Add(24*time.Hour), 2
}

func TestARepeatIsTheLast(t *testing.T) {
	t.Parallel()
	optedOut := &deliver.Silence{PracticeID: "p", Channel: recipients.SMS, Address: phone(), Code: "opted_out", Source: "twilio"}
	cases := map[string]struct {
		answer deliver.Answer
		want   deliver.Outcome
	}{
		"taken":                 {deliver.Answer{Verdict: deliver.Accepted, MessageID: "m-2"}, deliver.Outcome{Status: deliver.Sent, MessageID: "m-2"}},
		"unanswered once more":  {deliver.Answer{Verdict: deliver.Unanswered}, deliver.Outcome{Status: deliver.Unknown}},
		"refused":               {deliver.Answer{Verdict: deliver.Refused, Code: "30003"}, deliver.Outcome{Status: deliver.Unknown, ErrorCode: "30003"}},
		"refused for a STOP":    {deliver.Answer{Verdict: deliver.Refused, Code: "opted_out"}, deliver.Outcome{Status: deliver.Unknown, ErrorCode: "opted_out", Silence: optedOut}},
		"not taken, too many":   {deliver.Answer{Verdict: deliver.Busy, RetryAfter: time.Hour}, deliver.Outcome{Status: deliver.Unknown, RepeatAt: moment().Add(time.Hour), Refund: true}},
		"certainly not arrived": {deliver.Answer{Verdict: deliver.Later, RetryAfter: time.Hour}, deliver.Outcome{Status: deliver.Unknown, RepeatAt: moment().Add(time.Hour)}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, answers(c.answer))
				d.Now, d.Via, d.ledger.about = moment, deliver.ByTwilio, repeated
				if err := d.Handle(t.Context(), task(t, 1)); err != nil {
					t.Fatal(err)
				}
				c.want.ID, c.want.At = id(0), moment()
				same := cmp.Comparer(func(a, b recipients.Address) bool { return a == b })
				if diff := cmp.Diff(c.want, d.ledger.outcomes()[id(0)], same); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Whatever is answered to a repeat, nobody may say that the message did not go,
// and it does not go too late.
func TestARepeatNeverDidNotGo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		answer := deliver.Answer{
			Verdict:    deliver.Verdict(rapid.IntRange(0, int(deliver.Unanswered)).Draw(r, "verdict")),
			RetryAfter: span(r, "asked"),
		}
		left := span(r, "left")
		attempts := rapid.IntRange(2, 20).Draw(r, "attempts")
		o := became(t, answer, func(n *deliver.Notification) {
			n.Repeat, n.StartsAt, n.NotAfter, n.Attempts = true, moment().Add(left), moment().Add(left), attempts
		})
		if o.Status != deliver.Unknown && (o.Status != deliver.Sent || answer.Verdict != deliver.Accepted) {
			r.Errorf("%+v", o)
		}
		if again := o.RepeatAt; !again.IsZero() && (moment().Add(left).Sub(again) <= time.Hour || !again.After(moment())) {
			r.Errorf("%s to the start, and again in %s", left, again.Sub(moment()))
		}
	})
}

// span draws a time of any order of magnitude, up to four hours.
func span(r *rapid.T, what string) time.Duration {
	unit := rapid.SampledFrom([]time.Duration{0, time.Nanosecond, time.Second, time.Minute}).Draw(r, what+" in")
	return unit * time.Duration(rapid.SampledFrom([]int{1, 2, 5, 9, 10, 11, 30, 59, 60, 61, 65, 70, 119, 120, 240}).Draw(r, what))
}

// A message is asked for again before it is of no more use, and not before the
// receiver wants to be asked; it expires only where that leaves no time.
func TestWhatIsToBeTriedAgainIsTriedWhileItIsOfUse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		answer := deliver.Answer{
			Verdict:    rapid.SampledFrom([]deliver.Verdict{deliver.Later, deliver.Busy}).Draw(r, "verdict"),
			RetryAfter: span(r, "asked"),
		}
		left := max(span(r, "left"), 1)
		attempts := rapid.IntRange(1, 20).Draw(r, "attempts")
		o := became(t, answer, func(n *deliver.Notification) { n.NotAfter, n.Attempts = moment().Add(left), attempts })
		asked, wait := min(answer.RetryAfter, time.Hour), o.NotBefore.Sub(moment())
		switch half := left / 2; {
		case o.Status == deliver.Pending && (wait <= 0 || wait >= left || wait < asked):
			r.Errorf("of %s left, %s are waited for where %s were asked for", left, wait, asked)
		case o.Status == deliver.Expired && (o.Reason != recipients.AttemptsExhausted || half >= max(asked, deliver.First)):
			r.Errorf("%s left and %s asked for: %+v", left, asked, o)
		case o.Status != deliver.Pending && o.Status != deliver.Expired:
			r.Errorf("%+v", o)
		}
		if o.Refund != (answer.Verdict == deliver.Busy) {
			r.Errorf("the attempt is given back: %+v", o)
		}
	})
}

// TestALongWaitYieldsToHalfOfTheTimeLeft has a random wait that is mostly longer
// than what is left.
func TestALongWaitYieldsToHalfOfTheTimeLeft(t *testing.T) {
	t.Parallel()
	const left = 10 * time.Second
	halves := 0
	for range 50 {
		o := became(t, deliver.Answer{Verdict: deliver.Later}, func(n *deliver.Notification) {
			n.NotAfter, n.Attempts = moment().Add(left), 20
		})
		if o.Status != deliver.Pending {
			t.Fatalf("%+v", o)
		}
		if o.NotBefore.Equal(moment().Add(left / 2)) {
			halves++
		}
	}
	if halves < 40 { // a wait of less than ten seconds out of ten minutes is rare
		t.Errorf("half of the time left was waited for %d times of 50", halves)
	}
}

// fate writes a ruling on what may have gone for people.
func fate(r deliver.Ruling, now time.Time) string {
	if r.Close != deliver.Unknown {
		return verdict(r)
	}
	said := "unknown"
	if r.Reason != "" {
		said += ": " + string(r.Reason)
	}
	if !r.RepeatAt.IsZero() {
		said += fmt.Sprintf(", again in %s", r.RepeatAt.Sub(now))
	}
	if r.Problem != nil {
		said += ", with a problem"
	}
	return said
}
