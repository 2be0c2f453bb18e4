package chaos_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"rappel/internal/services"
	"rappel/internal/testenv"
	"rappel/jobs"
)

// A stop is over in time, whoever does not answer any more, and says where work
// was left.
func TestAStopIsOverInTimeWhoeverIsSilent(t *testing.T) {
	t.Parallel()
	const shutdown, margin = 5 * time.Second, 10 * time.Second // and without a limit it was a minute and more
	binary := build(t)
	for name, c := range map[string]struct {
		silent stretch
		inHand func(*world) bool
		leaves bool
	}{
		"PostgreSQL":   {toDatabase, (*world).taskInHand, true},
		"Redis":        {toRedis, (*world).allSent, true},
		"the endpoint": {toEndpoint, (*world).messageInHand, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, binary, scenario{name: name, shutdown: shutdown}, size{families: 3}, 1)
			w.endpoint.set(calm())
			var said testenv.Speech
			program, err := services.StartProgram(t.Context(), services.ProgramOptions{
				Argv: []string{binary, "worker"}, Env: w.fleet.env, Log: &said,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = program.Signal(syscall.SIGKILL) })
			w.until("it runs", func() bool { return strings.Contains(said.String(), `"msg":"running"`) })
			c.silent(w).Silence()
			w.somethingToDo()
			w.until("it is at work", func() bool { return c.inHand(w) })
			_ = program.Signal(syscall.SIGTERM)
			select {
			case <-program.Ended():
			case <-time.After(shutdown + margin):
				t.Fatalf("it has not ended %s after it was asked to, though it may take %s", shutdown+margin, shutdown)
			}
			if left := program.Err() != nil; left != c.leaves || left != strings.Contains(said.String(), "not finished within") {
				t.Errorf("it ended with %v, and said %s", program.Err(), said.String())
			}
		})
	}
}

// somethingToDo gives a worker visits to tell of, and a task.
func (w *world) somethingToDo() {
	w.t.Helper()
	_, err := w.db.Exec(w.t.Context(), `
		WITH booked AS (
			INSERT INTO rappel.appointments (id, practice_id, client_id, starts_at, ends_at, status, booked_at, updated_at)
			SELECT gen_random_uuid(), practice_id, id, now() + interval '3 days', now() + interval '3 days 1 hour', 'scheduled', now(), now()
			FROM rappel.clients RETURNING id)
		INSERT INTO rappel.events (kind, appointment_id) SELECT 'appointment.booked', id FROM booked`)
	if err != nil {
		w.t.Fatal(err)
	}
	client := asynq.NewClient(w.store.opt)
	defer client.Close()
	if _, err := client.EnqueueContext(w.t.Context(), jobs.NewReconcile()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) taskInHand() bool {
	inspector := asynq.NewInspector(w.store.opt)
	defer inspector.Close()
	active, err := inspector.ListActiveTasks(jobs.QueueMaintenance)
	return err == nil && len(active) > 0
}

func (w *world) messageInHand() bool { return w.among("sending") > 0 }

func (w *world) allSent() bool { return w.among("sent") > 0 && w.among("pending", "sending") == 0 }

// among counts the messages that are in one of the states.
func (w *world) among(states ...string) (n int) {
	w.t.Helper()
	if err := w.db.QueryRow(w.t.Context(), `SELECT count(*) FROM rappel.notifications WHERE status = ANY ($1)`, states).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// until waits for something that a process does by itself.
func (w *world) until(what string, done func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	for !done() {
		if !wait(ctx, 10*time.Millisecond) {
			w.t.Fatalf("waited in vain until %s", what)
		}
	}
}
