package twilio_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"rappel/internal/kind"
	"rappel/internal/twilio"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

const (
	account  = "AC0123456789abcdef0123456789abcdef"
	service  = "MG0123456789abcdef0123456789abcdef"
	sid      = "SM0123456789abcdef0123456789abcdef"
	token    = "t0k3nOfTheAccount"
	password = "hunter2-of-the-url"
	from     = "+15005550006"
	phone    = "+12015550123"
	words    = "See you <soon> & well"
	statusAt = "https://rappel.example.com/webhooks/twilio/status"
	id       = "01900000-0000-7000-8000-000000000001"
)

// now is a Saturday noon.
func now() time.Time { return time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC) }

func options(url string) twilio.Options {
	return twilio.Options{AccountSID: account, AuthToken: token, From: from, BaseURL: url, StatusURL: statusAt, Connections: 8, Now: now}
}

func client(t *testing.T, o twilio.Options) *twilio.Client {
	t.Helper()
	c, err := twilio.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve runs Twilio for this test and returns a client of it.
func serve(t *testing.T, answer http.HandlerFunc) *twilio.Client {
	t.Helper()
	return client(t, options(newServer(t, answer)))
}

// newServer runs Twilio for this test and returns its URL.
func newServer(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

// sms is a reminder to the client.
func sms(t *testing.T) deliver.Message {
	t.Helper()
	to, err := recipients.ParsePhone(phone, "US")
	if err != nil {
		t.Fatal(err)
	}
	return deliver.Message{
		NotificationID: id, Kind: kind.Reminder, Channel: recipients.SMS, To: to, Text: deliver.Text{Body: words},
	}
}
