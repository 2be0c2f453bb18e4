package admin_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/dev"
	"rappel/jobs/deliver"
	"rappel/jobs/reply"
	"rappel/recipients"
)

// replies are one of each shape, by a name, with ids of their own.
func replies(t *testing.T) map[string]reply.Reply {
	t.Helper()
	of := func(n int, text string, m reply.Meaning) reply.Reply {
		return reply.Reply{
			Inbound: reply.Inbound{
				CarrierID: "SM0123", From: address(t, recipients.SMS, phone), Text: reply.WordsOf(text),
				ReceivedAt: now().In(time.FixedZone("", 3600)).Add(250 * time.Millisecond),
			},
			ID: fmt.Sprintf("01900000-0000-7000-8000-00000000010%d", n), Meaning: m,
			PracticeID: "01900000-0000-7000-8000-000000000002", NotificationID: "01900000-0000-7000-8000-000000000001",
		}
	}
	confirm, stop, start, twins, stranger := of(1, " c ", reply.Confirm), of(2, "STOP", reply.OptOut), of(3, "Start", reply.OptIn),
		of(4, `Can "Ann" <come> later?`, reply.Other), of(5, "", reply.Other)
	confirm.AppointmentIDs = []string{"01900000-0000-7000-8000-000000000004"}
	stop.Scope = []string{stop.PracticeID}
	twins.AppointmentIDs = []string{"01900000-0000-7000-8000-000000000004", "01900000-0000-7000-8000-000000000005"}
	stranger.PracticeID, stranger.NotificationID = "", ""
	return map[string]reply.Reply{
		"a confirmation": confirm, "a STOP": stop, "a START": start, "words about one of two": twins, "a picture from nobody known": stranger,
	}
}

func TestAReplyIsPostedAsTheContractHasIt(t *testing.T) {
	t.Parallel()
	const (
		head = `{"from":"+12015550123","received_at":"2026-11-21T12:00:00.25Z",`
		of   = `,"practice_id":"01900000-0000-7000-8000-000000000002","notification_id":"01900000-0000-7000-8000-000000000001"`
	)
	want := map[string]string{
		"a confirmation":              head + `"text":" c ","meaning":"confirm","appointment_id":"01900000-0000-7000-8000-000000000004"` + of + `}`,
		"a STOP":                      head + `"text":"STOP","meaning":"opt_out"` + of + `}`,
		"a START":                     head + `"text":"Start","meaning":"opt_in"` + of + `}`,
		"words about one of two":      head + `"text":"Can \"Ann\" <come> later?","meaning":"other","appointment_ids":["01900000-0000-7000-8000-000000000004","01900000-0000-7000-8000-000000000005"]` + of + `}`,
		"a picture from nobody known": head + `"text":"","meaning":"other"}`,
	}
	for name, r := range replies(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got request
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = request{Method: r.Method, URI: r.RequestURI, Header: r.Header}
				_ = json.Unmarshal(body, &got.Body)
				w.WriteHeader(http.StatusNoContent)
			})
			if a := c.PostReply(within(t), r); a.Verdict != deliver.Accepted {
				t.Fatalf("answer %+v", a)
			}
			if got.Method != http.MethodPost || got.URI != "/replies" {
				t.Errorf("%s %s", got.Method, got.URI)
			}
			if diff := cmp.Diff(object(t, want[name]), got.Body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			for header, want := range map[string]string{
				"Authorization": "Bearer " + token, "Idempotency-Key": r.ID, "User-Agent": "rappel/1.2.3", "Content-Type": "application/json",
			} {
				if diff := cmp.Diff([]string{want}, got.Header.Values(header)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", header, diff)
				}
			}
		})
	}
}

func TestAnswersToAReplyMeanWhatTheyMeanToAMessage(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]deliver.Verdict{
		200: deliver.Accepted, 202: deliver.Accepted, 401: deliver.Misconfigured, 403: deliver.Misconfigured,
		400: deliver.Refused, 404: deliver.Refused, 422: deliver.Refused,
		302: deliver.Later, 409: deliver.Later, 500: deliver.Later, 503: deliver.Later, 429: deliver.Busy,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			c := serve(t, exchange{status: status, header: map[string]string{"Retry-After": "90"}}.ServeHTTP)
			a := c.PostReply(within(t), replies(t)["a STOP"])
			if a.Verdict != want {
				t.Errorf("verdict %d, want %d", a.Verdict, want)
			}
			if later := want == deliver.Later || want == deliver.Busy; later && a.RetryAfter != 90*time.Second {
				t.Errorf("Retry-After is %s", a.RetryAfter)
			}
			silent(t, a.Err)
		})
	}
}

func TestTheStandInTakesEachReplyOnce(t *testing.T) {
	t.Parallel()
	app := dev.NewMainApp(dev.MainAppOptions{Token: token})
	c := client(t, newServer(t, app.Handler().ServeHTTP)+dev.AdminPath)
	for range 2 {
		for name, r := range replies(t) {
			if a := c.PostReply(within(t), r); a.Verdict != deliver.Accepted {
				t.Errorf("%s was answered %+v", name, a)
			}
		}
	}
	if n := len(app.Replies()); n != 5 || len(app.Troubles()) != 0 {
		t.Errorf("%d replies, %v", n, app.Troubles())
	}
}

func TestHelpIsAMeaningIfItIsOffered(t *testing.T) {
	t.Parallel()
	for health, want := range map[string]string{`{"features":["help"]}`: "help", `{}`: "other"} {
		meanings := make(chan string, 1)
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			var body struct{ Meaning string }
			if r.Method == http.MethodGet {
				_, _ = io.WriteString(w, health)
			} else if json.NewDecoder(r.Body).Decode(&body) == nil {
				meanings <- body.Meaning
			}
		})
		if err := c.Health(within(t)); err != nil {
			t.Fatal(err)
		}
		r := replies(t)["a picture from nobody known"]
		r.Meaning = reply.Help
		c.PostReply(within(t), r)
		if got := <-meanings; got != want {
			t.Errorf("%s: %s, want %s", health, got, want)
		}
	}
}
