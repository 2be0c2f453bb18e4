package schedule

import "time"

// A Status is what has become of an appointment so far.
type Status string

// The statuses of the contract.
const (
	StatusRequested Status = "requested"
	StatusScheduled Status = "scheduled"
	StatusConfirmed Status = "confirmed"
	StatusDeclined  Status = "declined"
	StatusCancelled Status = "cancelled"
	StatusMissed    Status = "missed"
	StatusArrived   Status = "arrived"
	StatusCompleted Status = "completed"
)

// A Visit is what matters of an appointment for the time of its messages.
type Visit struct {
	StartsAt, EndsAt, BookedAt time.Time

	SetAt       time.Time      // when StartsAt was last set; zero: BookedAt
	Zone        *time.Location // of the appointment; nil: none is known, so nothing timed goes out
	ServiceName string
	Status      Status
}

// sameBooking is how far apart one booking's BookedAt and SetAt may lie, being
// stamped by different clocks, without counting as a move.
const sameBooking = time.Minute

// set is since when this start has been known.
func (v *Visit) set() time.Time { return later(v.BookedAt, v.SetAt) }

func (v *Visit) moved() bool { return v.SetAt.Sub(v.BookedAt) > sameBooking }

func (v *Visit) at(a Anchor) time.Time {
	switch a {
	case AnchorStart:
		return v.StartsAt
	case AnchorEnd:
		return v.EndsAt
	case AnchorBooked:
		return v.BookedAt
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
