package dev

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Clock is the demo's: it goes at the machine's pace from the time it was set
// to, and can be turned on. It is safe for concurrent use.
type Clock struct {
	mu     sync.Mutex
	ahead  time.Duration // of the machine's clock; guarded by mu
	turned []func(context.Context) error
}

// NewClock returns a clock that shows start now.
func NewClock(start time.Time) *Clock {
	// Round strips the monotonic reading: it stands still while a laptop sleeps.
	return &Clock{ahead: start.Round(0).Sub(time.Now().Round(0))}
}

// Now returns what the clock shows, to the microsecond, as PostgreSQL keeps it.
func (c *Clock) Now() time.Time {
	return time.Now().Round(0).Add(c.Ahead()).Truncate(time.Microsecond).UTC()
}

// Ahead returns by how much the clock is ahead of the machine's.
func (c *Clock) Ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead
}

// OnAdvance has f called after each turn of the clock: what fell due meanwhile
// need not wait for the next tick.
func (c *Clock) OnAdvance(f func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turned = append(c.turned, f)
}

// ErrBackwards says that somebody tried to turn the clock back.
var ErrBackwards = errors.New("the clock goes forward only")

// Advance turns the clock on by d, and returns when all who want to know of it
// have done what they do.
func (c *Clock) Advance(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ErrBackwards
	}
	c.mu.Lock()
	c.ahead += d
	turned := c.turned
	c.mu.Unlock()
	var errs []error
	for _, f := range turned {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}
