package plan

import (
	"slices"
	"time"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/recipients"
)

// A Digest is what reminders have in common that go to a family in one message,
// where the practice wants that.
type Digest struct {
	PracticeID string
	Channel    recipients.Channel
	Address    recipients.Address
	Hour       time.Time // its beginning, in UTC; zero: no digest
}

// DigestLead is how long before an hour its reminders are looked at: longer
// than from one sweep to the next, so that all are there when the first goes.
const DigestLead = 2 * time.Minute

// digestHour is the hour, on the practice's clocks, of a message that goes at
// the given time or, if that has passed, now. It is zero for what goes alone.
func digestHour(k kind.Kind, s *practice.Snapshot, at, now time.Time) time.Time {
	if !s.Practice.FamilyDigest || k != kind.Reminder {
		return time.Time{}
	}
	zone, ok := s.Zones.Load(s.Practice.TimeZone)
	if !ok {
		return time.Time{}
	}
	if at.Before(now) {
		at = now
	}
	return schedule.HourOf(at, zone)
}

// Digest is the one that n may go in.
func (d *Decision) Digest(n Notification) Digest {
	if n.DigestHour.IsZero() {
		return Digest{}
	}
	return Digest{PracticeID: d.PracticeID, Channel: n.Channel, Address: n.Address, Hour: n.DigestHour}
}

// nearsDigest tells whether a message of d, which is not due yet, may go before
// its time with another one of its hour.
func (d *Decision) nearsDigest(now time.Time) bool {
	return slices.ContainsFunc(d.Notifications, func(n Notification) bool {
		return !n.DigestHour.IsZero() && !n.DigestHour.After(now.Add(DigestLead))
	})
}

// A Company is what goes in each digest: of each appointment the first message,
// and when it would go alone. A second reminder of one appointment is no company
// for the first, and waits for its own time.
type Company map[Digest]map[string]time.Time // by the appointment's id

// Meet counts a message in.
func (c Company) Meet(in Digest, appointmentID string, goes time.Time) {
	if in == (Digest{}) {
		return
	}
	if c[in] == nil {
		c[in] = map[string]time.Time{}
	}
	if first, ok := c[in][appointmentID]; !ok || goes.Before(first) {
		c[in][appointmentID] = goes
	}
}

// second tells that a reminder of the same appointment goes before the given time.
func (c Company) second(in Digest, appointmentID string, alone time.Time) bool {
	first, ok := c[in][appointmentID]
	return ok && first.Before(alone)
}

// Joins tells whether the message about an appointment that would go at the given
// time if it went alone goes with others, and when: with the first of its digest.
func (c Company) Joins(in Digest, appointmentID string, alone time.Time) (goes time.Time, together bool) {
	if c.second(in, appointmentID, alone) {
		return alone, false
	}
	goes = alone
	for other, at := range c[in] {
		together = together || other != appointmentID
		if at.Before(goes) {
			goes = at
		}
	}
	return goes, together
}

// Join has messages go together that may, and leaves out decisions that are not
// due and of which none goes with another. Waiting is what was decided before
// and has not gone yet.
func Join(decisions []Decision, waiting Company) []Decision {
	for _, d := range decisions {
		for _, n := range d.Notifications {
			waiting.Meet(d.Digest(n), d.AppointmentID, n.NotBefore)
		}
	}
	var joined []Decision
	for _, d := range decisions {
		company := false
		for i := range d.Notifications {
			n := &d.Notifications[i]
			in := d.Digest(*n)
			goes, together := waiting.Joins(in, d.AppointmentID, n.NotBefore)
			if waiting.second(in, d.AppointmentID, n.NotBefore) {
				n.DigestHour = time.Time{} // nor is it drawn along when it is claimed
			}
			n.Alone, n.NotBefore, company = n.NotBefore, goes, company || together
		}
		if !d.Early || company {
			joined = append(joined, d)
		}
	}
	return joined
}

// Digests returns those that the messages of decisions may go in.
func Digests(decisions []Decision) []Digest {
	seen := map[Digest]bool{{}: true}
	var all []Digest
	for _, d := range decisions {
		for _, n := range d.Notifications {
			if in := d.Digest(n); !seen[in] {
				seen[in] = true
				all = append(all, in)
			}
		}
	}
	return all
}
