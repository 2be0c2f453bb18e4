package testenv_test

import (
	"context"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"

	"rappel/internal/testenv"
)

func createVisits(ctx context.Context, url string) error {
	return run(ctx, url, "CREATE TABLE visits (id int PRIMARY KEY)")
}

func createBills(ctx context.Context, url string) error {
	return run(ctx, url, "CREATE TABLE bills (id int PRIMARY KEY)")
}

func TestDatabaseIsMigratedAndOnesOwn(t *testing.T) {
	t.Parallel()
	for range 3 {
		t.Run("the same key fits into each", func(t *testing.T) {
			t.Parallel()
			must(t, testenv.Database(t, createVisits), "INSERT INTO visits VALUES (1)")
		})
	}
}

func TestEachMigrationHasItsTemplate(t *testing.T) {
	t.Parallel()
	must(t, testenv.Database(t, createBills), "SELECT id FROM bills")
	must(t, testenv.Database(t, createVisits), "SELECT id FROM visits")
}

func TestDatabaseWithoutMigrationIsEmpty(t *testing.T) {
	t.Parallel()
	must(t, testenv.Database(t, nil), "CREATE TABLE visits (id int)")
}

func TestDatabaseIsDroppedAlthoughSomeoneIsConnected(t *testing.T) {
	t.Parallel()
	var conn *pgx.Conn
	t.Run("the test", func(t *testing.T) {
		var err error
		if conn, err = pgx.Connect(t.Context(), testenv.Database(t, nil)); err != nil {
			t.Fatal(err)
		}
	})
	if conn == nil {
		t.Skip("no database")
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("the database is still there after its test")
	}
}

func TestEachTestHasItsRedis(t *testing.T) {
	t.Parallel()
	one, other := testenv.Redis(t), testenv.Redis(t)
	if one == other {
		t.Errorf("both at %s", one)
	}
	opt, err := asynq.ParseRedisURI(one)
	if err != nil {
		t.Fatal(err)
	}
	c := asynq.NewClient(opt)
	defer c.Close()
	if _, err := c.EnqueueContext(t.Context(), asynq.NewTask("visit:missed", nil)); err != nil {
		t.Error(err)
	}
}

func TestServersOfOneTestCanBeRestarted(t *testing.T) {
	t.Parallel()
	p, r := testenv.PostgresServer(t), testenv.RedisServer(t)
	if err := p.Restart(t.Context(), "immediate"); err != nil {
		t.Error(err)
	}
	if err := r.Restart(t.Context()); err != nil {
		t.Error(err)
	}
}

func must(t *testing.T, url, sql string) {
	t.Helper()
	if err := run(t.Context(), url, sql); err != nil {
		t.Fatal(err)
	}
}

func run(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
