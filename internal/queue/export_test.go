package queue

import (
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
)

// RetryDelay is how long a task waits that failed n times.
func RetryDelay(n int) time.Duration { return retryDelay(n, nil, nil) }

// Pace is how a server asks for work.
type Pace struct{ Look, Wait, Again, Away time.Duration }

// UsualPace is the product's own.
func UsualPace() Pace {
	p := usual()
	return Pace{p.look, p.wait, p.again, p.away}
}

// NewServersAt is NewServers, at another pace. Its shutdown gives up work in hand
// only after the tests have.
func NewServersAt(p Pace, opt asynq.RedisConnOpt, log *slog.Logger, desks ...Desk) (*Servers, error) {
	return newServers(opt, log, time.Minute, pace{p.Look, p.Wait, p.Again, p.Away}, desks)
}

// KeysOfTaking are those of the script that takes a task from a queue.
func KeysOfTaking(queue string) []any { return newLine(queue).keys }
