// Package ops is the HTTP server for the people who run rappel and for what
// watches it: health, metrics, the Asynq dashboard and the doors of rappel's own
// pages, which are handlers of others, as webhooks are.
//
// It deliberately does not know how anything is decided or sent, and changes
// nothing: it says who is let in, for how long, with how much, and what a
// browser may do with the answer.
package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
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
	Pages    http.Handler            // all below / that is not named here; nil: none
	// TasksWritable lets the dashboard pause queues and run, archive and delete
	// tasks. The ledger is the truth in any case.
	TasksWritable bool
	Registry      *prometheus.Registry
	Redis         asynq.RedisConnOpt // of the dashboard
	Log           *slog.Logger
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
		RootPath: "/tasks", RedisConnOpt: o.Redis, ReadOnly: !o.TasksWritable,
	})
	open := http.NewServeMux()
	open.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	open.Handle("GET /readyz", &readiness{checks: o.Ready, log: o.Log})
	for path, handler := range o.Webhooks {
		open.Handle(path, handler)
	}
	closed := http.NewServeMux()
	closed.Handle("GET /metrics", promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{}))
	closed.Handle("/tasks/", scripted(dashboard))
	if o.Pages != nil {
		closed.Handle("/", o.Pages)
	}
	open.Handle("/", guarded(o.Token, closed))
	return &Server{
		dashboard: dashboard,
		log:       o.Log,
		listener:  o.Listener,
		http: &http.Server{
			Addr:              o.Addr,
			Handler:           secured(bounded(open)),
			MaxHeaderBytes:    mostHeader,
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
