package schedule

import (
	"slices"
	"time"
)

// A Range is a stretch of time: after After, up to Until.
type Range struct{ After, Until time.Time }

func (r Range) shifted(by time.Duration) Range { return r.widened(by, by) }

func (r Range) widened(after, until time.Duration) Range {
	return Range{After: r.After.Add(after), Until: r.Until.Add(until)}
}

func (r Range) empty() bool { return !r.Until.After(r.After) }

// tick is the distance of two times that a store can tell apart.
const tick = time.Microsecond

// Anchors returns the ranges in which the anchors lie of the visits in zone for
// which r falls due in the given range. What else they hold is little: it comes
// from the nights in which clocks change. Each anchor is in one of them at most.
func (r Rule) Anchors(due Range, zone *time.Location) []Range {
	if zone == nil {
		zone = time.UTC
	}
	switch {
	case r.Minutes != nil:
		return []Range{due.shifted(-time.Duration(*r.Minutes) * time.Minute)}
	case r.OnCalendar() && r.At != nil:
		return merged(r.daysOf(due, zone))
	case r.OnCalendar():
		return merged(r.sameClock(due, zone))
	}
	return []Range{due}
}

// OnCalendar tells whether it depends on the zone when r is due.
func (r Rule) OnCalendar() bool { return r.Days != nil && (*r.Days != 0 || r.At != nil) }

const day = 24 * time.Hour

// sameClock is for a rule that is due when the clock shows what it shows at the
// anchor. The two are days apart, and what the clocks were moved by in between.
func (r Rule) sameClock(due Range, zone *time.Location) []Range {
	anchors := due.shifted(-time.Duration(*r.Days) * day)
	var all []Range
	for _, then := range offsets(anchors.widened(-clockChange, clockChange), zone) {
		// A time that the clocks skip is read with the offset before.
		for _, now := range offsets(due.widened(-clockChange, 0), zone) {
			all = append(all, anchors.shifted(now-then))
		}
	}
	return all
}

// daysOf is for a rule that is due at a time of day: the days of the anchors.
func (r Rule) daysOf(due Range, zone *time.Location) []Range {
	var all []Range
	y, m, d := due.After.In(zone).Date()
	for i := firstDay; ; i++ { // 24:00 belongs to the day before
		at := Local(y, m, d+i, *r.At, zone)
		if at.After(due.Until) {
			return all
		}
		if at.After(due.After) {
			all = append(all, dayOf(time.Date(y, m, d+i-*r.Days, 0, 0, 0, 0, time.UTC), zone))
		}
	}
}

// dayOf is the day in zone that begins at midnight on its clocks.
func dayOf(midnight time.Time, zone *time.Location) Range {
	near := offsets(Range{After: midnight.Add(-eastmost), Until: midnight.Add(day + eastmost)}, zone)
	return Range{
		After: midnight.Add(-slices.Max(near) - tick),
		Until: midnight.Add(day - slices.Min(near)),
	}
}

// offsets are those from UTC that the clocks of zone have in a range.
func offsets(in Range, zone *time.Location) []time.Duration {
	const step = time.Hour // no offset is in force for less
	var all []time.Duration
	for t := in.After; ; t = t.Add(step) {
		last := !t.Before(in.Until)
		if last {
			t = in.Until
		}
		_, s := t.In(zone).Zone()
		if o := seconds(s); !slices.Contains(all, o) {
			all = append(all, o)
		}
		if last {
			return all
		}
	}
}

// merged joins ranges that touch.
func merged(all []Range) []Range {
	slices.SortFunc(all, func(a, b Range) int { return a.After.Compare(b.After) })
	var joined []Range
	for _, r := range all {
		if n := len(joined); n > 0 && !r.After.After(joined[n-1].Until) {
			joined[n-1].Until = later(joined[n-1].Until, r.Until)
			continue
		}
		joined = append(joined, r)
	}
	return joined
}

// Closed returns the due times for which an SMS to zone may have to leave in
// advance, at a moment after since or up to until: those in closed hours, to
// which the closing lies so near that the message is not too early, and that
// after since.
func (w Window) Closed(since, until time.Time, zone *time.Location) []Range {
	if w.none() {
		return nil
	}
	var all []Range
	local := since.In(zone)
	for i := firstDay; ; i++ {
		opens, closes := w.on(local, i)
		if closes.After(until.Add(beforeClosing)) && opens.After(until) {
			return merged(all)
		}
		if opens.Before(closes) && closes.After(since) && !closes.Add(-beforeClosing).After(until) {
			r := Range{After: closes.Add(-tick), Until: w.Next(closes, zone).Add(-tick)}
			if !r.empty() {
				all = append(all, r)
			}
		}
	}
}

// Ahead returns those of the due times in closed hours at which a message of r
// cannot wait for the opening that follows them, so close is the start. A rule
// after the end always can.
func (r Rule) Ahead(closed Range) (Range, bool) {
	if r.Anchor == AnchorEnd {
		return Range{}, false
	}
	if r.Anchor == AnchorStart {
		_, most := r.Reach()
		if last := closed.Until.Add(beforeStart + most); last.Before(closed.Until) {
			closed.Until = last
		}
	}
	return closed, !closed.empty()
}
