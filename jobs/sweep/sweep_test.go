package sweep_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/jobs"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v.UTC()
}

// memStore keeps the mark in memory, and fails where it is told to.
type memStore struct {
	mark  time.Time
	found []sweep.Found
	spans []sweep.Span

	failMark, failFind, failAdvance error
}

func (s *memStore) Mark(context.Context) (time.Time, error) { return s.mark, s.failMark }

func (s *memStore) Advance(_ context.Context, t, now time.Time) error {
	if now.Before(t) {
		t = now
	}
	if s.failAdvance == nil && t.After(s.mark) {
		s.mark = t
	}
	return s.failAdvance
}

func (s *memStore) Find(_ context.Context, span sweep.Span, yield func(sweep.Found)) error {
	s.spans = append(s.spans, span)
	for _, f := range s.found {
		yield(f)
	}
	return s.failFind
}

// plannerFunc decides.
type plannerFunc func(due []plan.Due, now, upTo time.Time) (int, error)

func (f plannerFunc) Rules(_ context.Context, due []plan.Due, now, upTo time.Time) (int, error) {
	return f(due, now, upTo)
}

func decided(due []plan.Due, _, _ time.Time) (int, error) { return len(due), nil }

func newSweeper(t *testing.T, store *memStore, planner plannerFunc) *sweep.Sweeper {
	t.Helper()
	return &sweep.Sweeper{
		Store: store, Planner: planner, Now: func() time.Time { return present(t) },
		Log: slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil)),
	}
}

func present(t *testing.T) time.Time {
	t.Helper()
	return at(t, "2026-11-21T12:00:00Z")
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func TestASweepCoversWhatTheLastOneLeft(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ mark, at, from, after string }{
		"the very first looks back an hour": {
			"", "2026-11-21T12:00:00Z", "2026-11-21T11:00:00Z", "2026-11-21T12:00:00Z",
		},
		"the next overlaps by ten minutes": {
			"2026-11-21T11:59:00Z", "2026-11-21T12:00:00Z", "2026-11-21T11:49:00Z", "2026-11-21T12:00:00Z",
		},
		"after an outage all of it": {
			"2026-11-18T12:00:00Z", "2026-11-21T12:00:00Z", "2026-11-18T11:50:00Z", "2026-11-21T12:00:00Z",
		},
		"the same moment again": {
			"2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z", "2026-11-21T11:50:00Z", "2026-11-21T12:00:00Z",
		},
		"as of a time gone by, the mark stays": {
			"2026-11-21T12:00:00Z", "2026-11-20T12:00:00Z", "2026-11-20T11:50:00Z", "2026-11-21T12:00:00Z",
		},
		"as of a time to come, the mark is now": {
			"2026-11-21T11:59:00Z", "2026-11-23T12:00:00Z", "2026-11-21T11:49:00Z", "2026-11-21T12:00:00Z",
		},
		"the very first, as of a time to come": {
			"", "2026-11-23T12:00:00Z", "2026-11-21T11:00:00Z", "2026-11-21T12:00:00Z",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &memStore{}
			if c.mark != "" {
				store.mark = at(t, c.mark)
			}
			var seen, last time.Time
			got, err := newSweeper(t, store, func(_ []plan.Due, now, upTo time.Time) (int, error) {
				seen, last = now, upTo
				return 0, nil
			}).Sweep(t.Context(), at(t, c.at))
			if err != nil {
				t.Fatal(err)
			}
			want := sweep.Span{From: at(t, c.from), To: at(t, c.at)}
			if diff := cmp.Diff([]sweep.Span{want}, store.spans); diff != "" {
				t.Errorf("looked at (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(sweep.Result{Span: want}, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if !store.mark.Equal(at(t, c.after)) {
				t.Errorf("the mark is at %s", store.mark)
			}
			// all is judged by the present
			if !seen.Equal(present(t)) || !last.Equal(later(at(t, c.at), present(t))) {
				t.Errorf("decided as seen at %s what is due up to %s", seen, last)
			}
		})
	}
}

