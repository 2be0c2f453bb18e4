package schedule

import (
	"fmt"
	"time"
)

// A Clock is a time of day as a clock on the wall shows it. 24:00 is the end
// of the day, as PostgreSQL's time has it.
type Clock struct{ Hour, Minute, Second int }

// ParseClock reads "08:00" or "08:00:00".
func ParseClock(s string) (Clock, error) {
	if len(s) == len("08:00") {
		s += ":00"
	}
	h, okH := twoDigits(s, 0)
	m, okM := twoDigits(s, 3)
	sec, okS := twoDigits(s, 6)
	c := Clock{Hour: h, Minute: m, Second: sec}
	shape := len(s) == len("08:00:00") && s[2] == ':' && s[5] == ':' && okH && okM && okS
	if !shape || m > 59 || sec > 59 || (Clock{Hour: 24}).Before(c) {
		return Clock{}, fmt.Errorf("%q is not a time of day such as 08:00", s)
	}
	return c, nil
}

func twoDigits(s string, at int) (n int, ok bool) {
	if len(s) < at+2 {
		return 0, false
	}
	tens, ones := s[at]-'0', s[at+1]-'0'
	return int(tens)*10 + int(ones), tens <= 9 && ones <= 9
}

// String writes c as "08:00", with seconds only where there are some.
func (c Clock) String() string {
	if c.Second != 0 {
		return fmt.Sprintf("%02d:%02d:%02d", c.Hour, c.Minute, c.Second)
	}
	return fmt.Sprintf("%02d:%02d", c.Hour, c.Minute)
}

// Before reports whether c comes before d on the same day.
func (c Clock) Before(d Clock) bool { return c.sinceMidnight() < d.sinceMidnight() }

func (c Clock) sinceMidnight() time.Duration {
	return time.Duration(c.Hour)*time.Hour + time.Duration(c.Minute)*time.Minute + time.Duration(c.Second)*time.Second
}

func clockOf(t time.Time) Clock {
	h, m, s := t.Clock()
	return Clock{Hour: h, Minute: m, Second: s}
}

// eastmost is further from UTC than any zone ever was (Alaska, until 1867, was
// 15:02 ahead).
const eastmost = 16 * time.Hour

// Local is the instant at which the clocks of zone show c on the given day,
// which may lie outside the month as in [time.Date]. As RFC 5545 has it, a
// local time that the clocks skip is read with the offset before the gap, and
// of one that they show twice it is the first. Neither time.Date nor
// PostgreSQL answers so.
func Local(y int, m time.Month, d int, c Clock, zone *time.Location) time.Time {
	wall := time.Date(y, m, d, c.Hour, c.Minute, c.Second, 0, time.UTC)
	at := wall.Add(-eastmost).In(zone)
	_, before := at.Zone()
	for {
		_, offset := at.Zone()
		t := wall.Add(-seconds(offset)).In(zone)
		from, to := at.ZoneBounds()
		switch {
		case t.Before(from):
			return wall.Add(-seconds(before)).In(zone)
		case t.Before(to), to.IsZero(), !to.After(at):
			// ZoneBounds ends some leap years a day early, hence the last case.
			return t
		}
		before, at = offset, to
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
