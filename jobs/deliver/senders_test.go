package deliver_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/jobs/deliver"
)

// The senders are shared as places are, and nobody stands behind another's flood.
func TestAPracticesFloodLeavesSendersToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		later := time.Now().Add(time.Hour)
		s := deliver.StartSenders(8)
		var busy, most atomic.Int32
		for range 100 {
			s.Do("flood", later, func() {
				most.Store(max(most.Load(), busy.Add(1)))
				<-time.After(time.Second)
				busy.Add(-1)
			})
		}
		synctest.Wait()
		began := time.Now()
		var took time.Duration
		s.Do("lone", later, func() { took = time.Since(began) })
		synctest.Wait()
		if took != 0 || most.Load() != 6 {
			t.Errorf("the lone one waited %s; %d of the flood were sent at once", took, most.Load())
		}
		s.Stop()
		if all := time.Since(began); all != 17*time.Second {
			t.Errorf("all were sent after %s", all)
		}
	})
}

func TestPracticesTakeTurnsAndEachKeepsItsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		later := time.Now().Add(time.Hour)
		s := deliver.StartSenders(1)
		var order []string // one sender: nobody else writes
		say := func(word string) func() {
			return func() {
				order = append(order, word)
				<-time.After(time.Second)
			}
		}
		for _, word := range []string{"a1", "a2", "a3", "b1", "b2", "c1"} {
			s.Do(word[:1], later, say(word))
		}
		s.Stop()
		if diff := cmp.Diff([]string{"a1", "a2", "b1", "c1", "a3", "b2"}, order); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhoComesAfterTheEndIsSentAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		later := time.Now().Add(time.Hour)
		s := deliver.StartSenders(1)
		s.Stop()
		sent := false
		s.Do("late", later, func() { sent = true })
		synctest.Wait()
		if !sent {
			t.Error("it was forgotten")
		}
	})
}

// What has waited for too long is given back, though those before it hang.
func TestWhatIsOverdueWaitsForNoSender(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := deliver.StartSenders(1)
		began := time.Now()
		var called atomic.Int32
		s.Do("hangs", began.Add(time.Hour), func() { <-time.After(time.Minute) })
		for range 5 {
			s.Do("hangs", began.Add(time.Second), func() { called.Add(1) })
		}
		s.Do("other", began.Add(time.Hour), func() { called.Add(10) })
		<-time.After(2 * time.Second)
		s.Overdue()
		synctest.Wait()
		if called.Load() != 5 {
			t.Errorf("%d", called.Load())
		}
		s.Stop()
		if called.Load() != 15 {
			t.Errorf("%d at the end", called.Load())
		}
	})
}
