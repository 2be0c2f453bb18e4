package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
)

func TestWindowOpen(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		window, zone, at string
		want             bool
	}{
		"before opening":                          {"08:00-21:00", "America/New_York", "2026-12-09T07:59:59-05:00", false},
		"at the opening":                          {"08:00-21:00", "America/New_York", "2026-12-09T08:00:00-05:00", true},
		"in the last second":                      {"08:00-21:00", "America/New_York", "2026-12-09T20:59:59-05:00", true},
		"the closing minute is outside":           {"08:00-21:00", "America/New_York", "2026-12-09T21:00:00-05:00", false},
		"what matters is the recipient's zone":    {"08:00-21:00", "America/Los_Angeles", "2026-12-09T09:00:00-05:00", false},
		"across midnight, before it":              {"20:00-02:00", "Europe/Berlin", "2026-12-09T23:59:00+01:00", true},
		"across midnight, after it":               {"20:00-02:00", "Europe/Berlin", "2026-12-09T01:59:59+01:00", true},
		"across midnight, when closed":            {"20:00-02:00", "Europe/Berlin", "2026-12-09T02:00:00+01:00", false},
		"across midnight, by day":                 {"20:00-02:00", "Europe/Berlin", "2026-12-09T12:00:00+01:00", false},
		"equal times are no window":               {"08:00-08:00", "Europe/Berlin", "2026-12-09T03:00:00+01:00", true},
		"until the end of the day":                {"08:00-24:00", "Europe/Berlin", "2026-12-09T23:59:59+01:00", true},
		"and not after it":                        {"08:00-24:00", "Europe/Berlin", "2026-12-09T00:00:00+01:00", false},
		"the whole day":                           {"00:00-24:00", "Europe/Berlin", "2026-12-09T00:00:00+01:00", true},
		"no window":                               {"", "Europe/Berlin", "2026-12-09T03:00:00+01:00", true},
		"the clocks go forward, just before":      {"08:00-21:00", "Europe/Berlin", "2026-03-29T07:59:59+02:00", false},
		"the clocks go forward, opening":          {"08:00-21:00", "Europe/Berlin", "2026-03-29T08:00:00+02:00", true},
		"the clocks go back, just before":         {"08:00-21:00", "Europe/Berlin", "2026-10-25T07:59:59+01:00", false},
		"the clocks go back, opening":             {"08:00-21:00", "Europe/Berlin", "2026-10-25T08:00:00+01:00", true},
		"an opening in the gap comes late":        {"02:30-21:00", "Europe/Berlin", "2026-03-29T03:29:00+02:00", false},
		"an opening in the gap has come":          {"02:30-21:00", "Europe/Berlin", "2026-03-29T03:30:00+02:00", true},
		"a doubled opening counts the first time": {"02:30-21:00", "Europe/Berlin", "2026-10-25T02:10:00+01:00", true},
		"a doubled closing counts the first time": {"20:00-02:30", "Europe/Berlin", "2026-10-25T02:10:00+01:00", false},
		"a window inside the gap does not open":   {"02:30-03:00", "Europe/Berlin", "2026-03-29T03:30:00+02:00", false},
		"a day that never was, across midnight":   {"21:00-08:00", "Pacific/Apia", "2011-12-31T05:00:00+14:00", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := window(t, tt.window).Open(instant(t, tt.at), zoneNamed(t, tt.zone)); got != tt.want {
				t.Errorf("open: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHalfAWindowIsNone(t *testing.T) {
	t.Parallel()
	c := clock(t, "08:00")
	at, zone := instant(t, "2026-12-09T03:00:00Z"), zoneNamed(t, "UTC")
	for name, w := range map[string]schedule.Window{"opens only": {Opens: &c}, "closes only": {Closes: &c}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !w.Open(at, zone) {
				t.Error("closed")
			}
		})
	}
}

// TestEveryWindowOpens asks for the next opening of every window of whole hours,
// 24:00 included, at all hours around the nights in which clocks change: there
// is one within a day or so, and the window is open then.
func TestEveryWindowOpens(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ zone, from string }{
		{"Europe/Berlin", "2026-03-28T12:00:00Z"},
		{"Europe/Berlin", "2026-10-24T12:00:00Z"},
		{"America/New_York", "2026-11-01T00:00:00Z"},
		{"Pacific/Apia", "2011-12-29T12:00:00Z"}, // skipped a day
	} {
		t.Run(tt.zone+" "+tt.from, func(t *testing.T) {
			t.Parallel()
			zone, from := zoneNamed(t, tt.zone), instant(t, tt.from)
			for opens := range 25 {
				for closes := range 25 {
					w := schedule.Window{Opens: &schedule.Clock{Hour: opens}, Closes: &schedule.Clock{Hour: closes}}
					for hour := range 36 {
						at := from.Add(time.Duration(hour) * time.Hour)
						next := w.Next(at, zone)
						if next.Before(at) || next.After(at.Add(3*24*time.Hour)) || !w.Open(next, zone) {
							t.Fatalf("the window from %s to %s: next after %s is %s", w.Opens, w.Closes, at, next)
						}
						if always := (opens-closes)%24 == 0; always && (w.Exists() || !next.Equal(at)) {
							t.Fatalf("from %s to %s is no window", w.Opens, w.Closes)
						}
					}
				}
			}
		})
	}
}

