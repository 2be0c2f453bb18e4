package forecast

import (
	"context"

	"rappel/internal/practice"
	"rappel/jobs/deliver"
	"rappel/jobs/sweep"
	"rappel/recipients"
)

// A Pending message was decided and waits for its time, with all that bears on it
// now.
type Pending struct {
	deliver.Notification

	RuleName string             // empty: the rule is gone
	Snapshot *practice.Snapshot // nil: the appointment is
}

// pending returns a line for each message that waits for a time in a stride.
func (s seer) pending(ctx context.Context, v View, in stride, practiceID string) ([]*Line, error) {
	var lines []*Line
	err := v.Pending(ctx, sweep.Span{From: in.from, To: in.to}, practiceID, s.now, func(p Pending) {
		lines = append(lines, s.await(p))
	})
	return lines, err
}

// await is what will become of p, by what is known now.
func (s seer) await(p Pending) *Line {
	l := &Line{
		SendAt: p.NotBefore, Kind: p.Kind, RuleID: p.RuleID, RuleName: p.RuleName,
		AppointmentID: p.AppointmentID, StartsAt: p.StartsAt, ClientID: p.ClientID, Outcome: recipients.Notify,
	}
	moment := s.now
	if moment.Before(p.NotBefore) {
		moment = p.NotBefore
	}
	l.Candidate = p.Foresee(p.Snapshot, moment)
	if p.Snapshot != nil {
		l.about(p.Snapshot)
	}
	if !l.Send {
		l.Outcome = recipients.Skipped
		if p.Snapshot != nil {
			l.Person = p.Snapshot.People()[l.Who()]
		}
	}
	return l
}
