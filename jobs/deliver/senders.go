package deliver

import (
	"slices"
	"sync"
	"time"
)

// Senders are what bounds the requests of a channel: each makes one at a time.
// They are a fixed number, since a goroutine for each request cost more than
// what it did. The practices take turns, and share them as they share a [Gate]:
// there is always one for who comes next.
type Senders struct {
	work chan job
	all  sync.WaitGroup

	mu      sync.Mutex
	free    int
	busy    map[string]int
	waiting map[string][]job
	turns   []string // practices with something waiting, who is next first
	stopped bool     // nobody is taken any more
	ended   bool     // and nobody waits
}

// A job is a request to be made for a practice.
type job struct {
	practice string
	last     time.Time // when it has waited for long enough
	send     func()
}

// StartSenders starts n senders.
func StartSenders(n int) *Senders {
	s := &Senders{work: make(chan job, n), free: n, busy: map[string]int{}, waiting: map[string][]job{}}
	for range n {
		s.all.Go(func() {
			for j := range s.work {
				j.send()
				s.done(j.practice)
			}
		})
	}
	return s
}

// Do has a sender send something for a practice, as soon as it is its turn. It
// returns at once. What still waits after the last moment is for [Senders.Overdue].
func (s *Senders) Do(practice string, last time.Time, send func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		go send() // who comes so late is not waited for, but not forgotten
		return
	}
	if len(s.waiting[practice]) == 0 {
		s.turns = append(s.turns, practice)
	}
	s.waiting[practice] = append(s.waiting[practice], job{practice, last, send})
	s.next()
}

func (s *Senders) done(practice string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	if s.busy[practice]--; s.busy[practice] == 0 {
		delete(s.busy, practice)
	}
	if s.next(); s.stopped {
		s.end()
	}
}

// next gives work to senders that have none.
func (s *Senders) next() {
	for passed := 0; passed < len(s.turns); {
		practice := s.turns[0]
		s.turns = s.turns[1:]
		if share(s.busy[practice], s.free) < 1 {
			s.turns = append(s.turns, practice)
			passed++
			continue
		}
		s.free--
		s.busy[practice]++
		s.work <- s.waiting[practice][0] // there is a sender for it
		if s.waiting[practice] = s.waiting[practice][1:]; len(s.waiting[practice]) > 0 {
			s.turns = append(s.turns, practice)
		} else {
			delete(s.waiting, practice)
		}
		passed = 0
	}
}

// Overdue calls at once, by no sender, what has waited for too long: it is not to
// be sent any more, and whoever gave it has to know.
func (s *Senders) Overdue() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns = slices.DeleteFunc(s.turns, func(practice string) bool {
		s.waiting[practice] = slices.DeleteFunc(s.waiting[practice], func(j job) bool {
			late := now.After(j.last)
			if late {
				go j.send()
			}
			return late
		})
		nothing := len(s.waiting[practice]) == 0
		if nothing {
			delete(s.waiting, practice)
		}
		return nothing
	})
	if s.stopped {
		s.end()
	}
}

// Stop ends the senders once they have done what they were given.
func (s *Senders) Stop() {
	s.mu.Lock()
	s.stopped = true
	s.end()
	s.mu.Unlock()
	s.all.Wait()
}

// end lets the senders go once nothing waits.
func (s *Senders) end() {
	if len(s.turns) == 0 && !s.ended {
		s.ended = true
		close(s.work)
	}
}
