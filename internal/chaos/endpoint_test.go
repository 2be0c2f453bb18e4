package chaos_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// token is what the endpoint knows rappel by.
const token = "chaos-token"

// A letter is a message as it came in under one key.
type letter struct {
	Kind          string          `json:"kind"`
	ClientID      string          `json:"client_id"`
	ContactID     string          `json:"contact_id"` // empty: the client
	AppointmentID string          `json:"appointment_id"`
	To            json.RawMessage `json:"to"`

	channel string
	digest  [sha256.Size]byte
}

// to is the number or the e-mail address.
func (l letter) to() string {
	var number string
	if json.Unmarshal(l.To, &number) == nil {
		return number
	}
	var mailbox struct {
		Email string `json:"email"`
	}
	_ = json.Unmarshal(l.To, &mailbox)
	return mailbox.Email
}

// An endpoint is the main app's: it takes messages, keeps the first one under
// each key, and notes where the same key came with another body. Whether it
// answers is its mood's matter; what it took it has taken.
type endpoint struct {
	dice   *dice
	server *httptest.Server

	mu       sync.Mutex
	mood     mood
	taken    map[string]letter // by idempotency key
	changed  []string          // keys that came with another body
	broken   []string          // what no rappel should send
	requests int
}

func newEndpoint(t *testing.T, d *dice) *endpoint {
	t.Helper()
	e := &endpoint{dice: d, mood: calm(), taken: map[string]letter{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /admin/messages/{channel}", e.serve)
	mux.HandleFunc("GET /admin/health", func(http.ResponseWriter, *http.Request) {})
	e.server = httptest.NewServer(mux)
	t.Cleanup(e.server.Close)
	return e
}

// set changes the mood.
func (e *endpoint) set(m mood) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mood = m
}

func (e *endpoint) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // it broke off on the way
	}
	e.mu.Lock()
	answer := weighted(e.dice, e.mood, func(a answer) int { return a.weight })
	e.requests++
	e.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+token {
		http.Error(w, "", http.StatusUnauthorized)
		return
	}
	answer.give(w, r, func() { e.take(r, body) })
}

// take keeps a message, once.
func (e *endpoint) take(r *http.Request, body []byte) {
	l := letter{channel: r.PathValue("channel"), digest: sha256.Sum256(body)}
	key := r.Header.Get("Idempotency-Key")
	err := json.NewDecoder(bytes.NewReader(body)).Decode(&l)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil || key == "" {
		e.broken = append(e.broken, key)
		return
	}
	known, ok := e.taken[key]
	switch {
	case !ok:
		e.taken[key] = l
	case known.digest != l.digest || known.channel != l.channel:
		e.changed = append(e.changed, key)
	}
}

// A tally is what an endpoint has seen.
type tally struct {
	taken           map[string]letter
	changed, broken []string
	requests        int
}

func (e *endpoint) tally() tally {
	e.mu.Lock()
	defer e.mu.Unlock()
	return tally{
		taken: maps.Clone(e.taken), requests: e.requests,
		changed: slices.Clone(e.changed), broken: slices.Clone(e.broken),
	}
}
