package chaos_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/services"
	"rappel/internal/testenv"
	"rappel/jobs"
)

// A world is all there is in one trial.
type world struct {
	t        *testing.T
	seed     uint64
	scenario scenario
	size     size
	began    time.Time
	folder   string // of the logs; kept if the trial fails

	postgres *services.Postgres
	database *testenv.Proxy
	network  *testenv.Proxy // to the endpoint
	store    *store
	endpoint *endpoint
	db       *pgxpool.Pool // the trial's own way, past the proxy
	people   *people
	oracle   *oracle
	load     *load
	fleet    *fleet
	watch    *watch
}

// A size is how much goes on in a trial, and for how long.
type size struct {
	events, families    int
	span                time.Duration // of load and faults
	workers, schedulers int
	drain               time.Duration // the longest wait for everything to be done
}

func newWorld(t *testing.T, binary string, s scenario, z size, seed uint64) *world {
	t.Helper()
	w := &world{t: t, seed: seed, scenario: s, size: z, began: time.Now(), folder: newFolder(t)}
	w.services()
	w.people = newPeople(w.dice("people"), 4, z.families)
	w.oracle = newOracle(w.people)
	p := &practice{db: w.db, people: w.people, dice: w.dice("practice")}
	w.fleet = newFleet(t, fleetOptions{
		binary: binary, folder: w.folder, dice: w.dice("fleet"),
		database: fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", w.database.Addr()),
		redis:    w.store.url, endpoint: "http://" + w.network.Addr() + "/admin",
		shutdown: s.shutdown,
	})
	if _, err := w.fleet.run(t.Context(), "migrate"); err != nil {
		t.Fatal(err)
	}
	p.open(t.Context(), t)
	tasks := jobs.NewClient(w.store.opt)
	t.Cleanup(func() { _ = tasks.Close() })
	w.load = &load{
		practice: p, oracle: w.oracle, tasks: tasks, dice: w.dice("load"),
		margin: time.Second + s.skew, soon: z.span / 4,
	}
	w.watch = &watch{db: w.db}
	return w
}

func (w *world) dice(name string) *dice { return newDice(w.seed, w.scenario.name+"/"+name) }

// services starts PostgreSQL, as durable as in production, Redis and the
// endpoint, each behind a stretch of network.
func (w *world) services() {
	w.t.Helper()
	pg, err := services.StartPostgres(w.t.Context(), services.PostgresOptions{Bin: os.Getenv("PG_BIN"), Durable: true})
	stopAtEnd(w.t, pg, err)
	w.postgres = pg
	w.database = testenv.NewProxy(w.t, "unix", testenv.SocketOf(w.t, pg.URL("postgres")))
	if w.db, err = pgxpool.New(w.t.Context(), pg.URL("postgres")); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.db.Close)
	w.store = newStore(w.t, w.scenario.store)
	w.endpoint = newEndpoint(w.t, w.dice("endpoint"))
	w.network = testenv.NewProxy(w.t, "tcp", w.endpoint.server.Listener.Addr().String())
}

// newFolder is where logs are written. They are what explains a failure, and
// stay for that.
func newFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "rappel-chaos-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the logs of all processes are in %s", folder)
			return
		}
		_ = os.RemoveAll(folder)
	})
	return folder
}

// run lets the scenario happen and returns what came of it.
func (w *world) run() result {
	w.t.Helper()
	ctx := w.t.Context()
	const lead = time.Second // for the visits that are there when it begins
	began := time.Now().Add(lead)
	w.load.plan(w.size.events, began, w.size.span)
	if err := w.load.seed(ctx); err != nil {
		w.t.Fatal(err)
	}
	w.fleet.start(w.t, w.size.workers, w.size.schedulers)
	w.endpoint.set(w.scenario.mood())
	w.say("seed %d: %d visits, %d people; the faults begin", w.seed, len(w.load.visits), len(w.people.persons))
	watching, quit := context.WithCancel(ctx)
	defer quit()
	go w.watch.run(watching)

	over := w.trouble(ctx, began)
	w.say("the faults are over; %d events were told", w.load.events.Load())
	drained, err := w.drain(ctx, over)
	w.check("not everything was done: ", err)
	w.say("all was done %s after the faults", drained.Round(time.Second))
	w.check("everything was told once more: ", w.repeat(ctx))
	w.say("everything was told once more")
	w.check("the end: ", w.fleet.stop())
	r := w.count(ctx)
	r.drained = drained
	return r
}

// check has the trial fail where err is one, and go on.
func (w *world) check(what string, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Errorf("%s, seed %d: %s%v", w.scenario.name, w.seed, what, err)
	}
}

func (w *world) say(format string, args ...any) {
	w.t.Helper()
	w.t.Logf("%5.1fs %s: %s", time.Since(w.began).Seconds(), w.scenario.name, fmt.Sprintf(format, args...))
}

// trouble has load and faults happen side by side, and returns when both are
// over, and everything is in order again.
func (w *world) trouble(ctx context.Context, began time.Time) (over time.Time) {
	w.t.Helper()
	faulty, cancel := context.WithDeadline(ctx, began.Add(w.size.span))
	defer cancel()
	var breaking sync.WaitGroup
	for i, f := range w.scenario.faults {
		d := w.dice(fmt.Sprintf("fault %d", i))
		breaking.Go(func() { f(faulty, w, d) })
	}
	breaking.Go(func() { w.tell(faulty) })
	if err := w.load.run(ctx, began); err != nil {
		w.t.Fatal(err)
	}
	<-faulty.Done()
	breaking.Wait()
	w.endpoint.set(calm())
	return time.Now()
}

func shorten(lines []string, most int) string {
	if len(lines) > most {
		lines = append(lines[:most:most], fmt.Sprintf("… and %d more", len(lines)-most))
	}
	return strings.Join(lines, "\n\t")
}
