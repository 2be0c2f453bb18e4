package reply

import (
	"slices"
	"time"

	"rappel/internal/kind"
	"rappel/internal/schedule"
)

// Understand tells what a message means, given what its number was sent within
// the [Window], the newest first.
//
// Only reminders ask for a confirmation, so only they are confirmed. Of two
// open ones nobody can tell which is meant: the reply names both, for people.
func Understand(in Inbound, sent []Sent) Reply {
	r := Reply{Inbound: in, Meaning: in.meaning()}
	if len(sent) > 0 {
		r.answer(sent[0])
	}
	open := openReminders(sent, in.ReceivedAt)
	switch {
	case r.Meaning == OptOut:
		r.Scope = practices(sent)
	case r.Meaning == OptIn: // from all who write to the number
	case r.Meaning == Confirm && len(open) == 1:
		r.answer(open[0])
	default:
		if r.Meaning != Help {
			r.Meaning = Other
		}
		if len(open) > 1 {
			r.AppointmentIDs = appointments(open)
		}
	}
	return r
}

// meaning is that of the words, or what the carrier took them for: it may know
// words that the account's owner chose. A STOP is heard from either. A YES from a
// number that has stopped messages is a START.
func (in Inbound) meaning() Meaning {
	words := MeaningOf(in.Text.Reveal())
	if in.Stopped && resumes(in.Text.Reveal()) {
		words = OptIn
	}
	if in.TakenFor == "" || words == OptOut {
		return words
	}
	return in.TakenFor
}

// answer says which message r belongs to.
func (r *Reply) answer(s Sent) {
	r.PracticeID, r.NotificationID, r.AppointmentIDs = s.PracticeID, s.NotificationID, nil
	if s.AppointmentID != "" {
		r.AppointmentIDs = []string{s.AppointmentID}
	}
}

// openReminders returns the reminders that can still be confirmed, the newest
// one of each appointment.
func openReminders(sent []Sent, now time.Time) (open []Sent) {
	for _, s := range sent {
		known := slices.ContainsFunc(open, func(o Sent) bool { return o.AppointmentID == s.AppointmentID })
		if s.open(now) && !known {
			open = append(open, s)
		}
	}
	return open
}

// open tells whether s reminded of a visit that is still to come, when s said.
func (s Sent) open(now time.Time) bool {
	stands := s.VisitStatus == schedule.StatusScheduled || s.VisitStatus == schedule.StatusConfirmed
	return s.Kind == kind.Reminder && stands && s.VisitStartsAt.Equal(s.StartsAt) && s.StartsAt.After(now)
}

func appointments(sent []Sent) (ids []string) {
	for _, s := range sent {
		ids = append(ids, s.AppointmentID)
	}
	return ids
}

func practices(sent []Sent) (ids []string) {
	for _, s := range sent {
		if !slices.Contains(ids, s.PracticeID) {
			ids = append(ids, s.PracticeID)
		}
	}
	return ids
}
