package forecast

import (
	"time"

	"rappel/internal/practice"
	"rappel/jobs/plan"
	"rappel/recipients"
)

// A History is all that is known of an appointment in one moment.
type History struct {
	Mark      time.Time          // of the sweep
	Snapshot  *practice.Snapshot // nil: the appointment is not there
	Matters   []Matter           // the rules that were not decided for its present start
	Decisions []Decided
	Events    []Told
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
}
