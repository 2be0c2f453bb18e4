package services

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// busOffset is how far above its port a Redis listens to the other nodes of its
// cluster.
const busOffset = 10_000

// freePort finds a port that nobody listens on, with the one for a cluster's
// bus above it. Somebody may take it before the server does: then the server
// says so. It is below the range that the system hands out by itself.
func freePort(ctx context.Context) (int, error) {
	const lowest, count, tries = 11_000, 11_000, 200
	for range tries {
		port := lowest + rand.N(count)
		if listens(ctx, port) && listens(ctx, port+busOffset) {
			return port, nil
		}
	}
	return 0, errors.New("no free port found")
}

func listens(ctx context.Context, port int) bool {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	return err == nil && l.Close() == nil
}

// startMember starts a Redis on a port of its own.
func startMember(ctx context.Context, o RedisOptions) (*Redis, error) {
	var err error
	if o.Port, err = freePort(ctx); err != nil {
		return nil, fmt.Errorf("start Redis: %w", err)
	}
	return StartRedis(ctx, o)
}
