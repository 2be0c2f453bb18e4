package postgres

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

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
	l := s.leaving()
	noting := func(e plan.Event, known *practice.Snapshot) (plan.Decision, bool) {
		l.data[e.ID] = e.Data
		return decide(e, known)
	}
	err = s.whole(ctx, l, func(ctx context.Context) (err error) {
		taken, made, err = s.planEvents(ctx, limit, noting, l)
		return err
	})
	if err != nil && ctx.Err() == nil {
		return s.Store.PlanEvents(ctx, limit, decide)
	}
	return taken, made, err
}

// PlanRules implements plan.Store.
func (s Straight) PlanRules(
	ctx context.Context, due []plan.Due, decide func(plan.Rule, *practice.Snapshot) (plan.Decision, bool),
) (made []plan.Decision, err error) {
	if len(due) > mostHeld {
		return s.Store.PlanRules(ctx, due, decide)
	}
	l := s.leaving()
	err = s.whole(ctx, l, func(ctx context.Context) (err error) {
		made, err = s.planRules(ctx, due, decide, l)
		return err
	})
	if err != nil && ctx.Err() == nil {
		return s.Store.PlanRules(ctx, due, decide)
	}
	return made, err
}

// mostHeld is how many appointments one transaction may hold: see hold. PostgreSQL
// has room for some thousands of locks in all.
const mostHeld = 500

// A transaction that claims is not cut short when the process stops: whether it
// was committed would be unknown, and what may have gone with it too.
const (
	wholeWithin    = 10 * time.Second
	givenBackWhile = 5 * time.Second
	givenBackAgain = 250 * time.Millisecond
)

// whole runs a transaction, and hands its messages to their desks once it is
// committed. If it was not, or nobody knows, they go back: a message that cannot
// be kept must not hold up a decision, and is planned again without it.
func (s Straight) whole(ctx context.Context, l *leaving, transaction func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	within, cancel := context.WithTimeout(ctx, wholeWithin)
	defer cancel()
	err := caught(within, transaction)
	if err == nil {
		l.leave(ctx)
		return nil
	}
	if within.Err() != nil {
		s.pool.Reset() // its other connections may be as dead
	}
	for _, n := range l.admitted {
		l.desks[n.Channel].Gate.Leave(n.PracticeID, 1)
	}
	if len(l.admitted) == 0 {
		return err
	}
	within, cancel = context.WithTimeout(ctx, givenBackWhile)
	defer cancel()
	for s.giveBack(within, l) != nil && within.Err() == nil {
		select {
		case <-within.Done():
		case <-time.After(givenBackAgain):
		}
	}
	return err
}

// caught makes an error of a panic, which must not keep what was claimed.
func caught(ctx context.Context, transaction func(context.Context) error) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("planning panicked")
		}
	}()
	return transaction(ctx)
}

// giveBack has nobody hold what was claimed by a transaction whose commit was
// not answered. Nobody was asked to send it.
func (s Straight) giveBack(ctx context.Context, l *leaving) error {
	var claims []string
	for _, claim := range l.claims {
		claims = append(claims, claim.ID)
	}
	_, err := s.pool.Exec(ctx, `
		UPDATE rappel.notifications SET status = 'pending', attempts = 0, claim_id = NULL, claimed_until = NULL, via = NULL, offered_at = now() - interval '1 hour'
		WHERE status = 'sending' AND claim_id = ANY ($1)`, claims)
	return err
}

// leaving is what leaves straight out of one transaction.
type leaving struct {
	desks    Desks
	held     map[string]bool        // the appointments and clients that nobody else plans for now
	data     map[string][]byte      // by event
	admitted []deliver.Notification // each has a place
	claims   map[recipients.Channel]*deliver.Begun
}

func (s Straight) leaving() *leaving {
	l := &leaving{desks: s.Desks, held: map[string]bool{}, data: map[string][]byte{}, claims: map[recipients.Channel]*deliver.Begun{}}
	for channel, desk := range s.Desks {
		if begun, err := desk.Begin(); err == nil { // else all waits for its task
			l.claims[channel] = &begun
		}
	}
	return l
}

