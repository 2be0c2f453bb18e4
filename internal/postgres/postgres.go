// Package postgres is rappel's store: it reads the practice side, and keeps
// events, decisions, the ledger of notifications and what silences addresses.
// It is the only package that knows SQL.
//
// Transactions are short and hold no call to anything outside the database:
// what must be decided between reading and writing is decided by a pure
// function that the caller brings. Leases go by the database's clock, so that
// machines need not agree on theirs; what people see goes by the caller's.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/zoneinfo"
)

// A Store is a pool of connections to one database. It is safe for concurrent
// use.
type Store struct {
	pool  *pgxpool.Pool
	zones *zoneinfo.Data
	lists sync.Map // whether there is an index for each: see indexed

	failing sync.Map // practices of which a row could not be read: see Find
}

// Open connects to the database at url. No error text shows the url.
func Open(ctx context.Context, url string, connections int32) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database URL cannot be read")
	}
	if connections > 0 {
		cfg.MaxConns = connections
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = "rappel"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// A machine that vanished must not hold its rows for longer than a minute.
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	findDeadConnections(cfg)
	cfg.AfterConnect = textIDs
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", redact(err))
	}
	return &Store{pool: pool, zones: zoneinfo.Embedded()}, nil
}

// UseZones has the store find zones in other time zone data than the copy in
// the binary. It must be called before the store is used.
func (s *Store) UseZones(data *zoneinfo.Data) { s.zones = data }

// Close closes all connections. Those in use have a moment to be given back: a
// database that does not answer must not hold up the end of a process.
func (s *Store) Close() {
	const moment = time.Second
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.pool.Close()
	}()
	select {
	case <-closed:
	case <-time.After(moment):
	}
}

// Writable fails if the database takes no changes, as a replica does.
func (s *Store) Writable(ctx context.Context) error {
	var readOnly bool
	if err := s.pool.QueryRow(ctx, `SELECT current_setting('transaction_read_only')::boolean`).Scan(&readOnly); err != nil {
		return fmt.Errorf("the database does not answer: %w", redact(err))
	}
	if readOnly {
		return errors.New("the database is read-only: is it a replica, or was it switched over?")
	}
	return nil
}

// Now returns the database's clock.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := s.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now)
	return now, redact(err)
}

// within runs work in one transaction.
func (s *Store) within(ctx context.Context, work func(pgx.Tx) error) error {
	return redact(pgx.BeginFunc(ctx, s.pool, work))
}

// redact drops from an error of the server what may quote a row: its detail,
// its hint and, unless it is of a class that only names things of the schema or
// of the server, its message. What is left names the code, the table, the
// column and the constraint.
func redact(err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	said := "a value or a row that it cannot take"
	const raised = "exec_stmt_raise" // by a function, with the code that it pleased
	if quotesNothing(server.Code) && server.Routine != raised {
		said = server.Message
	}
	return &ServerError{
		Code: server.Code, Message: said, Table: server.TableName,
		Column: server.ColumnName, Constraint: server.ConstraintName,
	}
}

// quotesNothing tells whether the messages of an error's class hold no value of
// a row (PostgreSQL documentation, appendix A). Those of functions and views
// that a main app wrote, class P0, may hold anything.
func quotesNothing(code string) bool {
	if len(code) != 5 {
		return false
	}
	return slices.Contains([]string{
		"08", "23", "25", "26", "28", "34", "3D", "3F", "40", "42", "53", "54", "55", "57", "58",
	}, code[:2])
}

// A ServerError is what PostgreSQL said, without any value of a row.
type ServerError struct {
	Code, Message, Table, Column, Constraint string
}

// Temporary reports whether the server, a connection or a lock is at fault, and
// not a row.
func (e *ServerError) Temporary() bool {
	return len(e.Code) == 5 && slices.Contains([]string{"08", "25", "40", "53", "55", "57", "58"}, e.Code[:2])
}

func (e *ServerError) Error() string {
	where := []string{"SQLSTATE " + e.Code}
	for _, part := range []struct{ name, value string }{
		{"table", e.Table}, {"column", e.Column}, {"constraint", e.Constraint},
	} {
		if part.value != "" {
			where = append(where, part.name+" "+part.value)
		}
	}
	return e.Message + " (" + strings.Join(where, ", ") + ")"
}

// null turns the zero value of T into SQL's NULL.
func null[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
