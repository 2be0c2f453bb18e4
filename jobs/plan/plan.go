// Package plan turns what happened, or what a rule makes due, into a decision:
// who is told, on which channel, not before when, and who is not and why. It
// keeps the decision and the ledger rows that follow from it, and puts deliver
// tasks on the queue.
//
// Deciding is a function of rows and time; everything that can be lost is in
// the store before anything is put on the queue. The package deliberately does
// not know what people will read, nor how it reaches them.
package plan

import (
	"encoding/json"
	"slices"
	"time"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/recipients"
)

// An Event is something that happened, as a main app reported it.
type Event struct {
	ID            string
	Kind          kind.Kind
	AppointmentID string // of a notice: what it names, which decides nothing; may be empty
	ClientID      string // of a notice
	ContactID     string // to whom a notice is addressed; empty: the client
	OccurredAt    time.Time
	Young         bool // told so lately that the change it tells of may not have been committed
	Unmoved       bool // tells of a move, and the appointment is at a revision that was decided about
	Stale         bool // waited so long for its appointment that it will not come
	Traceparent   string
	Data          []byte // for the texts, as it came; nil: it brings none

	// Where the practice lets things settle:
	Age    time.Duration // since it happened or was told, whichever is longer ago
	Before Standing
}

// A Rule is a rule that fell due for an appointment, with the other rules of
// the practice that may take its place.
type Rule struct {
	schedule.Rule
	Template string
	Siblings []schedule.Rule
}

// Due is one rule and one appointment that a sweep found.
type Due struct {
	Rule          Rule
	AppointmentID string
	Digest        string // the practice, if reminders to a family go in one message: see Rules
	PracticeID    string
	StartsAt      time.Time
	LastTry       bool  // no later sweep looks back so far
	Unreadable    error // why the appointment cannot be read; nil: it can
}

// A Decision answers one event, or one rule for one appointment and start. It
// is kept even when nobody is told.
type Decision struct {
	ID            string
	PracticeID    string
	ClientID      string
	AppointmentID string
	EventID       string
	RuleID        string
	Kind          kind.Kind
	Revision      *int64    // of the appointment; nil: not known, and then only ids tell events apart
	StartsAt      time.Time // zero: no appointment
	DecidedAt     time.Time
	Outcome       recipients.Outcome
	Candidates    []recipients.Candidate
	Detail        string        // what was wrong with the event itself; never personal data
	Traceparent   string        // of the trace that its messages belong to; empty: none
	Wait          time.Duration // of an event that is left alone: for so long; zero: the store knows best
	Early         bool          // not due: it is only kept if a message of it goes with another one
	Notifications []Notification
}

// CandidatesJSON returns the candidates as the contract shows them.
func (d Decision) CandidatesJSON() ([]byte, error) {
	if d.Candidates == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(d.Candidates)
}

// A Notification is one message to one person on one channel, yet to be sent.
type Notification struct {
	ID        string
	ContactID string // empty: the client
	Channel   recipients.Channel
	Address   recipients.Address
	Template  string
	NotBefore time.Time
	NotAfter  time.Time
	Alone     time.Time // when it would go by itself; zero: that is NotBefore

	DigestHour time.Time // the hour whose reminders to one address go together; zero: it goes alone
	OnDesk     bool      // whoever kept it has it sent: it need not be offered
}

// DecideEvent answers e on the facts of now. A nil snapshot means that what the
// event is about is not there: the answer is then false, try again later, until
// the event is stale.
func DecideEvent(e Event, s *practice.Snapshot, now time.Time) (Decision, bool) {
	d := Decision{
		ClientID: e.ClientID, AppointmentID: e.AppointmentID, EventID: e.ID,
		Kind: e.Kind, DecidedAt: now, Outcome: recipients.Skipped,
	}
	if d.Detail = e.defect(); d.Detail != "" {
		return d, true
	}
	if s == nil {
		d.Detail = "nothing is known of the appointment or its client: " + string(recipients.Status)
		return d, e.Stale
	}
	against := e.against(s, now)
	if d.Wait = e.settling(s, now); d.Wait > 0 || e.early(s, against) {
		return d, false
	}
	if len(against) == 0 && e.superfluous(s) {
		against = append(against, schedule.Superseded)
	}
	d.concerns(s)
	d.decide(s, e.ContactID, against, nil)
	for _, c := range d.Candidates {
		d.notify(c, Notification{Template: string(e.Kind), NotBefore: now, NotAfter: e.notAfter(s)})
	}
	return d, true
}

// early tells whether e may have come before the change that it tells of: what it
// tells of is not to be seen, or the appointment is as it was when it was last
// decided about, and it was not touched since.
func (e Event) early(s *practice.Snapshot, against []schedule.Reason) bool {
	if !e.Young || s.Appointment == nil || !s.Appointment.UpdatedAt.Before(e.OccurredAt) {
		return false
	}
	return e.Unmoved || slices.Contains(against, schedule.Superseded) ||
		(e.Kind == kind.Confirmed && slices.Contains(against, schedule.NotConfirmed)) ||
		(e.Kind == kind.TelehealthLink && s.Appointment.TelehealthURL == "")
}