// hold is called before anything is read. What is planned by somebody else at
// this moment does not go straight: it might leave before, or after, what that
// one has to say of the same appointment.
func (l *leaving) hold(ctx context.Context, tx pgx.Tx, subjects []subject) error {
	if l == nil {
		return nil
	}
	var ids []string
	for _, s := range subjects {
		ids = append(ids, s.id())
	}
	rows, err := tx.Query(ctx, `
		SELECT id FROM unnest($1::text[]) AS id WHERE pg_try_advisory_xact_lock(`+planned("id")+`)`, ids)
	if err != nil {
		return err
	}
	var id string
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		l.held[id] = true
		return nil
	})
	return err
}

// planned is the advisory lock of who plans for an appointment, or for a client
// where there is none.
func planned(id string) string { return "hashtextextended('rappel ' || " + id + ", 0)" }

func (s subject) id() string { return cmp.Or(s.appointmentID, s.clientID) }

// admit claims those messages of new decisions that may leave at once and that
// there is room for, and returns them by their notifications.
func (l *leaving) admit(
	ctx context.Context, tx pgx.Tx, made []plan.Decision, known map[subject]*practice.Snapshot,
) (map[string]claimed, error) {
	if l == nil {
		return nil, nil
	}
	if l.takePlaces(made); len(l.admitted) == 0 {
		return nil, nil
	}
	if err := l.readRules(ctx, tx); err != nil {
		return nil, err
	}
	texts, err := textsFor(ctx, tx, l.admitted)
	if err != nil {
		return nil, err
	}
	all := map[string]claimed{}
	l.admitted = slices.DeleteFunc(l.admitted, func(n deliver.Notification) bool {
		desk := l.desks[n.Channel]
		m := desk.Compose(n, known[aboutWhat(n)], texts[n.PracticeID])
		if m == nil {
			desk.Gate.Leave(n.PracticeID, 1)
			return true
		}
		claim := l.claims[n.Channel]
		claim.Add(n, *m)
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
		for _, n := range d.Notifications {
			desk := l.desks[n.Channel]
			if desk == nil || n.NotBefore.After(desk.Now()) || !n.DigestHour.IsZero() {
				continue
			}
			of := l.notification(d, n)
			if l.held[aboutWhat(of).id()] && l.claims[n.Channel] != nil && desk.Admit(d.PracticeID) {
				l.admitted = append(l.admitted, of)
			}
		}
	}
}

// notification is n as a claim of its row would find it.
func (l *leaving) notification(d plan.Decision, n plan.Notification) deliver.Notification {
	of := deliver.Notification{
		ID: n.ID, PracticeID: d.PracticeID, ClientID: d.ClientID, ContactID: n.ContactID, AppointmentID: d.AppointmentID,
		Kind: d.Kind, RuleID: d.RuleID, Channel: n.Channel, Address: n.Address, Template: n.Template, StartsAt: d.StartsAt,
		NotBefore: n.NotBefore, PlannedFor: n.NotBefore, NotAfter: n.NotAfter, Attempts: 1, Traceparent: d.Traceparent,
	}
	if data := l.data[d.EventID]; len(data) > 0 {
		of.Data, _ = DataTexts(data)
	}
	return of
}

// readRules fills in the rules that still stand. A sweep that has much to decide
// about has read them some time ago.
func (l *leaving) readRules(ctx context.Context, tx pgx.Tx) error {
	stands := map[string]*schedule.Rule{}
	for _, n := range l.admitted {
		if n.RuleID != "" {
			stands[n.RuleID] = nil
		}
	}
	if len(stands) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `SELECT id, `+ruleOfMessage+` FROM rappel.rules r WHERE id = ANY ($1) AND active`, keys(stands))
	if err != nil {
		return err
	}
	var r schedule.Rule
	if _, err := pgx.ForEachRow(rows, []any{&r.ID, &r.Anchor, &r.Kind, &r.ServiceName}, func() error {
		rule := r
		stands[r.ID] = &rule
		return nil
	}); err != nil {
		return err
	}
	for i, n := range l.admitted {
		l.admitted[i].Rule = stands[n.RuleID]
	}
	return nil
}

// leave hands what was claimed to the desks.
func (l *leaving) leave(ctx context.Context) {
	for channel, claim := range l.claims {
		if len(claim.Messages) > 0 {
			l.desks[channel].Take(ctx, *claim)
		}
	}
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
