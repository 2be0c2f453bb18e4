package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/jobs"
)

// Rescue puts copies of the events on the queue that a worker had in hand when
// it died, and returns how many. Asynq itself waits one to two minutes. The
// handler keeps an event by its id, so that a copy too many does nothing. All
// other tasks are looks at the ledger, which needs no copy.
func Rescue(ctx context.Context, r redis.UniversalClient) (int, error) {
	inspector := asynq.NewInspectorFromRedisClient(r)
	queues, err := inspector.Queues()
	if err != nil {
		return 0, fmt.Errorf("list the queues: %w", err)
	}
	if !slices.Contains(queues, jobs.QueueEvents) {
		return 0, nil // nothing was ever put on it
	}
	active, err := inspector.ListActiveTasks(jobs.QueueEvents, asynq.PageSize(mostLooked))
	if err != nil {
		return 0, fmt.Errorf("list the events in hand: %w", err)
	}
	client, rescued := asynq.NewClientFromRedisClient(r), 0
	for _, task := range active {
		if !task.IsOrphaned || task.Type != jobs.TypeEvent {
			continue
		}
		again := asynq.NewTask(task.Type, task.Payload)
		_, err := client.EnqueueContext(ctx, again, asynq.Queue(jobs.QueueEvents), asynq.TaskID(task.ID+"-again"), asynq.MaxRetry(task.MaxRetry))
		switch {
		case err == nil:
			rescued++
		case !errors.Is(err, asynq.ErrTaskIDConflict): // the copy waits
			return rescued, fmt.Errorf("put an event on the queue again: %w", err)
		}
	}
	return rescued, nil
}
