// Package deliver sends what was planned: it claims ledger rows, looks once more
// whether each message is still right, renders it, hands it to a way out, and
// records what became of it.
//
// A task only says "look at these ids". Tasks may be lost, doubled, late or run
// on two machines at once; the claim decides who sends, and only its holder
// records. What may leave at once comes without a task, claimed by whoever
// planned it: see [Handler.Admit]. The package deliberately does not know what a way out looks like
// from inside, nor which database keeps the ledger.
package deliver

import (
	"context"
	"time"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/recipients"
	"rappel/templates"
)

// A Notification is one row of the ledger, as claimed.
type Notification struct {
	ID            string
	PracticeID    string
	ClientID      string
	ContactID     string   // empty: the client
	AppointmentID string   // empty: a notice that names none
	Others        []string // who else has a message of the same decision on this channel: contacts, or "" for the client
	Kind          kind.Kind
	RuleID        string         // empty: an event made it
	Rule          *schedule.Rule // nil: an event made it, or the rule no longer stands
	Overtaken     bool           // a rule nearer to the start has a message for this person by now
	Channel       recipients.Channel
	Address       recipients.Address
	Template      string
	StartsAt      time.Time // the start that it speaks of; zero: a notice
	NotBefore     time.Time
	PlannedFor    time.Time // when it was first to leave: NotBefore moves with each try
	NotAfter      time.Time
	Attempts      int               // this one included
	Interrupted   bool              // whoever sent it went away, and on this way out a repeat would not be recognised
	Repeat        bool              // it may have gone before, and is sent once more
	Data          map[string]string // of a notice
	Fixed         *Text             // the text of an earlier attempt that may have arrived; nil: there was none
	Family        string            // what may go in one message with it has the same; empty: it goes alone
	Traceparent   string            // of the trace that it belongs to; empty: none
	SentWith      string            // the key of the family's message that it went in, or was to; empty: it went alone
}

// A Text is what a notification says, fixed at its first attempt so that a
// repeat under the same idempotency key is the same message.
type Text struct {
	Name                string // of the recipient
	ReplyTo             string // empty: the practice has no address
	Subject, Body, HTML string
	Version             int // of the template
	Segments            int // of an SMS; zero for e-mail
}

// A Ruling is what is to be done with a claimed notification. Exactly one of
// Send, With, Close and Until is set.
type Ruling struct {
	Send     *Message          // hand it to the way out
	With     *Message          // it goes in this message, which another one sends
	Close    Status            // Suppressed or Expired: it will never go; Unknown: it may have gone
	Reason   recipients.Reason // of Close
	RepeatAt time.Time         // of Unknown: when it is sent once more; zero: never
	Until    time.Time         // not yet: look again then
	KeepsKey bool              // of Until: it waits with those that it was tried with
	Problem  error             // what Close has to say to ops; no personal data

	candidate recipients.Candidate // of Send: who is written to
}

// A Message is one notification ready to leave.
type Message struct {
	NotificationID string // its idempotency key; for a family that of one of its notifications
	ClaimID        string // of this try: receipts say which one they are about
	PracticeID     string
	ClientID       string
	ContactID      string
	AppointmentID  string
	Kind           kind.Kind
	Channel        recipients.Channel
	To             recipients.Address
	Text           Text
	ExpiresAt      time.Time // the latest moment at which it is of use; zero: not known
}

// A Verdict is what a receiver made of a message.
type Verdict int

// The verdicts. The zero Verdict is none at all.
const (
	_             Verdict = iota
	Accepted              // the receiver has it
	Refused               // never, whoever asks
	Later                 // ask again; this try counts as an attempt
	Busy                  // ask again; this try does not count
	Misconfigured         // the receiver does not know us: nothing can go this way
	Unanswered            // it may have gone, and a repeat would not be recognised
)

