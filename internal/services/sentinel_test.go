package services_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"rappel/internal/queue"
	"rappel/internal/services"
)

func TestSentinelsMakeTheReplicaTheMaster(t *testing.T) {
	t.Parallel()
	s, err := services.StartSentinel(t.Context(), services.SentinelOptions{Bin: redisBin(t)})
	if err != nil {
		t.Fatal(err)
	}
	stopped(t, s)
	c := connect(t, s.URL())
	if err := c.Set(t.Context(), "visit", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	// Replicas are told after the client: what was not said yet dies with the master.
	if told, err := c.Do(t.Context(), "WAIT", 1, 0).Int(); told != 1 || err != nil {
		t.Fatalf("%d replicas know: %v", told, err)
	}
	before, err := s.Master(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := before.Halt(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the replica serves, with what it was told", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		after, err := s.Master(ctx)
		got, getErr := c.Get(ctx, "visit").Result()
		return err == nil && after != before && getErr == nil && got == "1" && c.Set(ctx, "visit", 1, 0).Err() == nil
	})
}

func TestClusterServesEveryKeyAndItsNodesComeBack(t *testing.T) {
	t.Parallel()
	s, err := services.StartCluster(t.Context(), services.ClusterOptions{Bin: redisBin(t)})
	if err != nil {
		t.Fatal(err)
	}
	stopped(t, s)
	c := connect(t, s.URL())
	for _, key := range []string{"{sms}", "{email}", "{events}", "{sweeps}", "{maintenance}"} {
		if err := c.Set(t.Context(), key, 1, 0).Err(); err != nil {
			t.Errorf("set %s: %v", key, err)
		}
	}
	if err := s.Nodes[1].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func connect(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	opt, err := queue.ParseRedis(url)
	if err != nil {
		t.Fatal(err)
	}
	c, err := queue.Connect(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
