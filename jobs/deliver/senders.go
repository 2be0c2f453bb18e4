package deliver

import "sync"

// Senders are what bounds the requests of a channel: each makes one at a time.
// They are a fixed number, since a goroutine for each request cost more than
// what it did.
type Senders struct {
	work chan func()
	all  sync.WaitGroup
}

// StartSenders has n senders wait for work.
func StartSenders(n int) *Senders {
	s := &Senders{work: make(chan func())}
	for range n {
		s.all.Go(func() {
			for send := range s.work {
				send()
			}
		})
	}
	return s
}

// Do has a sender do something, as soon as one has nothing else to do.
func (s *Senders) Do(send func()) { s.work <- send }

// Stop ends the senders once they have done what they were given. Nobody may
// give them more.
func (s *Senders) Stop() {
	close(s.work)
	s.all.Wait()
}
