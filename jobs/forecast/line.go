package forecast

import (
	"encoding/json"
	"time"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/jobs/plan"
	"rappel/recipients"
)

// A Line is one candidate of one message that will or did go, or not, with all
// the reasons.
type Line struct {
	recipients.Candidate

	SendAt        time.Time // of a skip: when the rule is due
	Kind          kind.Kind
	RuleID        string // empty: an event's
	RuleName      string
	AppointmentID string    // empty: a notice's that names none
	StartsAt      time.Time // zero: not known
	ClientID      string
	Client        string         // the name
	Zone          *time.Location // the practice's; nil: none
	Outcome       recipients.Outcome
	Status        string    // of the notification; empty: there is none
	SentAt        time.Time // zero: not sent

	digest plan.Digest // the one that the message may go in; zero: it goes alone

	last time.Time // on an unreachable decision's first line: when the last of the rules is due
}

// ReachesNobody tells whether the line belongs to a message that somebody wants
// and nobody gets, for want of an address that can be used.
func (l *Line) ReachesNobody() bool { return l.Outcome == recipients.Unreachable }

// about fills in who and where.
func (l *Line) about(s *practice.Snapshot) {
	l.Client = s.Client.Person().Name()
	l.Zone, _ = s.Zones.Load(s.Practice.TimeZone)
}

func (l *Line) contactID() string {
	if l.Recipient == recipients.RoleContact {
		return l.ID
	}
	return ""
}

// How a candidate's outcome is called.
const (
	outcomeSend = "send"
	outcomeSkip = "skip"
)

type lineJSON struct {
	SendAt        time.Time           `json:"send_at"`
	Kind          kind.Kind           `json:"kind"`
	RuleID        *string             `json:"rule_id"`
	AppointmentID *string             `json:"appointment_id"`
	StartsAt      *time.Time          `json:"starts_at"`
	ClientID      *string             `json:"client_id"`
	ContactID     *string             `json:"contact_id"`
	Recipient     recipients.Role     `json:"recipient"`
	Channel       *recipients.Channel `json:"channel"`
	Address       *recipients.Address `json:"address"`
	Outcome       string              `json:"outcome"`
	Reasons       []recipients.Reason `json:"reasons"`
	Status        string              `json:"status,omitempty"`
}

// MarshalJSON writes the line as the contract has it: times in UTC, the address
// masked, no name.
func (l Line) MarshalJSON() ([]byte, error) {
	j := lineJSON{
		SendAt: l.SendAt.UTC(), Kind: l.Kind, RuleID: null(l.RuleID), AppointmentID: null(l.AppointmentID),
		ClientID: null(l.ClientID), ContactID: null(l.contactID()), Recipient: l.Recipient,
		Channel: null(l.Channel), Address: null(l.Address),
		Outcome: outcomeSkip, Reasons: l.Reasons, Status: l.Status,
	}
	if l.Send {
		j.Outcome = outcomeSend
	}
	if j.Reasons == nil {
		j.Reasons = []recipients.Reason{}
	}
	if !l.StartsAt.IsZero() {
		starts := l.StartsAt.UTC()
		j.StartsAt = &starts
	}
	return json.Marshal(j)
}

func null[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
