package chaos_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"rappel/internal/testenv"
)

func TestProxyPassesBothWaysUntilItIsCut(t *testing.T) {
	t.Parallel()
	p := testenv.NewProxy(t, "tcp", newEcho(t))
	conn := dial(t, p)
	say(t, conn, "one\n")
	hear(t, conn, "one\n")

	p.Slow(time.Millisecond)
	say(t, conn, "two\n")
	hear(t, conn, "two\n")

	p.Cut()
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a connection that was cut ended with %v; want an error", err)
	}
	say(t, dial(t, p), "three\n")
}

func TestProxyLetsNobodyInWhileShut(t *testing.T) {
	t.Parallel()
	p := testenv.NewProxy(t, "tcp", newEcho(t))
	p.Shut()
	var d net.Dialer
	if conn, err := d.DialContext(t.Context(), "tcp", p.Addr()); err == nil { // or it is reset at once
		defer conn.Close()
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("it passed something on")
		}
	}
	p.Heal()
	conn := dial(t, p)
	say(t, conn, "here\n")
	hear(t, conn, "here\n")
}

func TestProxyKeepsWhatItWasSilentAbout(t *testing.T) {
	t.Parallel()
	p := testenv.NewProxy(t, "tcp", newEcho(t))
	conn := dial(t, p)
	p.Silence()
	say(t, conn, "late\n")
	if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("it was not silent")
	}
	p.Heal()
	hear(t, conn, "late\n")
}

// newEcho is a service that says what it is told.
func newEcho(t *testing.T) (address string) {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(context.WithoutCancel(t.Context()), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

func dial(t *testing.T, p *testenv.Proxy) net.Conn {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func say(t *testing.T, c net.Conn, what string) {
	t.Helper()
	if _, err := io.WriteString(c, what); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c net.Conn, want string) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(c).ReadString('\n'); err != nil || got != want {
		t.Errorf("heard %q, %v; want %q", got, err, want)
	}
}
