package deliver

import "time"

// As many messages may be in hand as leave within a moment: then a hundred are
// claimed in one transaction and recorded in one, and what is claimed still
// leaves at once. With a request for each place, and no more, claims were of five
// and the work three times as slow (rappel bench pipeline).
const (
	moment = 50 * time.Millisecond
	// stale is how long a message may wait for its request: after that it is
	// looked at once more. It comes to that where a receiver was quick a moment
	// ago.
	stale = 4 * moment
	// mostAhead bounds by how much a receiver may be thought to be quick.
	mostAhead = 16
	// The pace follows the answers with this weight of the last one, which does
	// not count as slower than two moments: a few slow ones say nothing of all.
	weight  = 16
	slowest = 2 * moment
	// mostSlow bounds the practices that are remembered as slow.
	mostSlow = 1000
)

// Answered tells the gate how long a request took in which n messages went, one
// of them this practice's.
func (g *Gate) Answered(practice string, took time.Duration, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answered(practice, took/time.Duration(max(n, 1)))
}

func (g *Gate) answered(practice string, each time.Duration) {
	if g.pace == 0 {
		g.pace = slowest // it has to be quick for a while
	}
	each = min(each, slowest)
	g.pace += (each - g.pace) / weight
	switch pace, slow := g.slow[practice]; {
	case slow && pace < moment:
		delete(g.slow, practice)
	case slow:
		g.slow[practice] += (each - pace) / weight
	case each > moment:
		if len(g.slow) >= mostSlow {
			clear(g.slow)
		}
		g.slow[practice] = each
	}
}

// room is how many messages may be in hand. The gate is locked.
func (g *Gate) room() int {
	if g.pace == 0 {
		return g.requests
	}
	return g.requests * int(min(max(moment/max(g.pace, 1), 1), mostAhead))
}

// roomFor is how many of them may be a practice's. What one that is slow has in
// hand is being asked for.
func (g *Gate) roomFor(practice string) int {
	if _, slow := g.slow[practice]; slow {
		return max(g.requests*shareOfFree/(shareOfFree+1), 1)
	}
	return g.room()
}
