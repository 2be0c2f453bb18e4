package plan

import (
	"time"

	"rappel/internal/kind"
	"rappel/internal/practice"
)

// A Standing is how an appointment stood when people were last told of it, or
// when it was decided that nobody is. What settled without being told is not in
// it.
type Standing struct {
	Kind     kind.Kind // of the event that was decided about; empty: none was
	StartsAt time.Time
	Revision int64
	New      bool // of an empty Kind: the first that was told of it was its booking
	Moves    int  // moves told of since, the one in hand included
	Confirms bool // a confirmation waits to be decided about
}

// Settling is how long e still waits for corrections, where the practice lets
// things settle before people are told. Notices do not wait: nothing corrects
// them.
func (e Event) Settling(s *practice.Snapshot) time.Duration {
	if s == nil || s.Practice.Settle <= 0 || e.Kind.Sort() != kind.Event {
		return 0
	}
	return max(s.Practice.Settle-e.Age, 0)
}

// superfluous tells whether e, after everything has settled, says what people
// know already, or takes back what they never heard of.
func (e Event) superfluous(s *practice.Snapshot) bool {
	if s.Practice.Settle <= 0 {
		return false
	}
	before := e.Before
	stood := before.Kind == kind.Booked || before.Kind == kind.Confirmed || before.Kind == kind.Rescheduled
	same := before.StartsAt.Equal(s.Appointment.StartsAt)
	switch e.Kind {
	case kind.Booked: // a confirmation says all that a booking does
		return (stood && same) || before.Confirms
	case kind.Confirmed:
		return before.Kind == kind.Confirmed && same
	case kind.Rescheduled: // a single one that keeps the start speaks of another change
		return stood && same && (before.Revision == s.Appointment.Revision || before.Moves > 1)
	case kind.Cancelled:
		return before.Kind == kind.Cancelled || before.Kind == kind.Declined || before.New
	case kind.Declined:
		return before.Kind == kind.Declined
	default:
		return false
	}
}
