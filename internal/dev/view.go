package dev

import (
	"fmt"
	"time"

	"rappel/internal/schedule"
	"rappel/recipients"
	"rappel/templates"
)

// A view is all that the page shows, in words.
type view struct {
	Practice  string
	Zone      string // the name of its clocks' time
	Day, Time string // of the demo's clock
	Ahead     string // of the real time; empty: not at all
	Next      string // when the next message of a rule is due; empty: none
	OpsURL    string
	Version   string
	Said      saying
	Troubles  []string
	Count     int // of messages
	Form      bookingForm
	Notices   noticeForm
	Settings  settings
	Days      []dayView
	People    []personView
	Minors    []string // who has no address of their own
	Story     []storyView
	News      string // the newest message, for those who do not see it come
}

// A saying answers who pressed a button.
type saying struct {
	Text  string
	Wrong bool
}

// Settings are those of the practice that the page can change.
type settings struct {
	FamilyDigest  bool
	SettleSeconds int
}

type bookingForm struct {
	Clients []choice
	At      string // the time proposed
	Least   string
}

type choice struct{ ID, Name string }

type dayView struct {
	ID, Name string
	Visits   []visitView
}

type visitView struct {
	ID, Time, Who, Practitioner string
	Place, Status, StatusName   string
	Service, Note               string
	Next                        []upcomingView // what its rules will send, and when
	MoveTo, Least               string
	CanConfirm, CanMove         bool
	CanCancel, CanMiss, Over    bool
}

type upcomingView struct{ Rule, At string }

// A viewer turns records and messages into a view.
type viewer struct {
	*records

	now      time.Time // in the practice's zone
	messages []Message
	replies  []Reply
	wayOf    func(eventID string) way
	upcoming []upcoming
}

func newViewer(r *records, now time.Time, messages []Message, replies []Reply, wayOf func(string) way) *viewer {
	return &viewer{
		records: r, now: now.In(r.Practice.Zone), messages: messages, replies: replies,
		wayOf: wayOf, upcoming: r.upcoming(now),
	}
}

// view fills in what comes from the records and the messages.
func (v *viewer) view() view {
	people, minors := v.people()
	page := view{
		Practice: v.Practice.Name,
		Zone:     templates.ZoneName(v.now, v.Zones, "en"),
		Day:      v.now.Format("Monday, January 2"),
		Time:     clockTime(v.now),
		Form:     v.form(),
		Notices:  v.notices(),
		Settings: settings{v.Practice.FamilyDigest, v.Practice.SettleSeconds},
		Days:     v.days(),
		People:   people,
		Minors:   minors,
		Story:    v.story(),
		News:     v.news(people),
		Count:    len(v.messages),
	}
	if len(v.upcoming) > 0 {
		page.Next = dayAndTime(v.upcoming[0].At.In(v.Practice.Zone), v.now)
	}
	return page
}

// formTime is how a form has a date and a time.
const formTime = "2006-01-02T15:04"

func (v *viewer) form() bookingForm {
	y, m, d := v.now.Date()
	f := bookingForm{
		At:    time.Date(y, m, d+2, 10, 0, 0, 0, v.Practice.Zone).Format(formTime),
		Least: time.Date(y, m, d, 0, 0, 0, 0, v.Practice.Zone).Format(formTime),
	}
	for _, c := range v.Clients {
		f.Clients = append(f.Clients, choice{c.ID, c.Name})
	}
	return f
}

func (v *viewer) days() []dayView {
	var days []dayView
	for _, row := range v.Visits {
		name := dayName(row.StartsAt.In(v.Practice.Zone), v.now)
		if len(days) == 0 || days[len(days)-1].Name != name {
			id := "day-" + row.StartsAt.In(v.Practice.Zone).Format(time.DateOnly)
			days = append(days, dayView{ID: id, Name: name})
		}
		last := &days[len(days)-1]
		last.Visits = append(last.Visits, v.visit(row))
	}
	return days
}

func (v *viewer) visit(row visitRow) visitView {
	client, _ := byID(v.Clients, row.ClientID)
	open := row.Status == schedule.StatusRequested || row.Status == schedule.StatusScheduled || row.Status == schedule.StatusConfirmed
	begun := !row.StartsAt.After(v.now)
	starts := row.StartsAt.In(v.Practice.Zone)
	view := visitView{
		ID: row.ID, Time: clockTime(starts), Who: client.Name, Practitioner: row.Practitioner,
		Place: "In person", Status: string(row.Status), StatusName: statusName(row.Status), Service: row.Service,
		MoveTo: starts.AddDate(0, 0, 1).Format(formTime), Least: v.now.Format("2006-01-02T00:00"),
		CanConfirm: open && !begun && row.Status != schedule.StatusConfirmed,
		CanMove:    open && !begun, CanCancel: open && !begun,
		CanMiss: open && begun, Over: !open || begun,
	}
	if row.Telehealth != "" {
		view.Place = "By video"
	}
	if row.Service == session {
		view.Service = ""
	}
	view.Note = v.noteOn(starts, client)
	for _, u := range v.upcoming {
		if u.VisitID == row.ID {
			view.Next = append(view.Next, upcomingView{u.RuleName, weekdayAndTime(u.At.In(v.Practice.Zone), v.now)})
		}
	}
	return view
}

// noteOn says what is easily overlooked about the time of a visit.
func (r *records) noteOn(starts time.Time, client personRow) string {
	_, offset := starts.Zone()
	if _, dayBefore := starts.Add(-24 * time.Hour).Zone(); dayBefore != offset {
		return "the clocks change that night"
	}
	zone, ok := r.Zones.Load(client.TimeZone)
	if !ok {
		return ""
	}
	if theirs := starts.In(zone); clockTime(theirs) != clockTime(starts) {
		return theirs.Format("3:04 PM ") + templates.ZoneName(theirs, r.Zones, "en") + " for " + firstName(client.Name)
	}
	return ""
}

// news says which message came last.
func (v *viewer) news(people []personView) string {
	if len(v.replies) > 0 {
		last := v.replies[len(v.replies)-1]
		if len(v.messages) == 0 || last.At.After(v.messages[len(v.messages)-1].At) {
			return "An answer from " + prettyPhone(last.From) + ": " + v.meaningOf(last)
		}
	}
	if len(v.messages) == 0 {
		return ""
	}
	m := v.messages[len(v.messages)-1]
	to, text := m.Name, m.Subject
	if m.Channel == recipients.SMS {
		text = m.Text
		for _, p := range people {
			if p.Phone != nil && p.Phone.Address == prettyPhone(m.To) {
				to = p.Name
			}
		}
	}
	return fmt.Sprintf("%s to %s: %s", channelName(m.Channel), to, text)
}
