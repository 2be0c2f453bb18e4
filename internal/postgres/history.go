package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/kind"
	"rappel/jobs/forecast"
	"rappel/jobs/plan"
	"rappel/recipients"
)

// History implements forecast.Store.
func (s *Store) History(ctx context.Context, appointmentID string) (forecast.History, error) {
	return s.history(ctx, historian{about: subject{appointmentID: appointmentID}, id: appointmentID}, func(r *historian) []step {
		return []step{r.mark, r.snapshot, r.decisions, r.messages, r.events, r.matters}
	})
}

// EventHistory implements forecast.Store.
func (s *Store) EventHistory(ctx context.Context, eventID string) (forecast.History, error) {
	return s.history(ctx, historian{id: eventID, alone: true}, func(r *historian) []step {
		return []step{r.event, r.snapshot, r.decisions, r.messages, r.events}
	})
}

// A step reads a part of a history.
type step func(context.Context) error

func (s *Store) history(ctx context.Context, r historian, steps func(*historian) []step) (forecast.History, error) {
	r.store, r.history = s, &forecast.History{AppointmentID: r.about.appointmentID}
	err := s.look(ctx, func(tx pgx.Tx) error {
		r.tx = tx
		for _, read := range steps(&r) {
			if err := read(ctx); err != nil {
				return fmt.Errorf("read its history: %w", err)
			}
		}
		return nil
	})
	return *r.history, err
}

// A historian collects what is known of one appointment, or of one event alone.
type historian struct {
	store   *Store
	tx      pgx.Tx
	id      string  // the appointment's, or the event's
	alone   bool    // it is an event's
	about   subject // the appointment, or a notice's client
	history *forecast.History
	decided map[string]int // index of a decision, by its id
}

// event finds what an event is about. That of an appointment is part of the
// appointment's history: another one may have answered it. The decision names it
// for longer than there are events.
func (r *historian) event(ctx context.Context) error {
	var e plan.Event
	err := r.tx.QueryRow(ctx, `
		SELECT kind, coalesce(appointment_id::text, ''), coalesce(client_id::text, '') FROM rappel.events WHERE id = $1
		UNION ALL
		SELECT kind, coalesce(appointment_id::text, ''), coalesce(client_id::text, '') FROM rappel.decisions WHERE event_id = $1
		LIMIT 1`, r.id).Scan(&e.Kind, &e.AppointmentID, &e.ClientID)
	if err != nil {
		return unlessMissing(err)
	}
	r.history.AppointmentID, r.about = e.AppointmentID, subjectOf(e)
	if e.Kind.Sort() == kind.Event && e.AppointmentID != "" {
		r.id, r.alone = e.AppointmentID, false
	}
	return nil
}

func (r *historian) mark(ctx context.Context) (err error) {
	r.history.Mark, err = markOf(ctx, r.tx)
	return err
}

func (r *historian) snapshot(ctx context.Context) error {
	if r.about == (subject{}) {
		return nil
	}
	known, err := r.store.snapshots(ctx, r.tx, []subject{r.about})
	if s := known[r.about]; s != nil && (s.Appointment == nil || !s.Appointment.StartsAt.IsZero()) {
		r.history.Snapshot = s
	}
	return err
}

func (r *historian) decisions(ctx context.Context) error {
	rows, err := r.tx.Query(ctx, `
		SELECT d.id, coalesce(d.practice_id::text, ''), coalesce(d.client_id::text, ''), coalesce(d.event_id::text, ''),
			coalesce(d.rule_id::text, ''), coalesce(r.name::text, ''), d.kind, d.revision, d.starts_at, d.decided_at,
			d.outcome, d.candidates, coalesce(d.detail::text, '')
		FROM rappel.decisions d
		LEFT JOIN rappel.rules r ON r.id = d.rule_id
		WHERE d.`+r.by("event_id")+` = $1
		ORDER BY d.decided_at, d.id`, r.id)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, r.decision)
	r.history.Decisions, r.decided = all, map[string]int{}
	for i := range all {
		r.decided[all[i].ID] = i
	}
	return err
}

