package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Processes measures the pipeline with one worker process and with several, on
// one PostgreSQL and one Redis.
type Processes struct {
	Events, Rounds int
	Counts         []int // of processes: the first is what the others are compared with
	Launcher       Launcher
	Progress       func(format string, args ...any)
}

// A Scale is what came of so many processes.
type Scale struct {
	Processes   int     `json:"processes"`
	Rate        Spread  `json:"messages_per_second"`
	OfFirst     Spread  `json:"times_first"`
	Costs       Costs   `json:"cpu_us_per_message"` // of all processes together
	Connections float64 `json:"connections"`        // to PostgreSQL, of all processes
	Logged      Spread  `json:"wal_bytes_per_message"`

	rates, logged []float64
	costs         []Costs
}

// Steps is how often it is told of progress.
func (p Processes) Steps() int { return 1 + p.Rounds*len(p.Counts) }

// Run measures all counts in turn, round by round.
func (p Processes) Run(ctx context.Context, s *Services) ([]*Scale, error) {
	if err := s.prepare(ctx, func(ctx context.Context, c *pgx.Conn) error { return fillPipeline(ctx, c, p.Events) }); err != nil {
		return nil, err
	}
	p.Progress("a practice side with %d events", p.Events)
	var all []*Scale
	for _, n := range p.Counts {
		all = append(all, &Scale{Processes: n})
	}
	for round := range p.Rounds {
		for _, one := range all {
			if err := p.measure(ctx, s, one); err != nil {
				return nil, fmt.Errorf("round %d of %d processes: %w", round+1, one.Processes, err)
			}
			p.Progress("round %d of %d: %d processes %.0f/s", round+1, p.Rounds, one.Processes, one.rates[round])
		}
	}
	for _, one := range all {
		one.Rate, one.OfFirst, one.Logged = spread(one.rates), spread(ratios(one.rates, all[0].rates)), spread(one.logged)
		one.Costs = medianCosts(one.costs)
	}
	return all, nil
}

func (p Processes) measure(ctx context.Context, s *Services, of *Scale) (err error) {
	url, drop, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	sink, err := p.Launcher.launch(ctx, sinkPart, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.stop()) }()
	var workers []*process
	for range of.Processes {
		w, err := p.Launcher.launch(ctx, rappelPart, nil, environment(url, s.redis.URL(), sink.address)...)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.stop()) }()
		workers = append(workers, w)
	}
	read := func() Costs {
		c := meter{s, workers[0].pid(), sink.pid()}.read(ctx)
		for _, w := range workers[1:] {
			used, _ := family(w.pid())
			c.Worker += micros(used)
		}
		return c
	}
	_, written, err := standing(ctx, url)
	if err != nil {
		return err
	}
	before, began := read(), time.Now()
	for _, w := range workers {
		if err := w.begin(); err != nil {
			return err
		}
	}
	pipeline := Pipeline{Events: p.Events, Launcher: p.Launcher}
	if err := pipeline.wait(ctx, workers[0], sink.address, open(ctx, rappelPart, url)); err != nil {
		return err
	}
	of.rates = append(of.rates, float64(p.Events)/time.Since(began).Seconds())
	of.costs = append(of.costs, read().since(before, p.Events))
	var now float64
	if of.Connections, now, err = standing(ctx, url); err != nil {
		return err
	}
	of.logged = append(of.logged, (now-written)/float64(p.Events))
	if i := slices.IndexFunc(workers, func(w *process) bool { return w.dead() != nil }); i >= 0 {
		return workers[i].dead()
	}
	_, err = pipeline.check(ctx, sink.address)
	return err
}

// standing is how many connections rappel has to a database, and how many bytes
// its server has written to the log ahead of its files.
func standing(ctx context.Context, url string) (connections, written float64, err error) {
	err = within(ctx, url, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `
			SELECT count(*), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'rappel'`).Scan(&connections, &written)
	})
	return connections, written, err
}
