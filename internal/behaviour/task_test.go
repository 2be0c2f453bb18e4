package behaviour_test

import (
	"github.com/hibiken/asynq"

	"rappel/jobs"
)

// enqueue puts a task on the queue as anybody with access to Redis might.
func (w *world) enqueue(t *asynq.Task, opts ...asynq.Option) {
	w.t.Helper()
	c := asynq.NewClient(w.redis)
	defer c.Close()
	if _, err := c.EnqueueContext(w.t.Context(), t, opts...); err != nil {
		w.t.Fatal(err)
	}
}

// deliver puts a task on a channel's queue that names the one notification
// there is, and more.
func (w *world) deliver(queue string, more ...string) {
	w.t.Helper()
	only := w.value(`SELECT id::text FROM rappel.notifications`)
	task, err := jobs.Deliver{IDs: append(more, only)}.Task(queue)
	if err != nil {
		w.t.Fatal(err)
	}
	w.enqueue(task)
}
