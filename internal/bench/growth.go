package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/postgres"
	"rappel/internal/services"
)

// A Growth measures what becomes of the work on the ledger when the ledger
// grows: the same work on a small and on a large one, both with the same traffic
// a day.
type Growth struct {
	Rows     int // messages in the large ledger
	Beside   int // messages in the small one
	Day      int // messages a day
	Progress func(format string, args ...any)
}

// Steps is how often a Growth tells of its progress.
func (g Growth) Steps() int { return g.Rows/growthStep + g.Beside/growthStep + len(ledgerWorks()) }

// growthStep is after how many messages that were written it is told.
const growthStep = 1_000_000

// A Change is what one thing takes in both ledgers: milliseconds, which all that
// the machine does has a part in, and pages that PostgreSQL looks at, which it
// has not.
type Change struct {
	What  string `json:"what"`
	Small Effort `json:"small"`
	Large Effort `json:"large"`
}

// An Effort is what one thing takes.
type Effort struct {
	Millis Spread  `json:"ms"`
	Pages  float64 `json:"pages"`
}

// A Size is what a table of the large ledger takes, with all of its indexes.
type Size struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
	Index int64  `json:"index_bytes"`
}

// Grown is what came of a Growth.
type Grown struct {
	Changes []Change
	Sizes   []Size
}

// Run makes both ledgers, and does the same on each in turn.
func (g Growth) Run(ctx context.Context, postgresBin string) (grown Grown, err error) {
	server, err := quickPostgres(ctx, postgresBin)
	if err != nil {
		return grown, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	var ledgers []*grownLedger
	for _, rows := range []int{g.Beside, g.Rows} {
		l, err := g.ledger(ctx, server, rows)
		if err != nil {
			return grown, fmt.Errorf("a ledger of %d: %w", rows, err)
		}
		ledgers = append(ledgers, l)
	}
	if grown.Sizes, err = sizesOf(ctx, ledgers[1].url); err != nil {
		return grown, err
	}
	for _, w := range ledgerWorks() {
		c, err := compareLedgers(ctx, w, ledgers)
		if err != nil {
			return grown, fmt.Errorf("%s: %w", w.what, err)
		}
		grown.Changes = append(grown.Changes, c)
		g.Progress("%s: %.1f and %.1f ms", c.What, c.Small.Millis.Median, c.Large.Millis.Median)
	}
	return grown, nil
}

// compareLedgers does the work on one ledger and on the other, over and over:
// what else the machine does meets both.
func compareLedgers(ctx context.Context, w ledgerWork, ledgers []*grownLedger) (Change, error) {
	took, pages := make([][]float64, len(ledgers)), make([]float64, len(ledgers))
	looks := func(times int) error {
		clear(took)
		return ledgers[0].count(ctx, &pages[0], func() error {
			return ledgers[1].count(ctx, &pages[1], func() error {
				for range times {
					for i, l := range ledgers {
						began := time.Now()
						if err := w.do(ctx, l); err != nil {
							return err
						}
						took[i] = append(took[i], millis(time.Since(began)))
					}
				}
				return nil
			})
		})
	}
	const warming = 1
	for _, times := range []int{warming, lookedAt} {
		if err := looks(times); err != nil {
			return Change{}, err
		}
	}
	effort := func(i int) Effort { return Effort{spread(took[i]), pages[i] / lookedAt} }
	return Change{w.what, effort(0), effort(1)}, nil
}

// count opens the ledger's store for some work, and tells how many pages of its
// tables and indexes were looked at: PostgreSQL counts them when a connection
// ends.
func (l *grownLedger) count(ctx context.Context, pages *float64, work func() error) (err error) {
	return within(ctx, l.url, func(conn *pgx.Conn) error {
		read := func() (n float64, err error) {
			err = conn.QueryRow(ctx, `
				SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0))::float8 FROM pg_statio_user_tables
				WHERE schemaname = 'rappel'`).Scan(&n)
			return n, err
		}
		before, err := read()
		if err != nil {
			return err
		}
		if l.store, err = postgres.Open(ctx, l.url, 1); err != nil { // one after the other
			return err
		}
		err = work()
		l.store.Close()
		if err != nil {
			return err
		}
		if err := alone(ctx, conn); err != nil {
			return err
		}
		after, err := read()
		*pages = after - before
		return err
	})
}

// quickPostgres is a server that gets very many rows soon: it does not wait for
// the disk, and nothing goes on behind the back of what is measured.
func quickPostgres(ctx context.Context, bin string) (*services.Postgres, error) {
	server, err := services.StartPostgres(ctx, services.PostgresOptions{Bin: bin})
	if err != nil {
		return nil, err
	}
	err = execute(ctx, server.URL("postgres"),
		"ALTER SYSTEM SET wal_level = minimal", "ALTER SYSTEM SET max_wal_senders = 0", "ALTER SYSTEM SET max_wal_size = '2GB'",
		"ALTER SYSTEM SET shared_buffers = '1GB'", "ALTER SYSTEM SET maintenance_work_mem = '1GB'", "ALTER SYSTEM SET autovacuum = off")
	if err == nil {
		err = server.Restart(ctx, services.Fast)
	}
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return server, nil
}

// ledger makes one of so many rows, in a database of its own.
func (g Growth) ledger(ctx context.Context, server *services.Postgres, rows int) (*grownLedger, error) {
	name := "ledger_" + strconv.Itoa(rows)
	if err := execute(ctx, server.URL("postgres"), "CREATE DATABASE "+name); err != nil {
		return nil, err
	}
	told := 0
	l := &grownLedger{url: server.URL(name), Ledger: Ledger{Rows: rows, Day: g.Day, Now: time.Now(), Progress: func(done int) {
		for ; told+growthStep <= done; told += growthStep {
			g.Progress("%d of %d messages are written", told+growthStep, rows)
		}
	}}}
	return l, errors.Join(l.fill(ctx), l.pick(ctx))
}

// fill makes the schema, the ledger, and a practice side with events that wait.
func (l *grownLedger) fill(ctx context.Context) error {
	if err := migrate(ctx, l.url); err != nil {
		return err
	}
	return within(ctx, l.url, func(conn *pgx.Conn) error {
		if err := l.Fill(ctx, conn); err != nil {
			return err
		}
		if err := fillPipeline(ctx, conn, waitingEvents); err != nil {
			return err
		}
		return each(ctx, conn, []string{"VACUUM (ANALYZE)", "CHECKPOINT"})
	})
}

func sizesOf(ctx context.Context, url string) (sizes []Size, err error) {
	err = within(ctx, url, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `
			SELECT relname, reltuples::bigint, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
			WHERE relnamespace = 'rappel'::regnamespace AND relname IN ('notifications', 'decisions', 'events')
			ORDER BY pg_total_relation_size(oid) DESC`)
		if err != nil {
			return err
		}
		sizes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Size])
		return err
	})
	return sizes, err
}