func TestAfterAnErrorTheMarkStays(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	cases := map[string]struct {
		store   memStore
		planner plannerFunc
	}{
		"the mark cannot be read":  {memStore{failMark: away}, decided},
		"nothing can be found":     {memStore{failFind: away}, decided},
		"nothing can be decided":   {memStore{}, func([]plan.Due, time.Time, time.Time) (int, error) { return 0, away }},
		"some cannot be decided":   {memStore{}, func([]plan.Due, time.Time, time.Time) (int, error) { return 5, away }},
		"the mark cannot be moved": {memStore{failAdvance: away}, decided},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := at(t, "2026-11-21T11:00:00Z")
			c.store.mark = before
			sweeper := newSweeper(t, &c.store, c.planner)
			if _, err := sweeper.Sweep(t.Context(), at(t, "2026-11-21T12:00:00Z")); !errors.Is(err, away) {
				t.Errorf("error %v", err)
			}
			if !c.store.mark.Equal(before) {
				t.Errorf("the mark is at %s", c.store.mark)
			}
			task, err := jobs.Sweep{}.Task()
			if err != nil {
				t.Fatal(err)
			}
			if err := sweeper.Handle(t.Context(), task); !errors.Is(err, away) || errors.Is(err, asynq.SkipRetry) {
				t.Errorf("the task ends with %v", err)
			}
		})
	}
}

// TestOnlyWhatIsLiveIsLookedAt has a store that finds too much, as it may: a
// rule 24 hours before each of these visits, and SMS from 8 to 21 o'clock.
func TestOnlyWhatIsLiveIsLookedAt(t *testing.T) {
	t.Parallel()
	span := sweep.Span{From: at(t, "2026-11-21T11:50:00Z"), To: at(t, "2026-11-21T12:00:00Z")}
	cases := map[string]struct {
		starts, set string
		minutes     int
		live        bool
	}{
		"due at the end of the span":       {starts: "2026-11-22T12:00:00Z", live: true},
		"due just after the span":          {starts: "2026-11-22T12:00:01Z"},
		"due at the begin of the span":     {starts: "2026-11-22T11:50:00Z"},
		"due just after its begin":         {starts: "2026-11-22T11:50:01Z", live: true},
		"due long ago, booked in the span": {starts: "2026-11-21T18:00:00Z", set: "2026-11-21T11:55:00Z", live: true},
		"due long ago, booked long ago":    {starts: "2026-11-21T18:00:00Z", set: "2026-11-21T10:00:00Z"},
		"due long ago, booked after it":    {starts: "2026-11-21T18:00:00Z", set: "2026-11-21T12:00:01Z"},
		"it may have to leave in advance":  {starts: "2026-11-22T03:30:00Z", minutes: -60, live: true},
		"not yet in advance":               {starts: "2026-11-22T03:30:01Z", minutes: -60},
		"due in a week":                    {starts: "2026-11-29T12:00:00Z"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := -24 * 60
			if c.minutes != 0 {
				m = c.minutes
			}
			set := at(t, "2026-10-01T12:00:00Z")
			if c.set != "" {
				set = at(t, c.set)
			}
			f := sweep.Found{
				Rule:          plan.Rule{Rule: schedule.Rule{ID: "r", Kind: kind.Reminder, Anchor: schedule.AnchorStart, Minutes: &m}},
				AppointmentID: "a",
				Visit:         schedule.Visit{StartsAt: at(t, c.starts), BookedAt: set, SetAt: set, Zone: time.UTC, Status: schedule.StatusScheduled},
				Window:        schedule.Window{Opens: &schedule.Clock{Hour: 8}, Closes: &schedule.Clock{Hour: 21}},
			}
			store := &memStore{mark: span.To, found: []sweep.Found{f, f}}
			got, err := newSweeper(t, store, decided).Sweep(t.Context(), span.To)
			if err != nil {
				t.Fatal(err)
			}
			want := sweep.Result{Span: span}
			if c.live {
				want.Found, want.Decided = 2, 2
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestATaskSweepsUpToItsTimeOrNow(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ payload, want string }{
		"no payload": {``, "2026-11-21T12:00:00Z"},
		"none given": {`{}`, "2026-11-21T12:00:00Z"},
		"as of":      {`{"at":"2026-11-20T09:00:00+01:00"}`, "2026-11-20T08:00:00Z"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &memStore{}
			task := asynq.NewTask(jobs.TypeSweep, []byte(c.payload))
			if err := newSweeper(t, store, func([]plan.Due, time.Time, time.Time) (int, error) { return 1, nil }).Handle(t.Context(), task); err != nil {
				t.Fatal(err)
			}
			if !store.mark.Equal(at(t, c.want)) {
				t.Errorf("swept to %s", store.mark)
			}
		})
	}
	t.Run("what cannot be read is given up", func(t *testing.T) {
		t.Parallel()
		store := &memStore{}
		err := newSweeper(t, store, decided).Handle(t.Context(), asynq.NewTask(jobs.TypeSweep, []byte(`{"at":"noon"}`)))
		if !errors.Is(err, asynq.SkipRetry) || len(store.spans) > 0 {
			t.Errorf("error %v", err)
		}
	})
}
