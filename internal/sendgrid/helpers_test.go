package sendgrid_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"rappel/internal/kind"
	"rappel/internal/sendgrid"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

const (
	key      = "SG.k3y-of_the.Account"
	password = "hunter2-of-the-url"
	from     = "desk@practice.example.com"
	mailbox  = "ann.lee@example.com"
	id       = "01900000-0000-7000-8000-000000000001"
)

// now is a Saturday noon.
func now() time.Time { return time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC) }

func options(url string) sendgrid.Options {
	return sendgrid.Options{APIKey: key, FromEmail: from, FromName: "The Practice", BaseURL: url, Connections: 8, Now: now}
}

func client(t *testing.T, o sendgrid.Options) *sendgrid.Client {
	t.Helper()
	c, err := sendgrid.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve runs SendGrid for this test and returns a client of it.
func serve(t *testing.T, answer http.HandlerFunc) *sendgrid.Client {
	t.Helper()
	return client(t, options(newServer(t, answer)))
}

// newServer runs SendGrid for this test and returns its URL.
func newServer(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

// email is a confirmation to a contact.
func email(t *testing.T) deliver.Message {
	t.Helper()
	to, err := recipients.ParseEmail(mailbox)
	if err != nil {
		t.Fatal(err)
	}
	return deliver.Message{
		NotificationID: id, Kind: kind.Booked, Channel: recipients.Email, To: to,
		Text: deliver.Text{Name: "Ann Lee", ReplyTo: "reply@practice.example.com", Subject: "Booked", Body: "See you <soon>", HTML: "<p>See you</p>"},
	}
}

// raw runs a server below HTTP: each connection is given to talk as it comes.
func raw(t *testing.T, talk func(*net.TCPConn)) (url string) {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var talking sync.WaitGroup
	talking.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(t.Context(), func() { conn.Close() })
			talking.Go(func() {
				defer stop()
				defer conn.Close()
				talk(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		talking.Wait()
	})
	return "http://" + l.Addr().String()
}

// afterRequest lets talk begin once the request has come in.
func afterRequest(talk func(*net.TCPConn)) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		if _, err := c.Read(make([]byte, 1<<16)); err == nil {
			talk(c)
		}
	}
}

// within bounds what should take no time at all, so that a hang is a failure
// of this test alone.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// untilInTime calls ask with deadlines ever further away, until it says that
// what it wanted to happen before the deadline did.
func untilInTime(t *testing.T, ask func(context.Context) bool) {
	t.Helper()
	for wait := 20 * time.Millisecond; wait < time.Minute; wait *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		done := ask(ctx)
		cancel()
		if done {
			return
		}
	}
	t.Error("never in time")
}

func address(t *testing.T, raw string) recipients.Address {
	t.Helper()
	a, err := recipients.ParseEmail(raw)
	if err != nil {
		t.Error(err)
	}
	return a
}
