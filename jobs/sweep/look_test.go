package sweep_test

import (
	"testing"
	"time"

	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
	"rappel/jobs/sweep"
)

func zoneNamed(t *testing.T, name string) sweep.Zone {
	t.Helper()
	location, ok := zoneinfo.Embedded().Load(name)
	if !ok {
		t.Fatalf("no zone %s", name)
	}
	return sweep.Zone{Name: name, Location: location}
}

// TestWhereASweepLooks counts the looks, and how much time they span in all: what
// is read follows that. The span is eleven minutes, as a sweep each minute has it.
func TestWhereASweepLooks(t *testing.T) {
	t.Parallel()
	const span = 11 * time.Minute
	day, two, nine := -24*60, -2*60, schedule.Clock{Hour: 9}
	start := func(r schedule.Rule) schedule.Rule {
		r.Anchor = schedule.AnchorStart
		return r
	}
	window := []schedule.Window{{Opens: &schedule.Clock{Hour: 8}, Closes: &schedule.Clock{Hour: 21}}}
	newYork, chicago, berlin := zoneNamed(t, "America/New_York"), zoneNamed(t, "America/Chicago"), zoneNamed(t, "Europe/Berlin")
	cases := map[string]struct {
		habits sweep.Habits
		at     string
		looks  int
		time   time.Duration
	}{
		"minutes: the span": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Minutes: &day})}}, "2026-11-24T12:00:00Z", 1, span,
		},
		"a calendar day: on most days all zones agree": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Days: new(-1)})}, Practices: []sweep.Zone{newYork, chicago, berlin}},
			"2026-11-24T12:00:00Z", 1, span,
		},
		"a calendar day: in the night of a zone it reads an hour later as well": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Days: new(-1)})}, Practices: []sweep.Zone{newYork, berlin}},
			"2026-10-31T12:00:00Z", 2, 2 * span,
		},
		"at nine, when it is nine nowhere": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Days: new(-1), At: &nine})}, Practices: []sweep.Zone{newYork, chicago, berlin}},
			"2026-11-24T12:00:00Z", 0, 0,
		},
		"at nine: one day of one zone": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Days: new(-1), At: &nine})}, Practices: []sweep.Zone{newYork, chicago, berlin}},
			"2026-11-24T14:05:00Z", 1, 24*time.Hour + time.Microsecond,
		},
		"two hours before, in opening hours": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Minutes: &two})}, Windows: window, Practices: []sweep.Zone{newYork}},
			"2026-11-24T20:00:00Z", 1, span,
		},
		"two hours before, half an hour before they close: most of the night": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Minutes: &two})}, Windows: window, Practices: []sweep.Zone{newYork}},
			"2026-11-25T01:30:00Z", 2, span + 10*time.Hour,
		},
		"a day before, half an hour before they close: it can wait": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Minutes: &day})}, Windows: window, Practices: []sweep.Zone{newYork}},
			"2026-11-25T01:30:00Z", 1, span,
		},
		"two hours before, when they have closed": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Minutes: &two})}, Windows: window, Practices: []sweep.Zone{newYork}},
			"2026-11-25T02:00:00Z", 1, span,
		},
		"with somebody abroad, half an hour before they close there": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Minutes: &two})}, Windows: window, Practices: []sweep.Zone{newYork}, Recipients: []sweep.Zone{berlin}},
			"2026-11-24T19:45:00Z", 2, span + 10*time.Hour,
		},
		"two hours after the end: never in advance": {
			sweep.Habits{Offsets: []schedule.Rule{{Anchor: schedule.AnchorEnd, Minutes: new(120)}}, Windows: window, Practices: []sweep.Zone{newYork}},
			"2026-11-25T01:30:00Z", 1, span,
		},
		"family digests: to the end of the hour": {
			sweep.Habits{Offsets: []schedule.Rule{start(schedule.Rule{Minutes: &day})}, Practices: []sweep.Zone{newYork}, Digests: []sweep.Zone{newYork}},
			"2026-11-24T12:20:00Z", 2, span + 40*time.Minute,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := at(t, c.at)
			looks := sweep.Looks(sweep.Span{From: to.Add(-span), To: to}, c.habits)
			var spanned time.Duration
			for _, l := range looks {
				spanned += l.Until.Sub(l.After)
			}
			if len(looks) != c.looks || spanned.Round(time.Second) != c.time.Round(time.Second) {
				t.Errorf("%d looks at %s in all, want %d at %s:\n%+v", len(looks), spanned, c.looks, c.time, looks)
			}
		})
	}
}
