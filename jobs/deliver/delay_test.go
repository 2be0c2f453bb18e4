package deliver_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rappel/jobs/deliver"
)

// TestDelay draws any number of attempts and any wait that a receiver may ask
// for: the delay is at least what was asked, an hour at most, and else random
// below a limit that doubles from 5 seconds to 10 minutes.
func TestDelay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		attempts := rapid.OneOf(rapid.IntRange(-1, 12), rapid.IntMin(0)).Draw(t, "attempts")
		asked := time.Duration(rapid.OneOf(rapid.Int64Range(0, int64(2*time.Hour)), rapid.Int64()).Draw(t, "asked"))
		got := deliver.Delay(attempts, asked)
		limit := deliver.Most
		if attempts <= 7 {
			limit = min(deliver.First<<max(attempts-1, 0), deliver.Most)
		}
		obeyed := min(asked, time.Hour)
		if got <= 0 || got < obeyed || got > max(limit, obeyed) {
			t.Fatalf("Delay(%d, %s) = %s", attempts, asked, got)
		}
	})
}

func TestDelaysAreSpreadAndGrow(t *testing.T) {
	t.Parallel()
	most := func(attempts int) (longest time.Duration, different int) {
		seen := map[time.Duration]bool{}
		for range 200 {
			d := deliver.Delay(attempts, 0)
			seen[d], longest = true, max(longest, d)
		}
		return longest, len(seen)
	}
	for attempts, atLeast := range map[int]time.Duration{1: 4 * time.Second, 2: 8 * time.Second, 5: time.Minute, 8: 8 * time.Minute, 100: 8 * time.Minute} {
		longest, different := most(attempts)
		if longest < atLeast || different < 100 {
			t.Errorf("after %d attempts: at most %s, %d different ones", attempts, longest, different)
		}
	}
}

// TestEachLimitEndsBeforeTheNext holds for every shutdown that may be configured.
func TestEachLimitEndsBeforeTheNext(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shutdown := time.Duration(rapid.Int64Range(int64(5*time.Second), int64(10*time.Minute)).Draw(t, "shutdown"))
		l := deliver.LimitsWithin(shutdown)
		if l.Request <= 0 || l.Request >= l.Claim || l.Claim >= l.Task || l.Task >= l.Shutdown || l.Shutdown != shutdown {
			t.Fatalf("%+v", l)
		}
		if l.Claim-l.Request < l.Request { // a second message finds a slot after the first
			t.Fatalf("%+v leaves no time to begin a request", l)
		}
	})
}

func TestTheChainOfTimeLimitsHolds(t *testing.T) {
	t.Parallel()
	for _, shutdown := range []time.Duration{5 * time.Second, 25 * time.Second, time.Minute, 10 * time.Minute} {
		l := deliver.LimitsWithin(shutdown)
		if err := l.Valid(); err != nil {
			t.Errorf("within %s: %v", shutdown, err)
		}
		if l.Claim > 18*time.Second {
			t.Errorf("what a killed process holds stays with it for %s", l.Claim)
		}
	}
	s := time.Second
	for name, l := range map[string]deliver.Limits{
		"a request longer than its claim": {Request: 3 * s, Claim: 2 * s, Task: 4 * s, Shutdown: 5 * s},
		"a claim as long as its task":     {Request: s, Claim: 4 * s, Task: 4 * s, Shutdown: 5 * s},
		"a task longer than the shutdown": {Request: s, Claim: 2 * s, Task: 6 * s, Shutdown: 5 * s},
		"no time for a request":           {Claim: 2 * s, Task: 6 * s, Shutdown: 7 * s},
	} {
		if err := l.Valid(); err == nil || !strings.Contains(err.Error(), "not longer than") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
