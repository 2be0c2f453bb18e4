//go:build !linux

package postgres

import "syscall"

// abandonUnanswered does nothing here: the deadlines of the loops have to do.
func abandonUnanswered(string, string, syscall.RawConn) error { return nil }
