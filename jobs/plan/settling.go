package plan

import (
	"time"

	"rappel/internal/kind"
	"rappel/internal/practice"
)

// A Standing is what people have in their hands about an appointment: what was
// told, or is on its way. What settled without being told is not in it, nor what
// reached nobody.
type Standing struct {
	Kind     kind.Kind // of the last event that was told; empty: none was
	StartsAt time.Time // that it spoke of
	Revision *int64
	Reminded time.Time // the start that a rule's message has spoken of since; zero: none has
	New      bool      // nothing was ever decided about it, and the first that was told of it was its booking
	Moved    bool      // of those who wait with this event, one has seen another start than there is now
	Confirms bool      // a confirmation waits to be decided about
	Earlier  bool      // an earlier event waits to be decided about
}

// knows returns the start that people take to stand; false where they know of
// none.
func (s Standing) knows() (time.Time, bool) {
	switch {
	case !s.Reminded.IsZero():
		return s.Reminded, true
	case s.Kind == kind.Booked, s.Kind == kind.Confirmed, s.Kind == kind.Rescheduled:
		return s.StartsAt, true
	}
	return time.Time{}, false
}

// is tells whether what was told was of a revision, as far as there are any.
func (s Standing) is(revision *int64) bool {
	if s.Revision == nil || revision == nil {
		return s.Revision == revision
	}
	return *s.Revision == *revision
}

const (
	lookAgain = 30 * time.Second // at most: the practice may change its mind
	inTurn    = time.Second
	tooNear   = time.Hour // to a start, beside the time that things have to settle
)

// settling is how long e is left alone: for corrections, where the practice gives
// them time, or until an earlier event of the appointment is decided about. What
// is near a start does not wait. Notices do not wait: nothing corrects them.
func (e Event) settling(s *practice.Snapshot, now time.Time) time.Duration {
	if !e.Settles(s) {
		return 0
	}
	left := s.Practice.Settle - e.Age
	known, _ := e.Before.knows()
	for _, start := range []time.Time{s.Appointment.StartsAt, known} {
		if start.After(now) && start.Sub(now) < s.Practice.Settle+tooNear {
			left = 0
		}
	}
	switch {
	case left > 0:
		return min(left, lookAgain)
	case e.Before.Earlier:
		return inTurn
	}
	return 0
}

// Settles tells whether e is of a practice that gives corrections time.
func (e Event) Settles(s *practice.Snapshot) bool {
	return s != nil && s.Appointment != nil && s.Practice.Settle > 0 && e.Kind.Sort() == kind.Event
}

// superfluous tells whether e, after everything has settled, says what people
// know already, or takes back what they never heard of.
func (e Event) superfluous(s *practice.Snapshot) bool {
	if !e.Settles(s) {
		return false
	}
	before := e.Before
	known, stands := before.knows()
	same := stands && known.Equal(s.Appointment.StartsAt)
	_, told := Standing{Kind: before.Kind}.knows()
	switch e.Kind {
	case kind.Booked: // a confirmation says all that a booking does
		return (told && same) || before.Confirms
	case kind.Confirmed:
		return before.Kind == kind.Confirmed && same
	case kind.Rescheduled: // one that keeps the start may speak of another change
		return same && (before.is(s.Appointment.Revision) || before.Moved)
	case kind.Cancelled:
		return !stands && (before.Kind == kind.Cancelled || before.Kind == kind.Declined || before.New)
	case kind.Declined:
		return !stands && before.Kind == kind.Declined
	default:
		return false
	}
}
