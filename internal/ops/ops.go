// Package ops is the HTTP server for the people who run rappel and for what
// watches it: health, metrics and the Asynq dashboard.
//
// It deliberately does not know how anything is decided or sent, and changes
// nothing: what it shows it asks for, and webhooks are handlers of others that
// it lets in.
package ops

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynqmon"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A Check is one condition of readiness.
type Check struct {
	Name string
	Ask  func(context.Context) error
}

// Options are what the server shows.
type Options struct {
	Addr     string
	Listener net.Listener // nil: one is opened at Addr
	Token    string       // empty: everything is open, on a loopback address only
	Ready    []Check
	Webhooks map[string]http.Handler // by path; each checks who calls
	Registry *prometheus.Registry
	Redis    asynq.RedisConnOpt // of the dashboard
	Log      *slog.Logger
}

// A Server listens until it is shut down.
type Server struct {
	http      *http.Server
	dashboard *asynqmon.HTTPHandler
	log       *slog.Logger
	listener  net.Listener
}

// New returns a server. It listens on nothing yet.
func New(o Options) *Server {
	dashboard := asynqmon.New(asynqmon.Options{
		RootPath: "/tasks", RedisConnOpt: o.Redis, ReadOnly: true,
	})
	open := http.NewServeMux()
	open.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	open.Handle("GET /readyz", &readiness{checks: o.Ready, log: o.Log})
	for path, handler := range o.Webhooks {
		open.Handle(path, handler)
	}
	closed := http.NewServeMux()
	closed.Handle("GET /metrics", promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{}))
	closed.Handle("/tasks/", dashboard)
	closed.HandleFunc("GET /{$}", index)
	open.Handle("/", behind(o.Token, closed))
	return &Server{
		dashboard: dashboard,
		log:       o.Log,
		listener:  o.Listener,
		http: &http.Server{
			Addr:              o.Addr,
			Handler:           secured(http.MaxBytesHandler(open, 1<<20)),
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       15 * time.Second,
			WriteTimeout:      60 * time.Second,
			IdleTimeout:       2 * time.Minute,
		},
	}
}

// Start listens and serves in the background. It returns once it listens.
func (s *Server) Start(ctx context.Context) error {
	if s.listener == nil {
		var config net.ListenConfig
		l, err := config.Listen(ctx, "tcp", s.http.Addr)
		if err != nil {
			return fmt.Errorf("ops server: %w", err)
		}
		s.listener = l
	}
	go func() {
		if err := s.http.Serve(s.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.log.ErrorContext(ctx, "ops server stopped", "error", err)
		}
	}()
	return nil
}

// Addr returns where the server listens, with the port it was given.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Shutdown stops listening and waits for requests in hand.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	return errors.Join(err, s.dashboard.Close())
}

// secured says what a browser may do with what it gets from here. The
// dashboard is a page of scripts and inline styles of its own.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy",
			"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// behind asks for the token: as a bearer token, or for browsers as the password
// of HTTP Basic (RFC 6750 and RFC 7617).
func behind(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			_, given, _ = r.BasicAuth()
		}
		got := sha256.Sum256([]byte(given))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="rappel", charset="UTF-8"`)
			http.Error(w, "the ops token is missing or wrong", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!doctype html><html lang="en"><meta charset="utf-8"><title>rappel</title>
<h1>rappel</h1><ul><li><a href="/tasks/">Queues</a><li><a href="/metrics">Metrics</a>
<li><a href="/readyz">Readiness</a></ul></html>`)
}

// readiness asks every check, at most once a second however often it is asked
// itself.
type readiness struct {
	checks []Check
	log    *slog.Logger
	mu     sync.Mutex
	asked  time.Time
	status int
	said   string
}

const (
	checkWithin = 3 * time.Second
	checkEvery  = time.Second
)

func (r *readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	status, said := r.ask(req.Context())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprint(w, said)
}

func (r *readiness) ask(ctx context.Context) (int, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.asked) < checkEvery {
		return r.status, r.said
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkWithin)
	defer cancel()
	r.status, r.said = http.StatusOK, ""
	for _, c := range r.checks {
		if err := c.Ask(ctx); err != nil {
			r.status = http.StatusServiceUnavailable
			r.log.WarnContext(ctx, "not ready", "check", c.Name, "error", err)
			r.said += c.Name + ": not usable\n" // why is for the log: this door is open to all
			continue
		}
		r.said += c.Name + ": ok\n"
	}
	r.asked = time.Now()
	return r.status, r.said
}
