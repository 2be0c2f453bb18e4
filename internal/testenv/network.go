package testenv

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// FreePort is a port of this machine that nobody listens on. It is below those
// that the system hands out by itself: one of them would be somebody else's
// connection before a server has come up on it.
func FreePort(tb testing.TB) int {
	tb.Helper()
	const lowest, count, tries = 5_000, 6_000, 200
	var config net.ListenConfig
	for range tries {
		port := lowest + rand.N(count)
		l, err := config.Listen(context.WithoutCancel(tb.Context()), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil && l.Close() == nil {
			return port
		}
	}
	tb.Fatal("no free port found")
	return 0
}

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
