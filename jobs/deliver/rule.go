package deliver

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/recipients"
	"rappel/templates"
)

// A Ruler rules on claimed notifications. Pure: the moment comes in.
type Ruler struct {
	Templates *templates.Cache
}

// Rule looks at n once more on the facts of now. Cancelled, moved, archived,
// opted out or switched off since it was planned wins over the plan. A nil
// snapshot means that the appointment or the client is gone.
//
// What may have gone is never called suppressed or expired: it is sent once
// more, or stays unknown.
func (r Ruler) Rule(n Notification, s *practice.Snapshot, rows []templates.Source, now time.Time) Ruling {
	if n.Interrupted && n.Repeat {
		return Ruling{Close: Unknown} // once more is enough
	}
	if n.Interrupted {
		return Ruling{Close: Unknown, RepeatAt: n.repeatAt(now)}
	}
	ruling := r.rule(n, s, rows, now)
	switch takenAlong := n.Family != "" && !n.Tried() && now.Before(n.PlannedFor); {
	case !n.Repeat && takenAlong && ruling.Close == Suppressed:
		return Ruling{Until: n.PlannedFor} // at its own time what is against it may be past
	case !n.Repeat:
		return ruling
	case ruling.Send != nil && n.repeatable(now):
		return ruling
	case !ruling.Until.IsZero() && n.repeatable(ruling.Until):
		return Ruling{Close: Unknown, RepeatAt: ruling.Until}
	}
	return Ruling{Close: Unknown, Problem: ruling.Problem}
}

func (r Ruler) rule(n Notification, s *practice.Snapshot, rows []templates.Source, now time.Time) Ruling {
	if why := n.against(s, now); why != "" {
		return suppress(why)
	}
	if !now.Before(n.NotAfter) {
		return Ruling{Close: Expired, Reason: recipients.Past}
	}
	candidate, why := n.candidate(s)
	if why != "" {
		return suppress(why)
	}
	if n.RuleID != "" && n.Channel == recipients.SMS {
		if hold := n.window(s, candidate.Person, now); hold != nil {
			return *hold
		}
	}
	return r.compose(n, s, candidate, rows)
}

// Foresee tells who n would be written to if it were looked at now, or why it would
// not go.
func (n Notification) Foresee(s *practice.Snapshot, now time.Time) recipients.Candidate {
	var c recipients.Candidate
	why := n.against(s, now)
	if why == "" {
		c, why = n.candidate(s)
	}
	if why != "" {
		role, id := n.person()
		return recipients.Candidate{Recipient: role, ID: id, Channel: n.Channel, Reasons: []recipients.Reason{why}}
	}
	if n.Tried() {
		c.Address = n.Address
	}
	return c
}

func suppress(why recipients.Reason) Ruling {
	return Ruling{Close: Suppressed, Reason: why}
}

// against returns the weightiest reason that the appointment gives against the
// message: the ledger has room for one. That the start has passed is not among
// them, it makes the message expire instead.
func (n Notification) against(s *practice.Snapshot, now time.Time) recipients.Reason {
	if s == nil || s.Client.ID != n.ClientID { // the visit is somebody else's by now
		return recipients.Superseded
	}
	if s.Appointment == nil { // a notice, also one that names an appointment
		return ""
	}
	why := n.reasons(s, now)
	if len(why) > 0 && why[0] == schedule.Cancelled {
		return recipients.Cancelled
	}
	if !s.Appointment.StartsAt.Equal(n.StartsAt) || (n.RuleID != "" && !n.stands(s)) || n.Overtaken {
		return recipients.Superseded
	}
	for _, reason := range why {
		if reason != schedule.Past {
			return recipients.Reason(reason)
		}
	}
	return ""
}

// stands tells whether there still is a rule, and for such a visit.
func (n Notification) stands(s *practice.Snapshot) bool {
	return n.Rule != nil && n.Rule.AppliesTo(schedule.Visit{ServiceName: s.Appointment.ServiceName})
}

func (n Notification) reasons(s *practice.Snapshot, now time.Time) []schedule.Reason {
	if n.RuleID == "" {
		return s.EventAgainst(n.Kind, now)
	}
	visit, ok := s.Visit()
	switch {
	case !ok:
		return []schedule.Reason{schedule.BadZone}
	case n.Rule == nil:
		return nil
	}
	return n.Rule.Against(visit, now)
}

// candidate finds the person written to in a fresh decision, or the reason why
// they are no longer to be told. A message does not move to another channel:
// where the decision does so, what is wrong with the message's own is the reason.
func (n Notification) candidate(s *practice.Snapshot) (recipients.Candidate, recipients.Reason) {
	if n.ContactID != "" && !linked(s, n.ContactID) {
		return recipients.Candidate{}, recipients.Superseded
	}
	switch c := n.verdict(s); {
	case c.Send:
		return c, ""
	case c.ID != "" && c.Channel == "": // no method, no channel
		return recipients.Candidate{}, c.Reasons[0]
	}
	alone := *s
	alone.Client.Method, alone.Practice.ChannelFallback = string(n.Channel), false
	if c := n.verdict(&alone); c.ID != "" && !c.Send {
		return recipients.Candidate{}, c.Reasons[0]
	}
	return recipients.Candidate{}, recipients.Superseded
}

