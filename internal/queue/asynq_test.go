package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// The tests of this file pin what asynq does where we rely on it, or work round
// it: see the design's list of facts. One that fails says that asynq has changed,
// and which of our reasons with it.

func TestAsynqRoutesByPrefix(t *testing.T) {
	t.Parallel()
	mux := asynq.NewServeMux()
	mux.Handle("appointment:event", asynq.NotFoundHandler())
	for taskType, want := range map[string]string{
		"appointment:event":         "appointment:event",
		"appointment:events":        "appointment:event",
		"appointment:event:deleted": "appointment:event",
		"appointment":               "",
	} {
		if _, got := mux.Handler(asynq.NewTask(taskType, nil)); got != want {
			t.Errorf("%s goes to %q, want %q", taskType, got, want)
		}
	}
}

func TestAsynqNeverHandsOutATaskPastItsDeadline(t *testing.T) {
	t.Parallel()
	r := connect(t)
	var called atomic.Int32
	serve(t, r, map[string]asynq.Handler{"a:b": asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		called.Add(1)
		return nil
	})})
	put(t, r, asynq.NewTask("a:b", nil, asynq.TaskID("late"), asynq.Deadline(time.Now().Add(-time.Minute)), asynq.MaxRetry(0)))
	eventually(t, "it is archived", func() bool { return state(t, r, "late")() == "archived" })
	if called.Load() != 0 {
		t.Error("its handler was called: NotAfter could go into asynq.Deadline now")
	}
}

func TestAsynqEndsATaskAsItsHandlerSays(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		handler func(context.Context, *asynq.Task) error
		want    string
	}{
		"an error is tried again": {func(context.Context, *asynq.Task) error { return errors.New("away") }, "retry"},
		"a panic is tried again":  {func(context.Context, *asynq.Task) error { panic("a bug") }, "retry"},
		"SkipRetry is archived":   {func(context.Context, *asynq.Task) error { return fmt.Errorf("bad: %w", asynq.SkipRetry) }, "archived"},
		"wrapped twice as well": {func(context.Context, *asynq.Task) error {
			return fmt.Errorf("%w: %w", errors.New("x"), asynq.SkipRetry)
		}, "archived"},
		"what is done is not kept": {func(context.Context, *asynq.Task) error { return nil }, "gone"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := connect(t)
			put(t, r, asynq.NewTask("a:b", nil, asynq.TaskID("one"), asynq.MaxRetry(25)))
			serve(t, r, map[string]asynq.Handler{"a:b": asynq.HandlerFunc(c.handler)})
			eventually(t, "it is "+c.want, func() bool { return state(t, r, "one")() == c.want })
		})
	}
}

func TestAsynqRefusesATaskThatIsThereAlready(t *testing.T) {
	t.Parallel()
	r := connect(t)
	client := asynq.NewClientFromRedisClient(r)
	cases := map[string]struct {
		task *asynq.Task
		want error
	}{
		"a unique one":       {asynq.NewTask("a:b", nil, asynq.Unique(time.Minute)), asynq.ErrDuplicateTask},
		"one of the same id": {asynq.NewTask("a:c", nil, asynq.TaskID("c")), asynq.ErrTaskIDConflict},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := client.EnqueueContext(t.Context(), c.task); err != nil {
				t.Fatal(err)
			}
			if _, err := client.EnqueueContext(t.Context(), c.task); !errors.Is(err, c.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestAnArchivedTaskOfAsynqBlocksItsID(t *testing.T) {
	t.Parallel()
	r := connect(t)
	task := asynq.NewTask("a:b", nil, asynq.TaskID("one"))
	put(t, r, task)
	if err := asynq.NewInspectorFromRedisClient(r).ArchiveTask("default", "one"); err != nil {
		t.Fatal(err)
	}
	if _, err := asynq.NewClientFromRedisClient(r).EnqueueContext(t.Context(), task); !errors.Is(err, asynq.ErrTaskIDConflict) {
		t.Errorf("error %v", err)
	}
}