func TestWindowNext(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ window, zone, at, want string }{
		"while open it is now":                 {"08:00-21:00", "Europe/Berlin", "2026-12-09T12:34:56+01:00", "2026-12-09T12:34:56+01:00"},
		"before midnight it waits to 8":        {"08:00-21:00", "Europe/Berlin", "2026-12-09T21:00:00+01:00", "2026-12-10T08:00:00+01:00"},
		"after midnight it waits to 8":         {"08:00-21:00", "Europe/Berlin", "2026-12-09T00:10:00+01:00", "2026-12-09T08:00:00+01:00"},
		"clocks go forward in the night":       {"08:00-21:00", "Europe/Berlin", "2026-03-28T23:00:00+01:00", "2026-03-29T08:00:00+02:00"},
		"clocks go back in the night":          {"08:00-21:00", "Europe/Berlin", "2026-10-24T23:00:00+02:00", "2026-10-25T08:00:00+01:00"},
		"across midnight, by day":              {"20:00-02:00", "Europe/Berlin", "2026-12-09T12:00:00+01:00", "2026-12-09T20:00:00+01:00"},
		"across midnight, at the closing":      {"20:00-02:00", "Europe/Berlin", "2026-12-09T02:00:00+01:00", "2026-12-09T20:00:00+01:00"},
		"a window inside the gap: a day later": {"02:30-03:00", "Europe/Berlin", "2026-03-29T00:00:00+01:00", "2026-03-30T02:30:00+02:00"},
		"no window":                            {"", "Europe/Berlin", "2026-12-09T03:00:00+01:00", "2026-12-09T03:00:00+01:00"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := window(t, tt.window).Next(instant(t, tt.at), zoneNamed(t, tt.zone))
			same(t, "next", got, instant(t, tt.want))
		})
	}
}

