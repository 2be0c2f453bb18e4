package deliver_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/jobs/deliver"
	"rappel/recipients"
)

// rates allow each practice a number of messages at once, and the rest later.
type rates struct {
	allowed map[string]int
	wait    time.Duration
}

func (r rates) Allow(_ context.Context, c recipients.Channel, practice string, n int) (int, time.Duration) {
	if c != recipients.SMS {
		panic("the desk's channel is another")
	}
	allowed := min(r.allowed[practice], n)
	r.allowed[practice] -= allowed
	return allowed, r.wait
}

// two says that every second notification is of practice b.
func two(of string) string {
	if of[len(of)-1]%2 == 1 {
		return "b"
	}
	return "a"
}

// expectParked fails the test unless these are parked and offered later, each
// for at least as long and not much longer, and nobody has claimed them.
func (d desk) expectParked(t *testing.T, wait time.Duration, want ...string) {
	t.Helper()
	if len(d.ledger.parked) != len(want) {
		t.Errorf("parked: %v", d.ledger.parked)
	}
	for _, id := range want {
		for what, got := range map[string]time.Duration{"parked": d.ledger.parked[id], "offered": d.queue.offered[id].Sub(d.Now())} {
			if got < wait || got > wait+wait/4+time.Second {
				t.Errorf("%s is %s for %s", id, what, got)
			}
		}
		if _, ok := d.ledger.outcomes()[id]; ok {
			t.Errorf("%s was claimed", id)
		}
	}
	if n := d.Gate.InHand(); n != 0 {
		t.Errorf("%d places are lost", n)
	}
}

func TestAPracticeBeyondItsRateWaitsAndTheOthersDoNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		allowed, sent int
		parked        []string
	}{
		"all may go": {3, 6, nil},
		"two may go": {2, 5, []string{id(4)}},
		"none may":   {0, 3, []string{id(0), id(2), id(4)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
				d.ledger.practice = two
				d.Gate, d.Rates = deliver.NewGate(64, time.Now, nil), rates{map[string]int{"a": c.allowed, "b": 9}, time.Second}
				if err := d.Handle(t.Context(), task(t, 6)); err != nil {
					t.Fatal(err)
				}
				if got := len(d.ledger.outcomes()); got != c.sent {
					t.Errorf("%d were sent", got)
				}
				d.expectParked(t, time.Duration(4*len(c.parked))*time.Second, c.parked...)
			})
		})
	}
}

func TestAParkedPracticeIsLookedAtWhenItNoLongerIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
		d.ledger.practice = two
		d.Gate.Report("a", deliver.Answer{Verdict: deliver.Busy, RetryAfter: 20 * time.Second})
		if err := d.Handle(t.Context(), task(t, 4)); err != nil {
			t.Fatal(err)
		}
		d.expectParked(t, 20*time.Second, id(0), id(2))
		if got := len(d.ledger.outcomes()); got != 2 {
			t.Errorf("%d were sent", got)
		}
	})
}

func TestATaskThatFindsNoPlaceGoesToTheEndOfTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
		d.Gate = newGate(1)
		enter(d.Gate, "another", 1)
		if err := d.Handle(t.Context(), task(t, 2)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took <= d.Limits.Request || took > d.Limits.Request+time.Second {
			t.Errorf("waited for %s, a request takes up to %s", took, d.Limits.Request)
		}
		if len(d.ledger.claims) > 0 || d.ledger.parked[id(0)] <= time.Since(began) {
			t.Errorf("claimed %v, not forgotten for %v", d.ledger.claims, d.ledger.parked)
		}
		want := map[string]time.Time{id(0): time.Now().Add(time.Second), id(1): time.Now().Add(time.Second)}
		if diff := cmp.Diff(want, d.queue.offered); diff != "" {
			t.Errorf("offered (-want +got):\n%s", diff)
		}
	})
}

func TestWhatIsGivenBackUntriedIsAsItWas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		about func(*deliver.Notification)
		want  func(now time.Time) deliver.Outcome
	}{
		"a first attempt": {nil, func(now time.Time) deliver.Outcome {
			return deliver.Outcome{ID: id(0), Status: deliver.Pending, NotBefore: now, Refund: true, At: now}
		}},
		"a repeat": {repeated, func(now time.Time) deliver.Outcome {
			return deliver.Outcome{ID: id(0), Status: deliver.Unknown, RepeatAt: now, Refund: true, At: now}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var tried atomic.Int32
				d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer {
					tried.Add(1)
					return deliver.Answer{Verdict: deliver.Accepted}
				}))
				d.ledger.about, d.Ledger = c.about, slowLedger{d.ledger, d.Limits.Claim} // too late to begin
				if err := d.Handle(t.Context(), task(t, 1)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want(time.Now()), d.ledger.outcomes()[id(0)]); diff != "" || tried.Load() > 0 {
					t.Errorf("tried %d times (-want +got):\n%s", tried.Load(), diff)
				}
				if at, ok := d.queue.offered[id(0)]; !ok || !at.IsZero() {
					t.Errorf("offered: %t, for %s, and not at once", ok, at)
				}
			})
		})
	}
}

// TestWhatIsClaimedOfAPracticeThatIsParkedMeanwhileIsGivenBack has the gate shut
// between the claim and the first request.
func TestWhatIsClaimedOfAPracticeThatIsParkedMeanwhileIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer {
			t.Error("it was tried")
			return deliver.Answer{}
		}))
		d.ledger.about = repeated
		d.ledger.refuse = func([]string) error {
			d.Gate.Report("p", deliver.Answer{Verdict: deliver.Busy, RetryAfter: 20 * time.Second})
			return nil
		}
		if err := d.Handle(t.Context(), task(t, 1)); err != nil {
			t.Fatal(err)
		}
		want := deliver.Outcome{ID: id(0), Status: deliver.Unknown, RepeatAt: time.Now().Add(20 * time.Second), Refund: true, At: time.Now()}
		if diff := cmp.Diff(want, d.ledger.outcomes()[id(0)]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhatWasFoundToMayHaveGoneIsOfferedForItsRepeat(t *testing.T) {
	t.Parallel()
	d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
	at := time.Now().Add(5 * time.Minute)
	d.ledger.closed = []deliver.Closed{
		{Notification: deliver.Notification{ID: "again"}, Ruling: deliver.Ruling{Close: deliver.Unknown, RepeatAt: at}},
		{Notification: deliver.Notification{ID: "never"}, Ruling: deliver.Ruling{Close: deliver.Unknown, Problem: errors.New("why")}},
	}
	if err := d.Handle(t.Context(), task(t, 1)); err != nil {
		t.Fatal(err)
	}
	if late := d.queue.offered["again"].Sub(at); late < 0 || late > time.Second {
		t.Errorf("offered %s after its time", late)
	}
	if when, ok := d.queue.offered["never"]; ok {
		t.Errorf("offered for %s", when)
	}
}
