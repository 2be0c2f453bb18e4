package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"rappel/internal/ops"
	"rappel/internal/postgres"
	"rappel/internal/queue"
	"rappel/jobs"
	"rappel/jobs/deliver"
	"rappel/jobs/plan"
	"rappel/jobs/retain"
	"rappel/recipients"
	"rappel/templates"
)

// Parts are what one process runs. Any number of processes may run any of them.
// The ops server runs beside them, or alone, wherever it has an address.
type Parts struct {
	Worker, Scheduler bool
}

// Run runs the parts until ctx is done, then stops them in order: nothing new
// is taken, what is in hand is finished and recorded, and the ops server goes
// last so that it can be watched. It returns nil if all of that was done in
// time.
func (a *App) Run(ctx context.Context, parts Parts) error {
	stops, err := a.start(ctx, parts)
	switch {
	case err == nil:
		a.log.InfoContext(ctx, "running", "version", a.version, "zone_data", a.zones.String(), "worker", parts.Worker, "scheduler", parts.Scheduler)
		err = a.watchLoops(ctx)
		a.log.InfoContext(ctx, "stopping", "within", a.cfg.ShutdownTimeout)
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		err = nil // it was stopped while it started
	}
	return errors.Join(err, a.stop(ctx, stops))
}

// start starts the parts, and returns what undoes each that was started.
func (a *App) start(ctx context.Context, parts Parts) (stops []func(context.Context) error, err error) {
	if err := a.store.Ready(ctx); err != nil {
		return nil, err
	}
	if err := a.redis.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("REDIS_URL: Redis does not answer: %w", err)
	}
	for _, part := range []struct {
		wanted bool
		start  func(context.Context) (func(context.Context) error, error)
	}{
		{a.cfg.HTTPAddr != "" || a.opsListener != nil, a.startOps},
		{parts.Worker, a.startWorker},
		{parts.Scheduler, a.startScheduler},
	} {
		if !part.wanted {
			continue
		}
		stop, err := part.start(ctx)
		if err != nil {
			return stops, err
		}
		stops = append(stops, stop)
	}
	return stops, nil
}

// stop undoes the starts, the last first, within the shutdown's time.
func (a *App) stop(ctx context.Context, stops []func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.ShutdownTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		var errs []error
		for _, stop := range slices.Backward(stops) {
			errs = append(errs, stop(ctx))
		}
		done <- errors.Join(errs...)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("work in hand was not finished within %s", a.cfg.ShutdownTimeout)
	}
}

func (a *App) startOps(ctx context.Context) (func(context.Context) error, error) {
	shown, err := a.pages()
	if err != nil {
		return nil, err
	}
	server := ops.New(ops.Options{
		Addr:     a.cfg.HTTPAddr,
		Listener: a.opsListener,
		Token:    a.cfg.OpsToken.Reveal(),
		Webhooks: a.webhooks(),
		Pages:    shown, TasksWritable: a.cfg.TasksWritable,
		Registry: a.metrics.registry,
		Redis:    a.opt,
		Log:      a.log,
		Ready:    a.ready(),
	})
	if err := server.Start(ctx); err != nil {
		return nil, err
	}
	a.log.InfoContext(ctx, "ops server listens", "address", server.Addr())
	watching, quit := context.WithCancel(context.WithoutCancel(ctx))
	var watch sync.WaitGroup
	watch.Go(func() { a.watchBooks(watching, a.loops.Start(loopMetrics, metricsTurn)) })
	return func(ctx context.Context) error {
		quit()
		watch.Wait()
		a.loops.Stop(loopMetrics)
		return server.Shutdown(ctx)
	}, nil
}

func (a *App) startScheduler(ctx context.Context) (func(context.Context) error, error) {
	scheduler, err := queue.NewScheduler(a.opt, a.log)
	if err != nil {
		return nil, err
	}
	if err := scheduler.Start(); err != nil {
		return nil, fmt.Errorf("start scheduler: %w", err)
	}
	// What fell due while no scheduler ran need not wait for the next minute.
	first, err := jobs.Sweep{}.Task()
	if err == nil {
		err = a.queue.Put(ctx, first)
	}
	if err != nil {
		a.log.WarnContext(ctx, "no first sweep: the next minute makes up for it", "error", err)
	}
	return func(context.Context) error {
		scheduler.Shutdown()
		return nil
	}, nil
}

