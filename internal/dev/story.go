package dev

import (
	"slices"
	"strings"
	"time"

	"rappel/internal/kind"
	"rappel/recipients"
)

// A storyView is one event or due rule, with who was told and who was not.
type storyView struct {
	ID, Kind, What, Who, Visit string
	At, Way                    string
	Told, NotTold              []line
	Nobody                     string // why nobody at all; empty: see the lines
	Waiting                    string // what it waits for; empty: it is decided
}

// A line is one person on one channel.
type line struct {
	Name, Relation, Channel string
	Text                    string // how it stands, or why not
	State                   string // done, open or bad
}

func (v *viewer) story() []storyView {
	var all []storyView
	for _, e := range v.Waiting {
		all = append(all, v.waiting(e))
	}
	for _, d := range v.Decisions {
		all = append(all, v.chapter(d))
	}
	return all
}

func (v *viewer) waiting(e eventRow) storyView {
	s := storyView{
		ID: "e-" + e.ID, Kind: kindClass(e.Kind), What: whatHappened(e.Kind), At: v.short(e.OccurredAt),
		Way: v.told(e.ID), Waiting: "being decided …",
	}
	if v.Practice.SettleSeconds > 0 && e.Kind.Sort() == kind.Event {
		s.Waiting = "waits for corrections …"
	}
	s.Who, s.Visit = v.about(e.AppointmentID, nil)
	if client, ok := byID(v.Clients, e.ClientID); ok {
		s.Who = client.Name
	}
	return s
}

func (v *viewer) chapter(d decisionRow) storyView {
	s := storyView{
		ID: "d-" + d.ID, Kind: kindClass(d.Kind), What: whatHappened(d.Kind), At: v.short(d.At), Way: v.cause(d),
	}
	s.Who, s.Visit = v.about(d.AppointmentID, d.StartsAt)
	if client, ok := byID(v.Clients, d.ClientID); ok {
		s.Who = client.Name
	}
	for _, c := range d.Candidates {
		l := v.line(d, c)
		if l.State == "" {
			s.NotTold = append(s.NotTold, l)
			continue
		}
		s.Told = append(s.Told, l)
	}
	s.Nobody = v.nobody(d)
	if s.Nobody != "" {
		s.NotTold = nil
	}
	return s
}

// nobody says why nobody was told, where one reason holds for all.
func (v *viewer) nobody(d decisionRow) string {
	if d.Detail != "" {
		return d.Detail
	}
	if d.Outcome != recipients.Skipped || len(d.Candidates) == 0 {
		return ""
	}
	shared := d.Candidates[0].Reasons
	for _, c := range d.Candidates[1:] {
		shared = slices.DeleteFunc(slices.Clone(shared), func(r recipients.Reason) bool {
			return !slices.Contains(c.Reasons, r)
		})
	}
	return whys(shared, d.Kind, "")
}

// cause is what made the decision due.
func (v *viewer) cause(d decisionRow) string {
	if d.EventID != "" {
		return v.told(d.EventID)
	}
	for _, r := range v.Rules {
		if r.ID == d.RuleID {
			return "made due by the rule “" + r.Name + "”"
		}
	}
	return ""
}

// told says by which way rappel heard of an event, if it was in this run.
func (v *viewer) told(eventID string) string {
	if w := v.wayOf(eventID); w != "" {
		return "told by " + string(w)
	}
	return ""
}

// about names the client of a visit, and when it is: at its start of then, if
// that is given.
func (v *viewer) about(visitID string, startsAt *time.Time) (who, visit string) {
	for _, row := range v.Visits {
		if row.ID == visitID {
			client, _ := byID(v.Clients, row.ClientID)
			who = client.Name
			if startsAt == nil {
				startsAt = &row.StartsAt
			}
		}
	}
	if startsAt == nil {
		return who, ""
	}
	return who, dayAndTime(startsAt.In(v.Practice.Zone), v.now)
}

