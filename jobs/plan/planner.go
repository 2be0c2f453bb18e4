package plan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"rappel/internal/practice"
	"rappel/jobs"
)

// A Store keeps events, decisions and ledger rows.
type Store interface {
	// AddEvents keeps events that came as tasks; one already known stays as it is.
	AddEvents(ctx context.Context, events []Event) error
	// PlanEvents takes up to limit events that wait, has each decided on what
	// is known of it at this moment (nil: nothing), and keeps the decisions
	// with their notifications in the same transaction. An event that decide
	// leaves for later waits. It returns how many it took and the decisions
	// that are new: an event told twice makes none.
	PlanEvents(ctx context.Context, limit int, decide func(Event, *practice.Snapshot) (Decision, bool)) (int, []Decision, error)
	// PlanRules does the same for rules that fell due. What was decided before
	// makes no new decision.
	PlanRules(ctx context.Context, due []Due, decide func(Rule, *practice.Snapshot) (Decision, bool)) ([]Decision, error)
}

// A Queue is told that notifications are there to be delivered. It may lose
// what it is told: the store is the truth.
type Queue interface {
	Offer(ctx context.Context, decisions []Decision) error
}

// A Planner decides about events and due rules.
type Planner struct {
	Store Store
	Queue Queue
	Now   func() time.Time
	Log   *slog.Logger
	// Observe is told of each decision; it may be nil.
	Observe func(Decision)
}

// batch is how many events or due rules are decided in one transaction: enough
// to share its cost, few enough to keep it short.
const batch = 100

// poll is how often events are looked for even if nobody says there are any.
const poll = time.Second

// Run plans events until ctx is done: whenever wake says so, and once a second
// in case nobody does.
func (p *Planner) Run(ctx context.Context, wake <-chan struct{}) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if _, err := p.Events(ctx); err != nil && ctx.Err() == nil {
			p.Log.ErrorContext(ctx, "events wait: they could not be planned", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		}
	}
}

// Events decides about all events that wait, and returns how many there were.
func (p *Planner) Events(ctx context.Context) (int, error) {
	total := 0
	for {
		now := p.Now()
		taken, decisions, err := p.Store.PlanEvents(ctx, batch, func(e Event, s *practice.Snapshot) (Decision, bool) {
			d, ok := DecideEvent(e, s, now)
			return d, ok && identify(&d) == nil
		})
		if err != nil {
			return total, fmt.Errorf("plan events: %w", err)
		}
		total += taken
		p.planned(ctx, decisions)
		if taken < batch {
			return total, nil
		}
	}
}

// Rules decides about due rules as seen at now, and returns how many of the
// decisions are new.
func (p *Planner) Rules(ctx context.Context, due []Due, now time.Time) (int, error) {
	total := 0
	for len(due) > 0 {
		n := min(batch, len(due))
		decisions, err := p.Store.PlanRules(ctx, due[:n], func(r Rule, s *practice.Snapshot) (Decision, bool) {
			d, ok := DecideRule(r, s, now)
			return d, ok && identify(&d) == nil
		})
		if err != nil {
			return total, fmt.Errorf("plan rules: %w", err)
		}
		total += len(decisions)
		p.planned(ctx, decisions)
		due = due[n:]
	}
	return total, nil
}

// planned says what was decided and offers it for delivery. Redis may be away:
// what it was not told is found again by the reconciler.
func (p *Planner) planned(ctx context.Context, decisions []Decision) {
	for _, d := range decisions {
		p.Log.InfoContext(ctx, "decided", "decision", d.ID, "kind", d.Kind, "outcome", d.Outcome,
			"appointment", d.AppointmentID, "event", d.EventID, "rule", d.RuleID,
			"notifications", len(d.Notifications), "detail", d.Detail)
		if p.Observe != nil {
			p.Observe(d)
		}
	}
	if err := p.Queue.Offer(ctx, decisions); err != nil {
		p.Log.WarnContext(ctx, "decided but not on the queue: the reconciler will find them", "error", err)
	}
}

// HandleEvent takes an event that came as a task: once it returns nil the event
// is safe, and is planned at the next turn of Run, which wake brings about.
func (p *Planner) HandleEvent(wake func()) asynq.HandlerFunc {
	return func(ctx context.Context, t *asynq.Task) error {
		e, err := jobs.DecodeEvent(t)
		if err != nil {
			return err
		}
		if e.OccurredAt.IsZero() {
			e.OccurredAt = p.Now()
		}
		err = p.Store.AddEvents(ctx, []Event{{
			ID: e.ID, Kind: e.Kind, AppointmentID: e.AppointmentID, OccurredAt: e.OccurredAt,
		}})
		if err != nil {
			return fmt.Errorf("take event %s: %w", e.ID, err)
		}
		wake()
		return nil
	}
}

// identify gives the decision and its notifications their ids: version 7, so
// that rows of one time stand together.
func identify(d *Decision) error {
	ids := make([]string, 1+len(d.Notifications))
	var errs error
	for i := range ids {
		id, err := uuid.NewV7()
		errs = errors.Join(errs, err)
		ids[i] = id.String()
	}
	d.ID = ids[0]
	for i := range d.Notifications {
		d.Notifications[i].ID = ids[1+i]
	}
	return errs
}
