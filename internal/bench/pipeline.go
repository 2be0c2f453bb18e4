package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"

	"rappel/internal/queue"
)

// A Pipeline measures how many events a second become messages, with the
// outcome of each in the ledger.
type Pipeline struct {
	Events   int
	Rounds   int
	Latency  time.Duration // of the endpoint
	InFlight int           // messages at once on one channel; 0: what each design thinks best
	Profiles string        // folder for profiles of each design in the last round; empty: none
	Launcher Launcher
	Progress func(format string, args ...any)
}

// usualInFlight is how many messages the designs beside rappel have in flight
// unless told otherwise: more were no faster on two cores.
const usualInFlight = 64

// A Design is one way of doing the work, with what came of it.
type Design struct {
	Name      string `json:"design"`
	Rate      Spread `json:"messages_per_second"`
	OfPlain   Spread `json:"times_plain"`
	OfCeiling Spread `json:"of_ceiling"`
	Together  Spread `json:"messages_per_request"`
	Costs     Costs  `json:"cpu_us_per_message"`

	part  string
	batch int // messages that the endpoint takes in one request
	rates []float64
	each  []float64 // messages a request
	costs []Costs
}

// batch is how many messages one request holds at most, where the endpoint takes
// several.
const batch = 100

// designs are what is compared: with an endpoint that takes messages one by one,
// and with one that takes them by the hundred. Of either, the ceiling is the
// least that the work can cost; rappel's rows alone are what is left of that for
// whoever writes down the same. POST alone is no design, but shows what is left
// if nothing is done but send.
func designs() []*Design {
	return []*Design{
		{Name: "plain", part: plainPart},
		{Name: "rappel", part: rappelPart},
		{Name: "rappel's rows alone", part: rowsPart},
		{Name: "ceiling", part: ceilingPart},
		{Name: "rappel, by batches", part: rappelPart, batch: batch},
		{Name: "rappel's rows alone, by batches", part: rowsPart, batch: batch},
		{Name: "ceiling, by batches", part: ceilingPart, batch: batch},
		{Name: "POST alone", part: postPart},
	}
}

// PipelineSteps is how often a Pipeline tells of its progress.
func PipelineSteps(rounds int) int { return 1 + rounds*len(designs()) }

// file is what files about a design are called.
func (d *Design) file() string {
	if d.batch > 0 {
		return d.part + "-batch"
	}
	return d.part
}

