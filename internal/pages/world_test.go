package pages_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/app"
	"rappel/internal/config"
	"rappel/internal/postgres"
	"rappel/internal/testenv"
)

// morning is when the tests look at the pages: twenty past ten on a Tuesday in
// New York.
const morning = "2026-11-24T10:20:00-05:00"

const adminToken = "a token of this test"

// A world is a practice in New York, with everything of rappel in one process
// and a main app that takes every message, unless it was told otherwise.
type world struct {
	t    *testing.T
	db   *pgxpool.Pool
	app  *app.App
	url  string // of the pages
	log  *testenv.Speech
	main *mainApp

	practice, practitioner string

	mu  sync.Mutex
	now time.Time // guarded by mu
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := emptyWorld(t, app.Parts{Worker: true})
	w.practice = w.insert("practices", row{"name": "Elm Street Practice", "time_zone": "America/New_York", "phone": "+12015550100"})
	w.practitioner = w.insert("practitioners", row{"practice_id": w.practice, "name": "Dr. Okafor"})
	return w
}

// emptyWorld has no practice.
func emptyWorld(t *testing.T, parts app.Parts) *world {
	t.Helper()
	database := testenv.Database(t, migrate)
	db, err := pgxpool.New(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	w := &world{t: t, db: db, log: &testenv.Speech{}, main: newMainApp(t), now: instant(t, morning)}
	w.start(parts, config.Config{
		DatabaseURL: config.Secret(database), RedisURL: config.Secret(testenv.Redis(t)), AdminURL: w.main.url, AdminToken: adminToken,
		SMSVia: config.ViaAdmin, EmailVia: config.ViaAdmin, Concurrency: 8, ShutdownTimeout: 25 * time.Second,
	})
	return w
}

func (w *world) start(parts app.Parts, cfg config.Config) {
	w.t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.url = "http://" + l.Addr().String()
	w.app, err = app.Open(w.t.Context(), app.Options{
		Config: cfg, Version: "test", Now: w.clock, OpsListener: l, Log: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(w.t.Context()))
	stopped := make(chan error, 1)
	go func() { stopped <- w.app.Run(ctx, parts) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			w.t.Errorf("rappel did not stop cleanly: %v", err)
		}
		w.app.Close()
	})
	if parts.Worker {
		w.untilWorking()
	}
}

// untilWorking waits until the worker is there, as the pages tell.
func (w *world) untilWorking() {
	w.t.Helper()
	tick, end := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for !strings.Contains(w.get("/").body, "One process works on the queues") {
		select {
		case <-tick.C:
		case <-end:
			w.t.Fatalf("no worker comes; the log:\n%s", w.log)
		}
	}
}

func migrate(ctx context.Context, url string) error {
	store, err := postgres.Open(ctx, url, 2)
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Migrate(ctx, nil)
	return err
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// pass lets time pass, and has done what is due then.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.mu.Unlock()
	if _, err := w.app.Sweep(w.t.Context(), time.Time{}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.app.Reconcile(w.t.Context(), 0); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

// settle waits until nothing is left to be done now.
func (w *world) settle() {
	w.t.Helper()
	tick, end := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for w.text(`SELECT (SELECT count(*) FROM rappel.events WHERE planned_at IS NULL)
		+ (SELECT count(*) FROM rappel.notifications WHERE status = 'sending' OR status = 'pending' AND not_before <= $1)`, w.clock()) != "0" {
		select {
		case <-tick.C:
		case <-end:
			w.t.Fatalf("something is never done; the log:\n%s", w.log)
		}
	}
}

// A row is a row to insert, by column.
type row map[string]any

func (w *world) insert(table string, r row) string {
	w.t.Helper()
	r = maps.Clone(r)
	if r["id"] == nil && table != "client_contacts" && table != "opt_outs" {
		r["id"] = uuid.Must(uuid.NewV7()).String()
	}
	var marks []string
	var values []any
	columns := slices.Sorted(maps.Keys(r))
	for i, c := range columns {
		marks, values = append(marks, fmt.Sprintf("$%d", i+1)), append(values, r[c])
	}
	w.exec(fmt.Sprintf("INSERT INTO rappel.%s (%s) VALUES (%s)", table, strings.Join(columns, ", "), strings.Join(marks, ", ")), values...)
	id, _ := r["id"].(string)
	return id
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

// text reads one value, as PostgreSQL writes it.
func (w *world) text(sql string, args ...any) (s string) {
	w.t.Helper()
	if err := w.db.QueryRow(w.t.Context(), "SELECT coalesce(("+sql+")::text, '-')", args...).Scan(&s); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return s
}

// book adds a visit of a client that begins in the given time, and tells of it.
func (w *world) book(client string, in time.Duration) string {
	w.t.Helper()
	at := w.clock().Add(in)
	id := w.insert("appointments", row{
		"practice_id": w.practice, "client_id": client, "practitioner_id": w.practitioner, "service_name": "Session",
		"starts_at": at, "ends_at": at.Add(50 * time.Minute), "booked_at": w.clock(), "updated_at": w.clock(), "start_set_at": w.clock(),
	})
	w.insert("events", row{"kind": "appointment.booked", "appointment_id": id, "occurred_at": w.clock()})
	return id
}

// A page is an answer that was read.
type page struct {
	status int
	header http.Header
	body   string
}

func (w *world) get(path string) page { w.t.Helper(); return w.ask(http.MethodGet, path, nil) }

// post sends a form, as a browser on the same site does.
func (w *world) post(path string, form url.Values) page {
	w.t.Helper()
	return w.ask(http.MethodPost, path, form)
}

func (w *world) ask(method, path string, form url.Values) page {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return page{res.StatusCode, res.Header, string(body)}
}

// A mainApp takes messages.
type mainApp struct {
	url string

	mu     sync.Mutex
	script []int // answers to the next messages; guarded by mu
}

func newMainApp(t *testing.T) *mainApp {
	t.Helper()
	m := &mainApp{}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

// answers gives these to the next messages, one each; after them 202.
func (m *mainApp) answers(statuses ...int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.script = append(m.script, statuses...)
}

func (m *mainApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	status := http.StatusAccepted
	if len(m.script) > 0 {
		status, m.script = m.script[0], m.script[1:]
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message_id":"m-%s"}`, r.Header.Get("Idempotency-Key"))
}
