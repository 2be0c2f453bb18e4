// Package app builds rappel out of its parts, starts them and stops them in
// order. It is the only package that knows all the others; it deliberately
// holds no rule of the product.
package app

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/internal/admin"
	"rappel/internal/config"
	"rappel/internal/heartbeat"
	"rappel/internal/kind"
	"rappel/internal/postgres"
	"rappel/internal/queue"
	"rappel/internal/tracing"
	"rappel/internal/zoneinfo"
	"rappel/jobs"
	"rappel/jobs/deliver"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
	"rappel/recipients"
)

// Options are what an App is built from.
type Options struct {
	Config  config.Config
	Version string
	Log     *slog.Logger
	Now     func() time.Time // the clock that people's messages go by
	// OpsListener is where the ops server listens; nil: it opens one where the
	// configuration says. The App closes it.
	OpsListener net.Listener
	// Tracer records the steps of each message; the zero Tracer does so only
	// where the configuration names a collector.
	Tracer tracing.Tracer
}

// An App holds the connections of one process. Which of them there are depends
// on what the configuration gives.
type App struct {
	cfg     config.Config
	version string
	log     *slog.Logger
	now     func() time.Time
	store   *postgres.Store
	redis   redis.UniversalClient
	opt     asynq.RedisConnOpt
	queue   *queue.Client
	metrics *metrics
	tracer  tracing.Tracer

	admin       *admin.Client // nil: no admin endpoints are configured
	zones       *zoneinfo.Data
	loops       *heartbeat.Loops
	ways        map[recipients.Channel]wayOut
	gates       []*deliver.Gate  // of a worker
	sendGridKey *ecdsa.PublicKey // nil: no event is believed
	opsListener net.Listener     // nil: the ops server opens one where the configuration says
	endTraces   func()           // nil: there are none
}

// LogLibraries has what libraries would write to standard error on their own go
// to log, for the whole process.
func LogLibraries(log *slog.Logger) { queue.LogTo(log) }

// connections is how many the pool may open beside those of deliveries: each
// batch holds one for the length of a short transaction.
const connections = 16

// Open prepares the connections. It fails with a *config.Error where URLs cannot
// be used, not where a service does not answer yet.
func Open(ctx context.Context, o Options) (*App, error) {
	a := &App{cfg: o.Config, version: o.Version, log: o.Log, now: o.Now, metrics: newMetrics(), opsListener: o.OpsListener, tracer: o.Tracer, loops: heartbeat.New(time.Now)}
	a.metrics.registry.MustRegister(newLoopAges(a.loops))
	var mistakes []error
	if o.Config.Traces {
		if err := a.exportTraces(ctx); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	zones, err := zoneinfo.Newest(o.Config.ZoneInfo)
	if err != nil {
		mistakes = append(mistakes, fmt.Errorf("RAPPEL_ZONEINFO: %w", err))
	}
	a.zones = zones
	if url := o.Config.DatabaseURL.Reveal(); url != "" {
		store, err := postgres.Open(ctx, url, connections)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("DATABASE_URL: %w", err))
		} else {
			store.UseZones(zones)
		}
		a.store = store
	}
	if url := o.Config.RedisURL.Reveal(); url != "" {
		if err := a.openRedis(url); err != nil {
			mistakes = append(mistakes, fmt.Errorf("REDIS_URL: %w", err))
		}
	}
	for _, err := range []error{a.openWays(), a.openWebhooks()} {
		if err != nil {
			mistakes = append(mistakes, err)
		}
	}
	if len(mistakes) > 0 {
		a.Close()
		return nil, &config.Error{Mistakes: mistakes}
	}
	return a, nil
}

func (a *App) openRedis(url string) error {
	opt, err := queue.ParseRedis(url)
	if err != nil {
		return err
	}
	a.opt = opt
	if a.redis, err = queue.Connect(opt); err != nil {
		return err
	}
	a.queue = queue.NewClient(a.redis, a.now)
	return a.metrics.registry.Register(queue.NewMetrics(a.redis))
}

