package behaviour_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
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
	url   string
	slow  atomic.Int64    // nanoseconds until each answer
	ended <-chan struct{} // with the test: no answer is held back any longer

	mu       sync.Mutex
	messages []string        // accepted since the last look
	accepted map[string]bool // by idempotency key
	tries    []try           // all requests for a message
	script   []answer        // to the next requests
	standing *answer         // to those after that; nil accepts
	batches  []batchOf       // requests for several messages
	batchMax int             // offered by its health; 0: single requests only
	features string          // listed by its health, as JSON
	multi    int             // the status of an answer to a batch; 0: 200
	whole    []answer        // to the next batches as a whole
	leaveOut string          // a word: what bears it has no result of its own
}

// A batchOf is how many messages one request held.
type batchOf int

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
	in := &inbox{accepted: map[string]bool{}, ended: t.Context().Done()}
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
	if r.URL.Path == "/health" && in.batchMax > 0 {
		fmt.Fprintf(w, `{"batch_max":%d,"features":[%s]}`, in.batchMax, in.features)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if r.URL.Path == "/messages/batch" {
		in.batch(body, r.Header).write(w)
		return
	}
	a := in.receive(try{r.URL.Path, r.Header.Get("Idempotency-Key"), string(body), r.Header, time.Now()})
	in.hold(a)
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
	if page := strings.HasPrefix(a.body, "<"); a.status/100 == 2 && !page {
		in.accept(t)
	}
	return a
}

// batch gives each message of a batch the answer that it would get alone.
func (in *inbox) batch(body []byte, header http.Header) answer {
	var sent struct{ Messages []map[string]any }
	if json.Unmarshal(body, &sent) != nil || len(sent.Messages) > in.batchMax {
		return answer{status: http.StatusTeapot}
	}
	in.mu.Lock()
	in.batches = append(in.batches, batchOf(len(sent.Messages)))
	if len(in.whole) > 0 {
		defer in.mu.Unlock()
		a := in.whole[0]
		in.whole = in.whole[1:]
		return a
	}
	in.mu.Unlock()
	results := []map[string]any{}
	for _, m := range sent.Messages {
		channel, _ := m["channel"].(string)
		key, _ := m["notification_id"].(string)
		delete(m, "channel")
		alone, _ := json.Marshal(m)
		a := in.receive(try{"/messages/" + channel, key, string(alone), header, time.Now()})
		if in.leaveOut != "" && strings.Contains(string(alone), in.leaveOut) {
			continue
		}
		result := map[string]any{}
		_ = json.Unmarshal([]byte(a.body), &result)
		result["notification_id"], result["status"] = key, a.status
		if seconds, err := strconv.Atoi(a.retryAfter); err == nil {
			result["retry_after"] = seconds
		}
		results = append(results, result)
	}
	said, _ := json.Marshal(map[string]any{"results": results})
	return answer{status: cmp.Or(in.multi, http.StatusOK), body: string(said)}
}

// hold holds an answer back for as long as it asks for.
func (in *inbox) hold(a answer) {
	if a.after == nil {
		return
	}
	select {
	case <-a.after:
	case <-in.ended:
	}
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
