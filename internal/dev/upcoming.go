package dev

import (
	"cmp"
	"slices"
	"time"

	"rappel/internal/schedule"
	"rappel/recipients"
)

// An upcoming message is one that a rule will make due.
type upcoming struct {
	VisitID, RuleName string
	At                time.Time
}

// upcoming lists what the rules will make due after now, the earliest first: by
// the same function that the sweep asks, for the channels and zones of those
// who may be told.
func (r *records) upcoming(now time.Time) []upcoming {
	var all []upcoming
	for _, v := range r.Visits {
		for _, rule := range r.Rules {
			if r.Decided[dueKey{rule.ID, v.ID, v.StartsAt.UnixMicro()}] {
				continue
			}
			if at, ok := r.ripeAt(rule, v, now); ok && r.known(rule, v).After(r.Swept) {
				all = append(all, upcoming{v.ID, rule.Name, at})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b upcoming) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.VisitID, b.VisitID)) })
	return all
}

// known is when the last came to be of what makes a rule due for v: what was there
// when it was looked for, and was not decided, never will be.
func (r *records) known(rule ruleRow, v visitRow) time.Time {
	visit := r.visitOf(v)
	return slices.MaxFunc([]time.Time{rule.Due(visit), visit.BookedAt, visit.SetAt}, time.Time.Compare)
}

// ripeAt is when the rule's first message about v will leave; false where none
// will.
func (r *records) ripeAt(rule ruleRow, v visitRow, now time.Time) (time.Time, bool) {
	var earliest time.Time
	policy := schedule.Policy{LateBooking: r.Practice.LateBooking}
	for _, t := range r.reach(v) {
		timing := policy.Time(rule.Rule, r.siblings(rule), r.visitOf(v), t.window, t.zone, now)
		if !timing.Applies || timing.SendAt.IsZero() || !timing.SendAt.After(now) {
			continue
		}
		if earliest.IsZero() || timing.SendAt.Before(earliest) {
			earliest = timing.SendAt
		}
	}
	return earliest, !earliest.IsZero()
}

// A reach is a channel's window and the zone of somebody on it.
type reach struct {
	window schedule.Window
	zone   *time.Location
}

func (r *records) reach(v visitRow) []reach {
	client, _ := byID(r.Clients, v.ClientID)
	var all []reach
	if uses(client.Method, recipients.Email) {
		all = append(all, reach{schedule.Window{}, r.Practice.Zone})
	}
	if uses(client.Method, recipients.SMS) {
		for _, p := range append([]personRow{client}, r.contactsOf(client.ID)...) {
			if zone, ok := r.Zones.Of(p.TimeZone, r.Practice.TimeZone); ok {
				all = append(all, reach{schedule.Window{Opens: r.Practice.Opens, Closes: r.Practice.Closes}, zone})
			}
		}
	}
	return all
}

func uses(method string, c recipients.Channel) bool {
	return method == "both" || method == string(c)
}

func (r *records) contactsOf(clientID string) []personRow {
	var all []personRow
	for _, l := range r.Links {
		if p, ok := byID(r.Contacts, l.ContactID); ok && l.ClientID == clientID {
			all = append(all, p)
		}
	}
	return all
}

func (r *records) siblings(rule ruleRow) []schedule.Rule {
	var all []schedule.Rule
	for _, other := range r.Rules {
		if other.ID != rule.ID {
			all = append(all, other.Rule)
		}
	}
	return all
}

func (r *records) visitOf(v visitRow) schedule.Visit {
	return schedule.Visit{
		StartsAt: v.StartsAt, EndsAt: v.EndsAt, BookedAt: v.BookedAt, SetAt: v.SetAt,
		Zone: r.Practice.Zone, ServiceName: v.Service, Status: v.Status,
	}
}

func byID(all []personRow, id string) (personRow, bool) {
	i := slices.IndexFunc(all, func(p personRow) bool { return p.ID == id })
	if i < 0 {
		return personRow{}, false
	}
	return all[i], true
}
