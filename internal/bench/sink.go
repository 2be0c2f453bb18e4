package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A Sink is a main app's endpoint that takes every message, and counts.
type Sink struct {
	Latency time.Duration // how long it takes to answer a request
	Batch   int           // how many messages one request may hold; 0: each is a request
	Arrived func()        // called for each message; it may be nil

	mu       sync.Mutex
	seen     map[string]bool // idempotency keys
	doubles  int
	requests int
	first    time.Time
}

// A Count is what a Sink has taken.
type Count struct {
	Messages int       `json:"messages"`
	Doubles  int       `json:"doubles"` // taken again under a key that was known
	Requests int       `json:"requests"`
	First    time.Time `json:"first"` // when the first one came; zero: none has
}

// Count returns what was taken so far.
func (s *Sink) Count() Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Count{Messages: len(s.seen), Doubles: s.doubles, Requests: s.requests, First: s.first}
}

// Serve serves the endpoints of the contract, and GET /count, on a loopback
// port until ctx is done. It tells ready the base URL.
func (s *Sink) Serve(ctx context.Context, ready func(url string)) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the endpoint has no port: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", s.health)
	mux.HandleFunc("GET /count", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(s.Count()) })
	mux.HandleFunc("POST /messages/sms", s.take)
	mux.HandleFunc("POST /messages/email", s.take)
	if s.Batch > 0 {
		mux.HandleFunc("POST /messages/batch", s.takeAll)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	ready("http://" + listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the endpoint has stopped: %w", err)
	}
	return nil
}

func (s *Sink) health(w http.ResponseWriter, _ *http.Request) {
	offers := "{}"
	if s.Batch > 0 {
		offers = `{"batch_max":` + strconv.Itoa(s.Batch) + `}`
	}
	_, _ = io.WriteString(w, offers)
}

func (s *Sink) take(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	if _, err := io.Copy(io.Discard, r.Body); err != nil || key == "" {
		http.Error(w, "a message without a key, or cut short", http.StatusBadRequest)
		return
	}
	if !s.think(r.Context()) {
		return
	}
	id := s.note(key)[0]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"message_id":"`+id+`"}`)
}

// think takes the time that an answer takes; it is false if nobody waits for
// one any more.
func (s *Sink) think(ctx context.Context) bool {
	if s.Latency == 0 {
		return true
	}
	return pause(ctx, s.Latency) == nil
}

// takeAll takes several messages, each under its own key and with an answer of
// its own.
func (s *Sink) takeAll(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Messages []struct {
			NotificationID string `json:"notification_id"`
		} `json:"messages"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Messages) == 0 || len(asked.Messages) > s.Batch {
		http.Error(w, fmt.Sprintf("not 1 to %d messages", s.Batch), http.StatusUnprocessableEntity)
		return
	}
	if !s.think(r.Context()) {
		return
	}
	keys := make([]string, len(asked.Messages))
	for i, m := range asked.Messages {
		keys[i] = m.NotificationID
	}
	answer := batchAnswer{Results: make([]batchResult, len(keys))}
	for i, id := range s.note(keys...) {
		answer.Results[i] = batchResult{keys[i], http.StatusAccepted, id}
		if keys[i] == "" {
			answer.Results[i] = batchResult{Status: http.StatusBadRequest}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// A batchAnswer is what the endpoint says of several messages.
type batchAnswer struct {
	Results []batchResult `json:"results"`
}

type batchResult struct {
	NotificationID string `json:"notification_id"`
	Status         int    `json:"status"`
	MessageID      string `json:"message_id,omitempty"`
}

// note keeps the keys of the messages of one request, and returns the endpoint's
// own id of each; of a message without a key, none.
func (s *Sink) note(keys ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen, s.first = map[string]bool{}, time.Now()
	}
	s.requests++
	ids := make([]string, len(keys))
	for i, key := range keys {
		if key == "" {
			continue
		}
		if s.seen[key] {
			s.doubles++
		}
		s.seen[key] = true
		ids[i] = "m" + strconv.Itoa(len(s.seen)+s.doubles)
		if s.Arrived != nil {
			s.Arrived()
		}
	}
	return ids
}
