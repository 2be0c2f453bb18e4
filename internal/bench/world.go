package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"rappel/internal/postgres"
	"rappel/internal/queue"
	"rappel/internal/services"
)

//go:embed pipeline.sql
var pipelineSQL string

// zones are those of the practices.
func zones() []string { return []string{"America/New_York", "America/Chicago", "America/Los_Angeles"} }

// Services are a PostgreSQL and a Redis of this run's own. Commits wait for the
// disk, as they do where it matters.
type Services struct {
	postgres  *services.Postgres
	redis     *services.Redis
	databases int
}

// StartServices starts them. The folder of PostgreSQL's binaries is looked for
// where it is empty.
func StartServices(ctx context.Context, postgresBin string) (*Services, error) {
	p, err := services.StartPostgres(ctx, services.PostgresOptions{Bin: postgresBin, Durable: true})
	if err != nil {
		return nil, err
	}
	r, err := services.StartRedis(ctx, services.RedisOptions{})
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return &Services{postgres: p, redis: r}, nil
}

// Stop ends them, and leaves nothing behind.
func (s *Services) Stop() error { return errors.Join(s.postgres.Stop(), s.redis.Stop()) }

// Versions tells which PostgreSQL and which Redis they are.
func (s *Services) Versions(ctx context.Context) (postgresql, redis string, err error) {
	err = within(ctx, s.postgres.URL("postgres"), func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SHOW server_version").Scan(&postgresql)
	})
	if err != nil {
		return "", "", err
	}
	postgresql, _, _ = strings.Cut(postgresql, " ") // what the distribution adds
	info, err := s.redisInfo(ctx, "server")
	return postgresql, info["redis_version"], err
}

// seed is the database that each round begins with a copy of.
const seed = "seed"

// prepare makes the seed: rappel's schema, and what fill writes.
func (s *Services) prepare(ctx context.Context, fill func(context.Context, *pgx.Conn) error) error {
	if err := s.admin(ctx, "CREATE DATABASE "+seed); err != nil {
		return err
	}
	if err := migrate(ctx, s.postgres.URL(seed)); err != nil {
		return err
	}
	return within(ctx, s.postgres.URL(seed), func(conn *pgx.Conn) error {
		if err := fill(ctx, conn); err != nil {
			return fmt.Errorf("fill the practice side: %w", err)
		}
		_, err := conn.Exec(ctx, "VACUUM (ANALYZE)")
		return err
	})
}

// migrate makes rappel's schema in an empty database.
func migrate(ctx context.Context, url string) error {
	store, err := postgres.Open(ctx, url, 2)
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Migrate(ctx, nil)
	return err
}

// fillPipeline writes what pipeline.sql has for so many events.
func fillPipeline(ctx context.Context, conn *pgx.Conn, events int) error {
	return script(ctx, conn, pipelineSQL, map[string]string{"bench.events": strconv.Itoa(events)})
}

// fresh makes a copy of the seed and empties Redis, so that each design begins
// alike in each round. Done drops the copy.
func (s *Services) fresh(ctx context.Context) (url string, done func() error, err error) {
	s.databases++
	name := "round_" + strconv.Itoa(s.databases)
	if err := s.admin(ctx, "CREATE DATABASE "+name+" TEMPLATE "+seed); err != nil {
		return "", nil, err
	}
	client, err := s.connectRedis()
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	if err := client.FlushAll(ctx).Err(); err != nil {
		return "", nil, fmt.Errorf("empty Redis: %w", err)
	}
	drop := func() error { return s.admin(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)") }
	return s.postgres.URL(name), drop, nil
}

// admin runs a statement on the server itself. A checkpoint follows: what was
// copied or dropped is on the disk before anything is measured.
func (s *Services) admin(ctx context.Context, statement string) error {
	return execute(ctx, s.postgres.URL("postgres"), statement, "CHECKPOINT")
}

// connectRedis connects to the Redis of this run.
func (s *Services) connectRedis() (redis.UniversalClient, error) {
	opt, err := queue.ParseRedis(s.redis.URL())
	if err != nil {
		return nil, err
	}
	return queue.Connect(opt)
}

// within connects to a database for some work.
func within(ctx context.Context, url string, work func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return work(conn)
}

// execute connects to a database for some statements.
func execute(ctx context.Context, url string, statements ...string) error {
	return within(ctx, url, func(conn *pgx.Conn) error { return each(ctx, conn, statements) })
}

// each runs statements, one after the other.
func each(ctx context.Context, conn *pgx.Conn, statements []string) error {
	for _, one := range statements {
		if _, err := conn.Exec(ctx, one); err != nil {
			return fmt.Errorf("%s: %w", one, err)
		}
	}
	return nil
}

// alone waits until no store has a connection to the database of conn: what one
// read is counted when it has ended, and nobody who closes it waits for that.
func alone(ctx context.Context, conn *pgx.Conn) error {
	for here := 1; here > 0; {
		if err := conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'rappel'`).Scan(&here); err != nil {
			return err
		}
	}
	return nil
}

// script runs a file of SQL, with the settings that it reads.
func script(ctx context.Context, conn *pgx.Conn, sql string, settings map[string]string) error {
	for name, value := range settings {
		if _, err := conn.Exec(ctx, "SELECT set_config($1, $2, false)", name, value); err != nil {
			return err
		}
	}
	_, err := conn.Exec(ctx, sql)
	return err
}