// verdict is what a fresh decision says of the person written to, on the
// message's channel or on none; the zero Candidate: they are on another. An
// address that several have by now is taken by those only who were written to:
// else nobody might be.
func (n Notification) verdict(s *practice.Snapshot) recipients.Candidate {
	role, id := n.person()
	for _, c := range s.Recipients(n.Kind, n.ContactID, nil, n.written).Candidates {
		if c.Recipient == role && c.ID == id && (c.Channel == n.Channel || c.Channel == "") {
			return c
		}
	}
	return recipients.Candidate{}
}

// person is who is written to.
func (n Notification) person() (recipients.Role, string) {
	if n.ContactID != "" {
		return recipients.RoleContact, n.ContactID
	}
	return recipients.RoleClient, n.ClientID
}

// written tells whether somebody has a message of the same decision on a channel,
// as far as that is n's.
func (n Notification) written(of recipients.Role, id string, c recipients.Channel) bool {
	contact := ""
	if of == recipients.RoleContact {
		contact = id
	}
	return c != n.Channel || contact == n.ContactID || slices.Contains(n.Others, contact)
}

func linked(s *practice.Snapshot, contactID string) bool {
	return slices.ContainsFunc(s.Contacts, func(c recipients.Contact) bool { return c.ID == contactID })
}

// closingTime is how long before a start the next opening of the SMS window
// must come for a message to wait for it. What follows a visit has no start to
// come before.
const closingTime = time.Hour

// window holds an SMS of a rule back while the window is shut: the wait may
// have been a retry that ran over closing time. It returns nil where it is open.
func (n Notification) window(s *practice.Snapshot, p recipients.Person, now time.Time) *Ruling {
	zone := s.RecipientZone(p)
	if zone == nil {
		hold := suppress(recipients.BadZone)
		return &hold
	}
	if s.Practice.SMSWindow.Open(now, zone) {
		return nil
	}
	opens, room := s.Practice.SMSWindow.Next(now, zone), closingTime
	if n.Rule.Anchor == schedule.AnchorEnd {
		room = 0
	}
	if n.NotAfter.Sub(opens) < room {
		hold := suppress(recipients.QuietHours)
		return &hold
	}
	return &Ruling{Until: opens}
}

// compose renders the message, or takes the text of the first attempt.
func (r Ruler) compose(n Notification, s *practice.Snapshot, c recipients.Candidate, rows []templates.Source) Ruling {
	m := Message{
		NotificationID: n.ID, PracticeID: n.PracticeID, ClientID: n.ClientID, ContactID: n.ContactID,
		AppointmentID: n.AppointmentID, Kind: n.Kind, Channel: n.Channel,
		To: c.Address, ExpiresAt: n.NotAfter,
	}
	if n.Tried() {
		// It may have arrived there: another address now would be a second message.
		if bars := s.Bars(n.Channel, n.Address); len(bars) > 0 {
			return suppress(bars[0])
		}
		m.To = n.Address
	}
	if n.Fixed != nil {
		m.Text = *n.Fixed
		return Ruling{Send: &m, candidate: c}
	}
	text, err := r.text(n, s, c, rows)
	if err != nil {
		return unwritten(err)
	}
	m.Text = text
	return Ruling{Send: &m, candidate: c}
}

// unwritten closes what cannot be written.
func unwritten(err error) Ruling {
	if errors.Is(err, templates.ErrEmptyBody) {
		return Ruling{Close: Suppressed, Reason: recipients.EmptyBody, Problem: err}
	}
	return Ruling{Close: Suppressed, Reason: recipients.BadTemplate, Problem: err}
}

func (r Ruler) text(n Notification, s *practice.Snapshot, c recipients.Candidate, rows []templates.Source) (Text, error) {
	return r.write(n, s, c, rows, s.Facts(c.Person, n.Data))
}

// errMistaken says of a text that it does not compile, in no word of its own.
var errMistaken = errors.New("it has a mistake, which rappel lint shows")

// write renders the notification's template.
func (r Ruler) write(
	n Notification, s *practice.Snapshot, c recipients.Candidate, rows []templates.Source, facts templates.Facts,
) (Text, error) {
	source, ok := templates.Choose(rows, n.Template, string(n.Channel), string(c.Recipient), s.Locales(c.Person))
	if !ok {
		return Text{}, fmt.Errorf("no template of this name for %s", n.Channel)
	}
	compiled, err := r.Templates.Compile(source)
	if err != nil {
		return Text{}, fmt.Errorf("template %s: %w", source.ID, errMistaken) // whose words may be somebody's name
	}
	rendered, err := compiled.Render(facts.Values(source.Locale))
	if err != nil {
		return Text{}, fmt.Errorf("template %s: %w", source.ID, err)
	}
	text := Text{
		Name: c.Person.Name(), ReplyTo: s.Practice.Email,
		Subject: rendered.Subject, Body: rendered.Text, HTML: rendered.HTML, Version: source.Version,
	}
	if n.Channel == recipients.SMS {
		text.Segments = templates.Measure(text.Body).Segments
	}
	return text, nil
}
