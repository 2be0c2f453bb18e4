package schedule_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
)

func TestParseClock(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   string
		want schedule.Clock
	}{
		"hours and minutes":              {"08:00", schedule.Clock{Hour: 8}},
		"with seconds, as PostgreSQL":    {"21:30:05", schedule.Clock{Hour: 21, Minute: 30, Second: 5}},
		"midnight":                       {"00:00:00", schedule.Clock{}},
		"24:00 is the end of the day":    {"24:00", schedule.Clock{Hour: 24}},
		"the last second of the evening": {"23:59:59", schedule.Clock{Hour: 23, Minute: 59, Second: 59}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := schedule.ParseClock(tt.in)
			if err != nil || got != tt.want {
				t.Errorf("ParseClock(%q) = %v, %v; want %v", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestParseClockRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "8:00", "08:60", "24:01", "25:00", "08:00:60", "08.00", "08:00 ", "ab:cd", "08:00:0", "+8:00", "08:0/", "24:00:01"} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			if got, err := schedule.ParseClock(in); err == nil {
				t.Errorf("ParseClock(%q) = %v, want an error", in, got)
			}
		})
	}
}

func TestClockWritesWhatItReads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := schedule.Clock{
			Hour:   rapid.IntRange(0, 23).Draw(t, "hour"),
			Minute: rapid.IntRange(0, 59).Draw(t, "minute"),
			Second: rapid.SampledFrom([]int{0, 0, 1, 59}).Draw(t, "second"),
		}
		got, err := schedule.ParseClock(c.String())
		if err != nil || got != c {
			t.Fatalf("ParseClock(%q) = %v, %v", c.String(), got, err)
		}
	})
}

func FuzzParseClock(f *testing.F) {
	f.Add("08:00")
	f.Add("24:00:00")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := schedule.ParseClock(s)
		if err == nil && !strings.HasPrefix(s, c.String()) {
			t.Errorf("ParseClock(%q) = %v", s, c)
		}
	})
}

