package retain_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"rappel/jobs"
	"rappel/jobs/retain"
)

// memStore holds so many traces of each kind; each batch takes it a while.
type memStore struct {
	left   map[retain.Trace]int
	before map[retain.Trace]time.Time
	stay   int // of each batch
	takes  time.Duration
	err    error
}

func (s *memStore) Retain(ctx context.Context, t retain.Trace, before time.Time, limit int) (removed int, more bool, err error) {
	if s.takes > 0 {
		<-time.After(s.takes)
	}
	if err := errors.Join(ctx.Err(), s.err); err != nil {
		return 0, false, err
	}
	n := min(s.left[t], limit)
	s.left[t] -= n
	s.before[t] = before
	return max(0, n-s.stay), n == limit, nil
}

type queue []*asynq.Task

func (q *queue) Put(_ context.Context, t *asynq.Task) error {
	*q = append(*q, t)
	return nil
}

func noon() time.Time { return time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC) }

func newKeeper(s *memStore) (*retain.Keeper, *queue, *strings.Builder) {
	s.before = map[retain.Trace]time.Time{}
	var q queue
	var log strings.Builder
	return &retain.Keeper{Store: s, Queue: &q, Now: noon, Log: slog.New(slog.NewTextHandler(&log, nil))}, &q, &log
}

func TestEachTraceGoesAfterItsTerm(t *testing.T) {
	t.Parallel()
	s := &memStore{left: map[retain.Trace]int{}}
	k, q, log := newKeeper(s)
	if err := k.Handle(t.Context(), jobs.NewRetention()); err != nil {
		t.Fatal(err)
	}
	ago := func(days int) time.Time { return noon().Add(-time.Duration(days) * 24 * time.Hour) }
	want := map[retain.Trace]time.Time{
		retain.Replies: ago(30), retain.Unusable: ago(30), retain.Events: ago(90), retain.Addresses: ago(90), retain.Decisions: ago(400),
	}
	if diff := cmp.Diff(want, s.before); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(*q) > 0 || log.String() != "" {
		t.Errorf("with nothing to do: %d tasks, log %s", len(*q), log)
	}
}

func TestEachKindOfTraceHasALineATurn(t *testing.T) {
	t.Parallel()
	s := &memStore{left: map[retain.Trace]int{retain.Replies: 1001, retain.Decisions: 3}}
	k, _, log := newKeeper(s)
	if err := k.Handle(t.Context(), jobs.NewRetention()); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"what=replies count=1001 ", "what=decisions count=3 "} {
		if strings.Count(log.String(), line) != 1 {
			t.Errorf("no %q in:\n%s", line, log)
		}
	}
	if strings.Count(log.String(), "\n") != 2 || strings.Count(log.String(), "goes_on=false") != 2 {
		t.Errorf("log:\n%s", log)
	}
	if s.left[retain.Replies]+s.left[retain.Decisions] > 0 {
		t.Errorf("left: %v", s.left)
	}
}

func TestABatchOfWhichSomethingStaysIsNotTheLast(t *testing.T) {
	t.Parallel()
	s := &memStore{left: map[retain.Trace]int{retain.Events: 1200}, stay: 100}
	k, _, log := newKeeper(s)
	if err := k.Handle(t.Context(), jobs.NewRetention()); err != nil {
		t.Fatal(err)
	}
	if s.left[retain.Events] > 0 || !strings.Contains(log.String(), "what=events count=900 ") {
		t.Errorf("left: %v, log:\n%s", s.left, log)
	}
}

func TestWhatATurnLeavesIsTheNextTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &memStore{left: map[retain.Trace]int{retain.Replies: 1 << 20}, takes: 110 * time.Millisecond}
		k, q, log := newKeeper(s)
		begin := time.Now()
		if err := k.Handle(t.Context(), jobs.NewRetention()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > 4*time.Second {
			t.Errorf("a turn took %s: no shutdown would wait for it", took)
		}
		if len(*q) != 1 || (*q)[0].Type() != jobs.TypeRetention {
			t.Errorf("tasks: %v", *q)
		}
		// Of three seconds, 110 ms a batch.
		if said := log.String(); !strings.Contains(said, "what=replies count=14000 ") || !strings.Contains(said, "goes_on=true") {
			t.Errorf("log: %s", said)
		}
	})
}

func TestWhatGoesWrongIsToldToTheQueue(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	k, q, _ := newKeeper(&memStore{err: away})
	if err := k.Handle(t.Context(), jobs.NewRetention()); !errors.Is(err, away) || len(*q) > 0 {
		t.Errorf("error %v, tasks %v", err, *q)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	k, q, _ = newKeeper(&memStore{})
	if err := k.Handle(stopped, jobs.NewRetention()); !errors.Is(err, context.Canceled) || len(*q) > 0 {
		t.Errorf("stopped: error %v, tasks %v", err, *q)
	}
}
