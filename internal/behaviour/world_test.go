package behaviour_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
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

// A world is one practice with its people, a running worker, a clock that
// stands still until it is advanced, and every message that was received.
type world struct {
	t     *testing.T
	db    *pgxpool.Pool
	app   *app.App
	clock *clock
	inbox *inbox

	practice     string
	practitioner string
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// token is the admin endpoints'.
const token = "a token of this test"

// newWorld opens a practice in New York at the given time.
func newWorld(t *testing.T, now string) *world {
	t.Helper()
	url := testenv.Database(t, migrate)
	db, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	w := &world{t: t, db: db, clock: &clock{now: instant(t, now)}, inbox: newInbox(t)}
	w.start(url)
	w.practice = w.insert("practices", row{"name": "Elm Street Practice", "time_zone": "America/New_York", "phone": "+12015550100", "email": "desk@elm.example.com"})
	w.practitioner = w.insert("practitioners", row{"practice_id": w.practice, "name": "Dr. Rivera"})
	t.Cleanup(w.nothingElse)
	return w
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

// start runs a worker until the test ends, and fails the test if it does not
// stop cleanly.
func (w *world) start(databaseURL string) {
	w.t.Helper()
	cfg := config.Config{
		DatabaseURL: config.Secret(databaseURL), RedisURL: config.Secret(testenv.Redis(w.t)),
		AdminURL: w.inbox.url, AdminToken: token, Concurrency: 8, ShutdownTimeout: 10 * time.Second,
	}
	a, err := app.Open(w.t.Context(), app.Options{
		Config: cfg, Version: "test", Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(logTo{w.t}, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.app = a
	ctx, stop := context.WithCancel(context.WithoutCancel(w.t.Context()))
	stopped := make(chan error, 1)
	go func() { stopped <- a.Run(ctx, app.Parts{Worker: true}) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			w.t.Errorf("the worker did not stop cleanly: %v", err)
		}
		a.Close()
	})
}

// logTo shows the log with the test that it belongs to.
type logTo struct{ t *testing.T }

func (l logTo) Write(line []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A row is a row to insert, by column.
type row map[string]any

// insert writes a row as the main app does, and returns its id.
func (w *world) insert(table string, r row) string {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	columns, marks, values := []string{"id"}, []string{"$1"}, []any{id}
	if table == "client_contacts" {
		columns, marks, values = nil, nil, nil
	}
	for column, value := range r {
		columns, values = append(columns, column), append(values, value)
		marks = append(marks, fmt.Sprintf("$%d", len(values)))
	}
	w.exec(fmt.Sprintf("INSERT INTO rappel.%s (%s) VALUES (%s)", table, strings.Join(columns, ", "), strings.Join(marks, ", ")), values...)
	return id
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

// client adds a client who wants SMS, unless more says otherwise.
func (w *world) client(first string, more row) string {
	w.t.Helper()
	r := row{"practice_id": w.practice, "first_name": first, "last_name": "Lee", "preferred_method": "sms"}
	for k, v := range more {
		r[k] = v
	}
	return w.insert("clients", r)
}

// contact adds a contact of a client who receives everything, unless link says
// otherwise.
func (w *world) contact(client, first string, more, link row) string {
	w.t.Helper()
	r := row{"practice_id": w.practice, "first_name": first, "last_name": "Lee"}
	for k, v := range more {
		r[k] = v
	}
	id := w.insert("contacts", r)
	w.link(client, id, link)
	return id
}

func (w *world) link(client, contact string, link row) {
	w.t.Helper()
	r := row{"client_id": client, "contact_id": contact, "receives_reminders": true, "receives_confirmations": true, "receives_scheduled": true}
	for k, v := range link {
		r[k] = v
	}
	w.insert("client_contacts", r)
}

// appointment writes an appointment of 50 minutes, booked now, and tells nobody.
func (w *world) appointment(client, starts string, more row) string {
	w.t.Helper()
	at := instant(w.t, starts)
	r := row{
		"practice_id": w.practice, "client_id": client, "practitioner_id": w.practitioner, "service_name": "Therapy",
		"location_name": "Elm Street 5", "starts_at": at, "ends_at": at.Add(50 * time.Minute), "status": "scheduled",
		"booked_at": w.clock.Now(), "updated_at": w.clock.Now(),
	}
	for k, v := range more {
		r[k] = v
	}
	return w.insert("appointments", r)
}

// book writes an appointment and reports it.
func (w *world) book(client, starts string) string {
	w.t.Helper()
	id := w.appointment(client, starts, nil)
	w.tell("appointment.booked", id)
	return id
}

// change sets columns of an appointment as a main app does, with a new revision.
func (w *world) change(appointment, set string, args ...any) {
	w.t.Helper()
	w.exec("UPDATE rappel.appointments SET revision = revision + 1, updated_at = $2, "+set+" WHERE id = $1",
		append([]any{appointment, w.clock.Now()}, args...)...)
}

// move sets another start and reports it.
func (w *world) move(appointment, starts string) {
	w.t.Helper()
	at := instant(w.t, starts)
	w.change(appointment, "starts_at = $3, ends_at = $4, start_set_at = $2", at, at.Add(50*time.Minute))
	w.tell("appointment.rescheduled", appointment)
}

// cancel cancels and reports it.
func (w *world) cancel(appointment string) {
	w.t.Helper()
	w.change(appointment, "status = 'cancelled'")
	w.tell("appointment.cancelled", appointment)
}

// tell reports an event as a row.
func (w *world) tell(kind, appointment string) string {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	w.exec("INSERT INTO rappel.events (id, kind, appointment_id, occurred_at) VALUES ($1, $2, $3, $4)", id, kind, appointment, w.clock.Now())
	return id
}

// rule adds a reminder rule.
func (w *world) rule(more row) string {
	w.t.Helper()
	r := row{
		"practice_id": w.practice, "kind": "reminder", "name": "a rule", "template": "appointment.reminder",
		"updated_at": w.clock.Now(),
	}
	for k, v := range more {
		r[k] = v
	}
	return w.insert("rules", r)
}

// at lets time pass until t, and sweeps there, as the scheduler would.
func (w *world) at(t string) {
	w.t.Helper()
	w.clock.set(instant(w.t, t))
	if _, err := w.app.Sweep(w.t.Context(), time.Time{}); err != nil {
		w.t.Fatal(err)
	}
}

// settle waits until nothing is left to be done now: every event is planned and
// nothing that is due is still open.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var open int
		err := w.db.QueryRow(ctx, `SELECT
			(SELECT count(*) FROM rappel.events WHERE planned_at IS NULL AND look_at <= now())
			+ (SELECT count(*) FROM rappel.notifications WHERE status = 'sending' OR (status = 'pending' AND not_before <= $1))`,
			w.clock.Now()).Scan(&open)
		if err != nil {
			w.t.Fatalf("%d events and notifications are still open: %v", open, err)
		}
		if open == 0 {
			return
		}
		if _, err := w.app.Reconcile(ctx, 0); err != nil {
			w.t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("%d events and notifications stay open", open)
		}
	}
}

// expect fails the test unless exactly these messages came since the last time,
// in any order. Each is given as "channel to: words", and must hold the words.
func (w *world) expect(want ...string) {
	w.t.Helper()
	w.settle()
	got := w.inbox.take()
	for _, line := range want {
		to, words, _ := strings.Cut(line, ": ")
		i := slices.IndexFunc(got, func(m string) bool { return strings.HasPrefix(m, to+": ") && strings.Contains(m, words) })
		if i < 0 {
			w.t.Errorf("nobody received\n\t%s\nbut these came:\n\t%s", line, strings.Join(got, "\n\t"))
			continue
		}
		got = slices.Delete(got, i, i+1)
	}
	if len(got) > 0 {
		w.t.Errorf("these came as well:\n\t%s", strings.Join(got, "\n\t"))
	}
}

// nothingElse fails the test if anything came that was not expected.
func (w *world) nothingElse() {
	if !w.t.Failed() {
		w.expect()
	}
}

// An inbox is the main app's admin endpoints: it keeps what it receives.
type inbox struct {
	url string

	mu       sync.Mutex
	messages []string
	seen     map[string]string // body by idempotency key
	answer   func(http.ResponseWriter, *http.Request) bool
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{seen: map[string]string{}}
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if in.answer != nil && in.answer(w, r) {
		return
	}
	body, _ := io.ReadAll(r.Body)
	key := r.Header.Get("Idempotency-Key")
	if before, ok := in.seen[key]; ok && before != string(body) {
		in.messages = append(in.messages, "CHANGED under one key: "+string(body))
	} else if !ok {
		in.seen[key] = string(body)
		in.messages = append(in.messages, describe(r.URL.Path, body))
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"message_id":"m-%s"}`, key)
}

func describe(path string, body []byte) string {
	var sms struct{ To, Body string }
	var email struct {
		To            struct{ Email string }
		Subject, Text string
	}
	if strings.HasSuffix(path, "/sms") && json.Unmarshal(body, &sms) == nil {
		return "sms " + sms.To + ": " + sms.Body
	}
	if strings.HasSuffix(path, "/email") && json.Unmarshal(body, &email) == nil {
		return "email " + email.To.Email + ": " + email.Subject + " | " + email.Text
	}
	return "UNREADABLE " + path
}

func (in *inbox) take() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	taken := in.messages
	in.messages = nil
	return taken
}