func TestWindowPlace(t *testing.T) {
	t.Parallel()
	const ny, berlin = "America/New_York", "Europe/Berlin"
	tests := map[string]struct{ window, zone, due, earliest, start, want string }{
		"inside: when due": {
			"08:00-21:00", ny, "2026-12-09T12:00:00-05:00", "", "2026-12-10T12:00:00-05:00", "2026-12-09T12:00:00-05:00",
		},
		"in the closing minute: the next morning": {
			"08:00-21:00", ny, "2026-12-09T21:00:00-05:00", "", "2026-12-10T12:00:00-05:00", "2026-12-10T08:00:00-05:00",
		},
		"waits if an hour is left": {
			"08:00-21:00", ny, "2026-12-10T07:00:00-05:00", "", "2026-12-10T09:00:00-05:00", "2026-12-10T08:00:00-05:00",
		},
		"does not wait if a minute less is left": {
			"08:00-21:00", ny, "2026-12-10T06:59:00-05:00", "", "2026-12-10T08:59:00-05:00", "2026-12-09T20:30:00-05:00",
		},
		"goes in advance where the start is before the opening": {
			"08:00-21:00", ny, "2026-12-10T05:00:00-05:00", "", "2026-12-10T07:00:00-05:00", "2026-12-09T20:30:00-05:00",
		},
		"goes in advance on the evening itself": {
			"08:00-21:00", ny, "2026-12-09T21:15:00-05:00", "", "2026-12-09T22:15:00-05:00", "2026-12-09T20:30:00-05:00",
		},
		"at once if booked between then and the closing": {
			"08:00-21:00", ny, "2026-12-10T05:00:00-05:00", "2026-12-09T20:45:10-05:00", "2026-12-10T07:00:00-05:00", "2026-12-09T20:45:10-05:00",
		},
		"gives up if booked at the closing": {
			"08:00-21:00", ny, "2026-12-10T05:00:00-05:00", "2026-12-09T21:00:00-05:00", "2026-12-10T07:00:00-05:00", "",
		},
		"gives up if booked in the night": {
			"08:00-21:00", ny, "2026-12-10T05:00:00-05:00", "2026-12-09T23:00:00-05:00", "2026-12-10T07:00:00-05:00", "",
		},
		"waits in the night the clocks go forward": {
			"08:00-21:00", berlin, "2026-03-29T06:30:00+02:00", "", "2026-03-29T09:00:00+02:00", "2026-03-29T08:00:00+02:00",
		},
		"goes in advance before the night the clocks go forward": {
			"08:00-21:00", berlin, "2026-03-29T06:30:00+02:00", "", "2026-03-29T08:30:00+02:00", "2026-03-28T20:30:00+01:00",
		},
		"goes in advance before the night the clocks go back": {
			"08:00-21:00", berlin, "2026-10-25T06:30:00+01:00", "", "2026-10-25T08:30:00+01:00", "2026-10-24T20:30:00+02:00",
		},
		"across midnight: waits for the evening": {
			"20:00-02:00", berlin, "2026-12-09T10:00:00+01:00", "", "2026-12-09T22:00:00+01:00", "2026-12-09T20:00:00+01:00",
		},
		"across midnight: in advance, after midnight": {
			"20:00-02:00", berlin, "2026-12-09T10:00:00+01:00", "", "2026-12-09T12:00:00+01:00", "2026-12-09T01:30:00+01:00",
		},
		"closing soon after midnight: in advance, before it": {
			"20:00-00:15", berlin, "2026-12-09T10:00:00+01:00", "", "2026-12-09T12:00:00+01:00", "2026-12-08T23:45:00+01:00",
		},
		"open for less than half an hour: at the opening": {
			"12:00-12:20", berlin, "2026-12-09T10:00:00+01:00", "", "2026-12-09T11:00:00+01:00", "2026-12-08T12:00:00+01:00",
		},
		"the recipient's night is what counts": {
			"08:00-21:00", "America/Los_Angeles", "2026-12-10T08:00:00-05:00", "", "2026-12-10T10:00:00-05:00", "2026-12-09T20:30:00-08:00",
		},
		"this night's opening was skipped: the night before": {
			"02:30-03:00", berlin, "2026-03-29T05:00:00+02:00", "", "2026-03-29T05:30:00+02:00", "2026-03-28T02:30:00+01:00",
		},
		"the last opening was skipped: too long in advance": {
			"02:30-03:00", berlin, "2026-03-30T01:00:00+02:00", "", "2026-03-30T02:00:00+02:00", "",
		},
		"equal times: when due": {
			"08:00-08:00", berlin, "2026-12-09T03:00:00+01:00", "", "2026-12-09T03:30:00+01:00", "2026-12-09T03:00:00+01:00",
		},
		"no window: when due": {
			"", berlin, "2026-12-09T03:00:00+01:00", "", "2026-12-09T03:30:00+01:00", "2026-12-09T03:00:00+01:00",
		},
		"due at the start: at the start": {
			"08:00-21:00", berlin, "2026-12-09T09:00:00+01:00", "", "2026-12-09T09:00:00+01:00", "2026-12-09T09:00:00+01:00",
		},
		"never after the start": {
			"", berlin, "2026-12-09T03:00:00+01:00", "", "2026-12-09T02:59:59+01:00", "",
		},
		"no start to come: the next opening, however late": {
			"08:00-21:00", berlin, "2026-12-09T21:30:00+01:00", "2026-12-01T12:00:00+01:00", "", "2026-12-10T08:00:00+01:00",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := window(t, tt.window).Place(instant(t, tt.due), maybe(t, tt.earliest), maybe(t, tt.start), zoneNamed(t, tt.zone))
			if ok != (tt.want != "") {
				t.Fatalf("placed: %v at %v", ok, got)
			}
			same(t, "placed", got, maybe(t, tt.want))
		})
	}
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		window     string
		lead, want time.Duration
	}{
		"no window":                      {"", time.Hour, 0},
		"equal times":                    {"08:00-08:00", time.Hour, 0},
		"close to the start":             {"08:00-21:00", 2 * time.Hour, 14*time.Hour + 30*time.Minute},
		"a night and an hour before":     {"08:00-21:00", 15*time.Hour - time.Minute, 14*time.Hour + 30*time.Minute},
		"long enough to wait in any way": {"08:00-21:00", 15 * time.Hour, 0},
		"open across midnight":           {"20:00-02:00", 2 * time.Hour, 21*time.Hour + 30*time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := instant(t, "2026-12-10T09:00:00Z")
			if got := window(t, tt.window).Advance(start.Add(-tt.lead), start); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Whatever the window and the zone, also in the nights of the year: what is
// placed is in the window, in time, and no earlier than promised.
func TestPlaceKeepsItsPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, zone := drawWindow(t), drawZone(t)
		due := drawMoment(t, "due", 400*24*time.Hour)
		start := due.Add(drawSpan(t, "lead", 0, 30*time.Hour))
		earliest := due.Add(-drawSpan(t, "known", 0, 40*time.Hour))
		at, ok := w.Place(due, earliest, start, zone)
		if !ok {
			return
		}
		switch {
		case !w.Open(at, zone):
			t.Errorf("%s is outside the window", at.In(zone))
		case at.After(start):
			t.Errorf("%s is after the start", at)
		case at.Before(earliest):
			t.Errorf("%s is before it could be known", at)
		case at.Before(due.Add(-w.Advance(due, start))), w.Advance(due, start) > schedule.MaxAdvance:
			t.Errorf("%s is %s before it is due", at, due.Sub(at))
		case at.After(due) && start.Sub(at) < time.Hour:
			t.Errorf("waits until %s before the start", start.Sub(at))
		}
	})
}

// On a day without a change of the clocks, open is what the clock shows.
func TestOpenIsWhatTheClockShows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWindow(t)
		zone, ok := zoneinfo.Embedded().Load("Asia/Kathmandu")
		if !ok || w.Opens == nil {
			t.Skip("nothing to compare")
		}
		at := drawMoment(t, "at", 400*24*time.Hour).In(zone)
		shown := schedule.Clock{Hour: at.Hour(), Minute: at.Minute(), Second: at.Second()}
		want := !shown.Before(*w.Opens) && shown.Before(*w.Closes)
		if !w.Opens.Before(*w.Closes) {
			want = !shown.Before(*w.Opens) || shown.Before(*w.Closes)
		}
		if got := w.Open(at, zone); got != want {
			t.Errorf("at %s open is %v, want %v", shown, got, want)
		}
	})
}
