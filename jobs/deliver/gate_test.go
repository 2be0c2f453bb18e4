package deliver_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rappel/jobs/deliver"
)

// newGate has its clock from the test, which may be a synctest bubble.
func newGate(size int) *deliver.Gate { return deliver.NewGate(size, time.Now, nil) }

// enter asks for n messages of a practice without waiting, and returns how many
// may leave.
func enter(g *deliver.Gate, practice string, n int) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
	defer cancel()
	return g.Enter(ctx, []deliver.Want{{Practice: practice, Messages: n}}).Granted[practice]
}

func TestThePlacesAreSharedAndOneIsLeftForWhoComesNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		for i, want := range []int{48, 12, 3, 1, 0} { // three quarters of what is left, each time
			if got := enter(g, fmt.Sprint(i), 100); got != want {
				t.Errorf("practice %d got %d places, want %d", i, got, want)
			}
		}
		g.Leave("0", 48)
		if got := enter(g, "late", 100); got == 0 {
			t.Error("who comes late gets none")
		}
	})
}

func TestOneMessageLeavesWhereThereIsOnePlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		if enter(g, "a", 5) != 1 || enter(g, "b", 1) != 0 {
			t.Error("one place is not one place")
		}
		g.Leave("a", 1)
		if enter(g, "b", 1) != 1 {
			t.Error("the place was lost")
		}
	})
}

func TestAPassTakesFromEachPracticeOfATask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(20)
		enter(g, "full", 100)
		pass := g.Enter(t.Context(), []deliver.Want{{"full", 50}, {"a", 1}, {"b", 2}})
		if diff := cmp.Diff(map[string]int{"a": 1, "b": 2}, pass.Granted); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhoWaitsIsLetInWhenAPlaceIsFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		enter(g, "a", 1)
		var order []string
		var mu sync.Mutex
		for _, practice := range []string{"b", "c"} {
			go func() {
				g.Enter(t.Context(), []deliver.Want{{practice, 1}})
				mu.Lock()
				order = append(order, practice)
				mu.Unlock()
				g.Leave(practice, 1)
			}()
			synctest.Wait()
		}
		g.Leave("a", 1)
		synctest.Wait()
		if diff := cmp.Diff([]string{"b", "c"}, order); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhoWaitsIsSentAwayWhenTheGateCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		enter(g, "a", 1)
		went := make(chan deliver.Pass)
		go func() { went <- g.Enter(t.Context(), []deliver.Want{{"b", 1}}) }()
		synctest.Wait()
		g.Close()
		if pass := <-went; len(pass.Granted)+len(pass.Parked) > 0 {
			t.Errorf("%+v", pass)
		}
		g.Leave("a", 1)
		if enter(g, "b", 1) != 0 {
			t.Error("a closed gate lets through")
		}
	})
}

// Whatever comes and goes, no place is lost, none is given twice, and everybody
// gets through.
func TestNoPlaceIsLostNorGivenTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 20).Draw(t, "size")
		tasks := rapid.SliceOfN(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.IntRange(1, 9), 1, 3), 1, 9).Draw(t, "tasks")
		g := newGate(size)
		var inFlight atomic.Int32
		var all sync.WaitGroup
		for _, task := range tasks {
			all.Go(func() {
				left := maps.Clone(task)
				for len(left) > 0 {
					var wants []deliver.Want
					for p, n := range left {
						wants = append(wants, deliver.Want{Practice: p, Messages: n})
					}
					for p, n := range g.Enter(context.Background(), wants).Granted {
						if now := inFlight.Add(int32(n)); int(now) > size {
							t.Errorf("%d in flight with %d places", now, size)
						}
						if left[p] -= n; left[p] == 0 {
							delete(left, p)
						}
						for range n {
							inFlight.Add(-1)
							g.Leave(p, 1)
						}
					}
				}
			})
		}
		all.Wait()
		if g.InHand() != 0 {
			t.Errorf("%d places are lost", g.InHand())
		}
	})
}

// fail has n messages of a practice fail, over a few seconds.
func fail(g *deliver.Gate, practice string, n int) {
	for range n {
		g.Report(practice, deliver.Answer{Verdict: deliver.Later})
		<-time.After(300 * time.Millisecond)
	}
}

func works(g *deliver.Gate, practice string) {
	g.Report(practice, deliver.Answer{Verdict: deliver.Accepted})
}

