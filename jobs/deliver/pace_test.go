package deliver_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"rappel/jobs/deliver"
)

// quick has a receiver answer so often, each time after the same while.
func quick(g *deliver.Gate, n int, took time.Duration) {
	for range n {
		g.Answered("quick", took, 1)
		g.Report("quick", deliver.Answer{Verdict: deliver.Accepted})
	}
}

func TestAsManyAreInHandAsLeaveWithinAMoment(t *testing.T) {
	t.Parallel()
	const three = 3 // quarters of 4 requests: see Gate
	for name, c := range map[string]struct {
		answers func(*deliver.Gate)
		want    int
	}{
		"nobody has answered": {func(*deliver.Gate) {}, three},
		"it was quick once":   {func(g *deliver.Gate) { quick(g, 1, time.Millisecond) }, three},
		"it is quick":         {func(g *deliver.Gate) { quick(g, 200, time.Millisecond) }, 16 * three},
		"it takes 12 ms":      {func(g *deliver.Gate) { quick(g, 500, 12*time.Millisecond) }, 4 * three},
		"it takes a second":   {func(g *deliver.Gate) { quick(g, 200, time.Second) }, three},
		"it was quick, and is in trouble": {func(g *deliver.Gate) {
			quick(g, 200, time.Millisecond)
			for range 50 {
				g.Report("quick", deliver.Answer{Verdict: deliver.Later})
			}
		}, three},
		"it was quick, and refuses one message": {func(g *deliver.Gate) {
			quick(g, 200, time.Millisecond)
			g.Report("quick", deliver.Answer{Verdict: deliver.Refused})
		}, 16 * three},
		"another practice is slow": {func(g *deliver.Gate) {
			quick(g, 200, time.Millisecond)
			g.Answered("slow", time.Minute, 1)
			quick(g, 50, time.Millisecond)
		}, 16 * three},
		"it is slow, and the others are not": {func(g *deliver.Gate) {
			quick(g, 200, time.Millisecond)
			g.Answered("a", time.Minute, 1)
			quick(g, 50, time.Millisecond)
		}, three},
		"it was slow, and is quick again": {func(g *deliver.Gate) {
			quick(g, 200, time.Millisecond)
			g.Answered("a", time.Minute, 1)
			for range 50 {
				g.Answered("a", time.Millisecond, 1)
			}
		}, 16 * three},
		"a hundred in one request": {func(g *deliver.Gate) {
			for range 200 {
				g.Answered("quick", time.Second/4, 100)
			}
		}, 16 * three},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate(4)
				c.answers(g)
				if got := enter(g, "a", 1000); got != c.want {
					t.Errorf("%d are in hand, want %d", got, c.want)
				}
			})
		})
	}
}

// Whoever is in hand when a quick receiver becomes slow leaves before anybody
// else comes in.
func TestNobodyComesInWhileMoreAreInHandThanThereIsRoomFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(4)
		quick(g, 200, time.Millisecond)
		held := enter(g, "a", 1000)
		quick(g, 200, time.Second)
		if got := enter(g, "b", 1); got != 0 {
			t.Errorf("%d came in", got)
		}
		g.Leave("a", held)
		if got := enter(g, "b", 1); got != 1 {
			t.Error("the places are lost")
		}
	})
}

func TestTheStraightWayIsForWhoHasRoom(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(*deliver.Handler)
		want   bool
	}{
		"there is room":        {func(*deliver.Handler) {}, true},
		"its places are taken": {func(h *deliver.Handler) { enter(h.Gate, "a", 100) }, false},
		"another's are taken":  {func(h *deliver.Handler) { enter(h.Gate, "b", 100) }, true},
		"its rate is limited":  {func(h *deliver.Handler) { h.Rates = rates{} }, false},
		"the process stops":    {func(h *deliver.Handler) { h.Gate.Close() }, false},
		"the receiver is busy": {func(h *deliver.Handler) {
			h.Gate.Report("a", deliver.Answer{Verdict: deliver.Busy, RetryAfter: time.Second})
		}, false},
		"the way out is misplaced": {func(h *deliver.Handler) {
			for range 3 {
				h.Gate.Report("b", deliver.Answer{Verdict: deliver.Misconfigured})
			}
		}, false},
		"one of its own waits": {func(h *deliver.Handler) {
			enter(h.Gate, "b", 100)
			enter(h.Gate, "a", 100)
			go h.Gate.Enter(context.Background(), []deliver.Want{{Practice: "a", Messages: 9}})
			synctest.Wait()
			h.Gate.Leave("b", 1) // not enough for who waits
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
				c.before(d.Handler)
				before := d.Gate.InHand()
				if got := d.Admit("a"); got != c.want {
					t.Errorf("admitted: %t", got)
				}
				if taken := d.Gate.InHand() - before; taken == 1 != c.want {
					t.Errorf("it took %d places", taken)
				}
				d.Gate.Close()
			})
		})
	}
}

// Who plans waits for a desk that is full, but no longer than it takes to plan
// some more.
func TestWhoPlansDoesNotRunAheadOfADesk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer, least, most time.Duration
	}{
		"a quick receiver": {10 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond},
		"a slow one":       {time.Second, 25 * time.Millisecond, 25 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer {
					<-time.After(c.answer)
					return deliver.Answer{Verdict: deliver.Accepted}
				}))
				began := time.Now()
				claim, err := d.Begin()
				if err != nil {
					t.Fatal(err)
				}
				for i := 0; d.Admit("a"); i++ {
					claim.Add(deliver.Notification{ID: id(i), PracticeID: "a"}, deliver.Message{})
				}
				d.Take(t.Context(), claim)
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("it waited %s", took)
				}
				d.Wait()
				if d.Gate.InHand() != 0 || len(d.ledger.outcomes()) != len(claim.Messages) {
					t.Errorf("%d are in hand, %d of %d are recorded", d.Gate.InHand(), len(d.ledger.outcomes()), len(claim.Messages))
				}
			})
		})
	}
}

// A receiver that hangs answers nothing that the pace could be learnt from. What
// is given back for it is not taken in hand again before it answers.
func TestWhatWaitedInVainDoesNotComeBackAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, senderFunc(func(context.Context, deliver.Message) deliver.Answer {
			<-time.After(5 * time.Second)
			return deliver.Answer{Verdict: deliver.Accepted}
		}))
		d.Gate = newGate(4)
		d.Senders.Stop()
		d.Senders = deliver.StartSenders(4)
		quick(d.Gate, 200, time.Millisecond)
		handled := make(chan error)
		go func() { handled <- d.Handle(t.Context(), task(t, 40)) }()
		<-time.After(time.Second)
		if inHand, more := d.Gate.InHand(), enter(d.Gate, "a", 100); inHand != 3 || more > 1 { // one is for another practice
			t.Errorf("%d are being asked for, and %d more come in", inHand, more)
		}
		if err := <-handled; err != nil {
			t.Error(err)
		}
	})
}
