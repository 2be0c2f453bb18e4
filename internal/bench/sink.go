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
	Latency time.Duration // how long it takes to answer
	Arrived func()        // called for each message; it may be nil

	mu      sync.Mutex
	seen    map[string]bool // idempotency keys
	doubles int
	first   time.Time
}

// A Count is what a Sink has taken.
type Count struct {
	Messages int       `json:"messages"`
	Doubles  int       `json:"doubles"` // taken again under a key that was known
	First    time.Time `json:"first"`   // when the first one came; zero: none has
}

// Count returns what was taken so far.
func (s *Sink) Count() Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Count{Messages: len(s.seen), Doubles: s.doubles, First: s.first}
}

// Serve serves the endpoints of the contract, and GET /count, on a loopback
// port until ctx is done. It tells ready the base URL.
func (s *Sink) Serve(ctx context.Context, ready func(url string)) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the endpoint has no port: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	mux.HandleFunc("GET /count", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(s.Count()) })
	mux.HandleFunc("POST /messages/sms", s.take)
	mux.HandleFunc("POST /messages/email", s.take)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	ready("http://" + listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the endpoint has stopped: %w", err)
	}
	return nil
}

func (s *Sink) take(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	if _, err := io.Copy(io.Discard, r.Body); err != nil || key == "" {
		http.Error(w, "a message without a key, or cut short", http.StatusBadRequest)
		return
	}
	if s.Latency > 0 {
		select {
		case <-time.After(s.Latency):
		case <-r.Context().Done():
			return
		}
	}
	n := s.note(key)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"message_id":"m`+strconv.Itoa(n)+`"}`)
}

// note keeps the key of a message, and returns how many have come.
func (s *Sink) note(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen, s.first = map[string]bool{}, time.Now()
	}
	if s.seen[key] {
		s.doubles++
	}
	s.seen[key] = true
	if s.Arrived != nil {
		s.Arrived()
	}
	return len(s.seen) + s.doubles
}