// Run measures all designs in turn, round by round: what else the machine does
// meets all of them.
func (p Pipeline) Run(ctx context.Context, s *Services) ([]*Design, error) {
	p.Progress("a practice side with %d events", p.Events)
	if p.Profiles != "" {
		if err := s.countStatements(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.prepare(ctx, func(ctx context.Context, c *pgx.Conn) error { return fillPipeline(ctx, c, p.Events) }); err != nil {
		return nil, err
	}
	all := designs()
	for round := range p.Rounds {
		for _, d := range all {
			if err := p.measure(ctx, s, d); err != nil {
				return nil, fmt.Errorf("round %d of %s: %w", round+1, d.Name, err)
			}
			p.Progress("round %d of %d: %s %.0f/s", round+1, p.Rounds, d.Name, d.rates[round])
		}
	}
	compare(all)
	return all, nil
}

func compare(all []*Design) {
	of := func(part string, batch int) []float64 {
		i := slices.IndexFunc(all, func(d *Design) bool { return d.part == part && d.batch == batch })
		return all[i].rates
	}
	for _, d := range all {
		d.Rate = spread(d.rates)
		d.OfPlain = spread(ratios(d.rates, of(plainPart, 0)))
		d.OfCeiling = spread(ratios(d.rates, of(ceilingPart, d.batch)))
		d.Together = spread(d.each)
		d.Costs = medianCosts(d.costs)
	}
}

// measure runs one design on a fresh copy of everything, and keeps what came of
// it.
func (p Pipeline) measure(ctx context.Context, s *Services, d *Design) (err error) {
	url, drop, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	sink, err := p.Launcher.launch(ctx, sinkPart, []string{"--latency", p.Latency.String(), "--batch", strconv.Itoa(d.batch)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.stop()) }()
	if d.part == plainPart {
		if err := enqueue(ctx, s.redis.URL(), url); err != nil {
			return err
		}
	}
	worker, err := p.Launcher.launch(ctx, d.part, p.flags(d), p.environment(d.part, url, s.redis.URL(), sink.address)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, worker.stop()) }()
	return p.watch(ctx, s, d, worker, sink, open(ctx, d.part, url))
}

// watch has the worker of a design begin, and measures until it is done.
func (p Pipeline) watch(ctx context.Context, s *Services, d *Design, worker, sink *process, open func() (int, error)) error {
	if p.Profiles != "" {
		if err := s.forgetStatements(ctx); err != nil {
			return err
		}
	}
	m := meter{s, worker.pid(), sink.pid()}
	before := m.read(ctx)
	began := time.Now()
	if err := worker.begin(); err != nil {
		return err
	}
	if err := p.wait(ctx, worker, sink.address, open); err != nil {
		return err
	}
	took := time.Since(began)
	costs := m.read(ctx).since(before, p.Events)
	if p.Profiles != "" {
		if err := s.writeStatements(ctx, filepath.Join(p.Profiles, d.file()+".statements"), p.Events); err != nil {
			return err
		}
	}
	count, err := p.check(ctx, sink.address)
	d.rates, d.costs = append(d.rates, float64(p.Events)/took.Seconds()), append(d.costs, costs)
	d.each = append(d.each, float64(count.Messages)/float64(count.Requests))
	return err
}

const token = "of-the-benchmark"

// flags are those of a part at work.
func (p Pipeline) flags(d *Design) []string {
	f := []string{
		"--events", strconv.Itoa(p.Events), "--in-flight", strconv.Itoa(cmp.Or(p.InFlight, usualInFlight)), "--batch", strconv.Itoa(d.batch),
	}
	if p.Profiles != "" {
		f = append(f, "--profile", filepath.Join(p.Profiles, d.file()+".pprof"))
	}
	return f
}

// environment is that of a part: what rappel is configured by, and no more.
func (p Pipeline) environment(part, database, redis, admin string) []string {
	e := environment(database, redis, admin)
	if part == rappelPart && p.InFlight > 0 {
		const channels = 2 // each has half
		e = append(e, "RAPPEL_CONCURRENCY="+strconv.Itoa(channels*p.InFlight))
	}
	return e
}

func environment(database, redis, admin string) []string {
	return []string{"DATABASE_URL=" + database, "REDIS_URL=" + redis, "RAPPEL_ADMIN_URL=" + admin, "RAPPEL_ADMIN_TOKEN=" + token}
}

// enqueue puts a task for each event on the queue of the plain design, by the
// order in which they were told. It is not part of what is measured.
func enqueue(ctx context.Context, redisURL, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT id::text FROM rappel.events WHERE planned_at IS NULL ORDER BY look_at`)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	opt, err := queue.ParseRedis(redisURL)
	if err != nil {
		return err
	}
	client := asynq.NewClient(opt)
	defer client.Close()
	const atOnce = 8
	var (
		workers sync.WaitGroup
		failed  = make(chan error, atOnce)
	)
	for w := range atOnce {
		workers.Go(func() {
			for i := w; i < len(ids); i += atOnce {
				if _, err := client.EnqueueContext(ctx, asynq.NewTask(plainTask, []byte(ids[i]))); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	workers.Wait()
	close(failed)
	return <-failed
}

// look is how often it is looked whether the work is done.
const look = 5 * time.Millisecond

// wait waits until the endpoint has all messages, and then until the ledger has
// all outcomes. The endpoint is asked first: that costs PostgreSQL nothing.
func (p Pipeline) wait(ctx context.Context, worker *process, sink string, open func() (int, error)) error {
	var stalled stall
	return until(ctx, worker, look, func() (bool, error) {
		count, err := countOf(ctx, sink)
		if err == nil && stalled.at(count.Messages) {
			err = fmt.Errorf("of %d events, %d are heard of, and no more for %s", p.Events, count.Messages, lost)
		}
		if err != nil || count.Messages < p.Events {
			return false, err
		}
		left, err := open()
		return left == 0, err
	})
}

// until looks now and then whether something is done, as long as a worker lives.
func until(ctx context.Context, worker *process, every time.Duration, done func() (bool, error)) error {
	for {
		if ok, err := done(); err != nil || ok {
			return err
		}
		if err := worker.dead(); err != nil {
			return err
		}
		if err := pause(ctx, every); err != nil {
			return err
		}
	}
}

// lost is how long nothing may arrive before something is wrong.
const lost = 30 * time.Second

// A stall finds out that work does not go on.
type stall struct {
	count int
	since time.Time
}

// at tells whether the count of what is done has been the same for too long.
func (s *stall) at(count int) bool {
	if s.since.IsZero() || count != s.count {
		s.count, s.since = count, time.Now()
	}
	return time.Since(s.since) > lost
}

// open returns what tells how many messages have no outcome in the ledger of a
// design.
func open(ctx context.Context, part, url string) func() (int, error) {
	var query string
	switch part {
	case plainPart, ceilingPart:
		query = `SELECT count(*) FROM bench.messages WHERE status = 'pending'`
	case rappelPart, rowsPart:
		query = `SELECT count(*) FROM rappel.notifications WHERE status IN ('pending', 'sending')`
	}
	return func() (n int, err error) {
		if query == "" {
			return 0, nil
		}
		err = within(ctx, url, func(conn *pgx.Conn) error { return conn.QueryRow(ctx, query).Scan(&n) })
		return n, err
	}
}

func countOf(ctx context.Context, sink string) (c Count, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, sink+"/count", http.NoBody)
	if err != nil {
		return c, err
	}
	res, err := new(http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		return c, fmt.Errorf("ask the endpoint what it has: %w", err)
	}
	defer res.Body.Close()
	return c, json.NewDecoder(res.Body).Decode(&c)
}

// check makes sure that what was measured is the work: every message, once.
func (p Pipeline) check(ctx context.Context, sink string) (Count, error) {
	count, err := countOf(ctx, sink)
	if err == nil && (count.Messages != p.Events || count.Doubles != 0) {
		err = fmt.Errorf("%d events made %d messages, and %d were sent again", p.Events, count.Messages, count.Doubles)
	}
	return count, err
}
