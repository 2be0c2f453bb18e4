package app

import "time"

// A Tally is a tally, for tests.
type Tally struct{ tally }

// Look takes one look at books that are so by the minute, and returns from when
// they were read and how many are unaccounted for.
func (t *Tally) Look(now time.Time, books map[time.Time]int64) (since time.Time, n int64) {
	since = t.since(now)
	found := map[time.Time]int64{}
	for minute, n := range books {
		if !minute.Before(since) {
			found[minute] = n
		}
	}
	return since, t.add(now, since, found)
}
