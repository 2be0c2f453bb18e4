// Package queue puts tasks on Redis and runs the servers and the scheduler that
// take them off, through asynq. It holds what asynq does not promise at arm's
// length: a task may be lost, doubled, early or late, and nothing here relies
// on more than "look at these ids".
//
// It deliberately does not know what handlers do, nor what a notification is.
package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/jobs"
	"rappel/recipients"
)

// ParseRedis reads a Redis URL: redis, rediss, redis-socket,
// redis-sentinel://host,host/master or redis-cluster://host,host. A host without
// a port has the usual one. No error shows the URL.
func ParseRedis(raw string) (asynq.RedisConnOpt, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	switch u.Scheme {
	case "redis-cluster":
		return cluster(u)
	case "redis-sentinel":
		return sentinel(u)
	case "redis", "rediss":
		if u.Host, err = withPort(u.Host, "6379"); err != nil {
			return nil, err
		}
	}
	opt, err := asynq.ParseRedisURI(u.String())
	if err != nil {
		return nil, errors.New("not a redis, rediss, redis-socket, redis-sentinel or redis-cluster URL")
	}
	return opt, nil
}

func cluster(u *url.URL) (asynq.RedisConnOpt, error) {
	nodes, err := hosts(u, "6379")
	password, _ := u.User.Password()
	return asynq.RedisClusterClientOpt{Addrs: nodes, Username: u.User.Username(), Password: password}, err
}

func sentinel(u *url.URL) (asynq.RedisConnOpt, error) {
	master := strings.Trim(u.Path, "/")
	if master == "" {
		return nil, errors.New("redis-sentinel:// needs the master's name as its path")
	}
	sentinels, err := hosts(u, "26379")
	password, _ := u.User.Password()
	return asynq.RedisFailoverClientOpt{
		MasterName: master, SentinelAddrs: sentinels, Username: u.User.Username(), Password: password,
	}, err
}

// hosts reads the comma-separated hosts of a URL.
func hosts(u *url.URL, port string) ([]string, error) {
	var all []string
	for host := range strings.SplitSeq(u.Host, ",") {
		addr, err := withPort(host, port)
		if err != nil {
			return nil, err
		}
		all = append(all, addr)
	}
	return all, nil
}

// withPort gives a host the usual port, if it has none.
func withPort(host, port string) (string, error) {
	if host == "" || strings.HasPrefix(host, ":") {
		return "", errors.New("a host is missing")
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host, nil
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port), nil
}

// Connect returns a client for everything that this process does with Redis.
// It connects when it is first used.
func Connect(opt asynq.RedisConnOpt) (redis.UniversalClient, error) {
	client, ok := opt.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return nil, errors.New("asynq made a Redis client of an unknown type")
	}
	return client, nil
}

// A Client puts tasks on the queue.
type Client struct {
	asynq *asynq.Client
	now   func() time.Time
}

// NewClient returns a client. Now is the clock that notifications' times go by;
// the queue's own delays go by the machine's.
func NewClient(r redis.UniversalClient, now func() time.Time) *Client {
	return &Client{asynq: asynq.NewClientFromRedisClient(r), now: now}
}

// chunk is how many notifications one deliver task names.
const chunk = 100

// early is by how much asynq may hand a task out before its time, rounded up.
const early = time.Second

// OfferAt puts deliver tasks on the queue for at; a time gone by means at once.
func (c *Client) OfferAt(ctx context.Context, channel recipients.Channel, ids []string, at time.Time) error {
	var opts []asynq.Option
	if wait := at.Sub(c.now()); wait > 0 {
		opts = append(opts, asynq.ProcessIn(wait+early))
	}
	for some := range slices.Chunk(ids, chunk) {
		t, err := jobs.Deliver{IDs: some}.Task(string(channel))
		if err != nil {
			return fmt.Errorf("deliver task: %w", err)
		}
		if _, err := c.asynq.EnqueueContext(ctx, t, opts...); err != nil {
			return fmt.Errorf("put a deliver task on the queue: %w", err)
		}
	}
	return nil
}

// Put puts a task on the queue; one that is there already is enough.
func (c *Client) Put(ctx context.Context, t *asynq.Task) error {
	_, err := c.asynq.EnqueueContext(ctx, t)
	if err != nil && !errors.Is(err, asynq.ErrDuplicateTask) && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return fmt.Errorf("put %s on the queue: %w", t.Type(), err)
	}
	return nil
}

// ErrBusy says that workers take tasks from a Redis at this moment.
var ErrBusy = errors.New("REDIS_URL names a Redis that workers use, which would take this one's tasks: unset it, or name another")

// RefuseBusy returns ErrBusy where workers use the Redis at url.
func RefuseBusy(url string) error {
	opt, err := ParseRedis(url)
	if err != nil {
		return fmt.Errorf("REDIS_URL: %w", err)
	}
	inspector := asynq.NewInspector(opt)
	defer inspector.Close()
	servers, err := inspector.Servers()
	if err != nil {
		return fmt.Errorf("REDIS_URL: Redis does not answer: %w", err)
	}
	if len(servers) > 0 {
		return ErrBusy
	}
	return nil
}

// A Backlog tells how old the oldest waiting task of a queue is.
type Backlog struct {
	inspector *asynq.Inspector
}

// NewBacklog returns a Backlog.
func NewBacklog(r redis.UniversalClient) *Backlog {
	return &Backlog{inspector: asynq.NewInspectorFromRedisClient(r)}
}

// Age returns the age of the oldest task that waits in a channel's queue, zero
// where none does.
func (b *Backlog) Age(channel recipients.Channel) (time.Duration, error) {
	queues, err := b.inspector.Queues()
	if err != nil {
		return 0, fmt.Errorf("list the queues: %w", err)
	}
	if !slices.Contains(queues, string(channel)) {
		return 0, nil // nothing was ever put on it
	}
	info, err := b.inspector.GetQueueInfo(string(channel))
	if err != nil {
		return 0, fmt.Errorf("look at queue %s: %w", channel, err)
	}
	return info.Latency, nil
}
