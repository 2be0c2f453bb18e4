package sendgrid_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rappel/internal/testenv"
	"rappel/jobs/deliver"
)

// unanswered checks an answer to a request that got none.
func unanswered(t *testing.T, got deliver.Answer, mayHaveGone bool) {
	t.Helper()
	want := deliver.Later
	if mayHaveGone {
		want = deliver.Unanswered
	}
	if got.Verdict != want || got.Err == nil {
		t.Errorf("%+v, want verdict %d", got, want)
	}
	silent(t, got.Err)
}

func TestARequestThatCameThroughWithoutAnAnswerMayHaveGone(t *testing.T) {
	t.Parallel()
	for name, talk := range map[string]func(*net.TCPConn){
		"closed":                      func(*net.TCPConn) {},
		"reset":                       testenv.Reset,
		"an answer broken off":        func(c *net.TCPConn) { _, _ = io.WriteString(c, "HTTP/1.1 202 Acc") },
		"an answer that is none":      func(c *net.TCPConn) { _, _ = io.WriteString(c, "220 smtp.example.com ESMTP\r\n\r\n") },
		"headers larger than allowed": func(c *net.TCPConn) { _, _ = fmt.Fprintf(c, "HTTP/1.1 202 Accepted\r\nX: %0100000d\r\n\r\n", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unanswered(t, client(t, options(testenv.Raw(t, testenv.AfterRequest(talk)))).Send(testenv.Within(t), email(t)), true)
		})
	}
}

func TestTakenAndHungUpMayHaveGone(t *testing.T) {
	t.Parallel()
	f := &fake{}
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		f.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	unanswered(t, c.Send(testenv.Within(t), email(t)), true)
	if n := len(f.messages()); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestAHangEndsWithItsContextAndMayHaveGone(t *testing.T) {
	t.Parallel()
	came, hang := make(chan struct{}), make(chan struct{})
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(came)
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	defer close(hang)
	ctx, cancel := context.WithCancel(testenv.Within(t))
	go func() {
		<-came
		cancel()
	}()
	unanswered(t, c.Send(ctx, email(t)), true)
}

func TestADeadlineEndsAHang(t *testing.T) {
	t.Parallel()
	var came atomic.Bool
	c := client(t, options(testenv.Raw(t, testenv.AfterRequest(func(c *net.TCPConn) {
		came.Store(true)
		_, _ = io.Copy(io.Discard, c)
	}))))
	testenv.UntilInTime(t, func(ctx context.Context) bool {
		got := c.Send(ctx, email(t))
		if came.Load() {
			unanswered(t, got, true)
		}
		return came.Load()
	})
}

// An answer whose body hangs is an answer: its status came.
func TestABodyThatHangsIsCutByTheContext(t *testing.T) {
	t.Parallel()
	c := client(t, options(testenv.Raw(t, testenv.AfterRequest(func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "HTTP/1.1 202 Accepted\r\nX-Message-Id: m-1\r\nContent-Length: 100\r\n\r\n{")
		_, _ = io.Copy(io.Discard, c)
	}))))
	testenv.UntilInTime(t, func(ctx context.Context) bool {
		got := c.Send(ctx, email(t))
		return got.Verdict == deliver.Accepted && got.MessageID == "m-1"
	})
}

// A mail that broke off on its way in is none: nobody can have acted on it.
func TestAMailThatWasNotWrittenToItsEndHasNotGone(t *testing.T) {
	t.Parallel()
	c := client(t, options(testenv.Raw(t, func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 1<<10))
		testenv.Reset(c)
	})))
	m := email(t)
	m.Text.HTML = strings.Repeat("x", 16<<20) // more than sockets hold
	unanswered(t, c.Send(testenv.Within(t), m), false)
}

