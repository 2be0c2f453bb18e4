package admin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/jobs/deliver"
)

// A request is what the endpoint saw.
type request struct {
	Method, URI string
	Header      http.Header
	Body        any
}

// received sends m and returns what came, with the headers that are ours.
func received(t *testing.T, m deliver.Message) request {
	t.Helper()
	var got request
	var bad error
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &got.Body)
		}
		got.Method, got.URI, got.Header, bad = r.Method, r.RequestURI, r.Header, err
		w.WriteHeader(http.StatusAccepted)
	})
	if a := c.Send(within(t), m); a.Verdict != deliver.Accepted {
		t.Fatalf("answer %+v", a)
	}
	if bad != nil {
		t.Fatal(bad)
	}
	return got
}

func object(t *testing.T, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhatIsPostedIsTheContracts(t *testing.T) {
	t.Parallel()
	const ids = `"notification_id":"01900000-0000-7000-8000-000000000001","practice_id":"01900000-0000-7000-8000-000000000002",
		"client_id":"01900000-0000-7000-8000-000000000003",`
	cases := map[string]struct {
		message   func(*testing.T) deliver.Message
		uri, body string
	}{
		"an SMS to the client has a null contact": {
			sms, "/messages/sms",
			`{` + ids + `"contact_id":null,"appointment_id":"01900000-0000-7000-8000-000000000004","kind":"appointment.reminder",
				"to":"+12015550123","body":"See you <soon> & well"}`,
		},
		"an e-mail to a contact": {
			email, "/messages/email",
			`{` + ids + `"contact_id":"01900000-0000-7000-8000-000000000005","appointment_id":"01900000-0000-7000-8000-000000000004",
				"kind":"appointment.booked","to":{"email":"ann.lee@example.com","name":"Ann Lee"},"reply_to":"desk@example.com",
				"subject":"Booked","text":"Booked.","html":"<p>Booked.</p>"}`,
		},
		"a practice without a mailbox has nobody to reply to": {
			func(t *testing.T) deliver.Message {
				t.Helper()
				m := email(t)
				m.Text.ReplyTo = ""
				return m
			}, "/messages/email",
			`{` + ids + `"contact_id":"01900000-0000-7000-8000-000000000005","appointment_id":"01900000-0000-7000-8000-000000000004",
				"kind":"appointment.booked","to":{"email":"ann.lee@example.com","name":"Ann Lee"},
				"subject":"Booked","text":"Booked.","html":"<p>Booked.</p>"}`,
		},
		"a notice has no appointment": {
			func(t *testing.T) deliver.Message {
				t.Helper()
				m := sms(t)
				m.AppointmentID, m.Kind = "", kind.PortalMessage
				return m
			}, "/messages/sms",
			`{` + ids + `"contact_id":null,"appointment_id":null,"kind":"portal.message",
				"to":"+12015550123","body":"See you <soon> & well"}`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := received(t, c.message(t))
			if got.Method != http.MethodPost || got.URI != c.uri {
				t.Errorf("%s %s, want POST %s", got.Method, got.URI, c.uri)
			}
			if diff := cmp.Diff(object(t, c.body), got.Body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheHeadersAreTheContracts(t *testing.T) {
	t.Parallel()
	got := received(t, sms(t)).Header
	for name, want := range map[string]string{
		"Authorization":   "Bearer " + token,
		"Idempotency-Key": "01900000-0000-7000-8000-000000000001",
		"User-Agent":      "rappel/1.2.3",
		"Content-Type":    "application/json",
	} {
		if diff := cmp.Diff([]string{want}, got.Values(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name := range got {
		switch name {
		case "Authorization", "Idempotency-Key", "User-Agent", "Content-Type", "Content-Length", "Accept-Encoding":
		default:
			t.Errorf("%s is sent too", name)
		}
	}
}

func TestTheKeyIsTheSameOnEveryAttempt(t *testing.T) {
	t.Parallel()
	keys := make(chan string, 2)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("Idempotency-Key")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	for range 2 {
		c.Send(within(t), sms(t))
	}
	if first, second := <-keys, <-keys; first != second || first == "" {
		t.Errorf("keys %q and %q", first, second)
	}
}

func TestTheBaseMayHaveAPathAndAUser(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"/rappel", "/rappel/", "/rappel/v1?ignored=1"} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			paths := make(chan string, 2)
			server := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
				paths <- r.URL.Path + " " + r.Header.Get("Authorization")
			})
			c := client(t, server+base)
			c.Send(within(t), sms(t))
			if err := c.Health(within(t)); err != nil {
				t.Error(err)
			}
			want := "/rappel"
			if base == "/rappel/v1?ignored=1" {
				want += "/v1"
			}
			if got := <-paths; got != want+"/messages/sms Bearer "+token {
				t.Error(got)
			}
			if got := <-paths; got != want+"/health Bearer "+token {
				t.Error(got)
			}
		})
	}
}
