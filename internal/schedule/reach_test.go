package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"rappel/internal/schedule"
)

func holds(ranges []schedule.Range, t time.Time) (n int) {
	for _, r := range ranges {
		if t.After(r.After) && !t.After(r.Until) {
			n++
		}
	}
	return n
}

// Whatever the rule and the zone, also in the nights of the year: whoever is due
// in a range has its anchor where it is looked for, once.
func TestAnchorsAreFoundWhereTheyAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, zone := drawRule(t, "a"), drawZone(t)
		r.Anchor = schedule.AnchorStart
		v := schedule.Visit{StartsAt: drawMoment(t, "start", 400*24*time.Hour), Zone: zone}
		due := r.Due(v)
		in := schedule.Range{
			After: due.Add(-drawSpan(t, "before", 0, 40*time.Hour) - time.Microsecond), Until: due.Add(drawSpan(t, "after", 0, 40*time.Hour)),
		}
		if n := holds(r.Anchors(in, zone), v.StartsAt); n != 1 {
			t.Errorf("due %s, the start at %s is in %d of %v", due, v.StartsAt, n, r.Anchors(in, zone))
		}
	})
}

// On a day without a change of the clocks nothing else is looked through.
func TestAnchorsHoldLittleElse(t *testing.T) {
	t.Parallel()
	zone := zoneNamed(t, "America/New_York")
	to := instant(t, "2026-12-10T09:00:00-05:00")
	span := schedule.Range{After: to.Add(-time.Minute), Until: to}
	tests := map[string]struct {
		rule         schedule.Rule
		after, until string // in New York
	}{
		"minutes":                   {minutes("", schedule.AnchorStart, -24*60), "2026-12-11T08:59:00-05:00", "2026-12-11T09:00:00-05:00"},
		"days":                      {days(t, "", schedule.AnchorStart, -2, ""), "2026-12-12T08:59:00-05:00", "2026-12-12T09:00:00-05:00"},
		"days at a time of day":     {days(t, "", schedule.AnchorStart, -2, "09:00"), "2026-12-11T23:59:59.999999-05:00", "2026-12-13T00:00:00-05:00"},
		"days at another time":      {days(t, "", schedule.AnchorStart, -2, "09:01"), "", ""},
		"days after":                {days(t, "", schedule.AnchorEnd, 1, ""), "2026-12-09T08:59:00-05:00", "2026-12-09T09:00:00-05:00"},
		"the anchor's own day":      {days(t, "", schedule.AnchorStart, 0, ""), "2026-12-10T08:59:00-05:00", "2026-12-10T09:00:00-05:00"},
		"the day at its end, 24:00": {days(t, "", schedule.AnchorStart, -1, "24:00"), "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tt.rule.Anchors(span, zone)
			if tt.after == "" {
				if len(got) != 0 {
					t.Errorf("%v", got)
				}
				return
			}
			if len(got) != 1 {
				t.Fatalf("%v", got)
			}
			same(t, "after", got[0].After, instant(t, tt.after))
			same(t, "until", got[0].Until, instant(t, tt.until))
		})
	}
}

// What has to leave in advance is looked for at every moment at which it may.
func TestClosedHoursAreFoundBeforeTheyBegin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, zone, r := drawWindow(t), drawZone(t), drawRule(t, "a")
		v := schedule.Visit{StartsAt: drawMoment(t, "start", 400*24*time.Hour), Zone: drawZone(t)}
		r.Anchor = schedule.AnchorStart
		due := r.Due(v)
		at, ok := w.Place(due, due.Add(-drawSpan(t, "known", 0, 40*time.Hour)), v.StartsAt, zone)
		if !ok || !at.Before(due) {
			return
		}
		now := at.Add(drawSpan(t, "later", 0, 29*time.Minute))
		if !w.Open(now, zone) || w.Next(now, zone).After(due) {
			return
		}
		found := 0
		for _, c := range w.Closed(now, now, zone) {
			if ahead, ok := r.Ahead(c); ok {
				found += holds([]schedule.Range{ahead}, due)
			}
		}
		if found != 1 {
			t.Errorf("due %s and to leave at %s, it is found %d times at %s", due.In(zone), at.In(zone), found, now.In(zone))
		}
	})
}
