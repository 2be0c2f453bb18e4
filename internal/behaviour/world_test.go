package behaviour_test

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/app"
	"rappel/internal/config"
	"rappel/internal/postgres"
	"rappel/internal/testenv"
	"rappel/internal/tracing"
	"rappel/jobs"
)

// A world is one practice with its people, a running worker, a clock that
// stands still until it is advanced, and every message that was received.
type world struct {
	t     *testing.T
	db    *pgxpool.Pool
	redis asynq.RedisConnOpt
	tasks *asynq.Inspector
	cfg   config.Config
	app   *app.App // the first worker
	clock *clock
	inbox *inbox
	log   *log
	ops   net.Listener // of the first worker; nil: it has no ops server

	workers int            // so many were started
	tracer  tracing.Tracer // of every worker
	slow    bool           // the practice gives corrections time

	practice     string
	practitioner string
	names        map[string]string // of people, by their id
}

// monday is when most stories begin: ten in the morning in New York.
const monday = "2026-11-23T10:00:00-05:00"

// newWorld opens a practice in New York at the given time.
func newWorld(t *testing.T, now string) *world {
	t.Helper()
	return openWorld(t, now, func(*world) {})
}

// openWorld opens a practice whose first worker is prepared before it starts.
func openWorld(t *testing.T, now string, prepare func(*world)) *world {
	t.Helper()
	url, redis := testenv.Database(t, migrate), testenv.Redis(t)
	db, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	opt, err := asynq.ParseRedisURI(redis)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, db: db, redis: opt, tasks: asynq.NewInspector(opt), clock: &clock{now: instant(t, now)},
		inbox: newInbox(t), log: &log{t: t}, names: map[string]string{},
	}
	t.Cleanup(func() { _ = w.tasks.Close() })
	w.cfg = config.Config{
		DatabaseURL: config.Secret(url), RedisURL: config.Secret(redis),
		AdminURL: w.inbox.url, AdminToken: token, Concurrency: 8,
		ShutdownTimeout: 20 * time.Second, // a third of which a request may take, on a machine that is busy
	}
	prepare(w)
	w.app = w.startWorker()
	w.ops = nil // it is taken
	w.practice = w.insert("practices", row{
		"name": "Elm Street Practice", "time_zone": "America/New_York",
		"phone": "+12015550100", "email": "desk@elm.example.com",
	})
	w.practitioner = w.insert("practitioners", row{"practice_id": w.practice, "name": "Dr. Rivera"})
	t.Cleanup(w.nothingElse)
	return w
}

func migrate(ctx context.Context, url string) error {
	store, err := postgres.Open(ctx, url, 2)
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Migrate(ctx, nil)
	return err
}

// startWorker runs a worker until the test ends, and fails the test if it does
// not stop cleanly. One that has only begun to start says so when it is stopped,
// which is no clean end: it is let run first.
func (w *world) startWorker() *app.App {
	w.t.Helper()
	w.workers++
	nth := w.workers
	a, err := app.Open(w.t.Context(), app.Options{
		Config: w.cfg, Version: "test", Now: w.clock.Now, OpsListener: w.ops, Tracer: w.tracer,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(w.t.Context()))
	stopped := make(chan error, 1)
	go func() { stopped <- a.Run(ctx, app.Parts{Worker: true}) }()
	w.t.Cleanup(func() {
		w.until("the worker runs", func(context.Context) bool { return len(stopped) > 0 || w.log.count("msg=running ") >= nth })
		stop()
		if err := <-stopped; err != nil {
			w.t.Errorf("the worker did not stop cleanly: %v", err)
		}
		a.Close()
	})
	return a
}

// sweep has the worker look at the rules as of now, as the scheduler would.
func (w *world) sweep() {
	w.t.Helper()
	w.sweepAsOf(w.clock.Now())
}

// sweepAsOf has the worker look at the rules as of another time.
func (w *world) sweepAsOf(at time.Time) {
	w.t.Helper()
	task, err := jobs.Sweep{At: at}.Task()
	if err != nil {
		w.t.Fatal(err)
	}
	w.enqueue(task)
	w.until("all that is due is decided", func(ctx context.Context) bool {
		var swept bool
		if err := w.db.QueryRow(ctx, `SELECT count(*) > 0 FROM rappel.sweeps WHERE swept_to >= $1`, at).Scan(&swept); err != nil {
			w.t.Fatal(err)
		}
		return w.inQueue(jobs.QueueSweeps) == 0 && swept
	})
}

// at lets time pass until t, and sweeps there.
func (w *world) at(t string) {
	w.t.Helper()
	w.wait(instant(w.t, t).Sub(w.clock.Now()))
	w.sweep()
}

// pass lets time pass, and sweeps at its end.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.wait(d)
	w.sweep()
}

