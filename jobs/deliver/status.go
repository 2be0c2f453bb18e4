package deliver

import "slices"

// A Status is where a notification stands in the ledger.
type Status string

// The statuses of a notification. Pending and Sending are open, Sent and
// Unknown may still hear from the receiver, the others are final.
const (
	Pending     Status = "pending"
	Sending     Status = "sending"
	Sent        Status = "sent"
	Delivered   Status = "delivered"
	Undelivered Status = "undelivered"
	Suppressed  Status = "suppressed"
	Expired     Status = "expired"
	Failed      Status = "failed"
	Unknown     Status = "unknown"
)

// Statuses returns all statuses in the contract's order.
func Statuses() []Status {
	return []Status{Pending, Sending, Sent, Delivered, Undelivered, Suppressed, Expired, Failed, Unknown}
}

// Next returns the statuses that may follow s. The database refuses any other
// change. A receipt may overtake the record of the request, so what is pending
// or sending may be settled by one. Only a replay opens what had ended: see
// [Status.Replayable].
func (s Status) Next() []Status {
	switch s {
	case Pending:
		return []Status{Sending, Sent, Delivered, Undelivered, Suppressed, Expired}
	case Sending:
		return []Status{Pending, Sent, Delivered, Undelivered, Suppressed, Expired, Failed, Unknown}
	case Sent:
		return []Status{Delivered, Undelivered, Expired}
	case Unknown:
		return []Status{Sending, Sent, Delivered, Undelivered, Expired}
	case Delivered, Undelivered, Suppressed, Expired, Failed:
	}
	return nil
}

// Replayable tells whether somebody may have a notification of status s sent
// again: it reached nobody, or nobody knows.
func (s Status) Replayable() bool {
	return slices.Contains([]Status{Failed, Undelivered, Unknown}, s)
}

// A Way is a way out.
type Way string

// The ways out, by the names that the configuration and the ledger use.
const (
	ByAdmin    Way = "admin"
	ByTwilio   Way = "twilio"
	BySendGrid Way = "sendgrid"
)

// KnowsRepeats tells whether the receiver recognises a message that it was
// given before, so that asking again is safe.
func (w Way) KnowsRepeats() bool { return w == ByAdmin || w == "" }
