package forecast_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"rappel/internal/postgres"
	"rappel/internal/testenv"
	"rappel/jobs/forecast"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
	"rappel/recipients"
)

// worlds is how many are tried: each takes some hundred sweeps of a database.
const worlds = 10

// What the forecast says of a span, taken at its beginning, is what the sweeps
// then do: the same messages at the same time, and the same skips.
func TestForecastAndSweepAgree(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	tried, failed := 0, false
	rapid.Check(t, func(t *rapid.T) {
		if tried++; tried > worlds && !failed {
			return
		}
		w := drawWorld(t)
		s.play(t, w)
		want := s.forecast(t, w)
		s.sweepThrough(t, w)
		if diff := cmp.Diff(want, s.done(t, w)); diff != "" {
			failed = true
			t.Fatalf("from %s to %s the forecast (-) and the sweeps (+) differ:\n%s\n%s", w.from, w.to, diff, w)
		}
	})
}

// A stage is a database on which worlds are played, one after the other.
type stage struct {
	db    *pgxpool.Pool
	store *postgres.Store
}

func newStage(t *testing.T) *stage {
	t.Helper()
	url := testenv.Database(t, migrate)
	db, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return &stage{db: db, store: openStore(t, url)}
}

func (s *stage) exec(t *rapid.T, sql string, args ...any) {
	t.Helper()
	if _, err := s.db.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// play lets everything happen that lies before the span.
func (s *stage) play(t *rapid.T, w *world) {
	t.Helper()
	s.exec(t, `TRUNCATE rappel.practices, rappel.clients, rappel.contacts, rappel.client_contacts, rappel.appointments,
		rappel.rules, rappel.events, rappel.decisions, rappel.notifications, rappel.opt_outs, rappel.sweeps`)
	for _, happens := range w.past {
		if happens.sql == "" {
			s.sweep(t, happens.at)
			continue
		}
		s.exec(t, happens.sql, happens.args...)
	}
}

// noQueue takes what is offered and does nothing with it.
type noQueue struct{}

func (noQueue) OfferAt(context.Context, recipients.Channel, []string, time.Time) error { return nil }

func (s *stage) sweep(t *rapid.T, at time.Time) {
	t.Helper()
	now := func() time.Time { return at }
	quiet := slog.New(slog.DiscardHandler)
	sweeper := sweep.Sweeper{
		Store: s.store, Now: now, Log: quiet,
		Planner: &plan.Planner{Store: s.store, Queue: noQueue{}, Now: now, Log: quiet},
	}
	if _, err := sweeper.Sweep(context.Background(), at); err != nil {
		t.Fatalf("sweep at %s: %v", at, err)
	}
}

// sweepThrough sweeps every half hour, when windows open and close, and at every
// moment at which something is due.
func (s *stage) sweepThrough(t *rapid.T, w *world) {
	t.Helper()
	moments := []time.Time{w.from, w.to}
	for at := w.from.Truncate(30 * time.Minute); at.Before(w.to); at = at.Add(30 * time.Minute) {
		moments = append(moments, at)
	}
	for _, v := range w.visits {
		for _, r := range w.rules {
			moments = append(moments, r.rule.Due(v.visit))
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	for _, at := range slices.CompactFunc(moments, time.Time.Equal) {
		if !at.Before(w.from) && !at.After(w.to) {
			s.sweep(t, at)
		}
	}
}

func (s *stage) forecast(t *rapid.T, w *world) []string {
	t.Helper()
	f := forecast.Forecaster{Store: s.store, Now: func() time.Time { return w.from }}
	var lines []string
	last := w.from
	err := f.Forecast(context.Background(), forecast.Query{From: w.from, To: w.to}, func(l forecast.Line) error {
		if l.SendAt.Before(last) || !l.SendAt.Before(w.to) {
			t.Errorf("%s comes after %s", l.SendAt, last)
		}
		last = l.SendAt
		outcome := "skip"
		if l.Send {
			outcome = "send"
		}
		lines = append(lines, line(l.SendAt, w.ruleName(l.RuleID), l.AppointmentID, l.StartsAt, l.ID, string(l.Channel), outcome, l.Reasons))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func line[R ~string](at time.Time, rule, appointment string, starts time.Time, id, channel, outcome string, reasons []R) string {
	words := make([]string, 0, len(reasons))
	for _, r := range reasons {
		words = append(words, string(r))
	}
	return fmt.Sprintf("%s %s of %s at %s to %s by %q: %s %s", at.UTC().Format(time.RFC3339), rule,
		appointment[len(appointment)-2:], starts.UTC().Format(time.RFC3339), id[len(id)-3:], channel, outcome, strings.Join(words, ","))
}

// done is what the sweeps decided that has its time in the span: a message when
// the ledger lets it go, a skip when its rule was due.
func (s *stage) done(t *rapid.T, w *world) []string {
	t.Helper()
	rows, err := s.db.Query(context.Background(), `
		SELECT d.rule_id, d.appointment_id, d.starts_at, c->>'id', coalesce(c->>'channel', ''), c->>'outcome',
			ARRAY(SELECT jsonb_array_elements_text(c->'reasons')), n.not_before
		FROM rappel.decisions d
		CROSS JOIN jsonb_array_elements(d.candidates) c
		LEFT JOIN rappel.notifications n ON n.decision_id = d.id AND n.channel = c->>'channel'
			AND coalesce(n.contact_id, n.client_id) = (c->>'id')::uuid
		WHERE d.decided_at >= $1`, w.from)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var rule, appointment, id, channel, outcome string
		var starts time.Time
		var reasons []string
		var at *time.Time
		if err := rows.Scan(&rule, &appointment, &starts, &id, &channel, &outcome, &reasons, &at); err != nil {
			t.Fatal(err)
		}
		if at == nil {
			due := w.due(rule, appointment)
			at = &due
		}
		if !at.Before(w.from) && at.Before(w.to) {
			lines = append(lines, line(*at, w.ruleName(rule), appointment, starts, id, channel, outcome, reasons))
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

// due is the due time of a rule for an appointment as it is at last.
func (w *world) due(rule, appointment string) time.Time {
	r := w.rules[slices.IndexFunc(w.rules, func(r ruleRow) bool { return r.rule.ID == rule })]
	v := w.visits[slices.IndexFunc(w.visits, func(v visitRow) bool { return v.id == appointment })]
	return r.rule.Due(v.visit)
}

func (w *world) ruleName(id string) string {
	r := w.rules[slices.IndexFunc(w.rules, func(r ruleRow) bool { return r.rule.ID == id })].rule
	size := "at the anchor"
	switch {
	case r.Minutes != nil:
		size = fmt.Sprintf("%d min", *r.Minutes)
	case r.Days != nil:
		size = fmt.Sprintf("%d days", *r.Days)
		if r.At != nil {
			size += " " + r.At.String()
		}
	}
	return fmt.Sprintf("%s(%s %s %s)", id[len(id)-2:], r.Kind, r.Anchor, size)
}
