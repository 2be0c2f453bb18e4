package deliver

import (
	"math/rand/v2"
	"time"
)

// Retries wait for a random time up to a limit that doubles from First to Most:
// full jitter spreads what failed together.
const (
	First = 5 * time.Second
	Most  = 10 * time.Minute
)

// mostAsked is how long a receiver may ask us to wait.
const mostAsked = time.Hour

// Delay returns how long to wait after the given number of attempts, at least
// as long as the receiver asked for.
func Delay(attempts int, asked time.Duration) time.Duration {
	limit := Most
	if doublings := max(attempts-1, 0); doublings < 7 { // 5 s · 2^7 is past Most
		limit = min(First<<doublings, Most)
	}
	return max(rand.N(limit)+time.Millisecond, min(asked, mostAsked))
}
