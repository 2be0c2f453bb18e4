package queue_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"rappel/internal/queue"
	"rappel/internal/testenv"
)

func TestEverySchemeOfTheContractCanBeRead(t *testing.T) {
	t.Parallel()
	cases := map[string]asynq.RedisConnOpt{
		"redis://cache":             asynq.RedisClientOpt{Addr: "cache:6379"},
		"redis://cache:6380/3":      asynq.RedisClientOpt{Addr: "cache:6380", DB: 3},
		"redis://:pw@cache:6379":    asynq.RedisClientOpt{Addr: "cache:6379", Password: "pw"},
		"rediss://cache:6380":       asynq.RedisClientOpt{Addr: "cache:6380", TLSConfig: &tls.Config{ServerName: "cache"}},
		"redis-socket:///run/r.s":   asynq.RedisClientOpt{Network: "unix", Addr: "/run/r.s"},
		"redis-cluster://a:1,b:2":   asynq.RedisClusterClientOpt{Addrs: []string{"a:1", "b:2"}},
		"redis-cluster://a:1":       asynq.RedisClusterClientOpt{Addrs: []string{"a:1"}},
		"redis-cluster://a,b":       asynq.RedisClusterClientOpt{Addrs: []string{"a:6379", "b:6379"}},
		"redis-cluster://u:pw@a:1":  asynq.RedisClusterClientOpt{Addrs: []string{"a:1"}, Username: "u", Password: "pw"},
		"redis-sentinel://a,b/main": asynq.RedisFailoverClientOpt{MasterName: "main", SentinelAddrs: []string{"a:26379", "b:26379"}},
		"redis-sentinel://a:1,b:2,c:3/main": asynq.RedisFailoverClientOpt{
			MasterName: "main", SentinelAddrs: []string{"a:1", "b:2", "c:3"},
		},
		"redis-sentinel://u:pw@a:1,b:2/main": asynq.RedisFailoverClientOpt{
			MasterName: "main", SentinelAddrs: []string{"a:1", "b:2"}, Username: "u", Password: "pw",
		},
	}
	for url, want := range cases {
		t.Run(url, func(t *testing.T) {
			t.Parallel()
			got, err := queue.ParseRedis(url)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(tls.Config{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAURLThatIsNoneIsRefusedAndNotShown(t *testing.T) {
	t.Parallel()
	for what, url := range map[string]string{
		"nothing":                   "",
		"no scheme":                 "hunter2@cache:6379",
		"another scheme":            "http://:hunter2@cache",
		"a port that is none":       "redis://:hunter2@cache:port",
		"an escape that is none":    "redis://:hunter2%zz@cache",
		"a database that is none":   "redis://:hunter2@cache/first",
		"a sentinel without master": "redis-sentinel://:hunter2@a:1,b:2",
		"a cluster without a host":  "redis-cluster://:hunter2@",
		"a sentinel without a host": "redis-sentinel://:hunter2@/main",
		"a socket without a path":   "redis-socket://:hunter2@",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			opt, err := queue.ParseRedis(url)
			if err == nil {
				t.Fatalf("read as %T", opt)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2") {
				t.Errorf("shows the URL: %v", err)
			}
		})
	}
}

func TestAConnectionIsMadeWhenItIsFirstUsed(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		url  string
		want bool
	}{
		"a server": {testenv.Redis(t), true},
		"nobody":   {"redis://127.0.0.1:1", false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			opt, err := queue.ParseRedis(c.url)
			if err != nil {
				t.Fatal(err)
			}
			client, err := queue.Connect(opt)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { client.Close() })
			if err := client.Ping(t.Context()).Err(); (err == nil) != c.want {
				t.Errorf("ping: %v", err)
			}
		})
	}
}
