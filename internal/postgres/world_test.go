package postgres_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/postgres"
	"rappel/internal/practice"
	"rappel/internal/testenv"
	"rappel/jobs/plan"
)

func migrate(ctx context.Context, url string) error {
	store, err := postgres.Open(ctx, url, 2)
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Migrate(ctx, nil)
	return err
}

func open(t *testing.T, url string) *postgres.Store {
	t.Helper()
	store, err := postgres.Open(t.Context(), url, 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

// A world is a database with a practice in New York, and the store that is
// tested on it.
type world struct {
	*postgres.Store

	t        *testing.T
	url      string
	db       *pgxpool.Pool
	practice string
}

// newWorld has the schema as it is migrated from empty.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := connect(t, testenv.Database(t, migrate))
	w.practice = w.insert("practices", row{"name": "Elm Street", "time_zone": "America/New_York"})
	return w
}

func connect(t *testing.T, url string) *world {
	t.Helper()
	db, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return &world{Store: open(t, url), t: t, url: url, db: db}
}

// A row is a row to insert, by column.
type row map[string]any

// newID is an id in the order in which ids are made.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// insert writes a row as the main app does, and returns its id.
func (w *world) insert(table string, r row) string {
	w.t.Helper()
	r = maps.Clone(r)
	if r["id"] == nil && table != "client_contacts" && table != "opt_outs" && table != "unusable_addresses" {
		r["id"] = newID()
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

// text reads one value, written as PostgreSQL writes it; NULL is "-".
func (w *world) text(sql string, args ...any) string {
	w.t.Helper()
	var s string
	if err := w.db.QueryRow(w.t.Context(), "SELECT coalesce(("+sql+")::text, '-')", args...).Scan(&s); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return s
}

// client adds a client who wants SMS.
func (w *world) client() string {
	w.t.Helper()
	return w.insert("clients", row{
		"practice_id": w.practice, "first_name": "Ann", "last_name": "Lee", "phone": "+12015550101",
		"email": "ann@example.com", "preferred_method": "sms",
	})
}

// visit adds an appointment of an hour, booked a month before it starts.
func (w *world) visit(client string, starts time.Time, more row) string {
	w.t.Helper()
	booked := starts.AddDate(0, -1, 0)
	r := row{
		"practice_id": w.practice, "client_id": client, "starts_at": starts, "ends_at": starts.Add(time.Hour),
		"booked_at": booked, "updated_at": booked,
	}
	maps.Copy(r, more)
	return w.insert("appointments", r)
}

// noon is when nothing in particular happens: a Saturday in November.
func noon() time.Time { return time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC) }

// event tells of an event as a row.
func (w *world) event(kind, appointment string) string {
	w.t.Helper()
	return w.insert("events", row{"kind": kind, "appointment_id": appointment})
}

// decide answers an event as the planner does.
func decide(e plan.Event, s *practice.Snapshot) (plan.Decision, bool) {
	d, ok := plan.DecideEvent(e, s, noon())
	return identified(d), ok
}

func decideRule(r plan.Rule, s *practice.Snapshot, now time.Time) (plan.Decision, bool) {
	d, ok := plan.DecideRule(r, s, now, now)
	return identified(d), ok
}

func identified(d plan.Decision) plan.Decision {
	d.ID = newID()
	for i := range d.Notifications {
		d.Notifications[i].ID = newID()
	}
	return d
}

// plan decides about all events that wait, and returns the decisions that are
// new.
func (w *world) plan() []plan.Decision {
	w.t.Helper()
	_, made, err := w.PlanEvents(w.t.Context(), 1000, decide)
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// notifications adds that many about visits of their own, due at noon, and
// returns their ids in order.
func (w *world) notifications(n int) []string {
	w.t.Helper()
	client := w.client()
	for range n {
		w.event("appointment.booked", w.visit(client, noon().AddDate(0, 0, 7), nil))
	}
	var ids []string
	for _, d := range w.plan() {
		for _, n := range d.Notifications {
			ids = append(ids, n.ID)
		}
	}
	if len(ids) != n {
		w.t.Fatalf("%d notifications, want %d", len(ids), n)
	}
	slices.Sort(ids)
	return ids
}

// soon bounds what must not wait for anybody.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
