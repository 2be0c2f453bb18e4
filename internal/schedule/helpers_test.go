package schedule_test

import (
	"testing"
	"time"

	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
)

func instant(tb testing.TB, s string) time.Time {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		tb.Fatal(err)
	}
	return at
}

// maybe is the zero time for an empty string.
func maybe(tb testing.TB, s string) time.Time {
	tb.Helper()
	if s == "" {
		return time.Time{}
	}
	return instant(tb, s)
}

func zoneNamed(tb testing.TB, name string) *time.Location {
	tb.Helper()
	zone, ok := zoneinfo.Embedded().Load(name)
	if !ok {
		tb.Fatalf("no zone %q in the tz data", name)
	}
	return zone
}

func clock(tb testing.TB, s string) schedule.Clock {
	tb.Helper()
	c, err := schedule.ParseClock(s)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// window reads "08:00-21:00"; an empty string is no window.
func window(tb testing.TB, s string) schedule.Window {
	tb.Helper()
	if s == "" {
		return schedule.Window{}
	}
	opens, closes := clock(tb, s[:5]), clock(tb, s[6:])
	return schedule.Window{Opens: &opens, Closes: &closes}
}

func same(tb testing.TB, what string, got, want time.Time) {
	tb.Helper()
	if !got.Equal(want) {
		tb.Errorf("%s: got %s, want %s", what, got.UTC().Format(time.RFC3339), want.UTC().Format(time.RFC3339))
	}
}
