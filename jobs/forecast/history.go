package forecast

import (
	"time"

	"rappel/internal/practice"
	"rappel/jobs/plan"
	"rappel/recipients"
)

// A History is all that is known of an appointment, or of a notice, in one
// moment.
type History struct {
	AppointmentID string             // of a notice: the one that it names, if any
	Mark          time.Time          // of the sweep
	Snapshot      *practice.Snapshot // of the appointment, or of the notice's client; nil: it is not there
	Matters       []Matter           // the rules that were not decided for the appointment's present start
	Decisions     []Decided
	Events        []Told
}

// Decided is a decision as it was kept, with what became of its messages.
type Decided struct {
	plan.Decision

	RuleName string // empty: an event's, or the rule is gone
	Messages []Message
}

// A Message is a notification as the ledger has it.
type Message struct {
	ContactID string // empty: the client
	Channel   recipients.Channel
	Address   recipients.Address
	Status    string
	Reason    recipients.Reason
	NotBefore time.Time
	SentAt    time.Time // zero: not sent
}

// Told is an event as it was kept.
type Told struct {
	plan.Event

	DecisionID string // empty: it waits, or nothing answers it
	Planned    bool
	Snapshot   *practice.Snapshot // of a notice that waits: that of its client
}
