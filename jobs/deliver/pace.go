package deliver

import "time"

// As many messages may be in hand as leave within a moment: then a hundred are
// claimed in one transaction and recorded in one, and what is claimed still
// leaves at once. With a request for each place, and no more, claims were of five
// and the work three times as slow (rappel bench pipeline).
const (
	moment = 100 * time.Millisecond
	// mostAhead bounds by how much a receiver may be thought to be quick, and so
	// what waits if it no longer is.
	mostAhead = 16
	// The pace follows the answers with this weight of the last one.
	weight = 16
)

// Answered tells the gate how long a request took that a receiver has taken n
// messages from.
func (g *Gate) Answered(took time.Duration, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	each := took / time.Duration(max(n, 1))
	if g.pace == 0 {
		g.pace = moment // it has to be quick for a while
	}
	g.pace += (each - g.pace) / weight
}

// slow forgets that the receiver was quick: while it is in trouble nothing is
// in hand that cannot leave at once.
func (g *Gate) slow() { g.pace = moment }

// room is how many messages may be in hand. The gate is locked.
func (g *Gate) room() int {
	if g.pace == 0 {
		return g.requests
	}
	return g.requests * int(min(max(moment/max(g.pace, 1), 1), mostAhead))
}
