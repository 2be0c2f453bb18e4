// Package reply takes what people answer to messages: it tells what a reply
// means and to which message it belongs, keeps it together with the wish to
// hear no more or to hear again, and passes it on to the main app.
//
// Keeping and passing on are two steps. The [Keeper] is done when a transaction
// is, so that a carrier who tells of a reply never waits for the main app; the
// [Poster] asks the main app for a day, in the order in which each number
// wrote, and then forgets the words. Where no main app takes replies there is
// no Poster: replies stay open, and opt-outs count all the same.
//
// The package changes no appointment: what a confirmation confirms is up to the
// main app. It deliberately does not know which carrier a reply came through,
// how the main app is asked, nor which database keeps what.
package reply

import (
	"time"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/recipients"
)

// An Inbound is a text message from a person, as its carrier tells of it.
type Inbound struct {
	CarrierID  string // the carrier's own of the message: told twice, it is the same
	From       recipients.Address
	Text       Words
	TakenFor   Meaning   // what the carrier took it for and acted on; empty: it says nothing
	ReceivedAt time.Time // set by the [Keeper]
	Stopped    bool      // the number's own STOP keeps messages from it; set by the [Store]
}

// Window is how long after a message a text from its number is a reply to it.
const Window = 96 * time.Hour

// A Sent message went, or may have gone, to the number that now writes.
type Sent struct {
	NotificationID string
	PracticeID     string
	AppointmentID  string // empty: a notice that names none
	Kind           kind.Kind
	StartsAt       time.Time // the start that it spoke of; zero: a notice

	// The appointment as it stands now; zero: it is gone.
	VisitStartsAt time.Time
	VisitStatus   schedule.Status
}

// A Reply is a text message from a person, understood. It belongs to the newest
// message that its number got within the [Window], or to the reminder that it
// confirms; without any, it belongs to nothing.
type Reply struct {
	Inbound

	ID             string // given when it is kept
	Meaning        Meaning
	PracticeID     string   // empty: it belongs to nothing
	NotificationID string   // likewise
	AppointmentIDs []string // more than one: it may speak of any of them, which is for people to tell
	Scope          []string // of OptOut: the practices that it binds; empty: all
	Attempts       int      // at passing it on, this one included
}
