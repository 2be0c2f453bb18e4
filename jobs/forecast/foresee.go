package forecast

import (
	"slices"
	"time"

	"rappel/jobs/plan"
	"rappel/jobs/sweep"
	"rappel/recipients"
)

// foresee returns a line for each candidate of m; none where the rule has
// nothing to say about the visit.
func (s seer) foresee(m Matter) []Line {
	visit, _ := m.Snapshot.Visit()
	due := m.Rule.Due(visit)
	d := s.decide(m, due)
	if len(d.Candidates) == 0 {
		return nil
	}
	if d.Outcome == recipients.Notify && s.missed(m) {
		silence(&d)
	}
	lines := linesOf(d, due)
	for i := range lines {
		lines[i].RuleName = m.RuleName
		lines[i].about(m.Snapshot)
	}
	if d.Outcome == recipients.Unreachable {
		lines[0].last = lastDue(m)
	}
	return lines
}

// decide is what will be decided about m, by what is known now. What goes, and
// when, is known beforehand; why a message yields to a nearer one is found
// anew at the moment of the decision, when the nearer one may have gone.
func (s seer) decide(m Matter, due time.Time) plan.Decision {
	d, ready := plan.DecideRule(m.Rule, m.Snapshot, s.now, s.now)
	if ready || !slices.ContainsFunc(d.Candidates, yields) {
		return d
	}
	at := due
	for _, n := range d.Notifications {
		at = earlier(at, n.NotBefore)
	}
	d, _ = plan.DecideRule(m.Rule, m.Snapshot, at, at)
	return d
}

func yields(c recipients.Candidate) bool { return slices.Contains(c.Reasons, recipients.Superseded) }

// silence turns a decision to tell somebody into one that it is too late.
func silence(d *plan.Decision) {
	d.Outcome, d.Notifications = recipients.Skipped, nil
	for i := range d.Candidates {
		if c := &d.Candidates[i]; c.Send {
			c.Send, c.Address, c.Reasons = false, recipients.Address{}, []recipients.Reason{recipients.Past}
		}
	}
}

// missed is true of a matter that no sweep will come across any more: its time
// came when nobody looked, longer ago than the next sweep looks back.
func (s seer) missed(m Matter) bool {
	visit, _ := m.Snapshot.Visit()
	found := sweep.Found{
		Rule: m.Rule, AppointmentID: m.Snapshot.Appointment.ID,
		Visit: visit, Window: m.Snapshot.Practice.SMSWindow,
	}
	return !found.Due(s.reach)
}

// lastDue is when the last of the practice's rules falls due for the visit.
func lastDue(m Matter) time.Time {
	visit, _ := m.Snapshot.Visit()
	last := m.Rule.Due(visit)
	for _, r := range m.Rule.Siblings {
		if due := r.Due(visit); due.After(last) {
			last = due
		}
	}
	return last
}

// linesOf shows a decision, made or not, as lines: a message at the moment when
// it may go, a skip at the given one.
func linesOf(d plan.Decision, otherwise time.Time) []Line {
	lines := make([]Line, 0, len(d.Candidates))
	for _, c := range d.Candidates {
		l := Line{
			SendAt: otherwise, Kind: d.Kind, RuleID: d.RuleID, AppointmentID: d.AppointmentID,
			StartsAt: d.StartsAt, ClientID: d.ClientID, Candidate: c, Outcome: d.Outcome,
		}
		if i := slices.IndexFunc(d.Notifications, l.isOf); i >= 0 {
			l.SendAt, l.digest = d.Notifications[i].NotBefore, d.Digest(d.Notifications[i])
		}
		lines = append(lines, l)
	}
	return lines
}

// isOf tells whether n is the message to the line's candidate.
func (l *Line) isOf(n plan.Notification) bool {
	return l.Send && l.Channel == n.Channel && l.contactID() == n.ContactID
}
