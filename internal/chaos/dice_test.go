package chaos_test

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// Dice decide all that is left to chance. Each user has dice of its own, from
// the seed and its name, so that what one throws does not depend on how often
// others did.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand // guarded by mu
}

func newDice(seed uint64, name string) *dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return &dice{rand: rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

func (d *dice) chance(percent int) bool { return d.below(100) < percent }

// between returns a time from least to most.
func (d *dice) between(least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	return least + time.Duration(d.below(int(most-least)))
}

// one returns one of some.
func one[T any](d *dice, some []T) T { return some[d.below(len(some))] }

// weighted returns one of some, each as likely as its weight says.
func weighted[T any](d *dice, some []T, weight func(T) int) T {
	total := 0
	for _, s := range some {
		total += weight(s)
	}
	n := d.below(total)
	for _, s := range some {
		if n -= weight(s); n < 0 {
			return s
		}
	}
	return some[0]
}

// wait lets d pass and returns whether ctx outlasted it.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
