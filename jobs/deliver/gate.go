package deliver

import (
	"context"
	"sync"
	"time"
)

// A Gate decides whose messages may leave on one channel now, so that no
// practice holds up another. It bounds the messages in hand, shares their places
// among the practices, and parks a practice, or the whole way out, whose
// receiver takes nothing.
//
// In hand are as many as there are requests at once, or, where the receiver is
// quick, as many as leave within a moment: see room.
//
// A practice may hold up to three times as many places as are left free. One
// practice alone has three quarters of them, two have three sevenths each: there
// is always a place for who comes next. (The rule is that of buffers shared by
// the ports of a switch: Choudhury and Hahne, "Dynamic Queue Length Thresholds",
// 1998.)
type Gate struct {
	requests int // at once
	now      func() time.Time
	// changed is told when the way out is parked or resumes; it may be nil.
	changed func(GateChange)

	mu        sync.Mutex
	taken     int
	held      map[string]int           // by practice
	pace      time.Duration            // how long a message has taken of late; zero: none was answered
	slow      map[string]time.Duration // the pace of practices that are slow
	way       *breaker
	cause     Verdict             // why way was parked the last time
	practices map[string]*breaker // of those that are not closed
	asking    map[string]bool     // practices answered since the way's last success
	failing   map[string]bool     // those of them that were parked for it
	probed    time.Time           // the pause after which both began anew
	worked    time.Time           // the last success
	unknown   int                 // how often since then the receiver did not know us
	waiting   map[string][]*waiter
	turns     []string      // practices with waiters, who is next first
	eased     chan struct{} // closed once half of the places are free; nil: nobody asks
	closing   bool
}

// A GateChange is something that ops want to know of a gate.
type GateChange struct {
	Practice string // empty: the whole way out
	Parked   time.Duration
	Cause    Verdict // of Parked
}

// A waiter waits for a place of any of its practices. It is done once it has
// its pass, or has gone away.
type waiter struct {
	wants []Want
	pass  chan Pass
	done  bool
}

// A Want is how many messages of one practice are to leave.
type Want struct {
	Practice string
	Messages int
}

// A Pass is what a gate lets through: so many messages of a practice, each of
// which leaves again, and those for which there is no use in waiting.
type Pass struct {
	Granted map[string]int
	Parked  map[string]time.Duration
}

func (p Pass) empty() bool { return len(p.Granted) == 0 && len(p.Parked) == 0 }

// How the places are shared: see [Gate]. A practice that has messages in flight
// waits until a grain of places is free for it, since many small claims cost
// more than a few large ones: with an eighth instead of a third of the places, a
// lone event took three times as long beside a flood of reminders, and two cores
// were busy with claims.
const (
	shareOfFree = 3
	grains      = 3
)

// NewGate returns a gate for so many requests at once, with the clock that
// pauses go by. It tells changed, unless that is nil, of what is parked and
// resumes.
func NewGate(requests int, now func() time.Time, changed func(GateChange)) *Gate {
	return &Gate{
		requests: requests, now: now, changed: changed,
		held: map[string]int{}, slow: map[string]time.Duration{}, way: newBreaker(requests), practices: map[string]*breaker{},
		asking: map[string]bool{}, failing: map[string]bool{},
		waiting: map[string][]*waiter{},
	}
}

// Enter waits until some of what is wanted may leave, or is parked. The pass is
// empty where ctx ends or the gate closes before.
func (g *Gate) Enter(ctx context.Context, wants []Want) Pass {
	g.mu.Lock()
	if g.closing || ctx.Err() != nil {
		g.mu.Unlock()
		return Pass{}
	}
	if pass := g.grant(wants); !pass.empty() {
		g.mu.Unlock()
		return pass
	}
	w := g.wait(wants)
	g.mu.Unlock()
	select {
	case pass := <-w.pass:
		return pass
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !w.done {
		w.done = true
		return Pass{}
	}
	for practice, n := range (<-w.pass).Granted { // it came at the same moment
		g.release(practice, n)
	}
	g.wake()
	return Pass{}
}

// Leave gives the places of n messages of a practice back.
func (g *Gate) Leave(practice string, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release(practice, n)
	g.wake()
}

func (g *Gate) release(practice string, n int) {
	g.taken -= n
	if g.held[practice] -= n; g.held[practice] == 0 {
		delete(g.held, practice)
	}
	if g.eased != nil && 2*g.taken <= g.room() {
		close(g.eased)
		g.eased = nil
	}
}

// Close sends everybody away who waits, and who comes from now on.
func (g *Gate) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closing = true
	for _, all := range g.waiting {
		for _, w := range all {
			w.give(Pass{})
		}
	}
}