// startWorker starts the planner, its ear on the database and the desks.
func (a *App) startWorker(ctx context.Context) (func(context.Context) error, error) {
	limits := deliver.LimitsWithin(a.cfg.ShutdownTimeout)
	if err := limits.Valid(); err != nil {
		return nil, err
	}
	desks := postgres.Desks{recipients.SMS: a.desk(recipients.SMS, limits), recipients.Email: a.desk(recipients.Email, limits)}
	planner, wake := a.planner(postgres.Straight{Store: a.store, Desks: desks}), newBell()
	servers, err := queue.NewServers(a.opt, a.log, limits.Shutdown-time.Second, queue.Desk{
		Queue:       jobs.QueueEvents,
		Concurrency: 16,
		Handlers:    map[string]asynq.Handler{jobs.TypeEvent: planner.HandleEvent(wake.ring)},
	}, queue.Desk{
		Queue:       jobs.QueueSweeps,
		Concurrency: 2,
		Handlers:    map[string]asynq.Handler{jobs.TypeSweep: a.counted(loopSweep, a.sweeper(planner).Handle)},
	}, queue.Desk{
		Queue:       jobs.QueueMaintenance,
		Concurrency: 4, // a long retention holds up no reconciler
		Handlers: map[string]asynq.Handler{
			jobs.TypeReconcile: a.counted(loopReconciler, a.reconcile),
			jobs.TypeRetention: asynq.HandlerFunc((&retain.Keeper{Store: a.store, Queue: a.queue, Now: a.now, Log: a.log}).Handle),
		},
	}, deskOf(desks[recipients.SMS]), deskOf(desks[recipients.Email]))
	if err != nil {
		return nil, err
	}

	a.learnFeatures(ctx)
	quit := a.startLoops(ctx, planner, wake, limits)
	stop := func(context.Context) error {
		for _, gate := range a.gates {
			gate.Close()
		}
		err := servers.Shutdown()
		quit()
		for _, desk := range desks {
			desk.Wait()
			desk.Senders.Stop()
		}
		return err
	}
	if err := servers.Start(); err != nil {
		return nil, errors.Join(err, stop(ctx))
	}
	return stop, nil
}

// startLoops starts what a worker does without being asked by a task, until quit
// is called. It goes on for as long as tasks in hand may need it.
func (a *App) startLoops(ctx context.Context, planner *plan.Planner, wake bell, limits deliver.Limits) (quit func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var loops sync.WaitGroup
	started := func(name string, bound time.Duration, run func(turned func())) {
		turned := a.loops.Start(name, bound)
		loops.Go(func() {
			defer a.loops.Stop(name)
			run(turned)
		})
	}
	started(loopPlanner, planTurn, func(turned func()) {
		planner.Turned = turned
		planner.Run(ctx, wake)
	})
	started(loopEventListener, listenTurn, func(turned func()) { a.listen(ctx, postgres.NewEvents, wake.ring, turned) })
	if a.sendsByAdmin() {
		started(loopHealth, healthTurn, func(turned func()) { a.watchHealth(ctx, turned) })
	}
	if a.admin != nil {
		poster, wake := a.poster(limits), newBell()
		started(loopReplyPoster, postTurn, func(turned func()) {
			poster.Turned = turned
			poster.Run(ctx, wake)
		})
		started(loopReplyListener, listenTurn, func(turned func()) { a.listen(ctx, postgres.NewReplies, wake.ring, turned) })
	}
	return func() {
		cancel()
		loops.Wait()
	}
}

// batchesAtOnce is how many tasks a channel's desk has in hand. Most wait at the
// gate: who comes for one practice need not wait behind another's.
const batchesAtOnce = 1024

func (a *App) desk(channel recipients.Channel, limits deliver.Limits) *deliver.Handler {
	out, requests := a.ways[channel], max(a.cfg.Concurrency/2, 1) // half of them each
	return &deliver.Handler{
		Channel: channel, Via: out.name, Ledger: a.ledger(), Sender: out.Sender, Queue: a.queue,
		Ruler: deliver.Ruler{Templates: &templates.Cache{}}, Limits: limits,
		Now: a.now, Log: a.log,
		Gate: a.openGate(channel, requests), Senders: deliver.StartSenders(requests), Rates: a.rates(),
		Observe: a.metrics.delivered, Tracer: a.tracer,
	}
}

func deskOf(h *deliver.Handler) queue.Desk {
	return queue.Desk{
		Queue:       string(h.Channel),
		Concurrency: batchesAtOnce,
		Handlers:    map[string]asynq.Handler{jobs.TypeDeliver: asynq.HandlerFunc(h.Handle)},
	}
}

// forgottenAfter is how long an open notification may be on no desk.
const forgottenAfter = 15 * time.Second

// reconcile is the handler of the reconciler's tick.
func (a *App) reconcile(ctx context.Context, _ *asynq.Task) error {
	_, err := a.Reconcile(ctx, forgottenAfter)
	rescued, rescueErr := queue.Rescue(ctx, a.redis)
	if rescued > 0 {
		a.log.WarnContext(ctx, "events that a worker had in hand when it died are on the queue again", "count", rescued)
	}
	return errors.Join(err, rescueErr)
}

func (a *App) reconciler() *deliver.Reconciler {
	return &deliver.Reconciler{
		Ledger: a.store, Backlog: queue.NewBacklog(a.redis), Queue: a.queue,
		Now: a.now, Log: a.log, After: forgottenAfter,
	}
}

// listenAgain is how long to wait before the next try to listen: the planner
// looks once a second anyway.
const listenAgain = 2 * time.Second

func (a *App) listen(ctx context.Context, to postgres.News, wake, turned func()) {
	for ctx.Err() == nil {
		err := a.store.Listen(ctx, to, wake, turned)
		turned()
		if ctx.Err() != nil {
			return
		}
		a.log.WarnContext(ctx, "not listening: polling goes on", "to", to, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

// A bell wakes whoever waits for it; rung twice, it wakes once.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}
