package deliver

import (
	"cmp"
	"slices"
	"time"

	"rappel/internal/practice"
	"rappel/templates"
)

// Ruled is a claimed notification with what is known of it, and its ruling.
type Ruled struct {
	Notification Notification
	Known        *practice.Snapshot // nil: the appointment or the client is gone
	Texts        []templates.Source
	Ruling       Ruling
}

// Tried tells whether n may have arrived by an earlier try, alone or in a message
// with others.
func (n Notification) Tried() bool { return n.Fixed != nil || n.begunTogether() }

// begunTogether tells whether n was tried before in a message with others.
func (n Notification) begunTogether() bool { return n.SentWith != "" && n.Attempts > 1 }

// Join has reminders that a family may get in one message go in one. They are
// all that may, each ruled on alone: who is no longer to be told of a visit, or
// not now, is not in it.
//
// What was tried together goes on under the same idempotency key, as long as
// one of the visits stands. If one has dropped out since, the message is written
// anew: a receiver that has the first keeps that one, and nobody is reminded of
// a visit that was cancelled.
func (r Ruler) Join(family []Ruled) {
	var leave []*Ruled
	for i := range family {
		if family[i].Ruling.Send != nil {
			leave = append(leave, &family[i])
		}
	}
	slices.SortStableFunc(leave, inOrder)
	if len(leave) > 0 && leave[0].Notification.begunTogether() {
		if !waitTogether(leave, family) {
			r.goOn(leave, len(leave) == len(family))
		}
		return
	}
	leave = oncePerVisit(leave)
	for len(leave) > 0 {
		to := leave[0].Ruling.Send.To
		elsewhere := func(n *Ruled) bool { return n.Ruling.Send.To != to }
		if here := slices.DeleteFunc(slices.Clone(leave), elsewhere); len(here) > 1 {
			r.together(here, here[0].Notification.ID)
		}
		leave = slices.DeleteFunc(leave, func(n *Ruled) bool { return n.Ruling.Send == nil || n.Ruling.Send.To == to })
	}
}

// inOrder is the order in which a family's visits are listed.
func inOrder(a, b *Ruled) int {
	return cmp.Or(
		a.Notification.StartsAt.Compare(b.Notification.StartsAt),
		cmp.Compare(a.Known.Client.Person().Name(), b.Known.Client.Person().Name()),
		cmp.Compare(a.Notification.ID, b.Notification.ID),
	)
}

// waitTogether has all wait for whichever of them has to, as long as that is of
// use to each: under one key nobody could be told of the others later.
func waitTogether(leave []*Ruled, family []Ruled) bool {
	var until time.Time
	for _, member := range family {
		if member.Ruling.Until.After(until) {
			until = member.Ruling.Until
		}
	}
	tooLate := func(n *Ruled) bool { return n.Notification.Repeat || !until.Before(n.Notification.NotAfter) }
	if until.IsZero() || slices.ContainsFunc(leave, tooLate) {
		return false
	}
	for i := range family {
		if waits := &family[i].Ruling; waits.Send != nil || !waits.Until.IsZero() {
			*waits = Ruling{Until: until, KeepsKey: true}
		}
	}
	return true
}

// oncePerVisit leaves a second reminder of one appointment for its own time.
func oncePerVisit(leave []*Ruled) []*Ruled {
	first := map[string]*Ruled{}
	for _, member := range leave {
		n := member.Notification
		if other := first[n.AppointmentID]; other == nil || n.NotBefore.Before(other.Notification.NotBefore) {
			first[n.AppointmentID] = member
		}
	}
	var once []*Ruled
	for _, member := range leave {
		if n := member.Notification; first[n.AppointmentID] == member {
			once = append(once, member)
		} else {
			member.Ruling = Ruling{Until: n.NotBefore}
		}
	}
	return once
}

// goOn sends once more what was tried together.
func (r Ruler) goOn(leave []*Ruled, complete bool) {
	key := leave[0].Notification.SentWith
	holder := slices.IndexFunc(leave, func(n *Ruled) bool { return n.Notification.Fixed != nil })
	switch {
	case complete && holder >= 0:
		carry(leave, leave[holder], key)
	case len(leave) > 1:
		r.together(leave, key)
	default:
		one := leave[0]
		text, err := r.text(one.Notification, one.Known, one.Ruling.candidate, one.Texts)
		switch {
		case err != nil && one.Notification.Repeat:
			one.Ruling = Ruling{Close: Unknown, Problem: err}
			return
		case err != nil:
			one.Ruling = unwritten(err)
			return
		}
		one.Ruling.Send.Text = text
		carry(leave, one, key)
	}
}

// together writes one message for all. Where the practice's text for families is
// of no use, each goes alone; or, where they went together before, with the
// built-in text.
func (r Ruler) together(all []*Ruled, key string) {
	first := all[0]
	n := first.Notification
	n.Template = templates.Family
	facts := first.Known.Facts(first.Ruling.candidate.Person, nil)
	for _, member := range all {
		facts.Visits = append(facts.Visits, member.Known.Facts(member.Ruling.candidate.Person, nil))
	}
	text, err := r.write(n, first.Known, first.Ruling.candidate, first.Texts, facts)
	if err != nil && n.begunTogether() {
		text, err = r.write(n, first.Known, first.Ruling.candidate, nil, facts)
	}
	if err != nil {
		return // rappel lint names what is wrong with it
	}
	first.Ruling.Send.Text = text
	carry(all, first, key)
}

// carry has all go in the message of one, under a key.
func carry(all []*Ruled, one *Ruled, key string) {
	m := one.Ruling.Send
	m.NotificationID = key
	for _, member := range all {
		if member != one {
			member.Ruling = Ruling{With: m}
		}
	}
}

// aligned has what was tried together tried together again.
func aligned(outcomes []Outcome) []Outcome {
	var again, repeat time.Time
	for _, o := range outcomes {
		again, repeat = sooner(again, o.NotBefore), sooner(repeat, o.RepeatAt)
	}
	for i := range outcomes {
		o := &outcomes[i]
		if !o.NotBefore.IsZero() {
			o.NotBefore = again
		}
		if !o.RepeatAt.IsZero() {
			o.RepeatAt = repeat
		}
	}
	return outcomes
}

// sooner is the earlier of two times; a zero time is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// all are the notifications that a message tells of.
func (c Claimed) all() []Notification {
	return append([]Notification{c.Notification}, c.With...)
}

// outcomes is what becomes of each of the message's notifications.
func (c Claimed) outcomes(of func(Notification) Outcome) []Outcome {
	var all []Outcome
	for _, n := range c.all() {
		all = append(all, of(n))
	}
	return aligned(all)
}
