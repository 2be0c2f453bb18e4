package twilio

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rappel/jobs"
	"rappel/jobs/deliver"
)

// Our own ids on the status callback's URL: of the notification, and of the
// claim under which it was sent.
const (
	notificationParam = "notification"
	claimParam        = "claim"
)

// A Status is what Twilio tells about a message of ours. Callbacks come in any
// order and more than once: see [State.Rank].
type Status struct {
	NotificationID string // ours; empty: the message was not sent by this program
	ClaimID        string // ours, of the try; may be empty
	MessageSID     string
	State          State
	ErrorCode      int // Twilio's own; zero: none
}

// Silence is deliver's word for what the error says about the address, or empty.
func (s Status) Silence() string {
	_, code := meaning(s.ErrorCode)
	return code
}

// Code is what the ledger keeps of the error: Twilio's own number, or empty.
func (s Status) Code() string {
	if s.ErrorCode == 0 {
		return ""
	}
	return strconv.Itoa(s.ErrorCode)
}

// Receipt is what the callback comes to for the ledger. Twilio does not say when
// it happened, so that is when it told.
func (s Status) Receipt(now time.Time) deliver.Receipt {
	r := deliver.Receipt{
		NotificationID: s.NotificationID, ClaimID: s.ClaimID, Status: s.State.Status(), MessageID: s.MessageSID,
		Silence: s.Silence(), Source: string(deliver.ByTwilio), At: now,
	}
	if r.Status == deliver.Undelivered {
		r.ErrorCode = s.Code()
		if s.ErrorCode == expired {
			r.Status = deliver.Expired
		}
	}
	return r
}

// What is wrong with a status callback. The texts hold nothing of it.
var (
	ErrNoSID          = errors.New("the callback has no message SID")
	ErrNoState        = errors.New("the callback has no message status")
	ErrBadCode        = errors.New("the callback's error code is not one")
	ErrNoNotification = errors.New("the callback's notification is not an id of ours")
)

// ParseStatus reads a status callback: the fields of its body and those of its
// URL, as [net/http.Request.Form] has them. It does not ask who sent it.
func ParseStatus(form url.Values) (Status, error) {
	s := Status{
		NotificationID: form.Get(notificationParam),
		ClaimID:        form.Get(claimParam),
		MessageSID:     form.Get("MessageSid"),
		State:          State(form.Get("MessageStatus")),
	}
	if s.NotificationID != "" && !jobs.IsID(s.NotificationID) || s.ClaimID != "" && !jobs.IsID(s.ClaimID) {
		return Status{}, ErrNoNotification
	}
	if !isMessageSID(s.MessageSID) {
		return Status{}, ErrNoSID
	}
	if !s.State.word() {
		return Status{}, ErrNoState
	}
	if code := form.Get("ErrorCode"); code != "" {
		n, err := strconv.ParseUint(code, 10, 20)
		if err != nil {
			return Status{}, ErrBadCode
		}
		s.ErrorCode = int(n)
	}
	return s, nil
}

// A State is where Twilio says that a message stands. One that is not listed
// here says nothing.
type State string

// The states of an outgoing message ("Messages resource: Message Status
// values").
const (
	StateAccepted    State = "accepted"
	StateScheduled   State = "scheduled"
	StateQueued      State = "queued"
	StateSending     State = "sending"
	StateSent        State = "sent"
	StateDelivered   State = "delivered"
	StateRead        State = "read"
	StateUndelivered State = "undelivered"
	StateFailed      State = "failed"
	StateCanceled    State = "canceled"
)

// States returns all states in the order of their ranks.
func States() []State {
	return []State{
		StateAccepted, StateScheduled, StateQueued, StateSending, StateSent,
		StateDelivered, StateRead, StateUndelivered, StateFailed, StateCanceled,
	}
}

// Rank orders states: one that comes in replaces another only if its own rank is
// higher, so that a late "sent" takes nothing from "delivered". All final states
// have the same, so that the first one stays. Zero says nothing.
func (s State) Rank() int {
	switch s {
	case StateAccepted, StateScheduled:
		return 1
	case StateQueued:
		return 2
	case StateSending:
		return 3
	case StateSent:
		return 4
	case StateDelivered, StateRead, StateUndelivered, StateFailed, StateCanceled:
		return 5
	}
	return 0
}

// Final tells whether nothing comes after s.
func (s State) Final() bool { return s.Rank() == StateDelivered.Rank() }

// Status is what s means for the ledger, or empty where it says nothing. A
// message that Twilio has taken was sent; what fails from then on was not
// delivered.
func (s State) Status() deliver.Status {
	switch s {
	case StateAccepted, StateScheduled, StateQueued, StateSending, StateSent:
		return deliver.Sent
	case StateDelivered, StateRead:
		return deliver.Delivered
	case StateUndelivered, StateFailed, StateCanceled:
		return deliver.Undelivered
	}
	return ""
}

// word tells whether s can be a state, now or in a later version of Twilio's.
func (s State) word() bool {
	return s != "" && len(s) <= 32 && strings.Trim(string(s), "abcdefghijklmnopqrstuvwxyz_") == ""
}

func isMessageSID(s string) bool { return isSID(s, "SM") || isSID(s, "MM") }
