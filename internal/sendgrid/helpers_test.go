package sendgrid_test

import (
	"net/http"
	"net/http/httptest"
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

func address(t *testing.T, raw string) recipients.Address {
	t.Helper()
	a, err := recipients.ParseEmail(raw)
	if err != nil {
		t.Error(err)
	}
	return a
}
