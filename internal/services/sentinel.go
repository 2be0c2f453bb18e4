package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// SentinelOptions say how to run a Redis with Sentinels.
type SentinelOptions struct {
	Bin string    // path of redis-server; empty: FindRedis looks for it
	Log io.Writer // what the servers say; nil: nowhere
}

// Sentinel is a Redis with a replica and three Sentinels, two of which make the
// replica the master within seconds of the master's end.
type Sentinel struct {
	Servers   []*Redis // the first master, then its replica; they may change places
	Sentinels []*Redis
}

// masterName is what the Sentinels call what they watch.
const masterName = "rappel"

// StartSentinel returns a master that is replicated and watched.
func StartSentinel(ctx context.Context, o SentinelOptions) (*Sentinel, error) {
	s := &Sentinel{}
	if err := s.start(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start Redis with Sentinels: %w", err), s.Stop())
	}
	return s, nil
}

func (s *Sentinel) start(ctx context.Context, o SentinelOptions) error {
	master, err := startMember(ctx, RedisOptions{Bin: o.Bin, Log: o.Log})
	if err != nil {
		return err
	}
	s.Servers = append(s.Servers, master)
	port := strconv.Itoa(master.options.Port)
	replica, err := startMember(ctx, RedisOptions{Bin: o.Bin, Log: o.Log, more: []string{"--replicaof", "127.0.0.1", port}})
	if err != nil {
		return err
	}
	s.Servers = append(s.Servers, replica)
	for range 3 {
		sentinel, err := startMember(ctx, RedisOptions{Bin: o.Bin, Log: o.Log, config: watching(port)})
		if err != nil {
			return err
		}
		s.Sentinels = append(s.Sentinels, sentinel)
	}
	return s.Ready(ctx)
}

func watching(port string) string {
	return strings.Join([]string{
		"sentinel monitor " + masterName + " 127.0.0.1 " + port + " 2",
		"sentinel down-after-milliseconds " + masterName + " 1000",
		"sentinel failover-timeout " + masterName + " 5000",
		"",
	}, "\n")
}

// Ready waits until the replica follows the master, and the Sentinels know each
// other and the replica: until then there is no failover.
func (s *Sentinel) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, formWithin)
	defer cancel()
	master, err := s.Master(ctx)
	if err != nil {
		return err
	}
	err = master.process.ready(ctx, func(ctx context.Context) error {
		return says(ctx, master, "INFO replication", "connected_slaves:1", "state=online")
	})
	for _, sentinel := range s.Sentinels {
		if err != nil {
			return err
		}
		err = sentinel.process.ready(ctx, func(ctx context.Context) error {
			if _, err := sentinel.ask(ctx, "SENTINEL CKQUORUM "+masterName); err != nil {
				return err
			}
			return says(ctx, sentinel, "INFO sentinel", "status=ok", "slaves=1", "sentinels=3")
		})
	}
	return err
}

func says(ctx context.Context, r *Redis, command string, wanted ...string) error {
	info, err := r.ask(ctx, command)
	if err != nil {
		return err
	}
	for _, w := range wanted {
		if !strings.Contains(info, w) {
			return fmt.Errorf("not yet %s", w)
		}
	}
	return nil
}

// Master is the server that the Sentinels call so now.
func (s *Sentinel) Master(ctx context.Context) (*Redis, error) {
	for _, sentinel := range s.Sentinels {
		info, err := sentinel.ask(ctx, "INFO sentinel")
		if err != nil {
			continue
		}
		i := slices.IndexFunc(s.Servers, func(r *Redis) bool {
			_, address := r.address()
			return strings.Contains(info, "address="+address+",")
		})
		if i >= 0 {
			return s.Servers[i], nil
		}
	}
	return nil, errors.New("no Sentinel names the master")
}

// URL names every Sentinel, in the form that rappel takes.
func (s *Sentinel) URL() string { return "redis-sentinel://" + hosts(s.Sentinels) + "/" + masterName }

// Stop ends the Sentinels, then the servers. It may be called twice.
func (s *Sentinel) Stop() error {
	return errors.Join(stopAll(s.Sentinels), stopAll(s.Servers))
}
