package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/postgres"
	"rappel/internal/queue"
	"rappel/jobs"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
	"rappel/recipients"
)

//go:embed sweep.sql
var sweepSQL string

// A Sweep measures what the minute's sweep costs where very much is stored, and
// how a burst of what falls due at once is taken.
type Sweep struct {
	Appointments, Practices int
	Due                     int // in one minute that is looked at
	Burst                   int // in one minute that is swept by a worker; 0: none
	Launcher                Launcher
	Progress                func(format string, args ...any)
}

// SweepSteps is how often a Sweep tells of its progress.
const SweepSteps = 5

// A Figure is one thing that was measured.
type Figure struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Note  string  `json:"note,omitempty"`
}

// Figure is the figure for people.
func (f Figure) Figure() string {
	digits := 0
	if f.Value < 100 && f.Unit != "" {
		digits = 1
	}
	return strings.TrimSpace(strconv.FormatFloat(f.Value, 'f', digits, 64) + " " + f.Unit + " " + f.Note)
}

// The minutes that are looked at: see sweep.sql.
const (
	dueIn   = 7*time.Hour + 12*time.Minute
	quietIn = 5*time.Hour + 12*time.Minute
	samples = 21 // of each minute
)

// Run makes the practice side and measures.
func (b Sweep) Run(ctx context.Context, s *Services) ([]Figure, error) {
	b.Progress("%d appointments of %d practices", b.Appointments, b.Practices)
	now := time.Now().UTC().Truncate(time.Hour)
	if err := s.prepare(ctx, func(ctx context.Context, c *pgx.Conn) error { return b.fill(ctx, c, now) }); err != nil {
		return nil, err
	}
	figures, err := b.onCopy(ctx, s, now)
	if err != nil || b.Burst == 0 {
		return figures, err
	}
	planned, err := b.planned(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%d due in one minute, planned alone: %w", b.Burst, err)
	}
	b.Progress("%d due in one minute: %.0f planned a second", b.Burst, planned.Value)
	burst, err := b.burst(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%d due in one minute: %w", b.Burst, err)
	}
	b.Progress("%d due in one minute: done", b.Burst)
	return append(append(figures, planned), burst...), nil
}

// onCopy measures single minutes, and which tables were read from end to end.
func (b Sweep) onCopy(ctx context.Context, s *Services, now time.Time) (figures []Figure, err error) {
	url, drop, err := s.fresh(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	// PostgreSQL would read decisions from end to end of itself, to keep the index
	// of their days up to date.
	if err := execute(ctx, url, `ALTER INDEX rappel.decisions_decided SET (autosummarize = off)`,
		`ALTER TABLE rappel.decisions SET (autovacuum_enabled = off)`); err != nil {
		return nil, err
	}
	if figures, err = b.minutes(ctx, url, now); err != nil {
		return nil, err
	}
	scanned, err := scans(ctx, url)
	return append(figures, scanned...), err
}

func (b Sweep) fill(ctx context.Context, conn *pgx.Conn, now time.Time) error {
	return script(ctx, conn, sweepSQL, map[string]string{
		"bench.appointments": strconv.Itoa(b.Appointments), "bench.practices": strconv.Itoa(b.Practices),
		"bench.due": strconv.Itoa(b.Due), "bench.burst": strconv.Itoa(b.Burst), "bench.now": now.Format(time.RFC3339),
	})
}

// minutes measures what it takes to find what is due in a minute, when all that
// was due before has been decided about.
func (b Sweep) minutes(ctx context.Context, url string, now time.Time) (figures []Figure, err error) {
	store, err := postgres.Open(ctx, url, 1) // one connection, as a sweep has it
	if err != nil {
		return nil, err
	}
	defer store.Close()
	quiet := sweeper{store, nowhere{}, io.Discard}
	for _, minute := range []struct {
		what string
		at   time.Time
		due  int
	}{
		{"a quiet minute", now.Add(quietIn), 0},
		{fmt.Sprintf("a minute with %d due", b.Due), now.Add(dueIn), b.Due},
	} {
		if _, err := quiet.upTo(ctx, minute.at.Add(-time.Minute)); err != nil {
			return nil, fmt.Errorf("before %s: %w", minute.what, err)
		}
		took, read, err := find(ctx, store, minute.at)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", minute.what, err)
		}
		began := time.Now()
		decided, err := quiet.upTo(ctx, minute.at)
		if err == nil && (decided < minute.due || minute.due == 0 && decided > 0) {
			err = fmt.Errorf("%d were decided about, and %d are due", decided, minute.due)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", minute.what, err)
		}
		swept := time.Since(began)
		b.Progress("%s: found in %.1f ms", minute.what, took.Median)
		figures = append(figures,
			Figure{minute.what + ", found in", took.Median, "ms", fmt.Sprintf("(%.1f–%.1f)", took.Low, took.High)},
			Figure{minute.what + ", rows read for it", float64(read), "", ""},
			Figure{minute.what + ", decided in all", millis(swept), "ms", fmt.Sprintf("(%d)", decided)})
	}
	return figures, nil
}

// A sweeper sweeps in this process.
type sweeper struct {
	store *postgres.Store
	queue plan.Queue // what is to be sent is offered to
	log   io.Writer
}

// upTo decides about what is due up to a time, by a clock that shows it, and
// returns how many that were.
func (s sweeper) upTo(ctx context.Context, at time.Time) (int, error) {
	now := func() time.Time { return at }
	planner := &plan.Planner{Store: s.store, Queue: s.queue, Now: now, Log: slog.New(slog.NewJSONHandler(s.log, nil))}
	done, err := (&sweep.Sweeper{Store: s.store, Planner: planner, Now: now, Log: planner.Log}).Sweep(ctx, at)
	return done.Decided, err
}

