package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"rappel/internal/services"
)

// Database creates a database for this test and drops it afterwards. Its schema
// is what migrate made of an empty database: migrate runs once per test binary
// and its result is copied, so it must be a function that depends on nothing
// else (closures made at one place count as one function). With a nil migrate
// the database is empty.
func Database(tb testing.TB, migrate func(ctx context.Context, url string) error) (url string) {
	tb.Helper()
	_, err := services.FindPostgres(os.Getenv("PG_BIN"))
	require(tb, err)
	s, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	template, err := s.template(migrate)
	if err != nil {
		tb.Fatal(err)
	}
	name, err := s.create(tb.Context(), template)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		// The test's own context is done by now.
		if err := s.drop(context.WithoutCancel(tb.Context()), name); err != nil {
			tb.Error(err)
		}
	})
	return s.postgres.URL(name)
}

// shared starts the server of this test binary at its first use. Nothing stops
// it: it ends with the process, however that ends. The tests of a package have
// nothing else in common that could hold it.
var shared = sync.OnceValues(start) //nolint:gochecknoglobals // see above; a server per test would cost half a second each

// server is one PostgreSQL with the databases of many tests on it.
type server struct {
	postgres  *services.Postgres
	strategy  string       // how CREATE DATABASE copies
	number    atomic.Int64 // of databases so far
	templates sync.Map     // from a migration's address to func() (name string, err error)
}

func start() (*server, error) {
	// No test's context: the server outlives the test that asks first.
	p, err := services.StartPostgres(context.Background(), services.PostgresOptions{Bin: os.Getenv("PG_BIN")})
	if err != nil {
		return nil, err
	}
	s := &server{postgres: p}
	if s.strategy, err = s.quickest(context.Background()); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return s, nil
}

// quickest copies files where the server, from version 15, would rather write
// a log: 15 ms a database against 25 to 90.
func (s *server) quickest(ctx context.Context) (strategy string, err error) {
	conn, err := pgx.Connect(ctx, s.postgres.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, `SELECT CASE WHEN current_setting('server_version_num')::int >= 150000
		THEN ' STRATEGY file_copy' ELSE '' END`).Scan(&strategy)
	return strategy, err
}

// template returns the database that migrate has run on, "template0" for none.
func (s *server) template(migrate func(context.Context, string) error) (string, error) {
	if migrate == nil {
		return "template0", nil
	}
	once := sync.OnceValues(func() (string, error) {
		ctx := context.Background() // the template outlives the test that asks first
		name, err := s.create(ctx, "template0")
		if err != nil {
			return "", err
		}
		if err := migrate(ctx, s.postgres.URL(name)); err != nil {
			return "", fmt.Errorf("migrate a template for tests: %w", err)
		}
		return name, nil
	})
	made, _ := s.templates.LoadOrStore(reflect.ValueOf(migrate).Pointer(), once)
	return made.(func() (string, error))()
}

func (s *server) create(ctx context.Context, template string) (string, error) {
	name := "test_" + strconv.FormatInt(s.number.Add(1), 10)
	return name, s.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+s.strategy)
}

// drop also ends what is still connected.
func (s *server) drop(ctx context.Context, name string) error {
	return s.exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
}

func (s *server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.postgres.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
