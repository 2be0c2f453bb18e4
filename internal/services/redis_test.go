package services_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/internal/services"
	"rappel/internal/testenv"
)

func TestRedisServesAndLeavesNothing(t *testing.T) {
	t.Parallel()
	r := startRedis(t, services.RedisOptions{})
	if err := client(t, r).Set(t.Context(), "visit", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	pid, folder := r.PID(), r.Folder()

	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if alive(pid) {
		t.Errorf("the server still runs as process %d", pid)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", folder, err)
	}
	if err := r.Stop(); err != nil {
		t.Errorf("a second Stop: %v", err)
	}
}

// asynq archives what it cannot evict; a Redis that evicts loses tasks.
func TestRedisNeverEvicts(t *testing.T) {
	t.Parallel()
	r := startRedis(t, services.RedisOptions{})
	got, err := client(t, r).ConfigGet(t.Context(), "maxmemory-policy").Result()
	if err != nil || got["maxmemory-policy"] != "noeviction" {
		t.Errorf("maxmemory-policy = %v, %v; want noeviction", got, err)
	}
}

func TestRedisRestart(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		options services.RedisOptions
		want    int64
	}{
		"forgets everything by default":       {services.RedisOptions{}, 0},
		"keeps what was written when durable": {services.RedisOptions{Durable: true}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startRedis(t, tc.options)
			if err := client(t, r).Set(t.Context(), "visit", 1, 0).Err(); err != nil {
				t.Fatal(err)
			}
			if err := r.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, err := client(t, r).Exists(t.Context(), "visit").Result(); err != nil || got != tc.want {
				t.Errorf("%d keys left, %v; want %d", got, err, tc.want)
			}
		})
	}
}

func TestRedisListensOnAPortWhenTold(t *testing.T) {
	t.Parallel()
	r := startRedis(t, services.RedisOptions{Port: testenv.FreePort(t)})
	if !strings.HasPrefix(r.URL(), "redis://127.0.0.1:") {
		t.Errorf("URL = %q", r.URL())
	}
	if err := client(t, r).Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func startRedis(t *testing.T, o services.RedisOptions) *services.Redis {
	t.Helper()
	o.Bin = redisBin(t)
	r, err := services.StartRedis(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	stopped(t, r)
	return r
}

// client connects as asynq does: the URL must be one that asynq takes.
func client(t *testing.T, r *services.Redis) redis.UniversalClient {
	t.Helper()
	opt, err := asynq.ParseRedisURI(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	c, ok := opt.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		t.Fatalf("asynq made a %T of %s", opt.MakeRedisClient(), r.URL())
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
