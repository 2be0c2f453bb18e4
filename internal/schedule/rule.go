package schedule

import (
	"errors"
	"fmt"
	"time"

	"rappel/internal/kind"
)

// An Anchor is the moment of a visit from which a rule counts.
type Anchor string

// The anchors of the contract.
const (
	AnchorStart  Anchor = "start"
	AnchorEnd    Anchor = "end"
	AnchorBooked Anchor = "booked"
)

// A Rule makes a message due at an offset from an anchor of every visit that
// it applies to. A negative offset lies before the anchor.
type Rule struct {
	ID            string
	Kind          kind.Kind
	Anchor        Anchor
	Minutes, Days *int      // exactly one: an exact span, or days on the calendar
	At            *Clock    // only with Days; nil: the anchor's own time of day
	ServiceName   string    // empty: any service
	SavedAt       time.Time // zero: unknown
}

// Valid reports every mistake in the rule.
func (r Rule) Valid() error {
	var errs []error
	if r.Kind.Sort() != kind.Rule {
		errs = append(errs, fmt.Errorf("rules make no message of kind %q", r.Kind))
	}
	if r.Anchor != AnchorStart && r.Anchor != AnchorEnd && r.Anchor != AnchorBooked {
		errs = append(errs, fmt.Errorf("there is no anchor %q", r.Anchor))
	}
	if (r.Minutes == nil) == (r.Days == nil) {
		errs = append(errs, errors.New("a rule has an offset in minutes or in days, one of them"))
	}
	if r.At != nil && r.Days == nil {
		errs = append(errs, errors.New("a time of day needs an offset in days"))
	}
	if beyond(r.Minutes, mostMinutes) || beyond(r.Days, mostDays) {
		errs = append(errs, errors.New("an offset reaches at most ten years"))
	}
	return errors.Join(errs...)
}

// Offsets beyond ten years are mistakes, and would leave the range of a store's
// timestamps.
const (
	mostDays    = 3650
	mostMinutes = mostDays * 24 * 60
)

func beyond(offset *int, most int) bool {
	return offset != nil && (*offset > most || *offset < -most)
}

// AppliesTo reports whether the rule is meant for the visit's service.
func (r Rule) AppliesTo(v Visit) bool {
	return r.ServiceName == "" || r.ServiceName == v.ServiceName
}

// Due is when the rule falls due for a visit: minutes are exact, days are days
// on the calendar of the visit's zone, so that "24 hours before" and "1 day
// before" part ways across a clock change. Without a zone the calendar is
// UTC's: only to have a moment at which to report that nothing goes.
func (r Rule) Due(v Visit) time.Time { return r.due(&v) }

func (r *Rule) due(v *Visit) time.Time {
	anchor := v.at(r.Anchor)
	switch {
	case r.Minutes != nil:
		// Not Add: an offset of centuries would overflow a Duration.
		return time.Unix(anchor.Unix()+int64(*r.Minutes)*60, int64(anchor.Nanosecond())).UTC()
	case r.Days == nil, *r.Days == 0 && r.At == nil:
		return anchor.UTC()
	}
	return r.onCalendar(anchor, v.Zone)
}

func (r *Rule) onCalendar(anchor time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	anchor = anchor.In(zone)
	y, m, d := anchor.Date()
	if r.At != nil {
		return Local(y, m, d+*r.Days, *r.At, zone).UTC()
	}
	due := Local(y, m, d+*r.Days, clockOf(anchor), zone)
	return due.Add(time.Duration(anchor.Nanosecond())).UTC()
}

// known is when what the rule counts from became known.
func (r *Rule) known(v *Visit) time.Time {
	if r.Anchor == AnchorBooked {
		return v.BookedAt
	}
	return v.set()
}

// Reach bounds the distance from the anchor to the due time, whatever the
// zone: with it a store finds the visits for which the rule may be due.
func (r Rule) Reach() (least, most time.Duration) {
	switch {
	case r.Minutes != nil:
		exact := time.Duration(*r.Minutes) * time.Minute
		return exact, exact
	case r.Days == nil:
		return 0, 0
	}
	days := time.Duration(*r.Days) * day
	if r.At == nil {
		return days - clockChange, days + clockChange
	}
	return days - day - clockChange, days + day + clockChange
}

// LookAt is the earliest moment at which the rule can have something to say
// about a visit whose SMS recipients have window w, in any zone: its due time,
// or before that where a message may have to leave before the window closes,
// but not before start and rule were set. From then on, until the matter is
// decided, whoever sweeps must look.
func (r Rule) LookAt(v Visit, w Window) time.Time {
	due := r.due(&v)
	known := later(r.known(&v), r.SavedAt)
	if r.Anchor == AnchorEnd {
		return later(due, known)
	}
	return later(due.Add(-w.Advance(due, v.StartsAt)), known)
}
