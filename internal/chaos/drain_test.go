package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"

	"rappel/jobs"
)

// drain waits until everything is done, and returns how long that took since
// the faults were over. What the clock brings about is no part of it: it begins
// when the last reminder is due, if that is later.
func (w *world) drain(ctx context.Context, over time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, w.size.drain)
	defer cancel()
	if w.scenario.forgetful {
		if err := w.load.remind(ctx); err != nil {
			return 0, err
		}
	}
	swept, said := time.Time{}, time.Now()
	for {
		if due := w.load.lastDue; due.After(over) {
			over = due
		}
		if err := w.load.follow(ctx); err != nil {
			return 0, err
		}
		left, err := w.left(ctx)
		if err == nil && left == "" && swept.After(w.load.lastDue) {
			return time.Since(over), nil
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			w.say("still %s", left)
		}
		// The minute's tick would find it too; this is the cron job beside it.
		if now := time.Now(); now.After(w.load.lastDue) && !swept.After(w.load.lastDue) {
			if _, err := w.fleet.run(ctx, "sweep"); err == nil {
				swept = now
			}
		}
		if !wait(ctx, 200*time.Millisecond) {
			return time.Since(over), fmt.Errorf("after %s there is still %s: %w", w.size.drain, left, errors.Join(err, ctx.Err()))
		}
	}
}

// left says what is still to be done; empty: nothing.
func (w *world) left(ctx context.Context) (string, error) {
	if n := len(w.load.waiting) + len(w.load.untold); n > 0 {
		return fmt.Sprintf("%d visits whose story goes on, %d events to be told", len(w.load.waiting), len(w.load.untold)), nil
	}
	var unplanned, rows int
	err := w.db.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM rappel.events WHERE planned_at IS NULL),
		(SELECT count(*) FROM rappel.notifications WHERE status IN ('pending', 'sending'))`).Scan(&unplanned, &rows)
	if err != nil {
		return "", err
	}
	untaken, err := w.load.untaken(ctx)
	if err != nil || unplanned+rows+len(untaken) == 0 {
		return "", err
	}
	return fmt.Sprintf("%d events told by task to be taken, %d events to be decided, %d messages to be sent",
		len(untaken), unplanned, rows), nil
}

// repeat tells every event once more and puts every message on the queue once
// more, as a queue that delivers late and twice would, and waits until all of
// that was looked at. Nobody may hear of it.
func (w *world) repeat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, e := range w.load.byTask {
		if err := w.load.tasks.ReportEvent(ctx, e); err != nil {
			return err
		}
	}
	queue := asynq.NewClient(w.store.opt)
	defer queue.Close()
	for _, channel := range []string{"sms", "email"} {
		ids, err := w.ids(ctx, `SELECT id FROM rappel.notifications WHERE channel = $1`, channel)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(ids, 100) {
			task, err := jobs.Deliver{IDs: some}.Task(channel)
			if err != nil {
				return err
			}
			if _, err := queue.EnqueueContext(ctx, task); err != nil {
				return err
			}
		}
	}
	return w.idle(ctx)
}

// idle waits until no task waits any more. Those that are worked on the stop of
// the workers waits for; those that a killed one had are nobody's for minutes.
func (w *world) idle(ctx context.Context) error {
	inspector := asynq.NewInspector(w.store.opt)
	defer inspector.Close()
	for {
		pending := 0
		queues, err := inspector.Queues()
		if err != nil {
			return err
		}
		for _, name := range queues {
			info, err := inspector.GetQueueInfo(name)
			if err != nil {
				return err
			}
			pending += info.Pending
		}
		left, err := w.left(ctx)
		if pending == 0 && err == nil && left == "" {
			return nil
		}
		if !wait(ctx, 100*time.Millisecond) {
			return fmt.Errorf("%d tasks still wait", pending)
		}
	}
}

func (w *world) ids(ctx context.Context, sql string, args ...any) ([]string, error) {
	rows, err := w.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
