package postgres

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/jobs/deliver"
	"rappel/jobs/plan"
	"rappel/recipients"
)

// Desks are where messages leave from, by channel.
type Desks map[recipients.Channel]*deliver.Handler

// Straight is a store that claims what may leave at once where it plans it, as
// far as the desks of this process have room: what the planning has read need
// not be read again, and each row is written twice instead of four times. What
// there is no room for, and what is not simply to be sent, waits for its task.
type Straight struct {
	*Store

	Desks Desks
}

// PlanEvents implements plan.Store.
func (s Straight) PlanEvents(
	ctx context.Context, limit int, decide func(plan.Event, *practice.Snapshot) (plan.Decision, bool),
) (taken int, made []plan.Decision, err error) {
	leaving := s.leaving(nil)
	taken, made, err = s.planEvents(ctx, limit, decide, leaving.admit)
	if leaving.end(ctx, err) {
		return s.Store.PlanEvents(ctx, limit, decide)
	}
	return taken, made, err
}

// PlanRules implements plan.Store.
func (s Straight) PlanRules(
	ctx context.Context, due []plan.Due, decide func(plan.Rule, *practice.Snapshot) (plan.Decision, bool),
) ([]plan.Decision, error) {
	leaving := s.leaving(due)
	made, err := s.planRules(ctx, due, decide, leaving.admit)
	if leaving.end(ctx, err) {
		return s.Store.PlanRules(ctx, due, decide)
	}
	return made, err
}

// leaving is what leaves straight out of one transaction.
type leaving struct {
	desks    Desks
	began    time.Time
	rules    map[string]schedule.Rule
	admitted []deliver.Notification // each has a place
	claims   map[recipients.Channel]*deliver.Claim
}

func (s Straight) leaving(due []plan.Due) *leaving {
	l := &leaving{desks: s.Desks, began: time.Now(), rules: map[string]schedule.Rule{}, claims: map[recipients.Channel]*deliver.Claim{}}
	for _, d := range due {
		l.rules[d.Rule.ID] = d.Rule.Rule
	}
	return l
}

// admit claims those messages of new decisions that may leave at once and that
// there is room for, and returns them by their notifications.
func (l *leaving) admit(
	ctx context.Context, tx pgx.Tx, made []plan.Decision, known map[subject]*practice.Snapshot,
) (map[string]claimed, error) {
	l.takePlaces(made)
	if len(l.admitted) == 0 {
		return nil, nil
	}
	texts, err := textsFor(ctx, tx, l.admitted)
	if err != nil {
		return nil, err
	}
	now := made[0].DecidedAt
	all := map[string]claimed{}
	l.admitted = slices.DeleteFunc(l.admitted, func(n deliver.Notification) bool {
		desk := l.desks[n.Channel]
		m := desk.Compose(n, known[aboutWhat(n)], texts[n.PracticeID], now)
		if m == nil {
			desk.Gate.Leave(n.PracticeID, 1)
			return true
		}
		claim := l.claims[n.Channel]
		m.ClaimID = claim.ID
		claim.Messages = append(claim.Messages, deliver.Claimed{Notification: n, Message: *m})
		all[n.ID] = claimed{claim.ID, desk.Via, desk.Limits.Claim, m.Text}
		return false
	})
	for i := range made {
		for k, n := range made[i].Notifications {
			_, ok := all[n.ID]
			made[i].Notifications[k].OnDesk = ok
		}
	}
	return all, nil
}

// takePlaces takes a place for each message that may leave at once.
func (l *leaving) takePlaces(made []plan.Decision) {
	for _, d := range made {
		if d.Kind.Sort() == kind.Notice {
			continue // its data is with the event
		}
		for _, n := range d.Notifications {
			now := !n.NotBefore.After(d.DecidedAt) && n.DigestHour.IsZero()
			if desk := l.desks[n.Channel]; !now || desk == nil || !l.claimOf(n.Channel) || !desk.Admit(d.PracticeID) {
				continue
			}
			l.admitted = append(l.admitted, l.notification(d, n))
		}
	}
}

// claimOf makes sure that there is a claim for a channel.
func (l *leaving) claimOf(c recipients.Channel) bool {
	if l.claims[c] == nil {
		id, err := uuid.NewV7()
		if err != nil {
			return false
		}
		l.claims[c] = &deliver.Claim{ID: id.String()}
	}
	return true
}

// notification is n as a claim of its row would find it.
func (l *leaving) notification(d plan.Decision, n plan.Notification) deliver.Notification {
	of := deliver.Notification{
		ID: n.ID, PracticeID: d.PracticeID, ClientID: d.ClientID, ContactID: n.ContactID, AppointmentID: d.AppointmentID,
		Kind: d.Kind, RuleID: d.RuleID, Channel: n.Channel, Address: n.Address, Template: n.Template, StartsAt: d.StartsAt,
		NotBefore: n.NotBefore, PlannedFor: n.NotBefore, NotAfter: n.NotAfter, Attempts: 1, Traceparent: d.Traceparent,
	}
	if rule, ok := l.rules[d.RuleID]; ok {
		of.Rule = &rule
	}
	return of
}

// end sends what was claimed, if it was committed, or gives its places back. It
// tells whether the messages may have been what was wrong: a message that cannot
// be kept must not hold up a decision.
func (l *leaving) end(ctx context.Context, err error) (theirs bool) {
	if err != nil {
		for _, n := range l.admitted {
			l.desks[n.Channel].Gate.Leave(n.PracticeID, 1)
		}
		return len(l.admitted) > 0 && ctx.Err() == nil
	}
	for channel, claim := range l.claims {
		l.desks[channel].Take(ctx, *claim, l.began)
	}
	return false
}

// claimed is what the ledger keeps of a notification that is claimed as it is
// written; the zero claimed: it is not.
type claimed struct {
	claim string
	via   deliver.Way
	lease time.Duration
	text  deliver.Text
}

// written is what there is only once something was written.
func (c claimed) written() (version *int, body *string, hashed []byte) {
	if c.claim == "" {
		return nil, nil, nil
	}
	v := min(c.text.Version, math.MaxInt32)
	return &v, &c.text.Body, hash(c.text)
}