// Parked returns for how long a practice's messages are held back.
func (g *Gate) Parked(practice string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.parked(practice, g.now())
}

// InHand returns how many messages have entered and not left.
func (g *Gate) InHand() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.taken
}

// State returns where the way out stands, and how many practices are parked.
func (g *Gate) State() (way BreakerState, parked int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for _, b := range g.practices {
		if b.wait(now) > 0 {
			parked++
		}
	}
	return g.way.state(now), parked
}

// grant takes places for as many messages as may leave now.
func (g *Gate) grant(wants []Want) Pass {
	p := Pass{Granted: map[string]int{}, Parked: map[string]time.Duration{}}
	now := g.now()
	for _, w := range wants {
		if wait := g.parked(w.Practice, now); wait > 0 {
			p.Parked[w.Practice] = wait
			continue
		}
		if n := g.grantable(w.Practice, w.Messages); n > 0 {
			g.take(w.Practice, n)
			p.Granted[w.Practice] += n
		}
	}
	return p
}

func (g *Gate) parked(practice string, now time.Time) time.Duration {
	var wait time.Duration
	if !g.mayProbe(practice) {
		wait = g.way.wait(now)
	}
	if b := g.practices[practice]; b != nil {
		wait = max(wait, b.wait(now))
	}
	return wait
}

func (g *Gate) take(practice string, n int) {
	g.taken += n
	g.held[practice] += n
}

// grantable is how many of the wanted messages of a practice may leave now.
func (g *Gate) grantable(practice string, wanted int) int {
	held, room := g.held[practice], g.room()
	free := room - g.taken
	limit := g.roomFor(practice)
	if b := g.practices[practice]; b != nil && b.allowed < b.full {
		limit = b.allowed
	}
	n := min(wanted, limit-held, g.roomOnWay(held), share(held, free))
	if n <= 0 || held > 0 && n < min(wanted, limit, g.allowance(), max(room/grains, 1)) {
		return 0
	}
	return n
}

// share is how many more places who holds some may take of those that are free:
// see [Gate]. The last one is only for who has none, so that also where there are
// few there is one for who comes next.
func share(held, free int) int {
	if held == 0 && free == 1 {
		return 1
	}
	// Each place more asks for held < share·free before it is taken.
	return min((shareOfFree*(free+1)-held)/(shareOfFree+1), free-1)
}

// allowance is how many messages the way out takes at once.
func (g *Gate) allowance() int {
	if g.way.allowed < g.way.full {
		return g.way.allowed
	}
	return g.room()
}

// roomOnWay is how many messages more the way out takes. Who tries one that is
// parked does not wait for those that hang there; of probes, each practice has
// one at a time.
func (g *Gate) roomOnWay(held int) int {
	now := g.now()
	if g.way.wait(now) > 0 {
		return probes - held
	}
	room := g.allowance() - g.taken
	if g.way.probing(now) {
		room = min(room, 1-held)
	}
	return room
}

// wait queues up for each of the practices.
func (g *Gate) wait(wants []Want) *waiter {
	w := &waiter{wants: wants, pass: make(chan Pass, 1)}
	for _, want := range wants {
		if len(g.waiting[want.Practice]) == 0 {
			g.turns = append(g.turns, want.Practice)
		}
		g.waiting[want.Practice] = append(g.waiting[want.Practice], w)
	}
	return w
}

// give hands a waiter its pass, unless it is done.
func (w *waiter) give(p Pass) {
	if !w.done {
		w.done = true
		w.pass <- p
	}
}

// wake lets in those who wait, the practices by turns, each in the order in
// which they came.
func (g *Gate) wake() {
	for range len(g.turns) {
		practice := g.turns[0]
		g.turns = g.turns[1:]
		if g.letIn(practice); len(g.waiting[practice]) > 0 {
			g.turns = append(g.turns, practice)
		} else {
			delete(g.waiting, practice)
		}
	}
}

// letIn lets in those who wait for a practice, as far as there are places.
func (g *Gate) letIn(practice string) {
	for len(g.waiting[practice]) > 0 {
		first := g.waiting[practice][0]
		if !first.done {
			pass := g.grant(first.wants)
			if pass.empty() {
				return
			}
			first.give(pass)
		}
		g.waiting[practice] = g.waiting[practice][1:]
	}
}
