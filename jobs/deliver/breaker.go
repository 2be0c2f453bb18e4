package deliver

import "time"

// A breaker parks a way out, or one practice on it, whose receiver takes
// nothing, lets a few probes through when the time is over, and then more and
// more. It is not safe for concurrent use: the gate holds its lock.
//
// Libraries' breakers open all at once, and for one fixed time; a receiver that
// has just come back, or that said when to ask again, wants neither.
type breaker struct {
	full     int           // the allowance of a breaker that is closed
	allowed  int           // messages in flight: the probes, then one more with each success
	failures int           // in a row, since it was parked
	since    time.Time     // the first of them
	rest     time.Duration // how long it was parked the last time, of a row of times
	until    time.Time     // zero: not parked, and not to be probed
}

// A breaker trips after so many failures in a row, unless they came all at
// once: what was in flight together fails together. It is parked for a time
// that doubles from firstRest to mostRest. Where the receiver does not know us,
// only people can mend it: then it is at once, and for mostRest.
const (
	tripAfter = 10
	tripOver  = 2 * time.Second
	probes    = 3
	firstRest = 5 * time.Second
	mostRest  = 30 * time.Second
)

func newBreaker(full int) *breaker { return &breaker{full: full, allowed: full} }

// wait is how long the breaker is still parked.
func (b *breaker) wait(now time.Time) time.Duration { return max(b.until.Sub(now), 0) }

// probing tells whether it was parked, and nothing has come through since.
func (b *breaker) probing(now time.Time) bool { return !b.until.IsZero() && b.wait(now) == 0 }

// closed tells whether nothing is remembered against the receiver.
func (b *breaker) closed() bool { return b.until.IsZero() && b.failures == 0 && b.allowed == b.full }

// state is what ops are shown.
func (b *breaker) state(now time.Time) BreakerState {
	switch {
	case b.wait(now) > 0:
		return BreakerOpen
	case b.probing(now) || b.allowed < b.full:
		return BreakerRamping
	}
	return BreakerClosed
}

// park lets nothing through for the given time.
func (b *breaker) park(now time.Time, rest time.Duration) {
	b.rest, b.failures, b.allowed = rest, 0, min(probes, b.full)
	if until := now.Add(rest); until.After(b.until) {
		b.until = until
	}
}

// longer is for how long a breaker that trips again is parked.
func (b *breaker) longer() time.Duration { return min(max(2*b.rest, firstRest), mostRest) }

// success is told of a message that was answered as it should be.
func (b *breaker) success(now time.Time) {
	if b.wait(now) > 0 {
		return // it left before the breaker was parked
	}
	b.failures, b.rest, b.until = 0, 0, time.Time{}
	b.allowed = min(b.allowed+1, b.full)
}

// failure is told of one that was not, and returns whether it was one too many.
func (b *breaker) failure(now time.Time) (tripped bool) {
	if b.wait(now) > 0 {
		return false // it left before the breaker was parked
	}
	if b.failures++; b.failures == 1 {
		b.since = now
	}
	if b.probing(now) {
		return b.failures >= b.allowed
	}
	return b.failures >= tripAfter && now.Sub(b.since) >= tripOver
}

// A BreakerState is where a breaker stands.
type BreakerState int

// The states of a breaker: everything goes, less than everything goes, nothing
// goes.
const (
	BreakerClosed BreakerState = iota
	BreakerRamping
	BreakerOpen
)

func (s BreakerState) String() string {
	return [...]string{"closed", "ramping", "open"}[s]
}
