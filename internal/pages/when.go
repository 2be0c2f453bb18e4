package pages

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
)

// A moment is a time as a page shows it.
type moment struct {
	UTC, Text string
}

// when shows a time in a zone; the zero time is nothing.
func when(t time.Time, zone *time.Location) moment {
	return written(t, zone, "Mon 2 Jan 2006, 15:04")
}

func written(t time.Time, zone *time.Location, layout string) moment {
	if t.IsZero() {
		return moment{}
	}
	return moment{t.UTC().Format(time.RFC3339), t.In(zone).Format(layout)}
}

// zoneOf is the zone in which a practice's times are shown: UTC where it has
// none.
func (p *Pages) zoneOf(ctx context.Context, practiceID string) *time.Location {
	zone, err := p.Zone(ctx, practiceID)
	if err != nil || zone == nil {
		return time.UTC
	}
	return zone
}

const dateForm = "2006-01-02"

// dayOf reads a day, and returns it from its beginning to its end in a zone: a
// day of the clocks, which may have 23 or 25 hours.
func dayOf(s string, zone *time.Location) (from, until time.Time, err error) {
	at, err := time.Parse(dateForm, s)
	if err != nil {
		return from, until, mistakeError("“" + s + "” is not a day: write it as 2026-11-24.")
	}
	from, until = dayAt(at, zone)
	return from, until, nil
}

// dayAt is the day of t's date in a zone.
func dayAt(t time.Time, zone *time.Location) (from, until time.Time) {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
}

// span says how long something lasts, in its two largest units.
func span(d time.Duration) string {
	units := []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}}
	var parts []string
	for _, u := range units {
		if n := d / u.of; n > 0 {
			parts = append(parts, plural(int64(n), u.name))
			d %= u.of
		}
		if len(parts) == 2 {
			break
		}
	}
	return cmp.Or(strings.Join(parts, " "), "less than a second")
}

func plural[N int | int64](n N, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}

// number writes thousands apart.
func number[N int | int64](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short is the end of an id: its beginning is the time, and the same for many.
func short(id string) string {
	if len(id) <= 8 {
		return id
	}
	return "…" + id[len(id)-8:]
}
