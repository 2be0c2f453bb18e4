// Package lookup is what people ask of the ledger, and what it answers: the
// counts of a day, messages that were searched for, and the whole story of one.
//
// It is the vocabulary that the store and the pages share, and so deliberately
// knows neither SQL nor HTML. It changes nothing.
package lookup

import (
	"errors"
	"time"

	"rappel/internal/kind"
	"rappel/recipients"
)

// ErrUnknown says that there is no such message.
var ErrUnknown = errors.New("there is no such message")

// A Count is how many messages of a day ended alike.
type Count struct {
	Status string
	Reason recipients.Reason // empty: none
	N      int64
}

// A Due is how many messages of a channel wait for an hour.
type Due struct {
	Hour    time.Time // its beginning; zero: overdue
	Channel recipients.Channel
	N       int64
}

// A Search is for messages: that with an id, those of an appointment or a
// person, those to an address, or those that were decided in a span. It must
// say one of these, or all of the ledger would have to be read.
type Search struct {
	ID      string               // of a message, an appointment, a client or a contact
	To      []recipients.Address // any of these
	From    time.Time            // decided from here on
	Until   time.Time            // and before
	Status  string
	Reason  recipients.Reason
	Kind    kind.Kind
	Channel recipients.Channel
	After   Place // only what comes after it
	AtMost  int
}

// A Place is where a page of a search ended. The newest come first.
type Place struct {
	CreatedAt time.Time
	ID        string
}

// A Message is one row of the ledger.
type Message struct {
	ID            string
	DecisionID    string
	PracticeID    string
	ClientID      string
	ContactID     string // empty: the client
	AppointmentID string // empty: a notice beside appointments
	EventID       string // empty: a rule's
	RuleID        string // empty: an event's
	Kind          kind.Kind
	Channel       recipients.Channel
	Address       recipients.Address // zero: forgotten, or not to be read
	Status        string
	Reason        recipients.Reason
	CreatedAt     time.Time
	NotBefore     time.Time
	NotAfter      time.Time
	SentAt        time.Time
	DeliveredAt   time.Time
}

// Recipient returns the id of the person written to, and who that is.
func (m *Message) Recipient() recipients.PersonID {
	if m.ContactID != "" {
		return recipients.PersonID{Role: recipients.RoleContact, ID: m.ContactID}
	}
	return recipients.PersonID{Role: recipients.RoleClient, ID: m.ClientID}
}

// A Story is all that is known of one message.
type Story struct {
	Message

	Template   string
	Version    int
	Attempts   int
	Segments   int
	Via        string
	MessageID  string // the receiver's own
	ErrorCode  string
	StartsAt   time.Time // of the appointment, as it was planned for
	RepeatAt   time.Time
	RepeatedAt time.Time
	ReplayedAt time.Time
	HeldUntil  time.Time // while it is being sent
	Subject    string    // kept until a final status, as is the text
	Text       string
	SentWith   string   // the message under whose id a family's was sent; empty: it went alone
	Family     []string // the other messages that went in it
	RuleName   string
	Event      *Event // nil: none, or it is past its term
	Decision   Decision
	History    []Entry
	Replies    []Reply
	People     map[recipients.PersonID]recipients.Person
}

// An Event is what the main app told.
type Event struct {
	OccurredAt, ReceivedAt time.Time
}

// A Decision is what was decided about an event or a rule that was due.
type Decision struct {
	At         time.Time
	Outcome    recipients.Outcome
	Candidates []recipients.Candidate // without addresses: they are not kept
	Detail     string                 // what was wrong with the event itself
}

// An Entry is a line of a message's history: an attempt that did not end in
// sent, something the receiver told afterwards, or a replay.
type Entry struct {
	At      time.Time `json:"at"`
	Via     string    `json:"via"`
	Status  string    `json:"status"`
	Code    string    `json:"code"`
	Problem string    `json:"problem"`
	Told    bool      `json:"told"`
	Replay  bool      `json:"replay"`
}

// A Reply is what a person answered to a message.
type Reply struct {
	ReceivedAt time.Time
	Meaning    string
	Outcome    string // empty: the main app does not have it yet
	Text       string // kept until the main app has it
}

// A TextName is a name of templates, and how many of them have it.
type TextName struct {
	Name string
	N    int
}
