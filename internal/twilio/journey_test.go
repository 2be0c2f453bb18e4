package twilio_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
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
		"an answer broken off":        func(c *net.TCPConn) { _, _ = io.WriteString(c, "HTTP/1.1 201 Cre") },
		"an answer that is none":      func(c *net.TCPConn) { _, _ = io.WriteString(c, "220 smtp.example.com ESMTP\r\n\r\n") },
		"headers larger than allowed": func(c *net.TCPConn) { _, _ = fmt.Fprintf(c, "HTTP/1.1 201 Created\r\nX: %0100000d\r\n\r\n", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unanswered(t, client(t, options(testenv.Raw(t, testenv.AfterRequest(talk)))).Send(testenv.Within(t), sms(t)), true)
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
	unanswered(t, c.Send(testenv.Within(t), sms(t)), true)
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
	unanswered(t, c.Send(ctx, sms(t)), true)
}

func TestADeadlineEndsAHang(t *testing.T) {
	t.Parallel()
	var came atomic.Bool
	c := client(t, options(testenv.Raw(t, testenv.AfterRequest(func(c *net.TCPConn) {
		came.Store(true)
		_, _ = io.Copy(io.Discard, c)
	}))))
	testenv.UntilInTime(t, func(ctx context.Context) bool {
		got := c.Send(ctx, sms(t))
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
		_, _ = io.WriteString(c, "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")
		_, _ = io.Copy(io.Discard, c)
	}))))
	testenv.UntilInTime(t, func(ctx context.Context) bool {
		got := c.Send(ctx, sms(t))
		return got.Verdict == deliver.Accepted && got.MessageID == ""
	})
}

func TestWhatNeverLeftHasNotGone(t *testing.T) {
	t.Parallel()
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		unanswered(t, client(t, options(server.URL)).Send(testenv.Within(t), sms(t)), false)
	})
	t.Run("the name does not resolve", func(t *testing.T) {
		t.Parallel()
		unanswered(t, client(t, options("http://rappel.invalid")).Send(testenv.Within(t), sms(t)), false)
	})
	t.Run("stopped before it began", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
		unanswered(t, c.Send(ctx, sms(t)), false)
	})
	t.Run("a certificate that nobody trusts", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("sent") }))
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
		server.StartTLS()
		t.Cleanup(server.Close)
		unanswered(t, client(t, options(server.URL)).Send(testenv.Within(t), sms(t)), false)
	})
	t.Run("TLS refused by the other side", func(t *testing.T) {
		t.Parallel()
		url := testenv.Raw(t, testenv.AfterRequest(testenv.Reset))
		unanswered(t, client(t, options("https"+url[len("http"):])).Send(testenv.Within(t), sms(t)), false)
	})
	t.Run("TLS that hangs", func(t *testing.T) {
		t.Parallel()
		url := testenv.Raw(t, testenv.AfterRequest(func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		unanswered(t, client(t, options("https"+url[len("http"):])).Send(ctx, sms(t)), false)
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
		if got := c.Send(testenv.Within(t), sms(t)); got.Verdict != deliver.Accepted {
			// The close may cross the request on its way; then nobody knows.
			unanswered(t, got, true)
		}
		server.CloseClientConnections()
	}
	server.Close()
	c.Send(testenv.Within(t), sms(t)) // may still find a connection that is about to close
	if got := c.Send(testenv.Within(t), sms(t)); got.Verdict != deliver.Later {
		t.Errorf("%+v", got)
	}
}

func TestBodiesAreClosedAndConnectionsKept(t *testing.T) {
	t.Parallel()
	answers := map[string]exchange{
		"accepted":        {status: 201, body: `{"sid":"` + sid + `"}   ` + fmt.Sprintf("%01000d", 1)},
		"refused":         said(400, 21211),
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
				c.Send(testenv.Within(t), sms(t))
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
		unanswered(t, c.Send(testenv.Within(t), sms(t)), true)
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
				m := sms(t)
				m.NotificationID = fmt.Sprintf("00000000-0000-7000-8000-%06d%06d", s, n)
				m.Text.Body = "for " + m.NotificationID
				if got := c.Send(testenv.Within(t), m); got.Verdict != deliver.Accepted {
					t.Errorf("%+v", got)
				}
			}
		})
	}
	sending.Wait()
	seen := map[string]bool{}
	for _, form := range f.messages() {
		body := form.Get("Body")
		if form.Get("StatusCallback") != statusAt+"?notification="+body[len("for "):] {
			t.Errorf("%q with the callback %q", body, form.Get("StatusCallback"))
		}
		seen[body] = true
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
	if got := c.Send(testenv.Within(t), sms(t)); got.Verdict != deliver.Accepted {
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
