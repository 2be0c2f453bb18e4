package testenv

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// Raw runs a server below HTTP, for what no server of HTTP can be made to do:
// each connection is given to talk as it comes. It returns the server's URL.
func Raw(tb testing.TB, talk func(*net.TCPConn)) (url string) {
	tb.Helper()
	var config net.ListenConfig
	l, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var talking sync.WaitGroup
	talking.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(tb.Context(), func() { conn.Close() })
			talking.Go(func() {
				defer stop()
				defer conn.Close()
				talk(conn.(*net.TCPConn))
			})
		}
	})
	tb.Cleanup(func() {
		l.Close()
		talking.Wait()
	})
	return "http://" + l.Addr().String()
}

// AfterRequest lets talk begin once the request has begun to come in.
func AfterRequest(talk func(*net.TCPConn)) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		if _, err := c.Read(make([]byte, 1<<16)); err == nil {
			talk(c)
		}
	}
}

// Reset closes a connection with a reset.
func Reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	c.Close()
}

// Within bounds what should take no time at all, so that a hang is a failure of
// this test alone.
func Within(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

// UntilInTime calls ask with deadlines ever further away, until it says that
// what it wanted to happen before the deadline did.
func UntilInTime(tb testing.TB, ask func(context.Context) bool) {
	tb.Helper()
	for wait := 20 * time.Millisecond; wait < time.Minute; wait *= 2 {
		ctx, cancel := context.WithTimeout(tb.Context(), wait)
		done := ask(ctx)
		cancel()
		if done {
			return
		}
	}
	tb.Error("never in time")
}
