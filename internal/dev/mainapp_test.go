package dev_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rappel/internal/dev"
	"rappel/internal/kind"
	"rappel/recipients"
)

const (
	token        = "a-token"
	notification = "0190c2a4-7d1e-7b3a-9c55-000000000001"
	practice     = "0190c2a4-7d1e-7b3a-9c55-000000000002"
	client       = "0190c2a4-7d1e-7b3a-9c55-000000000003"
	contact      = "0190c2a4-7d1e-7b3a-9c55-000000000004"
	appointment  = "0190c2a4-7d1e-7b3a-9c55-000000000005"

	sms = `{"notification_id":"` + notification + `","practice_id":"` + practice + `","client_id":"` + client + `",
		"contact_id":null,"appointment_id":"` + appointment + `","kind":"appointment.reminder","to":"+12015550123","body":"See you."}`
	email = `{"notification_id":"` + notification + `","practice_id":"` + practice + `","client_id":"` + client + `",
		"contact_id":"` + contact + `","appointment_id":"` + appointment + `","kind":"appointment.booked",
		"to":{"email":"ann@example.com","name":"Ann Lee"},"reply_to":"desk@example.com","subject":"Booked","text":"Hi","html":"<p>Hi</p>"}`
	reply = `{"from":"+12015550123","text":"C","received_at":"2026-11-21T10:00:00Z","meaning":"confirm",
		"practice_id":"` + practice + `","notification_id":"` + notification + `","appointment_id":"` + appointment + `"}`
)

// A station is a stand-in on a server of its own.
type station struct {
	*dev.MainApp

	t   *testing.T
	url string
}

func newStation(t *testing.T) *station {
	t.Helper()
	app := dev.NewMainApp(dev.MainAppOptions{Token: token, Now: func() time.Time {
		return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	}})
	server := httptest.NewServer(app.Handler())
	t.Cleanup(server.Close)
	return &station{app, t, server.URL + dev.AdminPath}
}

