package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// ClusterOptions say how to run a Redis Cluster.
type ClusterOptions struct {
	Bin string    // path of redis-server; empty: FindRedis looks for it
	Log io.Writer // what the servers say; nil: nowhere
}

// Cluster is a Redis Cluster of three nodes, each with a third of the keys. A
// node that is restarted knows its place again, and has forgotten its keys.
type Cluster struct {
	Nodes []*Redis
}

// slots is how many there are in every Redis Cluster.
const slots = 16384

// formWithin bounds how long servers may take to know each other.
const formWithin = 60 * time.Second

// StartCluster returns a cluster that serves every key.
func StartCluster(ctx context.Context, o ClusterOptions) (*Cluster, error) {
	const size = 3
	c := &Cluster{}
	for range size {
		node, err := startMember(ctx, RedisOptions{Bin: o.Bin, Log: o.Log, more: []string{
			"--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no",
		}})
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		c.Nodes = append(c.Nodes, node)
	}
	if err := c.form(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("form a Redis Cluster: %w", err), c.Stop())
	}
	return c, nil
}

// form deals the slots out and has the nodes meet.
func (c *Cluster) form(ctx context.Context) error {
	share := slots/len(c.Nodes) + 1
	for i, node := range c.Nodes {
		if err := node.addSlots(ctx, i*share, min((i+1)*share, slots)); err != nil {
			return err
		}
		_, address := c.Nodes[0].address()
		if _, err := node.ask(ctx, "CLUSTER MEET "+strings.Replace(address, ":", " ", 1)); err != nil {
			return err
		}
	}
	return c.Ready(ctx)
}

// addSlots gives the slots from first to below end to a node.
func (r *Redis) addSlots(ctx context.Context, first, end int) error {
	const atOnce = 1000
	for ; first < end; first += atOnce {
		command := []string{"CLUSTER ADDSLOTS"}
		for slot := first; slot < min(first+atOnce, end); slot++ {
			command = append(command, strconv.Itoa(slot))
		}
		if _, err := r.ask(ctx, strings.Join(command, " ")); err != nil {
			return err
		}
	}
	return nil
}

// Ready waits until every node serves, and says so of the others.
func (c *Cluster) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, formWithin)
	defer cancel()
	for _, node := range c.Nodes {
		err := node.process.ready(ctx, func(ctx context.Context) error {
			info, err := node.ask(ctx, "CLUSTER INFO")
			if err != nil {
				return err
			}
			for _, want := range []string{"cluster_state:ok", "cluster_slots_ok:" + strconv.Itoa(slots)} {
				if !strings.Contains(info, want) {
					return fmt.Errorf("not yet %s", want)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// URL names every node, in the form that rappel takes.
func (c *Cluster) URL() string { return "redis-cluster://" + hosts(c.Nodes) }

func hosts(servers []*Redis) string {
	var all []string
	for _, s := range servers {
		all = append(all, net.JoinHostPort("127.0.0.1", strconv.Itoa(s.options.Port)))
	}
	return strings.Join(all, ",")
}

// Stop ends every node. It may be called twice.
func (c *Cluster) Stop() error { return stopAll(c.Nodes) }

func stopAll(servers []*Redis) error {
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Stop())
	}
	return errors.Join(errs...)
}
