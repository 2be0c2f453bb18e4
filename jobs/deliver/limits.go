package deliver

import (
	"fmt"
	"time"
)

// Limits is the chain of time limits; each is longer than the one before, so
// that a request ends before its claim does, a claim before the task, and the
// task before the process must be gone.
type Limits struct {
	Request, Claim, Task, Shutdown time.Duration
}

// longestClaim bounds how long what a killed process held stays with it: with
// the reconciler's tick, it goes out again within half a minute.
const longestClaim = 18 * time.Second

// LimitsWithin derives the chain from the longest wait at shutdown.
func LimitsWithin(shutdown time.Duration) Limits {
	return Limits{
		Request:  min(shutdown*35/100, longestClaim/2),
		Claim:    min(shutdown*70/100, longestClaim),
		Task:     shutdown * 85 / 100,
		Shutdown: shutdown,
	}
}

// Valid tells whether each limit leaves time after the one before it.
func (l Limits) Valid() error {
	before, last := "nothing", time.Duration(0)
	for _, link := range []struct {
		name  string
		limit time.Duration
	}{{"a request", l.Request}, {"a claim", l.Claim}, {"a task", l.Task}, {"the shutdown", l.Shutdown}} {
		if link.limit <= last {
			return fmt.Errorf("the time limit of %s, %s, is not longer than that of %s, %s: set a longer RAPPEL_SHUTDOWN_TIMEOUT",
				link.name, link.limit, before, last)
		}
		before, last = link.name, link.limit
	}
	return nil
}