// defect says what makes e unanswerable for good.
func (e Event) defect() string {
	switch e.Kind.Sort() {
	case kind.Event:
		if e.AppointmentID == "" {
			return "appointment_id is missing"
		}
	case kind.Notice:
		if e.ClientID == "" {
			return "client_id is missing"
		}
	case kind.Rule:
		return "this kind is made by rules and cannot be reported"
	case kind.Unknown:
		return "unknown kind of event"
	}
	return ""
}

// against is empty for a notice: no appointment stands behind it.
func (e Event) against(s *practice.Snapshot, now time.Time) []schedule.Reason {
	if e.Kind.Sort() == kind.Notice {
		return nil
	}
	return s.EventAgainst(e.Kind, now)
}

func (e Event) notAfter(s *practice.Snapshot) time.Time {
	if s.Appointment == nil {
		return schedule.NotAfter(e.Kind, nil, schedule.Visit{}, e.OccurredAt)
	}
	visit, _ := s.Visit()
	return schedule.NotAfter(e.Kind, nil, visit, e.OccurredAt)
}

// DecideRule answers a rule for the appointment of s, as seen at now. It is false
// where nothing is to be decided up to a time, now or a later one, or ever: a rule
// is decided when it is due, or before that if a message has to leave in advance
// of the SMS window. What then waits for the window, or for its time, waits in
// the ledger.
func DecideRule(r Rule, s *practice.Snapshot, now, upTo time.Time) (Decision, bool) {
	d := Decision{RuleID: r.ID, Kind: r.Kind, DecidedAt: now}
	d.concerns(s)
	visit, _ := s.Visit() // without a zone nothing goes, and time says so
	policy := schedule.Policy{LateBooking: s.Practice.LateBooking}
	general := policy.Time(r.Rule, r.Siblings, visit, schedule.Window{}, visit.Zone, now)
	if !general.Applies {
		return d, false
	}
	timing := func(c *recipients.Candidate) schedule.Timing {
		if c.Channel != recipients.SMS {
			return general
		}
		return policy.Time(r.Rule, r.Siblings, visit, s.Practice.SMSWindow, s.RecipientZone(c.Person), now)
	}
	asleep := sleepers{}
	for again := true; again; {
		d.decide(s, "", general.Reasons, asleep.takes)
		again = d.tell(r, s, timing, asleep)
	}
	if d.Outcome == recipients.Notify && len(d.Notifications) == 0 {
		d.Outcome = recipients.Skipped
	}
	return d, !general.Due.After(upTo) || d.goes(upTo)
}

// tell makes the messages of d, and tells whether those who are asleep leave their
// address to somebody: then it is to be decided again.
func (d *Decision) tell(r Rule, s *practice.Snapshot, timing func(*recipients.Candidate) schedule.Timing, asleep sleepers) (left bool) {
	d.Notifications = nil
	for i := range d.Candidates {
		c := &d.Candidates[i]
		if !c.Send {
			continue
		}
		t := timing(c)
		if len(t.Reasons) > 0 {
			skip(c, t.Reasons)
			left = asleep.add(c) || left
			continue
		}
		d.notify(*c, Notification{
			Template: r.Template, NotBefore: t.SendAt, NotAfter: t.NotAfter,
			DigestHour: digestHour(r.Kind, s, t.SendAt, d.DecidedAt),
		})
	}
	return left && slices.ContainsFunc(d.Candidates, isDuplicate)
}

// goes tells whether a message of d leaves up to a time.
func (d *Decision) goes(upTo time.Time) bool {
	return slices.ContainsFunc(d.Notifications, func(n Notification) bool { return !n.NotBefore.After(upTo) })
}

// Sleepers are those to whom nothing goes at such an hour, by their own clocks.
// Whoever has the same address may be awake: it is no duplicate of theirs.
type sleepers map[recipients.PersonID]bool

// add returns whether c is new.
func (all sleepers) add(c *recipients.Candidate) bool {
	who := c.Who()
	if all[who] {
		return false
	}
	all[who] = true
	return true
}

func (all sleepers) takes(of recipients.Role, id string, c recipients.Channel) bool {
	return c != recipients.SMS || !all[recipients.PersonID{Role: of, ID: id}]
}

func isDuplicate(c recipients.Candidate) bool {
	return slices.Contains(c.Reasons, recipients.Duplicate)
}

// skip turns the verdict on c round: it would be told, but not at such an hour.
func skip(c *recipients.Candidate, why []schedule.Reason) {
	c.Send, c.Address = false, recipients.Address{}
	for _, r := range why {
		c.Reasons = append(c.Reasons, recipients.Reason(r))
	}
}

// concerns notes whom and what the decision is about.
func (d *Decision) concerns(s *practice.Snapshot) {
	d.PracticeID, d.ClientID = s.Practice.ID, s.Client.ID
	if a := s.Appointment; a != nil {
		d.AppointmentID, d.Revision, d.StartsAt = a.ID, a.Revision, a.StartsAt
	}
}

func (d *Decision) decide(s *practice.Snapshot, addressee string, against []schedule.Reason, takes recipients.Takes) {
	who := s.Recipients(d.Kind, addressee, against, takes)
	d.Outcome, d.Candidates = who.Outcome, who.Candidates
}

// notify adds message n to c, if c is to be told.
func (d *Decision) notify(c recipients.Candidate, n Notification) {
	if !c.Send {
		return
	}
	n.Channel, n.Address = c.Channel, c.Address
	if c.Recipient == recipients.RoleContact {
		n.ContactID = c.ID
	}
	d.Notifications = append(d.Notifications, n)
}
