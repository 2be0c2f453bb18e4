package app_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/app"
	"rappel/internal/config"
	"rappel/internal/testenv"
)

// TestConnectionsThatAreForgottenStopNothing has the network swallow all packets on
// the connections of a worker, while new connections work. An event that is
// reported then is still looked at.
func TestConnectionsThatAreForgottenStopNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	direct := s.cfg.DatabaseURL.Reveal()
	network, through := testenv.ProxyToDatabase(t, direct)
	s.cfg.DatabaseURL = config.Secret(through + "&pool_min_conns=12")
	s.running(app.Parts{Worker: true})
	db, err := pgx.Connect(t.Context(), direct)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	report := func() (id string) {
		id = newID()
		if _, err := db.Exec(t.Context(), `INSERT INTO rappel.events (id, kind, appointment_id) VALUES ($1, 'appointment.booked', $2)`, id, newID()); err != nil {
			t.Fatal(err)
		}
		return id
	}
	looked := func(id string) bool {
		var was bool
		if err := db.QueryRow(t.Context(), `SELECT planned_at IS NOT NULL OR look_at > now() FROM rappel.events WHERE id = $1`, id).Scan(&was); err != nil {
			t.Fatal(err)
		}
		return was
	}
	id := report()
	within(t, 10*time.Second, "a first event is looked at", func() bool { return looked(id) })
	network.Strand()
	id = report()
	within(t, 30*time.Second, "an event is looked at after connections were forgotten", func() bool { return looked(id) })
}

// TestALoopThatHangsIsNotReady: /readyz names it.
func TestALoopThatHangsIsNotReady(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.open()
	a.Loops().Start("planner", time.Nanosecond)
	for _, c := range a.Ready() {
		if err := c.Ask(t.Context()); (err != nil) != (c.Name == "loops") {
			t.Errorf("%s: %v", c.Name, err)
		} else if err != nil && !strings.HasSuffix(err.Error(), "by: planner") {
			t.Errorf("the loop is not named: %v", err)
		}
	}
}

// TestALoopThatHangsForLongEndsTheProcess: the error and the log name the loop.
func TestALoopThatHangsForLongEndsTheProcess(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var log testenv.Speech
	s.log = slog.New(slog.NewJSONHandler(&log, nil))
	a := s.open()
	a.Loops().Start("planner of this test", time.Second)
	err := a.Run(t.Context(), app.Parts{})
	if err == nil || !strings.Contains(err.Error(), "planner of this test") {
		t.Errorf("the process ended with %v", err)
	}
	if !strings.Contains(log.String(), `"loop":"planner of this test"`) {
		t.Errorf("the log does not name the loop:\n%s", log.String())
	}
}

// TestAReadOnlyDatabaseIsNotReady: a process that was left on a replica sends
// nothing.
func TestAReadOnlyDatabaseIsNotReady(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.sql(`DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET default_transaction_read_only = on'; END $$`)
	expect(t, s.findings()["database"], app.Fail, []string{"read-only"})
}

// running runs the parts until the test ends.
func (s *site) running(parts app.Parts) {
	s.t.Helper()
	a := s.open()
	ctx, stop := context.WithCancel(s.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := a.Run(ctx, parts); err != nil {
			s.t.Errorf("the process ended with %v", err)
		}
	})
	s.t.Cleanup(func() {
		stop()
		running.Wait()
	})
}

func within(t *testing.T, limit time.Duration, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s", limit, what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