// An answer is what came back.
type answer struct {
	status    int
	header    http.Header
	MessageID string `json:"message_id"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
}

// ask sends a request with all headers that rappel sends; change alters it.
func (s *station) ask(method, path, body string, change func(*http.Request)) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", notification)
	if change != nil {
		change(req)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	if b, err := io.ReadAll(res.Body); err != nil || json.Unmarshal(b, &a) != nil {
		s.t.Fatalf("not JSON: %q, %v", b, err)
	}
	return a
}

func (s *station) post(path, body string) answer {
	s.t.Helper()
	return s.ask(http.MethodPost, path, body, nil)
}

func TestMessagesAreTakenAsTheyCame(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		path, body string
		want       dev.Message
	}{
		"an SMS": {"/messages/sms", sms, dev.Message{
			NotificationID: notification, PracticeID: practice, ClientID: client, AppointmentID: appointment,
			Kind: kind.Reminder, Channel: recipients.SMS, To: "+12015550123", Text: "See you.", At: at,
		}},
		"an e-mail": {"/messages/email", email, dev.Message{
			NotificationID: notification, PracticeID: practice, ClientID: client, ContactID: contact, AppointmentID: appointment,
			Kind: kind.Booked, Channel: recipients.Email, To: "ann@example.com", Name: "Ann Lee", ReplyTo: "desk@example.com",
			Subject: "Booked", Text: "Hi", HTML: "<p>Hi</p>", At: at,
		}},
		"a notice, which has no appointment": {
			"/messages/sms",
			strings.NewReplacer(`"appointment_id":"`+appointment+`",`, "", "appointment.reminder", "portal.message").Replace(sms),
			dev.Message{
				NotificationID: notification, PracticeID: practice, ClientID: client,
				Kind: kind.PortalMessage, Channel: recipients.SMS, To: "+12015550123", Text: "See you.", At: at,
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t)
			got := s.post(c.path, c.body)
			if got.status != http.StatusAccepted || got.MessageID == "" {
				t.Fatalf("answered %+v", got)
			}
			c.want.ID = got.MessageID
			if diff := cmp.Diff([]dev.Message{c.want}, s.Messages()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARepeatIsAnsweredAlikeAndShownOnce(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	first := s.post("/messages/sms", sms)
	again := s.post("/messages/sms", strings.ReplaceAll(sms, "\n", " "))
	if first.status != again.status || first.MessageID != again.MessageID {
		t.Errorf("answered %+v, then %+v", first, again)
	}
	if n := len(s.Messages()); n != 1 {
		t.Errorf("%d messages are shown", n)
	}
}

func TestAKeyUsedForSomethingElseIsAConflictThatShows(t *testing.T) {
	t.Parallel()
	for name, request := range map[string][2]string{
		"another text":     {"/messages/sms", strings.Replace(sms, "See you.", "See me.", 1)},
		"another endpoint": {"/messages/email", email},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t)
			s.post("/messages/sms", sms)
			if got := s.post(request[0], request[1]); got.status != http.StatusConflict {
				t.Errorf("answered %+v", got)
			}
			if len(s.Messages()) != 1 || len(s.Troubles()) != 1 {
				t.Errorf("%d messages and %d troubles are shown", len(s.Messages()), len(s.Troubles()))
			}
		})
	}
}

func TestWhatIsNotAsTheContractHasItIsRefused(t *testing.T) {
	t.Parallel()
	without := func(name string) string {
		var fields map[string]any
		if err := json.Unmarshal([]byte(sms), &fields); err != nil {
			t.Fatal(err)
		}
		delete(fields, name)
		b, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	other := func(about string) string {
		return `{"from":"+12015550123","text":"Late","received_at":"2026-11-21T10:00:00Z","meaning":"other",` + about + `}`
	}
	cases := map[string]struct {
		path, body string
		change     func(*http.Request)
		status     int
		code       string
	}{
		"no token":              {"/messages/sms", sms, func(r *http.Request) { r.Header.Del("Authorization") }, 401, "unauthorized"},
		"another token":         {"/messages/sms", sms, func(r *http.Request) { r.Header.Set("Authorization", "Bearer other") }, 401, "unauthorized"},
		"no key":                {"/messages/sms", sms, func(r *http.Request) { r.Header.Del("Idempotency-Key") }, 400, "idempotency_key"},
		"another key":           {"/messages/sms", sms, func(r *http.Request) { r.Header.Set("Idempotency-Key", contact) }, 422, "invalid_request"},
		"a form":                {"/messages/sms", sms, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415, "media_type"},
		"another encoding":      {"/messages/sms", sms, func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=latin1") }, 415, "media_type"},
		"not JSON":              {"/messages/sms", `{"to":`, nil, 400, "malformed"},
		"a list":                {"/messages/sms", `[` + sms + `]`, nil, 400, "malformed"},
		"null":                  {"/messages/sms", `null`, nil, 400, "malformed"},
		"two objects":           {"/messages/sms", sms + sms, nil, 400, "malformed"},
		"two megabytes":         {"/messages/sms", strings.Replace(sms, "See", strings.Repeat("See", 700_000), 1), nil, 413, "too_large"},
		"no recipient":          {"/messages/sms", without("to"), nil, 422, "invalid_address"},
		"a number as dialled":   {"/messages/sms", strings.Replace(sms, "+12015550123", "201-555-0123", 1), nil, 422, "invalid_address"},
		"no address":            {"/messages/email", strings.Replace(email, "ann@example.com", "Ann Lee <ann@example.com>", 1), nil, 422, "invalid_address"},
		"no name":               {"/messages/email", strings.Replace(email, `,"name":"Ann Lee"`, "", 1), nil, 422, "invalid_request"},
		"a subject of lines":    {"/messages/email", strings.Replace(email, `"Booked"`, `"Booked\nBcc: x"`, 1), nil, 422, "invalid_request"},
		"no HTML":               {"/messages/email", strings.Replace(email, "<p>Hi</p>", " ", 1), nil, 422, "invalid_request"},
		"an empty text":         {"/messages/sms", strings.Replace(sms, "See you.", " ", 1), nil, 422, "invalid_request"},
		"no contact, not null":  {"/messages/sms", without("contact_id"), nil, 422, "invalid_request"},
		"no appointment":        {"/messages/sms", without("appointment_id"), nil, 422, "invalid_request"},
		"an unknown kind":       {"/messages/sms", strings.Replace(sms, "reminder", "eaten", 1), nil, 422, "invalid_request"},
		"a field too many":      {"/messages/sms", strings.Replace(sms, `{`, `{"channel":"sms",`, 1), nil, 422, "invalid_request"},
		"a number for a text":   {"/messages/sms", strings.Replace(sms, `"See you."`, `7`, 1), nil, 422, "invalid_request"},
		"an unknown meaning":    {"/replies", strings.Replace(reply, `"confirm"`, `"cancel"`, 1), nil, 422, "invalid_request"},
		"a time without a zone": {"/replies", strings.Replace(reply, `10:00:00Z`, `10:00:00`, 1), nil, 422, "invalid_request"},
		"a reply from nobody":   {"/replies", strings.Replace(reply, `+12015550123`, ``, 1), nil, 422, "invalid_address"},
		"a null practice":       {"/replies", strings.Replace(reply, `"practice_id":"`+practice+`"`, `"practice_id":null`, 1), nil, 422, "invalid_request"},
		"a reply under a word":  {"/replies", reply, func(r *http.Request) { r.Header.Set("Idempotency-Key", "again") }, 422, "invalid_request"},
		"nothing to confirm":    {"/replies", strings.Replace(reply, `,"appointment_id":"`+appointment+`"`, ``, 1), nil, 422, "invalid_request"},
		"nobody's to confirm":   {"/replies", strings.Replace(reply, `"practice_id":"`+practice+`",`, ``, 1), nil, 422, "invalid_request"},
		"confirmed without one": {"/replies", strings.Replace(reply, `"notification_id":"`+notification+`",`, ``, 1), nil, 422, "invalid_request"},
		"two to confirm":        {"/replies", strings.Replace(reply, `"appointment_id":"`+appointment+`"`, `"appointment_ids":["`+appointment+`","`+client+`"]`, 1), nil, 422, "invalid_request"},
		"several that are one":  {"/replies", other(`"appointment_ids":["` + appointment + `"]`), nil, 422, "invalid_request"},
		"several that are none": {"/replies", other(`"appointment_ids":["` + appointment + `","x"]`), nil, 422, "invalid_request"},
		"one and several":       {"/replies", other(`"appointment_id":"` + appointment + `","appointment_ids":["` + appointment + `","` + client + `"]`), nil, 422, "invalid_request"},
		"an unknown endpoint":   {"/messages/fax", sms, nil, 404, "not_found"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t)
			got := s.ask(http.MethodPost, c.path, c.body, c.change)
			if got.status != c.status || got.Code != c.code {
				t.Errorf("answered %d %q (%s), want %d %q", got.status, got.Code, got.Detail, c.status, c.code)
			}
			if media := got.header.Get("Content-Type"); media != "application/problem+json" {
				t.Errorf("answered as %q", media)
			}
			if len(s.Messages()) != 0 || len(s.Replies()) != 0 {
				t.Error("it was taken all the same")
			}
			for _, personal := range []string{"Ann", "555", "See"} {
				if strings.Contains(got.Detail, personal) {
					t.Errorf("the refusal repeats what it refuses: %s", got.Detail)
				}
			}
		})
	}
}

func TestRepliesAreTakenOnceEach(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	post := func(key, body string) {
		t.Helper()
		got := s.ask(http.MethodPost, "/replies", body, func(r *http.Request) { r.Header.Set("Idempotency-Key", key) })
		if got.status != http.StatusAccepted || got.MessageID == "" {
			t.Errorf("answered %+v", got)
		}
	}
	post(notification, reply)
	post(notification, strings.ReplaceAll(reply, "\n", " "))
	post(contact, `{"from":"+12015550123","text":"","received_at":"2026-11-21T11:00:00.5Z","meaning":"other",
		"appointment_ids":["`+appointment+`","`+client+`"]}`)
	want := []dev.Reply{
		{
			From: "+12015550123", Text: "C", Meaning: "confirm", PracticeID: practice, NotificationID: notification,
			AppointmentIDs: []string{appointment}, At: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		},
		{
			From: "+12015550123", Meaning: "other", AppointmentIDs: []string{appointment, client},
			At: time.Date(2026, 11, 21, 11, 0, 0, 500_000_000, time.UTC),
		},
	}
	if diff := cmp.Diff(want, s.Replies(), cmpopts.IgnoreFields(dev.Reply{}, "ID")); diff != "" {
		t.Error(diff)
	}
}

func TestAReplyIsActedUponOnce(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	var heard []string
	s.OnReply(func(_ context.Context, r dev.Reply) error {
		heard = append(heard, r.Meaning+" "+r.AppointmentIDs[0])
		return errors.New("the diary is locked")
	})
	for range 2 {
		if got := s.post("/replies", reply); got.status != http.StatusAccepted {
			t.Errorf("answered %+v", got)
		}
	}
	if diff := cmp.Diff([]string{"confirm " + appointment}, heard); diff != "" {
		t.Error(diff)
	}
	if troubles := s.Troubles(); len(troubles) != 1 || !strings.Contains(troubles[0].Text, "the diary is locked") {
		t.Errorf("troubles %v", troubles)
	}
}

func TestARepliesKeyUsedForAnotherIsAConflict(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.post("/replies", reply)
	if got := s.post("/replies", strings.Replace(reply, `"C"`, `"1"`, 1)); got.status != http.StatusConflict {
		t.Errorf("answered %+v", got)
	}
}

func TestHealthNeedsTheTokenAndOffersNoBatches(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	if got := s.ask(http.MethodGet, "/health", "", nil); got.status != http.StatusOK {
		t.Errorf("answered %+v", got)
	}
	got := s.ask(http.MethodGet, "/health", "", func(r *http.Request) { r.Header.Del("Authorization") })
	if got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" {
		t.Errorf("without the token answered %+v", got)
	}
}

func TestAHookAnswersBeforeOrAfterTheMessageIsTaken(t *testing.T) {
	t.Parallel()
	fail := func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, err := io.WriteString(w, "{}")
		return err == nil
	}
	for name, c := range map[string]struct {
		hooks dev.Hooks
		taken int
	}{
		"before": {dev.Hooks{Before: fail}, 0},
		"after":  {dev.Hooks{After: fail}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t)
			s.Script(c.hooks)
			if got := s.post("/messages/sms", sms); got.status != http.StatusServiceUnavailable || len(s.Messages()) != c.taken {
				t.Errorf("answered %d, %d taken", got.status, len(s.Messages()))
			}
			s.Script(dev.Hooks{})
			if got := s.post("/messages/sms", sms); got.status != http.StatusAccepted || len(s.Messages()) != 1 {
				t.Errorf("again: answered %d, %d taken", got.status, len(s.Messages()))
			}
		})
	}
}

func TestWhoWaitsForAMessageIsWoken(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	changed := s.Changed()
	s.post("/messages/sms", sms)
	select {
	case <-changed:
	default:
		t.Error("nobody was woken")
	}
}
