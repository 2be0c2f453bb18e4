package schedule

import "time"

const (
	// MaxAdvance bounds how long before its due time a message may leave
	// because the SMS window is closed then, whatever window and zone.
	MaxAdvance = 24*time.Hour + clockChange + beforeClosing

	// clockChange is more than clocks are moved at once, also in Antarctica.
	clockChange = 3 * time.Hour

	// beforeStart is how much time a message that waits for the window leaves.
	beforeStart = 60 * time.Minute

	// beforeClosing is how long before the closing a message leaves in advance.
	beforeClosing = 30 * time.Minute
)

// A Window is the part of the day in which SMS may arrive: from Opens until
// just before Closes. Opening later than closing spans midnight. With a nil or
// with equal times, of which 00:00 and 24:00 are one, there is no window, and
// everything may go at any hour.
//
// Opening and closing are instants as [Local] has them, so in the two nights
// of the year an opening that the clocks skip comes late and one that they
// show twice comes once.
type Window struct{ Opens, Closes *Clock }

// Exists reports whether there is a time of day at which the window is closed.
func (w Window) Exists() bool { return !w.none() }

func (w Window) none() bool {
	return w.Opens == nil || w.Closes == nil || (w.Opens.sinceMidnight()-w.Closes.sinceMidnight())%(24*time.Hour) == 0
}

// Open reports whether the window is open at t in zone.
func (w Window) Open(t time.Time, zone *time.Location) bool {
	return w.Next(t, zone).Equal(t)
}

// Next is the first moment at or after t at which the window is open in zone.
func (w Window) Next(t time.Time, zone *time.Location) time.Time {
	if w.none() {
		return t
	}
	local := t.In(zone)
	for day := firstDay; day <= lastDay; day++ {
		opens, closes := w.on(local, day)
		if t.Before(closes) && opens.Before(closes) {
			return later(t, opens)
		}
	}
	return t // a window that opens on no day of a week is none
}

// Place finds the moment for a message that falls due at some time and is of
// use until start, both of which may lie in closed hours: when it is due, if
// the window is open; else at the next opening, if that is at least an hour
// before the start; else in advance, half an hour before the last closing, or
// at once if earliest, since when the message can be known, lies between then
// and the closing. It is false where nothing of that is left. A zero start
// means that any later opening will do.
func (w Window) Place(due, earliest, start time.Time, zone *time.Location) (time.Time, bool) {
	if !start.IsZero() && due.After(start) {
		return time.Time{}, false
	}
	next := w.Next(due, zone)
	if next.Equal(due) || start.IsZero() || !next.After(start.Add(-beforeStart)) {
		return next, true
	}
	return w.inAdvance(due, earliest, zone)
}

func (w Window) inAdvance(due, earliest time.Time, zone *time.Location) (time.Time, bool) {
	opens, closes := w.last(due, zone)
	at := later(later(closes.Add(-beforeClosing), opens), earliest)
	if !at.Before(closes) || at.Before(due.Add(-w.mostAdvance())) {
		return time.Time{}, false
	}
	return at, true
}

// Advance bounds how long before due a message may leave because the window is
// closed then. It is zero where every due time can wait for the next opening.
func (w Window) Advance(due, start time.Time) time.Duration {
	if w.none() || start.Sub(due) >= w.closed()+beforeStart {
		return 0
	}
	return w.mostAdvance()
}

func (w Window) mostAdvance() time.Duration { return w.closed() + beforeClosing }

// closed bounds how long the window stays closed.
func (w Window) closed() time.Duration {
	d := w.Opens.sinceMidnight() - w.Closes.sinceMidnight()
	if d < 0 {
		d += 24 * time.Hour
	}
	return d + clockChange
}

// firstDay is how many days back the window must be looked at to know whether
// it is open: one where it spans midnight, another where a zone skipped a day.
const firstDay = -2

// lastDay is how many days ahead an opening is looked for: clocks skip the
// window of one day or two, never of a week.
const lastDay = 8

// on is the stretch of the window that begins some days after t's day. Where
// the clocks skip its opening it may be empty.
func (w Window) on(t time.Time, day int) (opens, closes time.Time) {
	y, m, d := t.Date()
	opens = Local(y, m, d+day, *w.Opens, t.Location())
	if w.Closes.Before(*w.Opens) {
		day++
	}
	return opens, Local(y, m, d+day, *w.Closes, t.Location())
}

// last is the newest stretch that has closed by t.
func (w Window) last(t time.Time, zone *time.Location) (opens, closes time.Time) {
	local := t.In(zone)
	for day := firstDay; day <= 0; day++ {
		o, c := w.on(local, day)
		if o.Before(c) && !c.After(t) {
			opens, closes = o, c
		}
	}
	return opens, closes
}
