package dev

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alicebob/miniredis/v2"

	"rappel/internal/services"
)

// ServiceOptions say which services are there already.
type ServiceOptions struct {
	DatabaseURL string    // empty: a PostgreSQL of our own
	RedisURL    string    // empty: a Redis within this process
	PostgresBin string    // folder of PostgreSQL's binaries; empty: looked for
	Log         io.Writer // what our PostgreSQL says; nil: nowhere
}

// Services are a database and a Redis that can be thrown away.
type Services struct {
	DatabaseURL, RedisURL string
	Database, Redis       string // what each is, in words

	stops []func() error
}

// StartServices starts what is not there already. The context bounds the start
// only; the services run until Stop, or until this process ends.
func StartServices(ctx context.Context, o ServiceOptions) (*Services, error) {
	s := &Services{
		DatabaseURL: o.DatabaseURL, Database: "the one that DATABASE_URL names",
		RedisURL: o.RedisURL, Redis: "the one that REDIS_URL names",
	}
	if o.DatabaseURL == "" {
		if err := s.startPostgres(ctx, o); err != nil {
			return nil, err
		}
	}
	if o.RedisURL == "" {
		if err := s.startRedis(); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
	}
	return s, nil
}

func (s *Services) startPostgres(ctx context.Context, o ServiceOptions) error {
	p, err := services.StartPostgres(ctx, services.PostgresOptions{Bin: o.PostgresBin, Log: o.Log})
	if err != nil {
		return fmt.Errorf("%w (or set DATABASE_URL to one that runs)", err)
	}
	s.DatabaseURL, s.Database = p.URL("postgres"), "a private one in a temporary folder"
	s.stops = append(s.stops, p.Stop)
	return nil
}

func (s *Services) startRedis() error {
	r := miniredis.NewMiniRedis()
	r.ClockTTL(true) // what has a time to live loses it by the machine's clock
	if err := r.Start(); err != nil {
		return fmt.Errorf("start the embedded Redis: %w", err)
	}
	s.RedisURL, s.Redis = "redis://"+r.Addr()+"/0", "an embedded one, in this process"
	s.stops = append(s.stops, func() error {
		r.Close()
		return nil
	})
	return nil
}

// Stop ends what was started, and leaves nothing behind.
func (s *Services) Stop() error {
	var errs []error
	for _, stop := range s.stops {
		errs = append(errs, stop())
	}
	s.stops = nil
	return errors.Join(errs...)
}