func TestLocal(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ zone, day, clock, want string }{
		"New York in winter":                               {"America/New_York", "2026-12-10", "15:00", "2026-12-10T15:00:00-05:00"},
		"New York skips 02:30":                             {"America/New_York", "2026-03-08", "02:30", "2026-03-08T03:30:00-04:00"},
		"New York skips 02:00":                             {"America/New_York", "2026-03-08", "02:00", "2026-03-08T03:00:00-04:00"},
		"New York just before the gap":                     {"America/New_York", "2026-03-08", "01:59:59", "2026-03-08T01:59:59-05:00"},
		"New York has 01:30 twice":                         {"America/New_York", "2026-11-01", "01:30", "2026-11-01T01:30:00-04:00"},
		"New York has 01:00 twice":                         {"America/New_York", "2026-11-01", "01:00", "2026-11-01T01:00:00-04:00"},
		"New York has 02:00 once":                          {"America/New_York", "2026-11-01", "02:00", "2026-11-01T02:00:00-05:00"},
		"London skips 01:15":                               {"Europe/London", "2026-03-29", "01:15", "2026-03-29T02:15:00+01:00"},
		"London has 01:15 twice":                           {"Europe/London", "2026-10-25", "01:15", "2026-10-25T01:15:00+01:00"},
		"Berlin skips 02:30":                               {"Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T03:30:00+02:00"},
		"Berlin has 02:30 twice":                           {"Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T02:30:00+02:00"},
		"Dublin, whose winter is the odd one, skips 01:30": {"Europe/Dublin", "2026-03-29", "01:30", "2026-03-29T02:30:00+01:00"},
		"Lord Howe skips half an hour":                     {"Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-04T02:45:00+11:00"},
		"Lord Howe has half an hour twice":                 {"Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-05T01:45:00+11:00"},
		"Sydney skips 02:30":                               {"Australia/Sydney", "2026-10-04", "02:30", "2026-10-04T03:30:00+11:00"},
		"Sydney has 02:30 twice":                           {"Australia/Sydney", "2026-04-05", "02:30", "2026-04-05T02:30:00+11:00"},
		"Kathmandu never changes":                          {"Asia/Kathmandu", "2026-03-29", "02:30", "2026-03-29T02:30:00+05:45"},
		"St. John's skips 02:30":                           {"America/St_Johns", "2026-03-08", "02:30", "2026-03-08T03:30:00-02:30"},
		"St. John's has 01:30 twice":                       {"America/St_Johns", "2026-11-01", "01:30", "2026-11-01T01:30:00-02:30"},
		"Chatham skips 03:00":                              {"Pacific/Chatham", "2026-09-27", "03:00", "2026-09-27T04:00:00+13:45"},
		"Chatham has 03:00 twice":                          {"Pacific/Chatham", "2026-04-05", "03:00", "2026-04-05T03:00:00+13:45"},
		"São Paulo skipped midnight":                       {"America/Sao_Paulo", "2018-11-04", "00:00", "2018-11-04T01:00:00-02:00"},
		"São Paulo had the hour before midnight twice":     {"America/Sao_Paulo", "2018-02-17", "23:30", "2018-02-17T23:30:00-02:00"},
		"Apia skipped a whole day":                         {"Pacific/Apia", "2011-12-30", "12:00", "2011-12-31T12:00:00+14:00"},
		"Apia on the day after":                            {"Pacific/Apia", "2011-12-31", "12:00", "2011-12-31T12:00:00+14:00"},
		"Apia on the day before":                           {"Pacific/Apia", "2011-12-29", "23:59", "2011-12-29T23:59:00-10:00"},
		"Kwajalein skipped a whole day":                    {"Pacific/Kwajalein", "1993-08-21", "06:00", "1993-08-22T06:00:00+12:00"},
		"Troll skips two hours":                            {"Antarctica/Troll", "2026-03-29", "01:30", "2026-03-29T03:30:00+02:00"},
		"a day after the last transition of the data":      {"America/New_York", "2040-12-31", "08:00", "2040-12-31T08:00:00-05:00"},
		"the end of a day":                                 {"Europe/Berlin", "2026-03-28", "24:00", "2026-03-29T00:00:00+01:00"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			day, err := time.Parse(time.DateOnly, tt.day)
			if err != nil {
				t.Fatal(err)
			}
			y, m, d := day.Date()
			got := schedule.Local(y, m, d, clock(t, tt.clock), zoneNamed(t, tt.zone))
			same(t, tt.day+" "+tt.clock, got, instant(t, tt.want))
		})
	}
}

func TestLocalTakesDaysOutsideTheMonth(t *testing.T) {
	t.Parallel()
	zone := zoneNamed(t, "Europe/Berlin")
	same(t, "December 0", schedule.Local(2026, time.December, 0, schedule.Clock{Hour: 8}, zone), instant(t, "2026-11-30T08:00:00+01:00"))
	same(t, "December 32", schedule.Local(2026, time.December, 32, schedule.Clock{Hour: 8}, zone), instant(t, "2027-01-01T08:00:00+01:00"))
}

// Around every change of the clocks, in every zone there is, Local is held
// against what a person would do: look at the clock minute by minute, and stop
// at the first that shows the time; if none does, count on from the last
// moment before the gap.
func TestLocalInEveryZone(t *testing.T) {
	t.Parallel()
	from, to := instant(t, "2020-01-01T00:00:00Z"), instant(t, "2031-01-01T00:00:00Z")
	for _, name := range everyZone(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := zoneNamed(t, name)
			for _, change := range changes(zone, from, to) {
				lookAround(t, zone, change, 4*time.Hour)
			}
		})
	}
}