// by is the column that its id stands in: that of an event alone is given.
func (r *historian) by(event string) string {
	if r.alone {
		return event
	}
	return "appointment_id"
}

func (r *historian) decision(row pgx.CollectableRow) (d forecast.Decided, err error) {
	var starts *time.Time
	var candidates []byte
	d.AppointmentID = r.history.AppointmentID
	err = row.Scan(&d.ID, &d.PracticeID, &d.ClientID, &d.EventID, &d.RuleID, &d.RuleName, &d.Kind, &d.Revision,
		&starts, &d.DecidedAt, &d.Outcome, &candidates, &d.Detail)
	if err != nil {
		return d, err
	}
	d.StartsAt = value(starts)
	return d, json.Unmarshal(candidates, &d.Candidates)
}

func (r *historian) messages(ctx context.Context) error {
	rows, err := r.tx.Query(ctx, `
		SELECT decision_id, coalesce(contact_id::text, ''), channel, address, status, coalesce(reason::text, ''), not_before,
			CASE WHEN status <> 'unknown' THEN sent_at END
		FROM rappel.notifications WHERE decision_id = ANY ($1) ORDER BY id`, keys(r.decided))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		decisionID, m, err := scanMessage(rows)
		if err != nil {
			return err
		}
		if i, ok := r.decided[decisionID]; ok {
			d := &r.history.Decisions[i]
			d.Messages = append(d.Messages, m)
		}
	}
	return rows.Err()
}

func scanMessage(rows pgx.Rows) (decisionID string, m forecast.Message, err error) {
	var address string
	var sent *time.Time
	err = rows.Scan(&decisionID, &m.ContactID, &m.Channel, &address, &m.Status, &m.Reason, &m.NotBefore, &sent)
	m.SentAt = value(sent)
	if to, bad := recipients.ParseAddress(m.Channel, address, ""); bad == nil {
		m.Address = to // one that somebody wrote by hand may not be readable
	}
	return decisionID, m, err
}

func (r *historian) events(ctx context.Context) error {
	rows, err := r.tx.Query(ctx, `
		SELECT id, kind, coalesce(client_id::text, ''), coalesce(contact_id::text, ''), `+occurred+`,
			created_at < now() - $2::interval, `+age+`, planned_at IS NOT NULL, coalesce(decision_id::text, '')
		FROM rappel.events e WHERE `+r.by("id")+` = $1 ORDER BY `+occurred+`, id`, r.id, patience)
	if err != nil {
		return err
	}
	r.history.Events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t forecast.Told, err error) {
		t.Event = plan.Event{AppointmentID: r.history.AppointmentID}
		return t, row.Scan(&t.ID, &t.Kind, &t.ClientID, &t.ContactID, &t.OccurredAt, &t.Stale, &t.Age, &t.Planned, &t.DecisionID)
	})
	if err != nil {
		return err
	}
	return r.clients(ctx)
}

// clients reads what is known of those whom notices that wait are about.
func (r *historian) clients(ctx context.Context) error {
	waits := func(t forecast.Told) bool { return !t.Planned && t.Kind.Sort() == kind.Notice && t.ClientID != "" }
	var wanted []subject
	for _, t := range r.history.Events {
		if waits(t) {
			wanted = append(wanted, subjectOf(t.Event))
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	known, err := r.store.snapshots(ctx, r.tx, unique(wanted))
	for i, t := range r.history.Events {
		if waits(t) {
			r.history.Events[i].Snapshot = known[subjectOf(t.Event)]
		}
	}
	return err
}

// matters are the rules that were not decided for the present start.
func (r *historian) matters(ctx context.Context) error {
	s := r.history.Snapshot
	if s == nil {
		return nil
	}
	rules, err := ownRules(ctx, r.tx, s.Practice.ID)
	if err != nil {
		return err
	}
	done := map[string]bool{}
	for _, d := range r.history.Decisions {
		done[d.RuleID] = done[d.RuleID] || d.StartsAt.Equal(s.Appointment.StartsAt)
	}
	for _, rule := range rules {
		if !done[rule.Rule.ID] {
			rule.Snapshot = s
			r.history.Matters = append(r.history.Matters, rule.Matter)
		}
	}
	return nil
}
