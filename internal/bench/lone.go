package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"rappel/internal/queue"
	"rappel/jobs"
)

// A Lone measures how long an event takes to its request while nothing else is
// to be done.
type Lone struct {
	Events   int // each way
	Launcher Launcher
	Progress func(format string, args ...any)
}

// A Wait is how long events took that were told in one way.
type Wait struct {
	Way     string  `json:"told_by"`
	Median  float64 `json:"p50_ms"`
	Longest float64 `json:"p99_ms"`
}

// Run tells events one by one, each when the one before has arrived.
func (l Lone) Run(ctx context.Context, s *Services) (waits []Wait, err error) {
	fill := func(ctx context.Context, c *pgx.Conn) error {
		return errors.Join(fillPipeline(ctx, c, ways*l.Events), untold(ctx, c))
	}
	if err := s.prepare(ctx, fill); err != nil {
		return nil, err
	}
	url, drop, err := s.fresh(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	arrived := make(chan struct{}, 1)
	sink, err := serve(ctx, &Sink{Arrived: func() { arrived <- struct{}{} }})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sink.stop()) }()
	worker, err := l.Launcher.launch(ctx, rappelPart, nil, environment(url, s.redis.URL(), sink.url)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, worker.stop()) }()
	if err := worker.begin(); err != nil {
		return nil, err
	}
	return l.tell(ctx, s, url, worker, arrived)
}

// ways is in how many ways an event can be told.
const ways = 2

// untold leaves the appointments without their events.
func untold(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `DELETE FROM rappel.events WHERE planned_at IS NULL`)
	return err
}

func (l Lone) tell(ctx context.Context, s *Services, url string, worker *process, arrived <-chan struct{}) ([]Wait, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT id::text FROM rappel.appointments ORDER BY id LIMIT $1`, ways*l.Events)
	if err != nil {
		return nil, err
	}
	appointments, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	opt, err := queue.ParseRedis(s.redis.URL())
	if err != nil {
		return nil, err
	}
	client := jobs.NewClient(opt)
	defer func() { _ = client.Close() }()
	var waits []Wait
	for i, way := range []struct {
		name string
		tell func(appointment string) error
	}{
		{"a row in rappel.events", func(appointment string) error {
			_, err := conn.Exec(ctx, `INSERT INTO rappel.events (id, kind, appointment_id) VALUES ($1, $2, $3)`, uuid.NewString(), bookedKind, appointment)
			return err
		}},
		{"a task appointment:event", func(appointment string) error {
			_, err := client.Report(ctx, jobs.Booked, appointment, time.Now())
			return err
		}},
	} {
		l.Progress("%d events, each alone, by %s", l.Events, way.name)
		wait, err := one(ctx, appointments[i*l.Events:(i+1)*l.Events], worker, arrived, way.tell)
		if err != nil {
			return nil, err
		}
		wait.Way = way.name
		waits = append(waits, wait)
	}
	return waits, nil
}

// lonePause is about how long the system has been idle before each event; some
// more or less of it meets every moment between two looks.
const lonePause = 100 * time.Millisecond

func one(ctx context.Context, appointments []string, worker *process, arrived <-chan struct{}, tell func(string) error) (Wait, error) {
	var took []time.Duration
	for _, a := range appointments {
		if err := pause(ctx, lonePause/2+rand.N(lonePause)); err != nil {
			return Wait{}, err
		}
		began := time.Now()
		if err := tell(a); err != nil {
			return Wait{}, err
		}
		select {
		case <-arrived:
			took = append(took, time.Since(began))
		case <-time.After(lost):
			return Wait{}, errors.Join(fmt.Errorf("an event was not heard of for %s", lost), worker.dead())
		case <-ctx.Done():
			return Wait{}, ctx.Err()
		}
	}
	return Wait{Median: millis(percentile(took, 50)), Longest: millis(percentile(took, 99))}, nil
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// A served Sink runs in this process, so that each arrival is known at once.
type served struct {
	url   string
	end   context.CancelFunc
	ended chan error
}

func serve(ctx context.Context, s *Sink) (*served, error) {
	ctx, cancel := context.WithCancel(ctx)
	at := &served{end: cancel, ended: make(chan error, 1)}
	url := make(chan string, 1)
	go func() { at.ended <- s.Serve(ctx, func(u string) { url <- u }) }()
	select {
	case at.url = <-url:
		return at, nil
	case err := <-at.ended:
		cancel()
		return nil, err
	}
}

func (s *served) stop() error {
	s.end()
	return <-s.ended
}
