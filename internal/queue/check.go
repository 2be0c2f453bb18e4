package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"rappel/jobs"
)

// A Node is what is to be known of one Redis server: a cluster has several that
// hold data.
type Node struct {
	Addr    string
	Version string
	Policy  string // maxmemory-policy; empty: it does not tell
	Log     bool   // it keeps an append-only file
	Saves   string // when it takes snapshots, as its setting says; empty: never
	Silent  bool   // it does not tell when it takes snapshots
	TLS     bool
}

// Nodes asks every Redis server that holds data what it is.
func Nodes(ctx context.Context, r redis.UniversalClient) ([]Node, error) {
	cluster, ok := r.(*redis.ClusterClient)
	if !ok {
		n, err := ask(ctx, r)
		if single, ok := r.(*redis.Client); ok {
			n.Addr, n.TLS = single.Options().Addr, single.Options().TLSConfig != nil
		}
		return []Node{n}, err
	}
	var mu sync.Mutex
	var all []Node
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, one *redis.Client) error {
		n, err := ask(ctx, one)
		n.Addr, n.TLS = one.Options().Addr, one.Options().TLSConfig != nil
		mu.Lock()
		defer mu.Unlock()
		all = append(all, n)
		return err
	})
	return all, err
}

func ask(ctx context.Context, r redis.Cmdable) (Node, error) {
	info, err := r.Info(ctx).Result()
	if err != nil {
		return Node{}, fmt.Errorf("no answer from Redis: %w", err)
	}
	n := Node{
		Version: field(info, "redis_version"), Policy: field(info, "maxmemory_policy"), Log: field(info, "aof_enabled") == "1",
	}
	// Who rents a Redis may often not ask for its settings: then there are none.
	saves, told := r.ConfigGet(ctx, "save").Val()["save"]
	n.Saves, n.Silent = saves, !told
	return n, nil
}

// AtLeast compares the version, such as 7.0.15.
func (n Node) AtLeast(major, minor int) bool {
	first, rest, _ := strings.Cut(n.Version, ".")
	second, _, _ := strings.Cut(rest, ".")
	gotMajor, err1 := strconv.Atoi(first)
	gotMinor, err2 := strconv.Atoi(second)
	return err1 == nil && err2 == nil && (gotMajor > major || gotMajor == major && gotMinor >= minor)
}

// field finds a line "name:value" in an answer of INFO.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return v
		}
	}
	return ""
}

// Ping tells whether Redis answers.
func Ping(ctx context.Context, r redis.UniversalClient) error {
	if err := r.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("no answer from Redis: %w", err)
	}
	return nil
}

// LetsWait tells whether idle servers may wait for a task: it does for a moment
// what they do, which changes nothing.
func LetsWait(ctx context.Context, r redis.UniversalClient) error {
	list := newLine(jobs.QueueEvents).keys[0]
	err := r.Do(ctx, "BLMOVE", list, list, "RIGHT", "RIGHT", "0.001").Err()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}

// Now returns Redis's clock.
func Now(ctx context.Context, r redis.UniversalClient) (time.Time, error) {
	now, err := r.Time(ctx).Result()
	if err != nil {
		return time.Time{}, fmt.Errorf("no time from Redis: %w", err)
	}
	return now, nil
}
