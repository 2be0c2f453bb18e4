package queue_test

import (
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/internal/queue"
	"rappel/jobs"
)

func TestAnEventInADeadWorkersHandsIsPutOnTheQueueAgain(t *testing.T) {
	t.Parallel()
	r := connect(t)
	if n, err := queue.Rescue(t.Context(), r); n != 0 || err != nil {
		t.Errorf("rescued %d of nothing: %v", n, err)
	}
	payload := []byte(`{"event_id":"x"}`)
	put(t, r, asynq.NewTask(jobs.TypeEvent, payload, asynq.TaskID("dead"), asynq.Queue(jobs.QueueEvents)))
	put(t, r, asynq.NewTask(jobs.TypeEvent, payload, asynq.TaskID("alive"), asynq.Queue(jobs.QueueEvents)))
	taken := func(id string, lease time.Time) {
		t.Helper()
		pipe := r.Pipeline()
		pipe.LRem(t.Context(), "asynq:{events}:pending", 0, id)
		pipe.LPush(t.Context(), "asynq:{events}:active", id)
		pipe.HSet(t.Context(), "asynq:{events}:t:"+id, "state", "active")
		pipe.ZAdd(t.Context(), "asynq:{events}:lease", redis.Z{Score: float64(lease.Unix()), Member: id})
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	taken("dead", time.Now().Add(-time.Second))
	taken("alive", time.Now().Add(time.Minute))
	for _, want := range []int{1, 0} { // the copy waits: one is enough
		if n, err := queue.Rescue(t.Context(), r); n != want || err != nil {
			t.Fatalf("rescued %d, want %d: %v", n, want, err)
		}
	}
	inspector := asynq.NewInspectorFromRedisClient(r)
	waiting, err := inspector.ListPendingTasks(jobs.QueueEvents)
	if err != nil || len(waiting) != 1 || waiting[0].ID != "dead-again" || string(waiting[0].Payload) != string(payload) {
		t.Errorf("%d wait: %+v, %v", len(waiting), waiting, err)
	}
}
