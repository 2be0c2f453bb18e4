package deliver

import (
	"sync"
	"time"
)

// pauseFor is how long a channel rests after its receiver did not know us. The
// first message afterwards shows whether that was mended.
const pauseFor = 30 * time.Second

// A pause holds one channel of this process back.
type pause struct {
	mu  sync.Mutex
	end time.Time
}

func (p *pause) until(end time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if end.After(p.end) {
		p.end = end
	}
}

func (p *pause) active(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Before(p.end)
}
