package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

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
	conn, err := pgx.Connect(ctx, s.postgres.URL("postgres"))
	if err != nil {
		return "", "", err
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, "SHOW server_version").Scan(&postgresql); err != nil {
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
	store, err := postgres.Open(ctx, s.postgres.URL(seed), 2)
	if err != nil {
		return err
	}
	defer store.Close()
	if _, err := store.Migrate(ctx, nil); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, s.postgres.URL(seed))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if err := fill(ctx, conn); err != nil {
		return fmt.Errorf("fill the practice side: %w", err)
	}
	_, err = conn.Exec(ctx, "VACUUM (ANALYZE)")
	return err
}

// fillPipeline writes what pipeline.sql has for so many events.
func fillPipeline(ctx context.Context, conn *pgx.Conn, events int) error {
	if _, err := conn.Exec(ctx, "SELECT set_config('bench.events', $1, false)", strconv.Itoa(events)); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, pipelineSQL)
	return err
}

// fresh makes a copy of the seed and empties Redis, so that each design begins
// alike in each round. Done drops the copy.
func (s *Services) fresh(ctx context.Context) (url string, done func() error, err error) {
	s.databases++
	name := "round_" + strconv.Itoa(s.databases)
	if err := s.admin(ctx, "CREATE DATABASE "+name+" TEMPLATE "+seed); err != nil {
		return "", nil, err
	}
	opt, err := queue.ParseRedis(s.redis.URL())
	if err != nil {
		return "", nil, err
	}
	redis, err := queue.Connect(opt)
	if err != nil {
		return "", nil, err
	}
	defer redis.Close()
	if err := redis.FlushAll(ctx).Err(); err != nil {
		return "", nil, fmt.Errorf("empty Redis: %w", err)
	}
	drop := func() error { return s.admin(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)") }
	return s.postgres.URL(name), drop, nil
}

// admin runs statements on the server itself. A checkpoint follows: what was
// copied or dropped is on the disk before anything is measured.
func (s *Services) admin(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.postgres.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, one := range []string{statement, "CHECKPOINT"} {
		if _, err := conn.Exec(ctx, one); err != nil {
			return fmt.Errorf("%s: %w", one, err)
		}
	}
	return nil
}
