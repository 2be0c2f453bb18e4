package behaviour_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// token is the admin endpoints'.
const token = "a token of this test"

// An inbox is the main app's admin endpoints. It accepts every message, unless
// it was told what else to answer.
type inbox struct {
	url  string
	slow atomic.Int64 // nanoseconds until each answer

	mu       sync.Mutex
	messages []string        // accepted since the last look
	accepted map[string]bool // by idempotency key
	tries    []try           // all requests for a message
	script   []answer        // to the next requests
	standing *answer         // to those after that; nil accepts
}

// A try is one request for a message.
type try struct {
	path, key, body string
	header          http.Header
	at              time.Time
}

// An answer is what a request for a message gets. Without a status the
// connection is cut.
type answer struct {
	status     int
	body       string
	retryAfter string
	location   string
	html       bool
	after      <-chan struct{} // given only once this is closed; nil: at once
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{accepted: map[string]bool{}}
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

// answers gives these answers to the next requests, one each.
func (in *inbox) answers(script ...answer) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.script = append(in.script, script...)
}

// always gives one answer to all further requests; nil accepts again.
func (in *inbox) always(a *answer) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.standing = a
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	a := in.receive(try{r.URL.Path, r.Header.Get("Idempotency-Key"), string(body), r.Header, time.Now()})
	if a.after != nil {
		<-a.after
	}
	if slow := time.Duration(in.slow.Load()); slow > 0 {
		<-time.After(slow)
	}
	a.write(w)
}

// receive notes a request and chooses its answer.
func (in *inbox) receive(t try) answer {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.tries = append(in.tries, t)
	a := answer{status: http.StatusAccepted, body: fmt.Sprintf(`{"message_id":"m-%s"}`, t.key)}
	switch {
	case len(in.script) > 0:
		a, in.script = in.script[0], in.script[1:]
	case in.standing != nil:
		a = *in.standing
	}
	if a.status/100 == 2 {
		in.accept(t)
	}
	return a
}

func (in *inbox) accept(t try) {
	if in.accepted[t.key] {
		in.messages = append(in.messages, "AGAIN although it was accepted: "+t.body)
		return
	}
	in.accepted[t.key] = true
	in.messages = append(in.messages, describe(t))
}

func (a answer) write(w http.ResponseWriter) {
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	for name, value := range map[string]string{"Retry-After": a.retryAfter, "Location": a.location} {
		if value != "" {
			w.Header().Set(name, value)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if a.html {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func describe(t try) string {
	var sms struct{ To, Body string }
	var email struct {
		To            struct{ Email string }
		Subject, Text string
	}
	if strings.HasSuffix(t.path, "/messages/sms") && json.Unmarshal([]byte(t.body), &sms) == nil {
		return "sms " + sms.To + ": " + sms.Body
	}
	if strings.HasSuffix(t.path, "/messages/email") && json.Unmarshal([]byte(t.body), &email) == nil {
		return "email " + email.To.Email + ": " + email.Subject + " | " + email.Text
	}
	return "UNREADABLE " + t.path
}

// take returns what was accepted since the last time.
func (in *inbox) take() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	taken := in.messages
	in.messages = nil
	return taken
}

// tried returns all requests so far.
func (in *inbox) tried() []try {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]try(nil), in.tries...)
}
