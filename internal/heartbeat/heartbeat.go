// Package heartbeat knows when each loop of a process last completed a turn, and
// which of them hang. It does not know what the loops do.
package heartbeat

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Loops are the loops of one process. They are safe for concurrent use.
type Loops struct {
	now func() time.Time

	mu  sync.Mutex
	all map[string]*loop // by name; guarded by mu
}

type loop struct {
	bound time.Duration // zero: its turns are counted, and none is expected here
	last  time.Time     // when a turn was completed; before the first, when it began
}

// New returns no loops yet. The clock is that of this machine.
func New(now func() time.Time) *Loops {
	return &Loops{now: now, all: map[string]*loop{}}
}

// Start notes that a loop runs from now on and completes each turn within the
// bound. A bound of zero is for work that any process may take: a process that
// takes none of it does not hang. It returns the function to call after each
// turn; a turn that failed in time is a turn.
func (l *Loops) Start(name string, bound time.Duration) (turned func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	started := &loop{bound: bound, last: l.now()}
	l.all[name] = started
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		started.last = l.now()
	}
}

// Stop notes that a loop no longer runs.
func (l *Loops) Stop(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, name)
}

// Ages returns how long ago each loop last completed a turn.
func (l *Loops) Ages() map[string]time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	ages := map[string]time.Duration{}
	for name, one := range l.all {
		ages[name] = l.now().Sub(one.last)
	}
	return ages
}

// Hanging returns the names of the loops whose last turn is older than a multiple
// of their bound, in order.
func (l *Loops) Hanging(times int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for name, one := range l.all {
		if one.bound > 0 && l.now().Sub(one.last) > time.Duration(times)*one.bound {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Check fails if a loop hangs, and names it.
func (l *Loops) Check() error {
	if hanging := l.Hanging(1); len(hanging) > 0 {
		return fmt.Errorf("no turn was completed in time by: %s", strings.Join(hanging, ", "))
	}
	return nil
}
