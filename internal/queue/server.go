package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"

	"rappel/jobs"
)

// lookDelayed is how often tasks whose time has come are moved to their queue.
const lookDelayed = time.Second

// A Desk is one server: the queue it takes work from, and how many tasks it works
// on at once. Each queue has a desk of its own, so that what is slow on one does
// not hold up another, and because a server can wait for one queue only.
type Desk struct {
	Queue       string
	Concurrency int
	Handlers    map[string]asynq.Handler // by type of task
}

// Servers are the desks of one process.
type Servers struct {
	servers  []*asynq.Server
	muxes    []*asynq.ServeMux
	shutdown time.Duration
	inHand   atomic.Int64 // tasks

	stopWaits, close func() // both once
}

// NewServers prepares the desks, with connections of their own. Work in hand is
// waited for within shutdown.
func NewServers(opt asynq.RedisConnOpt, log *slog.Logger, shutdown time.Duration, desks ...Desk) (*Servers, error) {
	return newServers(opt, log, shutdown, usual(), desks)
}

func newServers(opt asynq.RedisConnOpt, log *slog.Logger, shutdown time.Duration, pace pace, desks []Desk) (*Servers, error) {
	client, err := Connect(opt)
	if err != nil {
		return nil, err
	}
	forWaits, err := Connect(opt)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	waiter := &waiter{client: forWaits, log: log, pace: pace, closed: make(chan struct{})}
	s := &Servers{
		shutdown:  shutdown,
		stopWaits: sync.OnceFunc(waiter.close),
		close:     sync.OnceFunc(func() { _ = client.Close() }), // all work is done: nothing is lost by it
	}
	asynqLines := newAsynqLog(log)
	for _, d := range desks {
		waiter.lines = append(waiter.lines, newLine(d.Queue))
		mux := asynq.NewServeMux()
		for taskType, h := range d.Handlers {
			mux.Handle(taskType, s.counted(h))
		}
		s.muxes = append(s.muxes, mux)
		s.servers = append(s.servers, asynq.NewServerFromRedisClient(client, asynq.Config{
			Concurrency:              d.Concurrency,
			Queues:                   map[string]int{d.Queue: 1},
			TaskCheckInterval:        pace.look,
			DelayedTaskCheckInterval: lookDelayed,
			ShutdownTimeout:          shutdown,
			RetryDelayFunc:           retryDelay,
			Logger:                   asynqLines,
			LogLevel:                 asynq.WarnLevel,
			ErrorHandler:             failures{log},
		}))
	}
	client.AddHook(waiter)
	return s, nil
}

// Start begins to take work. It returns at once.
func (s *Servers) Start() error {
	for i, server := range s.servers {
		if err := server.Start(s.muxes[i]); err != nil {
			return fmt.Errorf("start worker: %w", err)
		}
	}
	return nil
}

// Shutdown stops taking work and waits for what is in hand, on all desks at
// once. It may be called twice. It fails where work was not finished in time:
// asynq lets go of it and has another worker begin anew.
func (s *Servers) Shutdown() error {
	s.stopWaits() // asynq's own stop would wait for them
	var stopping sync.WaitGroup
	for _, server := range s.servers {
		stopping.Go(func() {
			server.Stop()
			server.Shutdown()
		})
	}
	stopping.Wait()
	s.close()
	if left := s.inHand.Load(); left > 0 {
		return fmt.Errorf("tasks in hand that were not finished within %s: %d; other workers begin them anew", s.shutdown, left)
	}
	return nil
}

// counted counts a task while it is in hand.
func (s *Servers) counted(next asynq.Handler) asynq.Handler {
	return asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		s.inHand.Add(1)
		defer s.inHand.Add(-1)
		return next.ProcessTask(ctx, t)
	})
}

// Retries of tasks are for a database or a Redis that is away: they are short,
// since what became of each message is in the ledger and not in the task.
const (
	firstRetry = time.Second
	mostRetry  = time.Minute
)

func retryDelay(n int, _ error, _ *asynq.Task) time.Duration {
	if n > 6 {
		return mostRetry
	}
	return min(firstRetry<<max(n, 0), mostRetry)
}

// failures logs tasks that failed, without their payload.
type failures struct {
	log *slog.Logger
}

func (f failures) HandleError(ctx context.Context, t *asynq.Task, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	id, _ := asynq.GetTaskID(ctx)
	retried, _ := asynq.GetRetryCount(ctx)
	f.log.ErrorContext(ctx, "task failed", "task", id, "type", t.Type(), "retried", retried,
		"again", !errors.Is(err, asynq.SkipRetry), "error", err)
}

// NewScheduler prepares the ticks: a sweep each minute, a look for forgotten
// notifications every five seconds, and once a night what has had its time.
// Every scheduler ticks; what is ticked twice is harmless. All ticks are UTC: local cron skips an hour in
// spring and doubles one in autumn.
func NewScheduler(opt asynq.RedisConnOpt, log *slog.Logger) (*asynq.Scheduler, error) {
	s := asynq.NewScheduler(opt, &asynq.SchedulerOpts{
		Location: time.UTC,
		Logger:   newAsynqLog(log),
		LogLevel: asynq.WarnLevel,
		PostEnqueueFunc: func(info *asynq.TaskInfo, err error) {
			if err != nil && !errors.Is(err, asynq.ErrDuplicateTask) {
				log.Warn("tick lost: the next one makes up for it", "error", err)
			}
		},
	})
	sweep, err := jobs.Sweep{}.Task()
	if err != nil {
		return nil, fmt.Errorf("sweep task: %w", err)
	}
	// Unique saves work where several schedulers tick; nothing relies on it.
	if _, err := s.Register("* * * * *", sweep, asynq.Unique(50*time.Second), asynq.MaxRetry(3)); err != nil {
		return nil, fmt.Errorf("register the sweep: %w", err)
	}
	if _, err := s.Register("@every 5s", jobs.NewReconcile(), asynq.Unique(4*time.Second), asynq.MaxRetry(1)); err != nil {
		return nil, fmt.Errorf("register the reconciler: %w", err)
	}
	if _, err := s.Register("17 3 * * *", jobs.NewRetention(), asynq.Unique(time.Hour), asynq.MaxRetry(3)); err != nil {
		return nil, fmt.Errorf("register the retention: %w", err)
	}
	return s, nil
}