// nowhere is a queue that loses what it is told, as any may.
type nowhere struct{}

func (nowhere) OfferAt(context.Context, recipients.Channel, []string, time.Time) error { return nil }

// find looks at the minute that ends at a time, and returns how long it took and
// how many rows were read. The first look, which plans the query, does not count.
func find(ctx context.Context, store *postgres.Store, at time.Time) (took Spread, read int, err error) {
	span := sweep.Next(at.Add(-time.Minute), at, at)
	var all []float64
	for range 1 + samples {
		read = 0
		began := time.Now()
		err := store.Find(ctx, span, func(f sweep.Found) {
			f.Due(span)
			read++
		})
		if err != nil {
			return took, 0, err
		}
		all = append(all, millis(time.Since(began)))
	}
	return spread(all[1:]), read, nil
}

// scans tells how often tables were read from end to end by what was measured so
// far.
func scans(ctx context.Context, url string) (figures []Figure, err error) {
	err = within(ctx, url, func(conn *pgx.Conn) error {
		if err := alone(ctx, conn); err != nil {
			return err
		}
		for _, table := range []string{"appointments", "decisions", "rules", "practices"} {
			var n int64
			if err := conn.QueryRow(ctx, `SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_user_tables
				WHERE schemaname = 'rappel' AND relname = $1`, table).Scan(&n); err != nil {
				return err
			}
			figures = append(figures, Figure{What: "sequential scans of " + table, Value: float64(n)})
		}
		return nil
	})
	return figures, err
}

// planned measures how soon what is due now is in the ledger and on the queue
// while nobody takes it from there.
func (b Sweep) planned(ctx context.Context, s *Services) (figure Figure, err error) {
	url, drop, err := s.fresh(ctx)
	if err != nil {
		return figure, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	store, err := postgres.Open(ctx, url, 0)
	if err != nil {
		return figure, err
	}
	defer store.Close()
	client, err := s.connectRedis()
	if err != nil {
		return figure, err
	}
	defer client.Close()
	log, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return figure, err
	}
	defer log.Close()
	began := time.Now()
	decided, err := sweeper{store, queue.NewClient(client, time.Now), log}.upTo(ctx, began)
	if err == nil && decided < b.Burst {
		err = fmt.Errorf("%d fell due, and %d were decided about", b.Burst, decided)
	}
	return Figure{"the burst, planned alone", float64(decided) / time.Since(began).Seconds(), "a second", ""}, err
}

// burst has rappel's worker sweep what is due now.
func (b Sweep) burst(ctx context.Context, s *Services) (figures []Figure, err error) {
	url, drop, err := s.fresh(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	sink, err := b.Launcher.launch(ctx, sinkPart, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sink.stop()) }()
	worker, err := b.Launcher.launch(ctx, rappelPart, nil, environment(url, s.redis.URL(), sink.address)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, worker.stop()) }()
	if err := worker.begin(); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	began := time.Now()
	if err := askToSweep(ctx, s); err != nil {
		return nil, err
	}
	if err := until(ctx, worker, 4*look, func() (bool, error) { return swept(ctx, conn, began) }); err != nil {
		return nil, err
	}
	took := time.Since(began)
	var decided int
	if err := conn.QueryRow(ctx, `SELECT count(*) FROM rappel.decisions WHERE decided_at >= $1`, began).Scan(&decided); err != nil {
		return nil, err
	}
	if decided < b.Burst {
		return nil, fmt.Errorf("%d fell due, and %d were decided about", b.Burst, decided)
	}
	rate := float64(decided) / took.Seconds()
	count, err := b.arrived(ctx, worker, sink.address)
	if err != nil {
		return nil, err
	}
	most, _ := memory(worker.pid(), mostMemory)
	return []Figure{
		{"the burst, decided", float64(decided), "", ""},
		{"the burst, planned", rate, "a second", "while messages leave"},
		{"the burst, the first left after", count.First.Sub(began).Seconds(), "s", ""},
		{"the burst, all left after", time.Since(began).Seconds(), "s", ""},
		{"the burst, most memory of the worker", most, "MB", ""},
	}, nil
}

// arrived waits until the endpoint has the messages of the burst.
func (b Sweep) arrived(ctx context.Context, worker *process, sink string) (count Count, err error) {
	var stalled stall
	err = until(ctx, worker, 4*look, func() (bool, error) {
		var err error
		count, err = countOf(ctx, sink)
		if stalled.at(count.Messages) {
			err = errors.Join(err, fmt.Errorf("of %d due, %d are heard of, and no more for %s", b.Burst, count.Messages, lost))
		}
		return count.Messages >= b.Burst, err
	})
	if count.Doubles > 0 {
		err = errors.Join(err, fmt.Errorf("%d messages were sent again", count.Doubles))
	}
	return count, err
}

// askToSweep has the next worker sweep.
func askToSweep(ctx context.Context, s *Services) error {
	client, err := s.connectRedis()
	if err != nil {
		return err
	}
	defer client.Close()
	task, err := jobs.Sweep{}.Task()
	if err != nil {
		return err
	}
	return queue.NewClient(client, time.Now).Put(ctx, task)
}

// swept tells whether a sweep that began at a time or after it is done.
func swept(ctx context.Context, conn *pgx.Conn, began time.Time) (done bool, err error) {
	err = conn.QueryRow(ctx, `SELECT coalesce(max(swept_to) >= $1, false) FROM rappel.sweeps`, began).Scan(&done)
	return done, err
}
