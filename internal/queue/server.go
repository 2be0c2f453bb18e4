package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/jobs"
)

// look is how often an idle server asks its queues for work. It bounds how long
// a lone event waits, and what an idle worker costs Redis.
const look = 50 * time.Millisecond

// lookDelayed is how often tasks whose time has come are moved to their queue.
const lookDelayed = time.Second

// A Desk is one server: the queues it takes work from, with their weights, and
// how many tasks it works on at once. Channels have a desk each, so that a slow
// receiver of one does not hold up the other.
type Desk struct {
	Queues      map[string]int
	Concurrency int
	Handlers    map[string]asynq.Handler // by type of task
}

// Servers are the desks of one process.
type Servers struct {
	servers []*asynq.Server
	muxes   []*asynq.ServeMux
}

// NewServers prepares the desks. Work in hand is waited for within shutdown.
func NewServers(r redis.UniversalClient, log *slog.Logger, shutdown time.Duration, desks ...Desk) *Servers {
	s := &Servers{}
	for _, d := range desks {
		mux := asynq.NewServeMux()
		for taskType, h := range d.Handlers {
			mux.Handle(taskType, h)
		}
		s.muxes = append(s.muxes, mux)
		s.servers = append(s.servers, asynq.NewServerFromRedisClient(r, asynq.Config{
			Concurrency:              d.Concurrency,
			Queues:                   d.Queues,
			TaskCheckInterval:        look,
			DelayedTaskCheckInterval: lookDelayed,
			ShutdownTimeout:          shutdown,
			RetryDelayFunc:           retryDelay,
			Logger:                   asynqLog{log},
			LogLevel:                 asynq.WarnLevel,
			ErrorHandler:             failures{log},
		}))
	}
	return s
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
// once.
func (s *Servers) Shutdown() {
	for _, server := range s.servers {
		server.Stop()
	}
	done := make(chan struct{}, len(s.servers))
	for _, server := range s.servers {
		go func() {
			server.Shutdown()
			done <- struct{}{}
		}()
	}
	for range s.servers {
		<-done
	}
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
		Logger:   asynqLog{log},
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

// asynqLog hands asynq's lines on.
type asynqLog struct {
	log *slog.Logger
}

func (l asynqLog) Debug(args ...any) { l.log.Debug("asynq", "said", fmt.Sprint(args...)) }
func (l asynqLog) Info(args ...any)  { l.log.Info("asynq", "said", fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any)  { l.log.Warn("asynq", "said", fmt.Sprint(args...)) }
func (l asynqLog) Error(args ...any) { l.log.Error("asynq", "said", fmt.Sprint(args...)) }

// Fatal is for what asynq thinks it cannot go on from; the process decides.
func (l asynqLog) Fatal(args ...any) { l.log.Error("asynq gave up", "said", fmt.Sprint(args...)) }
