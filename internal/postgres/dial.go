package postgres

import (
	"cmp"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Time limits for a connection whose other end has vanished, as after a failover
// or behind a firewall that dropped the connection: no packet says so.
const (
	connectWithin = 5 * time.Second
	// pingWithin bounds the ping of a connection of the pool that was idle for a
	// second, before it is used again.
	pingWithin = time.Second
	// unansweredFor is how long the system repeats packets that are not
	// acknowledged.
	unansweredFor = 15 * time.Second
)

// findDeadConnections sets the time limits by which a connection of the pool is
// given up whose other end has vanished. A shorter connect_timeout of the URL
// holds.
func findDeadConnections(cfg *pgxpool.Config) {
	cfg.ConnConfig.ConnectTimeout = min(cmp.Or(cfg.ConnConfig.ConnectTimeout, connectWithin), connectWithin)
	dialer := &net.Dialer{
		Timeout: cfg.ConnConfig.ConnectTimeout, Control: abandonUnanswered,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
	}
	cfg.ConnConfig.DialFunc = dialer.DialContext
	cfg.PingTimeout = pingWithin
}
