package postgres

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// abandonUnanswered has the system end a connection on which packets stay
// unacknowledged for a while: otherwise it tries for a quarter of an hour.
func abandonUnanswered(network, _ string, conn syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unansweredFor.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