// line tells how it stands with one candidate. Its State is empty for somebody
// who is not told.
func (v *viewer) line(d decisionRow, c recipients.Candidate) line {
	l := line{Channel: channelName(c.Channel)}
	if !c.Send && c.Channel == recipients.Email {
		l.Channel = "e-mail"
	}
	l.Name, l.Relation = v.nameOf(d.ClientID, c)
	if !c.Send {
		l.Text = v.whyNot(d, c)
		return l
	}
	for _, n := range v.Notifications[d.ID] {
		if n.PersonID == c.ID && n.Channel == c.Channel {
			l.State, l.Text = v.standing(n, d.Kind)
			return l
		}
	}
	l.State, l.Text = "open", "on its way"
	return l
}

// standing tells what became of a notification.
func (v *viewer) standing(n notificationRow, k kind.Kind) (state, text string) {
	switch n.Status {
	case "sent", "delivered":
		text = n.Status
		if n.SentAt != nil {
			text += " " + v.short(*n.SentAt)
		}
		if n.Together != "" {
			text += ", in one message with " + n.Together + "’s"
		}
		return "done", text
	case "pending":
		if n.NotBefore.After(v.now) {
			return "open", "waits until " + v.short(n.NotBefore)
		}
		return "open", "on its way"
	case "sending":
		return "open", "on its way"
	case "unknown":
		return "bad", "may have arrived: no answer came"
	case "suppressed":
		return "", "held back: " + why(n.Reason, k, n.Channel)
	case "expired":
		return "", "too late to be of use"
	}
	text = why(n.Reason, k, n.Channel)
	if n.Reason == "" {
		text = n.Status
	}
	if n.ErrorCode != "" {
		text += " (" + n.ErrorCode + ")"
	}
	return "bad", text
}

func (v *viewer) nameOf(clientID string, c recipients.Candidate) (name, relation string) {
	if c.Recipient == recipients.RoleClient {
		client, _ := byID(v.Clients, c.ID)
		return client.Name, "client"
	}
	contact, _ := byID(v.Contacts, c.ID)
	for _, l := range v.Links {
		if l.ClientID == clientID && l.ContactID == c.ID {
			relation = l.Relationship
		}
	}
	return contact.Name, relation
}

// whyNot gives all reasons, and names whose address it is that gets the message
// already.
func (v *viewer) whyNot(d decisionRow, c recipients.Candidate) string {
	if !slices.Contains(c.Reasons, recipients.Duplicate) {
		return whys(c.Reasons, d.Kind, c.Channel)
	}
	mine := v.addressOf(c)
	for _, other := range d.Candidates {
		if other.Send && other.Channel == c.Channel && v.addressOf(other) == mine {
			name, _ := v.nameOf(d.ClientID, other)
			return "shares " + addressWord(c.Channel) + " with " + name + ": one message is enough"
		}
	}
	return whys(c.Reasons, d.Kind, c.Channel)
}

func addressWord(c recipients.Channel) string {
	if c == recipients.SMS {
		return "a number"
	}
	return "a mail box"
}

func (v *viewer) addressOf(c recipients.Candidate) string {
	p, ok := byID(v.Contacts, c.ID)
	if c.Recipient == recipients.RoleClient {
		p, ok = byID(v.Clients, c.ID)
	}
	if !ok {
		return ""
	}
	address := p.Email
	if c.Channel == recipients.SMS {
		address = p.Phone
	}
	return normal(c.Channel, address, v.Practice.Country)
}

func whys(reasons []recipients.Reason, k kind.Kind, c recipients.Channel) string {
	words := make([]string, len(reasons))
	for i, r := range reasons {
		words[i] = why(r, k, c)
	}
	return strings.Join(words, "; ")
}

// kindClass is how the style sheet calls a kind.
func kindClass(k kind.Kind) string {
	_, word, _ := strings.Cut(string(k), ".")
	return strings.ReplaceAll(word, "_", "-")
}
