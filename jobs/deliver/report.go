package deliver

import (
	"math/rand/v2"
	"time"
)

// strangers is how many practices must have been parked before a way out that
// takes nothing is closed also to practices that have not tried it; and how
// often in a row a receiver that took messages a moment ago must not know us.
const strangers = 3

// Report tells the gate what a receiver answered to a message of a practice.
func (g *Gate) Report(practice string, a Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if a.Verdict != Accepted && a.Verdict != Refused {
		g.answered(practice, slowest) // nothing waits for who is in trouble
	}
	switch a.Verdict {
	case Accepted:
		g.success(practice, now)
	case Refused:
		if !a.Unasked {
			g.success(practice, now)
		}
	case Misconfigured:
		g.stranger(now)
	case Busy:
		g.busy(practice, min(max(a.RetryAfter, First/2+rand.N(First)), mostRest), now)
	default:
		g.failure(practice, a.Verdict, now)
	}
	g.wake()
}

// stranger parks the way out, whose receiver does not know us; but not for one
// message that it alone will not have from us, while it takes others.
func (g *Gate) stranger(now time.Time) {
	if g.unknown++; g.unknown < strangers && now.Sub(g.worked) < mostRest {
		return
	}
	g.parkWay(now, mostRest, Misconfigured)
}

// busy parks a practice. How long the receiver asked for is heeded by the
// message that it asked of; what else waits finds out by a probe.
func (g *Gate) busy(practice string, rest time.Duration, now time.Time) {
	b := g.breaker(practice)
	said := b.wait(now) > 0
	if b.park(now, rest); !said {
		g.tell(GateChange{Practice: practice, Parked: rest, Cause: Busy})
	}
}

func (g *Gate) breaker(practice string) *breaker {
	b := g.practices[practice]
	if b == nil {
		b = newBreaker(g.requests)
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
	g.forget()
	g.worked, g.unknown = now, 0
	if !g.way.until.IsZero() {
		g.way.until = time.Time{}
		g.tell(GateChange{})
	}
	g.way.success(now)
}

// failure parks the practice, where it was one too many, and the way out, where
// nobody gets through.
func (g *Gate) failure(practice string, v Verdict, now time.Time) {
	if g.way.probing(now) && !g.probed.Equal(g.way.until) {
		g.forget() // whose trouble it was may be mended
		g.probed = g.way.until
	}
	g.asking[practice] = true
	if b := g.breaker(practice); b.failure(now) {
		b.park(now, b.longer())
		g.failing[practice] = true
		g.tell(GateChange{Practice: practice, Parked: b.rest, Cause: v})
	}
	nobody := g.failing[practice] && len(g.failing) >= min(len(g.asking), strangers)
	if g.way.probing(now) && g.way.failure(now) {
		g.failing[practice] = true
		nobody = true
	}
	if nobody && g.way.wait(now) == 0 {
		g.parkWay(now, g.way.longer(), v)
	}
}

// forget forgets who met trouble.
func (g *Gate) forget() {
	clear(g.asking)
	clear(g.failing)
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