func TestAPracticeWhoseMessagesFailIsParkedAndTheOthersAreNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		works(g, "b")
		fail(g, "b", 3) // so that it is not the only one that asks
		fail(g, "a", 9)
		if g.Parked("a") != 0 {
			t.Error("parked after nine")
		}
		fail(g, "a", 1)
		if g.Parked("a") == 0 || g.Parked("b") != 0 || g.Parked("c") != 0 {
			t.Errorf("a for %s, b for %s, c for %s", g.Parked("a"), g.Parked("b"), g.Parked("c"))
		}
		if way, parked := g.State(); way != deliver.BreakerClosed || parked != 1 {
			t.Errorf("the way is %s, %d practices are parked", way, parked)
		}
	})
}

func TestWhatFailsAllAtOnceParksNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		for range 50 {
			g.Report("a", deliver.Answer{Verdict: deliver.Later})
		}
		if g.Parked("a") != 0 {
			t.Error("parked")
		}
		<-time.After(3 * time.Second)
		g.Report("a", deliver.Answer{Verdict: deliver.Later})
		if g.Parked("a") == 0 {
			t.Error("not parked though it goes on")
		}
	})
}

func TestOneSuccessForgetsTheFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		fail(g, "a", 9)
		works(g, "a")
		fail(g, "a", 9)
		if g.Parked("a") != 0 {
			t.Error("parked")
		}
	})
}

func TestAWayOutThatTakesNothingIsParkedAsAWhole(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{
		"for the only practice that asks": {"a"},
		"for two that ask":                {"a", "b"},
		"for three of many":               {"a", "b", "c"},
	}
	for name, practices := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate(64)
				for _, p := range practices {
					fail(g, p, 1)
				}
				for _, p := range practices {
					fail(g, p, 10)
				}
				if way, _ := g.State(); way != deliver.BreakerOpen {
					t.Errorf("the way is %s", way)
				}
				// The trouble may be theirs alone, unless they are many.
				if stranger := g.Parked("z"); (stranger > 0) != (len(practices) == 3) {
					t.Errorf("a practice that has not tried is parked for %s", stranger)
				}
			})
		})
	}
}

func TestAStrangerWhoGetsThroughOpensTheWayAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		enter(g, "a", 48) // they hang there
		fail(g, "a", 10)
		if got := enter(g, "z", 10); got != 3 {
			t.Errorf("%d probes", got)
		}
		works(g, "z")
		if way, parked := g.State(); way != deliver.BreakerRamping || parked != 1 {
			t.Errorf("the way is %s, %d practices are parked", way, parked)
		}
	})
}

func TestAParkedWayIsProbedAndOpensStepByStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		g.Report("a", deliver.Answer{Verdict: deliver.Misconfigured})
		if g.Parked("a") != 30*time.Second || g.Parked("b") != 30*time.Second {
			t.Errorf("parked for %s and %s", g.Parked("a"), g.Parked("b"))
		}
		works(g, "b") // left before, and proves nothing
		if g.Parked("a") == 0 {
			t.Error("opened by an old answer")
		}
		<-time.After(30 * time.Second)
		for _, want := range []int{1, 4, 8, 16, 32, 48, 48} {
			got := enter(g, "a", 100)
			if got != want {
				t.Errorf("%d in flight, want %d", got, want)
			}
			for range got {
				works(g, "a")
			}
			g.Leave("a", got)
		}
		if way, _ := g.State(); way != deliver.BreakerClosed {
			t.Errorf("the way is %s", way)
		}
	})
}

func TestAWayThatStaysBadIsParkedLongerUpToHalfAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		fail(g, "a", 10)
		var rests []time.Duration
		for range 5 {
			rest := g.Parked("a")
			rests = append(rests, rest.Round(time.Second))
			<-time.After(rest)
			for range 3 {
				g.Report("a", deliver.Answer{Verdict: deliver.Later})
			}
		}
		s := time.Second
		if diff := cmp.Diff([]time.Duration{5 * s, 10 * s, 20 * s, 30 * s, 30 * s}, rests); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestTooManyRequestsParkThePracticeForAsLongAsWasAskedUpToHalfAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		g.Report("a", deliver.Answer{Verdict: deliver.Busy, RetryAfter: 20 * time.Second})
		g.Report("b", deliver.Answer{Verdict: deliver.Busy})
		g.Report("c", deliver.Answer{Verdict: deliver.Busy, RetryAfter: 9 * time.Hour})
		if g.Parked("a") != 20*time.Second || g.Parked("c") != 30*time.Second {
			t.Errorf("a for %s, c for %s", g.Parked("a"), g.Parked("c"))
		}
		if b := g.Parked("b"); b < 2*time.Second || b > 10*time.Second {
			t.Errorf("b for %s", b)
		}
		if way, _ := g.State(); way != deliver.BreakerClosed {
			t.Errorf("the way is %s", way)
		}
	})
}

