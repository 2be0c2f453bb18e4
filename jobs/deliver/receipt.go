package deliver

import "time"

// A Receipt is what a receiver tells of a message afterwards. Receipts come
// late, repeated and in any order; the first final one stays.
type Receipt struct {
	NotificationID string
	ClaimID        string // of the try that it is about; empty: the receiver does not say
	Status         Status // Sent, Delivered, Undelivered or Expired; empty: it only speaks of the address
	MessageID      string // the receiver's own
	ErrorCode      string // the receiver's own, of Undelivered and Expired
	Silence        string // CodeOptedOut, CodeInvalidAddress, CodeLandline, or empty
	Resumes        bool   // the person wants messages again: opt-outs of the same source end
	Source         string // who tells
	At             time.Time
}

// Settled orders what one notification's receipts say: nothing, that it was
// sent, and how it ended.
func (r Receipt) Settled() int {
	switch r.Status {
	case Sent:
		return 1
	case Delivered, Undelivered, Expired:
		return 2
	default:
		return 0
	}
}
