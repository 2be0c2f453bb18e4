// Package testenv gives tests the real services they need: a database of their
// own, a Redis of their own. All of it is gone when the test is, or when the
// test binary is killed. A machine without the binaries skips such a test with
// the reason; where CI is set it fails instead. Beside them is what such tests share
// of a network and of what is said.
//
// It deliberately does not know the schema: callers bring their migration.
package testenv

import (
	"os"
	"testing"

	"rappel/internal/services"
)

// Redis starts a Redis server for this test and returns its address in the
// form that asynq takes.
func Redis(tb testing.TB) (url string) {
	tb.Helper()
	return RedisServer(tb).URL()
}

// RedisServer starts a Redis server for this test, which may halt and restart
// it.
func RedisServer(tb testing.TB) *services.Redis {
	tb.Helper()
	bin, err := services.FindRedis()
	require(tb, err)
	r, err := services.StartRedis(tb.Context(), services.RedisOptions{Bin: bin})
	return started(tb, r, err)
}

// PostgresServer starts a PostgreSQL server for this test alone, which may halt
// and restart it. It takes half a second; Database is what most tests want.
func PostgresServer(tb testing.TB) *services.Postgres {
	tb.Helper()
	bin, err := services.FindPostgres(os.Getenv("PG_BIN"))
	require(tb, err)
	p, err := services.StartPostgres(tb.Context(), services.PostgresOptions{Bin: bin})
	return started(tb, p, err)
}

// started stops a server with the test.
func started[S interface{ Stop() error }](tb testing.TB, server S, err error) S {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return server
}

// require ends the test if a service's binaries are missing.
func require(tb testing.TB, err error) {
	tb.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		tb.Fatal(err)
	default:
		tb.Skip("skipped: ", err)
	}
}