// An Answer is what became of one try.
type Answer struct {
	Verdict    Verdict
	MessageID  string        // the receiver's own, of Accepted
	Code       string        // the receiver's own, of Refused
	RetryAfter time.Duration // of Later and Busy, where the receiver said so
	Err        error         // what to tell ops; never personal data
	Unasked    bool          // of Refused: nobody was asked
}

// Codes of a refusal that say something about the address.
const (
	CodeOptedOut       = "opted_out"
	CodeInvalidAddress = "invalid_address"
	CodeLandline       = "landline"
)

// A Sender is a way out. It answers within the time that ctx leaves, and never
// panics on what a receiver sends back.
type Sender interface {
	Send(ctx context.Context, m Message) Answer
}

// A BatchSender is a way out that may take several messages in one request.
type BatchSender interface {
	Sender
	// Batch is how many messages one request may hold at this moment; less than
	// two: each goes alone.
	Batch() int
	// SendAll sends messages in one request and returns an answer for each, in
	// their order.
	SendAll(ctx context.Context, messages []Message) []Answer
}

// An Outcome is what is recorded of a claimed notification.
type Outcome struct {
	ID        string
	Status    Status // Pending: ask again at NotBefore
	Reason    recipients.Reason
	NotBefore time.Time // of Pending
	RepeatAt  time.Time // of Unknown: when it is sent once more; zero: never
	Refund    bool      // the try does not count as an attempt
	MessageID string
	ErrorCode string
	Problem   string // for the history of the notification; no personal data
	At        time.Time
	Silence   *Silence
}

// Silence keeps further messages from an address.
type Silence struct {
	PracticeID string
	Channel    recipients.Channel
	Address    recipients.Address
	Code       string // CodeOptedOut, CodeInvalidAddress or CodeLandline
	Source     string // who says so
}

// Terms are what a claim is made on.
type Terms struct {
	Now   time.Time     // the clock that people's messages go by
	Lease time.Duration // how long the claim holds
	Via   Way           // the way out of this attempt
	Join  func([]Ruled) // has notifications of one family go together; nil: each goes alone
}

// A Due notification may be claimed at this moment.
type Due struct {
	ID, Practice string
	Planned      bool // somebody is planning for its appointment, and comes first
}

// A Ledger keeps notifications.
type Ledger interface {
	// Due returns those of ids that can be claimed now, and whose they are.
	Due(ctx context.Context, ids []string, now time.Time) ([]Due, error)
	// Park keeps the reconciler from ids for a while: they are on the queue for
	// then.
	Park(ctx context.Context, ids []string, wait time.Duration) error
	// Claim takes those of ids that are due and that nobody else is sending,
	// and has each ruled on what is known at this moment. What is ruled to be
	// sent is kept with its text before Claim returns; what is not is recorded
	// at once. What may go in one message with one of them is claimed as well,
	// all of it or none. The claim's id comes back with what is to be sent.
	Claim(ctx context.Context, ids []string, terms Terms,
		rule func(Notification, *practice.Snapshot, []templates.Source) Ruling) (Claim, error)
	// Expire closes a notification that waits and is of no use any more, whether
	// or not it could be claimed, and reports whether there was one.
	Expire(ctx context.Context, id string, now time.Time) (bool, error)
	// Record keeps outcomes of a claim. It passes over those whose claim has
	// gone to somebody else, and returns how many these were. One that the
	// receiver has settled meanwhile stays as it is.
	Record(ctx context.Context, claimID string, outcomes []Outcome) (lost int, err error)
}

// A Claim is what one handler may send, and until when.
type Claim struct {
	ID       string
	Messages []Claimed
	Closed   []Closed
	Waiting  []Waiting
}

// A Claimed notification is this claim's to send.
type Claimed struct {
	Notification Notification
	Message      Message
	With         []Notification // others that the message tells of too
}

// A Closed notification was found to be no longer right.
type Closed struct {
	Notification Notification
	Ruling       Ruling
}

// A Waiting notification is not due before Until.
type Waiting struct {
	ID    string
	Until time.Time
}