func TestOpsAreToldOfWhatIsParkedAndResumes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told []deliver.GateChange
		g := deliver.NewGate(64, time.Now, func(c deliver.GateChange) { told = append(told, c) })
		for range 3 {
			g.Report("a", deliver.Answer{Verdict: deliver.Misconfigured})
		}
		<-time.After(31 * time.Second)
		works(g, "a")
		works(g, "a")
		want := []deliver.GateChange{{Parked: 30 * time.Second, Cause: deliver.Misconfigured}, {}}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Refused is an answer too: the receiver is there.
func TestARefusalIsNoFailureOfTheWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		for range 100 {
			g.Report("a", deliver.Answer{Verdict: deliver.Refused})
			<-time.After(time.Duration(rand.IntN(100)) * time.Millisecond)
		}
		if g.Parked("a") > 0 {
			t.Error("parked")
		}
	})
}

func TestASmallGateHasAPlaceForWhoComesNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for size := 2; size < 8; size++ {
			g := newGate(size)
			for range size {
				enter(g, "a", 100)
			}
			if enter(g, "b", 1) != 1 {
				t.Errorf("of %d places none is left", size)
			}
		}
	})
}

// A receiver may have something against one message, such as a firewall that
// dislikes a word; that must not hold up the others.
func TestOneMessageThatIsForbiddenDoesNotParkTheWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		for range 20 {
			works(g, "b")
			g.Report("a", deliver.Answer{Verdict: deliver.Misconfigured})
			g.Report("a", deliver.Answer{Verdict: deliver.Misconfigured})
			<-time.After(time.Second)
		}
		if g.Parked("a") > 0 || g.Parked("b") > 0 {
			t.Error("parked")
		}
		works(g, "b")
		for range 3 { // the token was changed
			g.Report("b", deliver.Answer{Verdict: deliver.Misconfigured})
		}
		if g.Parked("a") == 0 || g.Parked("b") == 0 {
			t.Error("not parked")
		}
	})
}

// After an outage of all, one practice goes on to fail, and its backlog is first
// at every probe.
func TestOnePracticeThatGoesOnToFailDoesNotKeepTheWayShut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		for _, p := range []string{"bad", "good", "other"} {
			fail(g, p, 1)
		}
		for _, p := range []string{"bad", "good", "other"} {
			fail(g, p, 10)
		}
		began := time.Now()
		for {
			<-time.After(max(g.Parked("bad"), time.Millisecond))
			for n := enter(g, "bad", 100); n > 0; n = enter(g, "bad", 100) {
				g.Report("bad", deliver.Answer{Verdict: deliver.Later})
				g.Leave("bad", n)
			}
			if g.Parked("good") == 0 && enter(g, "good", 1) == 1 {
				break
			}
			if time.Since(began) > 5*time.Minute {
				t.Fatal("the good one is never let in")
			}
		}
		works(g, "good")
		g.Leave("good", 1)
		if way, _ := g.State(); way == deliver.BreakerOpen {
			t.Error("the way is still shut")
		}
	})
}

// What we ourselves know that the receiver would refuse says nothing of it.
func TestARefusalOfOurOwnDoesNotOpenAParkedWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(64)
		fail(g, "a", 10)
		g.Report("b", deliver.Answer{Verdict: deliver.Refused, Unasked: true})
		if way, _ := g.State(); way != deliver.BreakerOpen {
			t.Errorf("the way is %s", way)
		}
		g.Report("b", deliver.Answer{Verdict: deliver.Refused})
		if way, _ := g.State(); way == deliver.BreakerOpen {
			t.Error("a receiver that refuses is there")
		}
	})
}
