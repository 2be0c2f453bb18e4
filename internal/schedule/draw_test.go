package schedule_test

import (
	"time"

	"pgregory.net/rapid"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
)

// epoch is before the spring change of 2026.
func epoch() time.Time { return time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC) }

func drawSpan(t *rapid.T, what string, least, most time.Duration) time.Duration {
	return time.Duration(rapid.Int64Range(int64(least/time.Minute), int64(most/time.Minute)).Draw(t, what)) * time.Minute
}

func drawMoment(t *rapid.T, what string, most time.Duration) time.Time {
	return epoch().Add(drawSpan(t, what, 0, most))
}

func drawZone(t *rapid.T) *time.Location {
	name := rapid.SampledFrom([]string{
		"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "Antarctica/Troll",
	}).Draw(t, "zone")
	zone, ok := zoneinfo.Embedded().Load(name)
	if !ok {
		t.Fatalf("no zone %s", name)
	}
	return zone
}

// drawClock draws a quarter of an hour from 00:00 to 24:00, as PostgreSQL's type
// time has them.
func drawClock(t *rapid.T, what string) *schedule.Clock {
	quarter := rapid.IntRange(0, 96).Draw(t, what)
	return &schedule.Clock{Hour: quarter / 4, Minute: quarter % 4 * 15}
}

// drawWindow draws the usual window often, any other sometimes, none seldom.
func drawWindow(t *rapid.T) schedule.Window {
	switch rapid.IntRange(0, 5).Draw(t, "window") {
	case 0:
		return schedule.Window{}
	case 1, 2:
		return schedule.Window{Opens: drawClock(t, "opens"), Closes: drawClock(t, "closes")}
	}
	return schedule.Window{Opens: &schedule.Clock{Hour: 8}, Closes: &schedule.Clock{Hour: 21}}
}

func drawRule(t *rapid.T, id string) schedule.Rule {
	r := schedule.Rule{
		ID:     id,
		Kind:   rapid.SampledFrom([]kind.Kind{kind.Reminder, kind.Reminder, kind.Scheduled}).Draw(t, "kind"),
		Anchor: rapid.SampledFrom([]schedule.Anchor{schedule.AnchorStart, schedule.AnchorStart, schedule.AnchorStart, schedule.AnchorEnd, schedule.AnchorBooked}).Draw(t, "anchor"),
	}
	after := r.Anchor != schedule.AnchorStart
	if rapid.Bool().Draw(t, "by days") {
		n := rapid.IntRange(-3, 0).Draw(t, "days")
		if after {
			n = -n
		}
		r.Days = &n
		if rapid.Bool().Draw(t, "at a time") {
			r.At = drawClock(t, "at")
		}
		return r
	}
	n := -rapid.SampledFrom([]int{0, 15, 60, 120, 180, 12 * 60, 20 * 60, 24 * 60, 48 * 60}).Draw(t, "minutes")
	if after {
		n = -n
	}
	r.Minutes = &n
	return r
}

func drawRules(t *rapid.T) []schedule.Rule {
	var rules []schedule.Rule
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		rules = append(rules, drawRule(t, string(rune('a'+i))))
	}
	return rules
}

func drawPolicy(t *rapid.T) schedule.Policy {
	return schedule.Policy{LateBooking: rapid.SampledFrom([]string{"skip", "grace"}).Draw(t, "late booking")}
}
