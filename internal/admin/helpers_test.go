package admin_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"rappel/internal/admin"
	"rappel/internal/kind"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

const (
	token    = "t0k3n-of-the-admin-endpoints"
	password = "hunter2-of-the-url"
	phone    = "+12015550123"
	mailbox  = "ann.lee@example.com"
)

// now is a Saturday noon.
func now() time.Time { return time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC) }

// serve runs the endpoints for this test and returns a client of theirs.
func serve(t *testing.T, answer http.HandlerFunc) *admin.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return client(t, server.URL)
}

func client(t *testing.T, url string) *admin.Client {
	t.Helper()
	c, err := admin.New(admin.Options{URL: url, Token: token, Version: "1.2.3", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func address(t *testing.T, c recipients.Channel, raw string) recipients.Address {
	t.Helper()
	a, err := recipients.ParseAddress(c, raw, "US")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sms is a reminder to the client.
func sms(t *testing.T) deliver.Message {
	t.Helper()
	return deliver.Message{
		NotificationID: "01900000-0000-7000-8000-000000000001",
		PracticeID:     "01900000-0000-7000-8000-000000000002",
		ClientID:       "01900000-0000-7000-8000-000000000003",
		AppointmentID:  "01900000-0000-7000-8000-000000000004",
		Kind:           kind.Reminder,
		Channel:        recipients.SMS,
		To:             address(t, recipients.SMS, phone),
		Text:           deliver.Text{Body: "See you <soon> & well"},
	}
}

// email is a confirmation to a contact.
func email(t *testing.T) deliver.Message {
	t.Helper()
	m := sms(t)
	m.ContactID = "01900000-0000-7000-8000-000000000005"
	m.Kind, m.Channel = kind.Booked, recipients.Email
	m.To = address(t, recipients.Email, mailbox)
	m.Text = deliver.Text{Name: "Ann Lee", ReplyTo: "desk@example.com", Subject: "Booked", Body: "Booked.", HTML: "<p>Booked.</p>"}
	return m
}

// raw runs a server below HTTP: each connection is given to talk once its
// request has begun to come in.
func raw(t *testing.T, talk func(*net.TCPConn)) (url string) {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := conn.Read(make([]byte, 1<<16)); err == nil {
				talk(conn.(*net.TCPConn))
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return "http://" + l.Addr().String()
}

// within bounds what should take no time at all, so that a hang is a failure
// of this test alone.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
