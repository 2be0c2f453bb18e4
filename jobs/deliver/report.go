package deliver

import (
	"math/rand/v2"
	"time"
)

// strangers is how many practices must have been parked before a way out that
// takes nothing is closed also to practices that have not tried it.
const strangers = 3

// Report tells the gate what a receiver answered to a message of a practice.
func (g *Gate) Report(practice string, a Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	switch a.Verdict {
	case Accepted, Refused:
		g.success(practice, now)
	case Misconfigured:
		g.parkWay(now, mostRest, Misconfigured)
	case Busy:
		rest := max(min(a.RetryAfter, mostAsked), First/2+rand.N(First))
		g.breaker(practice).park(now, rest)
		g.tell(GateChange{Practice: practice, Parked: rest, Cause: Busy})
	default:
		g.failure(practice, a.Verdict, now)
	}
	g.wake()
}

func (g *Gate) breaker(practice string) *breaker {
	b := g.practices[practice]
	if b == nil {
		b = newBreaker(g.size)
		g.practices[practice] = b
	}
	return b
}

// success is proof that the way out works. What left before it was found that
// the receiver does not know us proves nothing.
func (g *Gate) success(practice string, now time.Time) {
	if b := g.practices[practice]; b != nil {
		b.success(now)
		if b.closed() {
			delete(g.practices, practice)
		}
	}
	if g.cause == Misconfigured && g.way.wait(now) > 0 {
		return
	}
	clear(g.asking)
	clear(g.failing)
	if !g.way.until.IsZero() {
		g.way.until = time.Time{}
		g.tell(GateChange{})
	}
	g.way.success(now)
}

// failure parks the practice, where it was one too many, and the way out, where
// nobody gets through.
func (g *Gate) failure(practice string, v Verdict, now time.Time) {
	g.asking[practice] = true
	if b := g.breaker(practice); b.failure(now) {
		b.park(now, b.longer())
		g.failing[practice] = true
		g.tell(GateChange{Practice: practice, Parked: b.rest, Cause: v})
	}
	nobody := g.failing[practice] && len(g.failing) >= min(len(g.asking), strangers)
	if g.way.probing(now) && g.way.failure(now) || nobody && g.way.wait(now) == 0 {
		g.parkWay(now, g.way.longer(), v)
	}
}

func (g *Gate) parkWay(now time.Time, rest time.Duration, cause Verdict) {
	if g.way.wait(now) > 0 && g.cause == cause {
		return // said already
	}
	g.cause = cause
	g.way.park(now, rest)
	g.tell(GateChange{Parked: rest, Cause: cause})
}

// mayProbe tells whether a practice may try a way out that is parked: the
// trouble may be that of the few practices that met it.
func (g *Gate) mayProbe(practice string) bool {
	return g.cause != Misconfigured && !g.failing[practice] && len(g.failing) < strangers
}

func (g *Gate) tell(c GateChange) {
	if g.changed != nil {
		g.changed(c)
	}
}
