package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"rappel/internal/queue"
	"rappel/internal/testenv"
)

func connected(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	opt, err := queue.ParseRedis(url)
	if err != nil {
		t.Fatal(err)
	}
	client, err := queue.Connect(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func node(t *testing.T, r redis.UniversalClient) queue.Node {
	t.Helper()
	all, err := queue.Nodes(t.Context(), r)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d nodes, %v", len(all), err)
	}
	return all[0]
}

func TestARedisTellsWhatItKeeps(t *testing.T) {
	t.Parallel()
	r := connected(t, testenv.Redis(t))
	set := func(name, value string) {
		t.Helper()
		if err := r.ConfigSet(t.Context(), name, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	n := node(t, r)
	if n.Log || n.Saves != "" || n.Silent || n.TLS || n.Policy != "noeviction" || !n.AtLeast(6, 2) {
		t.Errorf("as it starts: %+v", n)
	}
	set("save", "3600 1")
	set("maxmemory-policy", "volatile-lru")
	if n = node(t, r); n.Saves != "3600 1" || n.Log || n.Policy != "volatile-lru" {
		t.Errorf("with snapshots: %+v", n)
	}
	set("appendonly", "yes")
	if n = node(t, r); !n.Log {
		t.Errorf("with a file: %+v", n)
	}
	// As one who rents a Redis.
	if err := r.ACLSetUser(t.Context(), "default", "-config").Err(); err != nil {
		t.Fatal(err)
	}
	if n = node(t, r); !n.Silent || !n.Log {
		t.Errorf("without the right to ask: %+v", n)
	}
}

func TestVersionsAreComparedByTheirNumbers(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"6.2.0": true, "6.2": true, "6.10.1": true, "7.0.15": true, "10.0.0": true,
		"6.1.9": false, "6.0": false, "5.9": false, "": false, "7": false, "six.two": false,
	} {
		if got := (queue.Node{Version: version}).AtLeast(6, 2); got != want {
			t.Errorf("%q is at least 6.2: %t", version, got)
		}
	}
}

func TestRedissClockIsRead(t *testing.T) {
	t.Parallel()
	before := time.Now().Add(-time.Second)
	now, err := queue.Now(t.Context(), connected(t, testenv.Redis(t)))
	if err != nil || now.Before(before) || now.After(time.Now().Add(time.Second)) {
		t.Errorf("%s, %v", now, err)
	}
}

func TestARedisThatIsAwayIsSaidWithoutItsPassword(t *testing.T) {
	t.Parallel()
	r := connected(t, "redis://u:hunter2%2F%40@127.0.0.1:1")
	_, nodes := queue.Nodes(t.Context(), r)
	_, now := queue.Now(t.Context(), r)
	for what, err := range map[string]error{"ping": queue.Ping(t.Context(), r), "look": nodes, "clock": now} {
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "127.0.0.1:1") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
