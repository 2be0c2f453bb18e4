package forecast_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"rappel/jobs/forecast"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
)

// spans notes which spans are asked for, and finds as many matters as it is told.
type spans struct {
	forecast.Store

	mark  time.Time
	found int
	asked []sweep.Span
	fails error
}

func (s *spans) View(_ context.Context, look func(forecast.View) error) error { return look(s) }

func (s *spans) Mark(context.Context) (time.Time, error) { return s.mark, nil }

func (s *spans) Near(_ context.Context, span sweep.Span, _ string, _ func(forecast.Matter)) (int, error) {
	s.asked = append(s.asked, span)
	return s.found, s.fails
}

func (s *spans) Pending(context.Context, sweep.Span, string, time.Time, func(forecast.Pending)) error {
	return nil
}

func (s *spans) Waiting(context.Context, sweep.Span, string) (plan.Company, error) {
	return plan.Company{}, nil
}

func (s *spans) over(t *testing.T, days int) []sweep.Span {
	t.Helper()
	now := time.Date(2026, time.November, 23, 15, 0, 0, 0, time.UTC)
	f := forecast.Forecaster{Store: s, Now: func() time.Time { return now }}
	q := forecast.Query{From: now, To: now.AddDate(0, 0, days)}
	if err := f.Forecast(t.Context(), q, func(forecast.Line) error { return nil }); err != nil {
		t.Fatal(err)
	}
	// An hour more: what is in it may go with what is before.
	if last := s.asked[len(s.asked)-1].To; !last.Equal(q.To.Add(time.Hour)) {
		t.Errorf("looked up to %s, not an hour after %s", last, q.To)
	}
	return s.asked
}

func TestStridesGrowWhereThereIsLittleAndShrinkWhereThereIsMuch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		found int
		want  int
	}{
		"little: days, then up to a month": {found: 10, want: 16},
		"some: a day each":                 {found: 5_000, want: 365},
		"much: down to hours":              {found: 50_000, want: 365 * 24},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := spans{found: c.found}
			if got := len(store.over(t, 365)); got < c.want*8/10 || got > c.want*12/10 {
				t.Errorf("%d strides, want about %d", got, c.want)
			}
		})
	}
}

func TestStridesNearNowReachBackToWhatIsOverdue(t *testing.T) {
	t.Parallel()
	store := spans{mark: time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)}
	asked := store.over(t, 30)
	if want := store.mark.Add(-sweep.Overlap); !asked[0].From.Equal(want) {
		t.Errorf("the first looks from %s, not %s", asked[0].From, want)
	}
	if last := asked[len(asked)-1]; last.From.Before(store.mark.AddDate(0, 0, 20)) {
		t.Errorf("the last looks from %s", last.From)
	}
}

func TestForecastFailsWithItsStore(t *testing.T) {
	t.Parallel()
	store := spans{fails: errors.New("the store is away")}
	f := forecast.Forecaster{Store: &store, Now: time.Now}
	q := forecast.Query{From: time.Unix(0, 0), To: time.Unix(1, 0)}
	if err := f.Forecast(t.Context(), q, nil); !errors.Is(err, store.fails) {
		t.Errorf("error: %v", err)
	}
}
