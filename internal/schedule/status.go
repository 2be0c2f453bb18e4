package schedule

import (
	"time"

	"rappel/internal/kind"
)

// A Reason says why a message does not go, in the words of the contract.
type Reason string

// The reasons that time and status can give.
const (
	NotConfirmed Reason = "not_confirmed"
	Cancelled    Reason = "cancelled"
	Superseded   Reason = "superseded"
	Past         Reason = "past"
	LateBooking  Reason = "late_booking"
	QuietHours   Reason = "quiet_hours"
	BadStatus    Reason = "status"
	BadZone      Reason = "bad_zone"
)

// afterwards is how long a message about something over stays of use.
const afterwards = 24 * time.Hour

// NotAfter is until when a message is of use: the start for anything about a
// coming visit, its cancellation included; 24 hours after from, the moment of
// the event or the due time, for missed visits, rules anchored at the end and
// notices. The rule is nil for what no rule made.
func NotAfter(k kind.Kind, r *Rule, v Visit, from time.Time) time.Time {
	ended := r != nil && r.Anchor == AnchorEnd
	if ended || k == kind.Missed || k.Sort() == kind.Notice {
		return from.Add(afterwards)
	}
	return v.StartsAt
}

// Against is what the appointment's status and start say now against a message
// of kind k that an event asked for. It is asked when the message is planned
// and once more just before it is sent. Notices have nothing against them.
func Against(k kind.Kind, v Visit, now time.Time) []Reason {
	if k.Sort() == kind.Notice {
		return nil
	}
	return reasons(mismatch(k, v.Status), k != kind.Missed && now.After(v.StartsAt))
}

// Against is the same for what the rule makes due.
func (r Rule) Against(v Visit, now time.Time) []Reason { return r.against(&v, r.due(&v), now) }

func (r *Rule) against(v *Visit, due, now time.Time) []Reason {
	why := unsettled(v.Status, BadStatus)
	if r.Anchor == AnchorEnd && (v.Status == StatusArrived || v.Status == StatusCompleted) {
		why = ""
	}
	return reasons(why, now.After(NotAfter(r.Kind, r, *v, due)))
}

func reasons(why Reason, past bool) []Reason {
	switch {
	case why != "" && past:
		return []Reason{why, Past}
	case why != "":
		return []Reason{why}
	case past:
		return []Reason{Past}
	}
	return nil
}

// mismatch says why a status does not go with a kind; it is empty where it does.
func mismatch(k kind.Kind, s Status) Reason {
	switch k {
	case kind.Declined:
		return unless(s == StatusDeclined)
	case kind.Cancelled:
		return unless(s == StatusCancelled)
	case kind.Missed:
		return unless(s == StatusMissed)
	case kind.Reminder, kind.Scheduled:
		return unsettled(s, BadStatus)
	default:
		return unsettled(s, Superseded)
	}
}

func unless(ok bool) Reason {
	if ok {
		return ""
	}
	return Superseded
}

// unsettled says why nothing about a coming visit goes in status s.
func unsettled(s Status, otherwise Reason) Reason {
	switch s {
	case StatusScheduled, StatusConfirmed:
		return ""
	case StatusRequested:
		return NotConfirmed
	case StatusCancelled:
		return Cancelled
	case StatusDeclined, StatusMissed, StatusArrived, StatusCompleted:
	}
	return otherwise
}
