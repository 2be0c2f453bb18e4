package chaos_test

import (
	"context"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/internal/queue"
	"rappel/internal/services"
	"rappel/internal/testenv"
)

// A store is the Redis of a trial: one server behind a proxy, one with
// Sentinels, or a cluster. Of the last two the processes learn the servers'
// own addresses, so that no proxy can stand between.
type store struct {
	url    string // for rappel's processes
	opt    asynq.RedisConnOpt
	client redis.UniversalClient // the trial's own way to it

	alone    *services.Redis
	proxy    *testenv.Proxy
	sentinel *services.Sentinel
	cluster  *services.Cluster
}

// A kind of store.
type storeKind int

const (
	alone storeKind = iota
	watched
	clustered
)

func newStore(t *testing.T, k storeKind) *store {
	t.Helper()
	s, direct := &store{}, ""
	switch k {
	case alone:
		s.alone = testenv.RedisServer(t)
		direct = s.alone.URL()
		s.proxy = testenv.NewProxy(t, "unix", testenv.SocketOf(t, direct))
		s.url = "redis://" + s.proxy.Addr()
	case watched:
		sentinel, err := services.StartSentinel(t.Context(), services.SentinelOptions{})
		stopAtEnd(t, sentinel, err)
		s.sentinel, s.url = sentinel, sentinel.URL()
		direct = s.url
	case clustered:
		cluster, err := services.StartCluster(t.Context(), services.ClusterOptions{})
		stopAtEnd(t, cluster, err)
		s.cluster, s.url = cluster, cluster.URL()
		direct = s.url
	}
	var err error
	if s.opt, err = queue.ParseRedis(direct); err != nil {
		t.Fatal(err)
	}
	if s.client, err = queue.Connect(s.opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.client.Close() })
	return s
}

func stopAtEnd(t *testing.T, s interface{ Stop() error }, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// empty forgets everything.
func (s *store) empty(ctx context.Context) error {
	if c, ok := s.client.(*redis.ClusterClient); ok {
		return c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return node.FlushAll(ctx).Err() })
	}
	return s.client.FlushAll(ctx).Err()
}
