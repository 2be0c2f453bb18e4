package schedule

import (
	"slices"
	"time"
)

// Grace is the practice's late_booking setting that lets a message still go
// after a late booking; every other value means skip.
const Grace = "grace"

// A Policy is what a practice chose about time.
type Policy struct{ LateBooking string }

// A Timing is what becomes of a rule's message about a visit, for one
// recipient on one channel, as seen at one moment.
type Timing struct {
	Applies  bool      // false: the rule is not due for this visit, and nothing is to be decided
	Due      time.Time // by the rule alone
	SendAt   time.Time // zero with a reason; if it has passed, the message goes at once
	NotAfter time.Time
	Reasons  []Reason // all that apply
}

// RipeAt is when the matter may be decided for good: a message when it is to
// go, a skip when it was due, because until then the reason may disappear.
func (t Timing) RipeAt() time.Time {
	if t.SendAt.IsZero() {
		return t.Due
	}
	return t.SendAt
}

// Time works out what becomes of rule r's message about v, as seen at now, for
// a recipient in zone with SMS window w, which is zero for e-mail. Of the
// practice's other rules among siblings one that is nearer to the start takes
// the place of r where both would go at once.
//
// The answer for a moment that has not come holds until then, as long as visit
// and rules stay as they are; and when a nearer sibling has gone, r has a
// reason at every later moment. So it does not matter how often is swept, save
// that of what an outage holds up only the nearest still goes.
func (p Policy) Time(r Rule, siblings []Rule, v Visit, w Window, zone *time.Location, now time.Time) Timing {
	o := occasion{policy: p, visit: v, window: w, zone: zone, now: now}
	if !o.concerns(&r) {
		return Timing{}
	}
	t := o.alone(&r, r.due(&o.visit))
	if !t.SendAt.IsZero() && o.outrun(&r, &t, siblings) {
		t.SendAt = time.Time{}
		t.Reasons = []Reason{o.outrunReason(&t)}
	}
	return t
}

// An occasion is all that Time was asked about but the rule.
type occasion struct {
	policy Policy
	visit  Visit
	window Window
	zone   *time.Location
	now    time.Time
}

func (o *occasion) concerns(r *Rule) bool {
	return r.AppliesTo(o.visit) && r.Valid() == nil
}

// alone is the timing of r as if the practice had no other rule.
func (o *occasion) alone(r *Rule, due time.Time) Timing {
	t := Timing{Due: due, NotAfter: NotAfter(r.Kind, r, o.visit, due).UTC()}
	if !o.reaches(r, due) {
		return t
	}
	t.Applies = true
	t.Reasons = r.against(&o.visit, due, o.now)
	t.tooLateAt(due)
	if o.visit.Zone == nil || (o.zone == nil && !o.window.none()) {
		t.Reasons = append(t.Reasons, BadZone)
		return t
	}
	leaves, inTime := o.leaves(r, due)
	if !inTime {
		t.Reasons = append(t.Reasons, LateBooking)
	}
	t.tooLateAt(leaves)
	if inTime && !slices.Contains(t.Reasons, Past) {
		o.place(r, &t, leaves)
	}
	return t
}

// tooLateAt notes that a message of that moment would be of no more use. That is
// known beforehand, whatever else stands against it.
func (t *Timing) tooLateAt(moment time.Time) {
	if moment.After(t.NotAfter) && !slices.Contains(t.Reasons, Past) {
		t.Reasons = append(t.Reasons, Past)
	}
}

// reaches is false where r was saved only after it could have spoken, and
// where it spoke after the booking and the visit was moved since.
func (o *occasion) reaches(r *Rule, due time.Time) bool {
	set := r.known(&o.visit)
	if r.SavedAt.After(later(due, set)) {
		return false
	}
	return r.Anchor != AnchorBooked || !o.visit.moved() || !o.visit.SetAt.After(due)
}

// leaves is when r's message would leave if there were no window: when due, or
// by the practice's grace as soon as the visit is set. It is false where it
// was set too late.
func (o *occasion) leaves(r *Rule, due time.Time) (time.Time, bool) {
	set := r.known(&o.visit)
	if !set.After(due) {
		return due, true
	}
	return set, r.Anchor != AnchorEnd && o.graceful(due, set)
}

// graceful reports whether a late booking leaves two thirds of the lead time.
func (o *occasion) graceful(due, set time.Time) bool {
	lead, left := o.visit.StartsAt.Sub(due), o.visit.StartsAt.Sub(set)
	return o.policy.LateBooking == Grace && left >= lead-lead/3
}

// place puts the message into the window, or notes that there is no room. What
// should have gone before now is placed again from now.
func (o *occasion) place(r *Rule, t *Timing, leaves time.Time) {
	start := o.visit.StartsAt
	if r.Anchor == AnchorEnd {
		start = time.Time{}
	}
	known := later(o.visit.set(), r.SavedAt)
	at, ok := o.window.Place(leaves, known, start, o.zone)
	if ok && at.Before(o.now) && !o.openNow() {
		at, ok = o.window.Place(o.now, o.now, start, o.zone)
	}
	if !ok || at.After(t.NotAfter) {
		t.Reasons = append(t.Reasons, QuietHours)
		return
	}
	if len(t.Reasons) == 0 {
		t.SendAt = at.UTC()
	}
}

func (o *occasion) openNow() bool { return o.window.Open(o.now, o.zone) }

// outrun reports whether a sibling nearer to the start, or as near and before r
// in order, which may go itself, goes at the same moment as r or before it.
// Whether that sibling is in turn outrun does not matter: what outruns it
// outruns r.
func (o *occasion) outrun(r *Rule, mine *Timing, siblings []Rule) bool {
	if r.Anchor != AnchorStart {
		return false
	}
	goes := later(mine.SendAt, o.now)
	for i := range siblings {
		s := &siblings[i]
		if s.Kind != r.Kind || s.Anchor != AnchorStart || !o.concerns(s) {
			continue
		}
		due := s.due(&o.visit)
		if !due.After(mine.Due) && (!due.Equal(mine.Due) || !s.before(r)) {
			continue
		}
		theirs := o.alone(s, due)
		if !theirs.SendAt.IsZero() && !theirs.SendAt.After(goes) {
			return true
		}
	}
	return false
}

// before tells whether of two rules that are due at the same moment r is the one
// to go: the one for a service before the one for all, then the lower id.
func (r *Rule) before(other *Rule) bool {
	if (r.ServiceName == "") != (other.ServiceName == "") {
		return r.ServiceName != ""
	}
	return r.ID < other.ID
}

func (o *occasion) outrunReason(t *Timing) Reason {
	if o.visit.set().After(t.Due) {
		return LateBooking
	}
	return Superseded
}