func TestWhatNeverLeftHasNotGone(t *testing.T) {
	t.Parallel()
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		unanswered(t, client(t, options(server.URL)).Send(testenv.Within(t), email(t)), false)
	})
	t.Run("the name does not resolve", func(t *testing.T) {
		t.Parallel()
		unanswered(t, client(t, options("http://rappel.invalid")).Send(testenv.Within(t), email(t)), false)
	})
	t.Run("stopped before it began", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
		unanswered(t, c.Send(ctx, email(t)), false)
	})
	t.Run("a certificate that nobody trusts", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("sent") }))
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
		server.StartTLS()
		t.Cleanup(server.Close)
		unanswered(t, client(t, options(server.URL)).Send(testenv.Within(t), email(t)), false)
	})
	t.Run("TLS refused by the other side", func(t *testing.T) {
		t.Parallel()
		url := testenv.Raw(t, testenv.AfterRequest(testenv.Reset))
		unanswered(t, client(t, options("https"+url[len("http"):])).Send(testenv.Within(t), email(t)), false)
	})
	t.Run("TLS that hangs", func(t *testing.T) {
		t.Parallel()
		url := testenv.Raw(t, testenv.AfterRequest(func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		unanswered(t, client(t, options("https"+url[len("http"):])).Send(ctx, email(t)), false)
	})
}

// TestAKeptConnectionThatWasClosedIsNoDoubt: net/http dials anew if nothing was
// written, and the second try is the one that counts.
func TestAKeptConnectionThatWasClosedIsNoDoubt(t *testing.T) {
	t.Parallel()
	f := &fake{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	c := client(t, options(server.URL))
	for range 5 {
		if got := c.Send(testenv.Within(t), email(t)); got.Verdict != deliver.Accepted {
			// The close may cross the request on its way; then nobody knows.
			unanswered(t, got, true)
		}
		server.CloseClientConnections()
	}
	server.Close()
	c.Send(testenv.Within(t), email(t)) // may still find a connection that is about to close
	if got := c.Send(testenv.Within(t), email(t)); got.Verdict != deliver.Later {
		t.Errorf("%+v", got)
	}
}

func TestBodiesAreClosedAndConnectionsKept(t *testing.T) {
	t.Parallel()
	answers := map[string]exchange{
		"accepted":        {status: 202, header: map[string]string{"X-Message-Id": "m-1"}, body: fmt.Sprintf("%01000d", 1)},
		"refused":         said(400, "subject"),
		"a page":          {status: 502, header: map[string]string{"Content-Type": "text/html"}, body: "<html></html>"},
		"an empty answer": {status: 500},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var opened atomic.Int32
			server := httptest.NewUnstartedServer(answer)
			server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					opened.Add(1)
				}
			}
			server.Start()
			t.Cleanup(server.Close)
			c := client(t, options(server.URL))
			const messages, most = 50, 5
			for range messages {
				c.Send(testenv.Within(t), email(t))
			}
			// net/http closes one whose request it does not know to be written 50 ms
			// after the answer, as happens on a busy machine now and then.
			if n := opened.Load(); n > most {
				t.Errorf("%d connections for %d messages one after the other", n, messages)
			}
		})
	}
}

// An answer without end is read to the limit, and its connection closed.
func TestAnAnswerWithoutEndDoesNotKeepItsConnection(t *testing.T) {
	t.Parallel()
	const asked = 10
	closed := make(chan struct{}, asked)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		for {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := client(t, options(server.URL))
	for n := range asked {
		unanswered(t, c.Send(testenv.Within(t), email(t)), true)
		select {
		case <-closed:
		case <-testenv.Within(t).Done():
			t.Fatalf("connection %d is still open", n)
		}
	}
}

func TestManyAtOnceLoseNothingAndMixNothingUp(t *testing.T) {
	t.Parallel()
	const senders, each = 64, 15
	f := &fake{}
	o := options(newServer(t, f.ServeHTTP))
	o.Connections = senders
	c := client(t, o)
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for n := range each {
				m := email(t)
				m.NotificationID = fmt.Sprintf("00000000-0000-7000-8000-%06d%06d", s, n)
				m.To = address(t, m.NotificationID+"@example.com")
				m.Text.Subject = "for " + m.NotificationID
				m.Text.Body, m.Text.HTML = m.Text.Subject, m.Text.Subject
				if got := c.Send(testenv.Within(t), m); got.Verdict != deliver.Accepted {
					t.Errorf("%+v", got)
				}
			}
		})
	}
	sending.Wait()
	seen := map[string]bool{}
	for _, m := range f.messages() {
		p := m.Personalizations[0]
		about := p.CustomArgs["notification_id"]
		if p.To[0].Email != about+"@example.com" || m.Subject != "for "+about || m.Content[0].Value != m.Subject || m.Content[1].Value != m.Subject {
			t.Errorf("%q to %q", m.Subject, p.To[0].Email)
		}
		seen[about] = true
	}
	if len(seen) != senders*each || len(f.messages()) != senders*each {
		t.Errorf("%d messages, %d of them different; want %d", len(f.messages()), len(seen), senders*each)
	}
}

func TestByHTTP2(t *testing.T) {
	t.Parallel()
	f := &fake{}
	server := httptest.NewUnstartedServer(f)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	c := client(t, options(server.URL))
	transport := c.Transport()
	transport.TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	if got := c.Send(testenv.Within(t), email(t)); got.Verdict != deliver.Accepted {
		t.Errorf("%+v", got)
	}
}

// TestADeadHTTP2ConnectionIsNoticed pins that the transport asks for signs of
// life: else every message on it would be one that may have gone.
func TestADeadHTTP2ConnectionIsNoticed(t *testing.T) {
	t.Parallel()
	transport := client(t, options("")).Transport()
	if transport.HTTP2 == nil || transport.HTTP2.SendPingTimeout <= 0 || transport.HTTP2.PingTimeout <= 0 {
		t.Errorf("%+v", transport.HTTP2)
	}
}