// Close closes the connections.
func (a *App) Close() {
	if a.opsListener != nil {
		_ = a.opsListener.Close() // once more, where the server has closed it
	}
	if a.redis != nil {
		if err := a.redis.Close(); err != nil {
			a.log.Warn("closing Redis", "error", err)
		}
	}
	if a.store != nil {
		a.store.Close()
	}
	if a.endTraces != nil {
		a.endTraces()
	}
}

// exportTraces has the steps of messages go to a collector.
func (a *App) exportTraces(ctx context.Context) error {
	tracer, end, err := tracing.Export(ctx, a.version)
	if err != nil {
		return err
	}
	a.tracer = tracer
	a.endTraces = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpans)
		defer cancel()
		if err := end(ctx); err != nil {
			a.log.WarnContext(ctx, "the last traces did not reach their collector", "error", err)
		}
	}
	return nil
}

// lastSpans is how long the end of a process waits for its last traces to go.
const lastSpans = 2 * time.Second

// Migrate brings the schema up to date and returns the steps taken.
func (a *App) Migrate(ctx context.Context, progress func(postgres.Migration)) ([]postgres.Migration, error) {
	return a.store.Migrate(ctx, progress)
}

// Migrations tells of every step of the schema whether it was applied.
func (a *App) Migrations(ctx context.Context) ([]postgres.Migration, error) {
	return a.store.Migrations(ctx)
}

func (a *App) planner(store plan.Store) *plan.Planner {
	return &plan.Planner{
		Store: store, Queue: a.queue, Now: a.now, Log: a.log, Observe: a.metrics.decided, Failed: a.metrics.rowFailed, Tracer: a.tracer,
	}
}

func (a *App) sweeper(planner *plan.Planner) *sweep.Sweeper {
	return &sweep.Sweeper{Store: a.store, Planner: planner, Now: a.now, Log: a.log}
}

// Sweep has everything decided that is due up to at; a zero at means now.
func (a *App) Sweep(ctx context.Context, at time.Time) (sweep.Result, error) {
	if err := a.store.Ready(ctx); err != nil {
		return sweep.Result{}, err
	}
	if at.IsZero() {
		at = a.now()
	}
	if err := (jobs.Sweep{At: at}).Valid(); err != nil {
		return sweep.Result{}, MistakeError(err.Error())
	}
	return a.sweeper(a.planner(a.store)).Sweep(ctx, at)
}

// A MistakeError is one of whoever gave a command: nothing was done.
type MistakeError string

func (m MistakeError) Error() string { return string(m) }

// Report keeps one event, told by hand, and returns its id. The next worker
// plans it, unless an event of that id was told before: the same id is told
// once. An empty id makes a new one.
func (a *App) Report(ctx context.Context, k kind.Kind, appointmentID, id string) (told string, before bool, err error) {
	e, err := jobs.NewEvent(k, appointmentID, a.now())
	if err == nil && id != "" {
		e.ID = id
		err = e.Valid()
	}
	if err != nil {
		return "", false, MistakeError(err.Error())
	}
	if err := a.store.Ready(ctx); err != nil {
		return "", false, err
	}
	added, err := a.store.AddEvents(ctx, []plan.Event{{
		ID: e.ID, Kind: e.Kind, AppointmentID: e.AppointmentID, OccurredAt: e.OccurredAt,
	}})
	if err != nil {
		return "", false, fmt.Errorf("report event %s: %w", e.ID, err)
	}
	return e.ID, added == 0, nil
}

// Reconcile puts notifications back on the queue that are due and were on no
// desk for longer than after, and returns how many there were. Zero puts back
// all that are open and due: what a clock that jumped needs.
func (a *App) Reconcile(ctx context.Context, after time.Duration) (int, error) {
	r := a.reconciler()
	r.After = after
	return r.Reconcile(ctx)
}
