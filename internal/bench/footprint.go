package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Footprint measures what one process of `rappel run` takes of a machine: how
// much memory while very much falls due at once, how long it takes to be ready,
// and what it does while there is nothing to do.
type Footprint struct {
	Burst    int           // reminders that fall due in one minute
	Starts   int           // how often it is started, on what the burst has left
	Rest     time.Duration // how long it is watched doing nothing
	Launcher Launcher
	Progress func(format string, args ...any)
}

// FootprintSteps is how often a Footprint tells of its progress.
const FootprintSteps = 4

// Run measures: the burst first, so that what follows finds a ledger in use.
func (f Footprint) Run(ctx context.Context, s *Services) (figures []Figure, err error) {
	f.Progress("%d reminders to fall due", f.Burst)
	// A few appointments beside those of the burst: too few to be due while it rests.
	side := Sweep{Appointments: 1000, Practices: 100, Due: 1, Burst: f.Burst}
	now := time.Now().UTC().Truncate(time.Hour)
	if err := s.prepare(ctx, func(ctx context.Context, c *pgx.Conn) error { return side.fill(ctx, c, now) }); err != nil {
		return nil, err
	}
	url, drop, err := s.fresh(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	sink, err := f.Launcher.launch(ctx, sinkPart, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sink.stop()) }()
	on := footing{s: s, database: url, sink: sink}
	for _, measure := range []func(context.Context, footing) ([]Figure, error){f.burst, f.starts, f.rest} {
		some, err := measure(ctx, on)
		if err != nil {
			return nil, err
		}
		f.Progress("%s: %s", some[0].What, some[0].Figure())
		figures = append(figures, some...)
	}
	return figures, nil
}

// A footing is what the process stands on.
type footing struct {
	s        *Services
	database string
	sink     *process
}

// tidy has PostgreSQL do now what a burst leaves it to do: that is not on the
// account of who rests.
func (on footing) tidy(ctx context.Context) error {
	return execute(ctx, on.database, "VACUUM (ANALYZE)", "CHECKPOINT")
}

// A server is a process of `rappel run` that is ready.
type server struct {
	*process
	url  string        // of its ops server
	took time.Duration // from the start of the process until it said so
}

// start starts the process and waits until it is ready.
func (f Footprint) start(ctx context.Context, on footing) (*server, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	variables := append(environment(on.database, on.s.redis.URL(), on.sink.address), "RAPPEL_HTTP_ADDR="+address)
	began := time.Now()
	p, err := f.Launcher.launch(ctx, wholePart, nil, variables...)
	if err != nil {
		return nil, err
	}
	if err = p.begin(); err == nil {
		err = isReady(ctx, p, "http://"+address+"/readyz")
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return &server{p, "http://" + address, time.Since(began)}, nil
}

// freeAddress is one that nobody listens on at this moment.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// readyWithin is how long a start may take before something is wrong.
const readyWithin = 30 * time.Second

// isReady waits until the readiness check answers 200.
func isReady(ctx context.Context, p *process, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		// Refused, until it listens.
		if res, err := new(http.Client).Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := p.dead(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("rappel run is not ready: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}

// burst starts the process where very much is due: its first sweep finds it.
func (f Footprint) burst(ctx context.Context, on footing) (figures []Figure, err error) {
	run, err := f.start(ctx, on)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, run.stop()) }()
	began := time.Now()
	if _, err := (Sweep{Burst: f.Burst}).arrived(ctx, run.process, on.sink.address); err != nil {
		return nil, err
	}
	figures = []Figure{{"reminders that fell due in one minute, all left after", time.Since(began).Seconds(), "s", fmt.Sprintf("(%d)", f.Burst)}}
	if most, ok := memory(run.pid(), mostMemory); ok {
		figures = append(figures, Figure{"meanwhile, most memory", most, "MB", ""})
	}
	return figures, nil
}

// starts starts the process again and again, on a schema that is up to date.
func (f Footprint) starts(ctx context.Context, on footing) ([]Figure, error) {
	var took []float64
	for range f.Starts {
		run, err := f.start(ctx, on)
		if err != nil {
			return nil, err
		}
		took = append(took, millis(run.took))
		if err := run.stop(); err != nil {
			return nil, err
		}
	}
	all := spread(took)
	return []Figure{{"from start to ready", all.Median, "ms", fmt.Sprintf("(%.1f–%.1f)", all.Low, all.High)}}, nil
}

// settled is how long what a start brings with it may take, before there is
// rest.
const settled = 3 * time.Second

// rest watches the process while there is nothing to do but to look for work.
func (f Footprint) rest(ctx context.Context, on footing) (figures []Figure, err error) {
	run, err := f.start(ctx, on)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, run.stop()) }()
	if err := on.tidy(ctx); err != nil {
		return nil, err
	}
	if err := pause(ctx, settled); err != nil {
		return nil, err
	}
	m := meter{on.s, run.pid(), on.sink.pid()}
	before, began := m.read(ctx), time.Now()
	if err := pause(ctx, f.Rest); err != nil {
		return nil, err
	}
	used, took := m.read(ctx).since(before, 1), time.Since(began)
	if figures, err = f.held(ctx, on, run); err != nil {
		return nil, err
	}
	now, ok := memory(run.pid(), memoryNow)
	if !ok {
		return figures, nil
	}
	ofCore := func(what string, cost float64) Figure {
		return Figure{what, 100 * cost / micros(took), "%", "of a core"}
	}
	return append([]Figure{
		ofCore("at rest, CPU of rappel run", used.Worker),
		ofCore("at rest, CPU of Redis beside it", used.Redis),
		ofCore("at rest, CPU of PostgreSQL beside it", used.Postgres),
		{"at rest, memory", now, "MB", ""},
	}, figures...), nil
}

// held is what the process holds on to while it rests.
func (f Footprint) held(ctx context.Context, on footing, run *server) ([]Figure, error) {
	goroutines, err := sample(ctx, run.url+"/metrics", "go_goroutines")
	if err != nil {
		return nil, err
	}
	var sessions int
	err = within(ctx, on.database, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&sessions)
	})
	if err != nil {
		return nil, err
	}
	clients, err := on.s.redisClients(ctx)
	if err != nil {
		return nil, err
	}
	return []Figure{
		{What: "at rest, goroutines", Value: goroutines},
		{What: "at rest, connections to PostgreSQL", Value: float64(sessions)},
		{What: "at rest, connections to Redis", Value: clients},
	}, nil
}

// sample is the value of a metric without labels.
func sample(ctx context.Context, url, metric string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := new(http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), metric+" "); ok {
			return decimal(value), nil
		}
	}
	return 0, fmt.Errorf("%s has no %s", url, metric)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
