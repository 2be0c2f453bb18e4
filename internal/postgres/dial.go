package postgres

import (
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// How long a connection whose other end has vanished goes unnoticed. After a
// failover, or behind a firewall that dropped it, nobody says that it is gone.
const (
	connectWithin = 5 * time.Second
	// pingWithin bounds the question to a connection of the pool that was idle
	// for a second, before it is used again.
	pingWithin = time.Second
	// unansweredFor is how long the system repeats what nobody acknowledges.
	unansweredFor = 15 * time.Second
)

// noticeDeadConnections has connections of the pool found out that are only half
// there.
func noticeDeadConnections(cfg *pgxpool.Config) {
	dialer := &net.Dialer{
		Timeout: connectWithin, Control: abandonUnanswered,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
	}
	cfg.ConnConfig.DialFunc = dialer.DialContext
	cfg.ConnConfig.ConnectTimeout = connectWithin
	cfg.PingTimeout = pingWithin
}