// The same where zones changed sides of the date line, skipping or repeating a
// day, and beyond the years that the data spell out.
func TestLocalAcrossOddChanges(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ zone, from, to string }{
		"Apia skips a day":                {"Pacific/Apia", "2011-01-01T00:00:00Z", "2012-12-31T00:00:00Z"},
		"Fakaofo skips a day":             {"Pacific/Fakaofo", "2011-01-01T00:00:00Z", "2012-12-31T00:00:00Z"},
		"Kwajalein goes there and back":   {"Pacific/Kwajalein", "1965-01-01T00:00:00Z", "1994-12-31T00:00:00Z"},
		"Kiritimati skips a day":          {"Pacific/Kiritimati", "1994-01-01T00:00:00Z", "1996-12-31T00:00:00Z"},
		"London in its war years":         {"Europe/London", "1938-01-01T00:00:00Z", "1948-01-01T00:00:00Z"},
		"São Paulo at midnight":           {"America/Sao_Paulo", "1985-01-01T00:00:00Z", "2020-01-01T00:00:00Z"},
		"New York in years to come":       {"America/New_York", "2036-01-01T00:00:00Z", "2049-01-01T00:00:00Z"},
		"Sydney in years to come":         {"Australia/Sydney", "2036-01-01T00:00:00Z", "2049-01-01T00:00:00Z"},
		"Santiago, westward and southern": {"America/Santiago", "2036-01-01T00:00:00Z", "2049-01-01T00:00:00Z"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := zoneNamed(t, tt.zone)
			found := changes(zone, instant(t, tt.from), instant(t, tt.to))
			if len(found) == 0 {
				t.Fatal("no change of the clocks found")
			}
			for _, change := range found {
				lookAround(t, zone, change, 30*time.Hour)
			}
		})
	}
}

// lookAround checks each quarter of an hour that the clocks show or skip around
// a change.
func lookAround(t *testing.T, zone *time.Location, change time.Time, span time.Duration) {
	t.Helper()
	from := change.Add(-span)
	shown := readings(zone, from, change.Add(span))
	wall, last := shown[0].Truncate(15*time.Minute).Add(15*time.Minute), shown[len(shown)-1]
	for ; !wall.After(last); wall = wall.Add(15 * time.Minute) {
		want := from.Add(sinceShown(shown, wall))
		c := schedule.Clock{Hour: wall.Hour(), Minute: wall.Minute()}
		if got := schedule.Local(wall.Year(), wall.Month(), wall.Day(), c, zone); !got.Equal(want) {
			t.Errorf("%s: %s reads %s, want %s", zone, wall.Format(time.DateTime), got, want.In(zone))
		}
	}
}

// readings lists what the clocks of a zone show minute by minute, as if in UTC.
func readings(zone *time.Location, from, to time.Time) []time.Time {
	var shown []time.Time
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		_, offset := at.In(zone).Zone()
		shown = append(shown, at.Add(time.Duration(offset)*time.Second).UTC())
	}
	return shown
}

// sinceShown is how long after the first reading the clocks show wall, or would
// have shown it had they not skipped it.
func sinceShown(shown []time.Time, wall time.Time) time.Duration {
	for i, reading := range shown {
		if reading.Equal(wall) {
			return time.Duration(i) * time.Minute
		}
		if reading.After(wall) {
			return time.Duration(i-1)*time.Minute + wall.Sub(shown[i-1])
		}
	}
	return -1
}

// changes finds the first minutes after each change of a zone's offset.
func changes(zone *time.Location, from, to time.Time) []time.Time {
	offset := func(at time.Time) int {
		_, o := at.In(zone).Zone()
		return o
	}
	var found []time.Time
	for at := from; at.Before(to); at = at.Add(24 * time.Hour) {
		before, after := at, at.Add(24*time.Hour)
		if offset(before) == offset(after) {
			continue
		}
		for after.Sub(before) > time.Minute {
			if middle := before.Add(after.Sub(before) / 2).Truncate(time.Minute); offset(middle) == offset(before) {
				before = middle
			} else {
				after = middle
			}
		}
		found = append(found, after)
	}
	return found
}

// everyZone lists the zones of the system's tz data.
func everyZone(t *testing.T) []string {
	t.Helper()
	const root = "/usr/share/zoneinfo"
	if _, err := os.Stat(root); err != nil {
		t.Skipf("no tz data of the system's: %v", err)
	}
	var names []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if _, ok := zoneinfo.Embedded().Load(name); ok && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) < 300 {
		t.Fatalf("%d zones in %s: %v", len(names), root, err)
	}
	return names
}