// wait lets time pass while no scheduler ticks. The queue's own delays go by
// the machine's clock: what is due by this one is put on the queue by hand.
func (w *world) wait(d time.Duration) {
	w.t.Helper()
	w.clock.set(w.clock.Now().Add(d))
	if _, err := w.app.Reconcile(w.t.Context(), 0); err != nil {
		w.t.Fatal(err)
	}
}

// settle waits until nothing is left to be done now: every event is planned,
// nothing that is due is still open, and no task is on its way.
func (w *world) settle() {
	w.t.Helper()
	w.until("everything is done", func(ctx context.Context) bool { return !w.busy(ctx) })
}

// until waits for something that the worker does by itself.
func (w *world) until(what string, done func(context.Context) bool) {
	w.t.Helper()
	const within = time.Minute
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), within)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("waited %s in vain until %s:\n\t%s", within, what, strings.Join(w.ledger(context.WithoutCancel(ctx)), "\n\t"))
		}
	}
}

// untilTrue waits until the database says so.
func (w *world) untilTrue(what, sql string) {
	w.t.Helper()
	w.until(what, func(ctx context.Context) bool {
		var yes bool
		if err := w.db.QueryRow(ctx, sql).Scan(&yes); err != nil {
			w.t.Fatalf("%s: %v", sql, err)
		}
		return yes
	})
}

// busy looks at the queue first: what a task leaves behind is in the database
// before the task is gone.
func (w *world) busy(ctx context.Context) bool {
	w.t.Helper()
	queued := w.queued()
	var open int
	err := w.db.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM rappel.events WHERE planned_at IS NULL AND look_at <= now())
		+ (SELECT count(*) FROM rappel.notifications WHERE status = 'sending'
			OR (status = 'pending' AND not_before <= $1) OR (status = 'unknown' AND repeat_at <= $1))`,
		w.clock.Now()).Scan(&open)
	if err != nil {
		w.t.Fatalf("the database does not tell what is open: %v", err)
	}
	return open > 0 || queued > 0
}

// queued counts the tasks that wait or are worked on.
func (w *world) queued() int {
	w.t.Helper()
	queues, err := w.tasks.Queues()
	if err != nil {
		w.t.Fatal(err)
	}
	total := 0
	for _, q := range queues {
		total += w.inQueue(q)
	}
	return total
}

func (w *world) inQueue(name string) int {
	w.t.Helper()
	info, err := w.tasks.GetQueueInfo(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return info.Pending + info.Active
}

// expect fails the test unless exactly these messages came since the last time,
// in any order. Each is given as "channel to: words", and must hold the words.
func (w *world) expect(want ...string) {
	w.t.Helper()
	w.settle()
	got := w.inbox.take()
	for _, line := range want {
		to, words, _ := strings.Cut(line, ": ")
		i := slices.IndexFunc(got, func(m string) bool { return strings.HasPrefix(m, to+": ") && strings.Contains(m, words) })
		if i < 0 {
			w.t.Errorf("nobody received\n\t%s\nbut these came:\n\t%s", line, strings.Join(got, "\n\t"))
			continue
		}
		got = slices.Delete(got, i, i+1)
	}
	if len(got) > 0 {
		w.t.Errorf("these came as well:\n\t%s", strings.Join(got, "\n\t"))
	}
}

// nothingElse ends every story: nothing came that was not expected, and no line
// of the log names a person.
func (w *world) nothingElse() {
	if !w.t.Failed() {
		w.expect()
	}
	w.log.namesNobody(slices.Collect(maps.Values(w.names)))
}
