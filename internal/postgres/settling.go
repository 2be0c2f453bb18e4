package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/jobs/plan"
)

// age is how long ago event e happened or was told. It goes by this database's
// clock, as everything does that only a machine waits for.
const age = `now() - least(e.created_at, ` + occurred + `)`

// occurred is when event e happened: where somebody wrote a time that there is
// not, when it was told.
const occurred = `CASE WHEN isfinite(e.occurred_at) THEN e.occurred_at ELSE e.created_at END`

// recall tells the events of practices that give corrections time how their
// appointments stood before, and which start each of them saw first.
func recall(ctx context.Context, tx pgx.Tx, events []plan.Event, known map[subject]*practice.Snapshot) error {
	of, saw := map[string]plan.Standing{}, columns{}
	for _, e := range events {
		if s := known[subjectOf(e).key()]; e.Settles(s) {
			of[e.ID] = plan.Standing{}
			saw.add(e.ID, null(s.Appointment.StartsAt))
		}
	}
	if err := saw.exec(ctx, tx, `
		UPDATE rappel.events e SET starts_at = s.starts_at
		FROM unnest($1::uuid[], $2::timestamptz[]) AS s (id, starts_at) WHERE e.id = s.id AND e.starts_at IS NULL`); err != nil {
		return err
	}
	err := standings(ctx, tx, of)
	for i := range events {
		events[i].Before = of[events[i].ID]
	}
	return err
}

// wait leaves events alone for a while.
func wait(ctx context.Context, tx pgx.Tx, rows columns) error {
	return rows.exec(ctx, tx, `
		UPDATE rappel.events e SET look_at = now() + w.wait
		FROM unnest($1::uuid[], $2::interval[]) AS w (id, wait) WHERE e.id = w.id`)
}

// changes are the kinds of event that change how an appointment stands.
func changes() []string {
	return []string{
		string(kind.Booked), string(kind.Confirmed), string(kind.Rescheduled),
		string(kind.Declined), string(kind.Cancelled), string(kind.Missed),
	}
}

const (
	// unsaid tells that decision d passed over an event because something else
	// came to be true meanwhile.
	unsaid = `(d.outcome = 'skipped' AND (d.candidates @> '[{"reasons": ["superseded"]}]' OR d.candidates @> '[{"reasons": ["cancelled"]}]'))`
	// inHands tells that what decision d told reached somebody, or is on its way.
	inHands = `(d.outcome = 'notify' AND EXISTS (
				SELECT FROM rappel.notifications n
				WHERE n.decision_id = d.id AND n.` + onItsWay + `))`
	// before tells that event e was told before event w: of those of one
	// transaction a booking comes first.
	before = `(e.created_at, e.kind <> 'appointment.booked', e.id) < (w.created_at, w.kind <> 'appointment.booked', w.id)`
)

// standings fills in what people had in their hands, by event. That a visit was
// moved there and back is known from an event that saw it elsewhere; where both
// were quicker than the first look, from when the start was set, or else from as
// many revisions as moves.
func standings(ctx context.Context, tx pgx.Tx, of map[string]plan.Standing) error {
	if len(of) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT w.id, coalesce(told.kind, ''), `+finite("told.starts_at")+`, told.revision, `+finite("reminded.starts_at")+`,
			NOT ever.judged AND coalesce(first.kind = 'appointment.booked', false), coalesce(others.moved, false),
			coalesce(others.confirms, false), coalesce(others.earlier, false)
		FROM rappel.events w
		JOIN rappel.appointments a ON a.id = w.appointment_id
		JOIN rappel.practices p ON p.id = a.practice_id
		LEFT JOIN LATERAL (
			SELECT d.kind, d.starts_at, d.revision, d.decided_at FROM rappel.decisions d
			WHERE d.appointment_id = w.appointment_id AND d.event_id IS NOT NULL AND d.kind = ANY ($2) AND `+inHands+`
			ORDER BY d.decided_at DESC, d.id DESC LIMIT 1) AS told ON true
		LEFT JOIN LATERAL (
			SELECT d.starts_at FROM rappel.decisions d
			WHERE d.appointment_id = w.appointment_id AND (d.rule_id IS NOT NULL OR d.kind = 'appointment.telehealth_link')
				AND d.decided_at >= coalesce(told.decided_at, '-infinity') AND `+inHands+`
			ORDER BY d.decided_at DESC, d.id DESC LIMIT 1) AS reminded ON true
		CROSS JOIN LATERAL (
			SELECT coalesce(bool_or(NOT `+unsaid+`), false) AS judged, coalesce(max(d.decided_at), '-infinity') AS looked
			FROM rappel.decisions d
			WHERE d.appointment_id = w.appointment_id AND d.event_id IS NOT NULL AND d.kind = ANY ($2)) AS ever
		LEFT JOIN LATERAL (
			SELECT e.kind FROM rappel.events e WHERE e.appointment_id = w.appointment_id AND e.kind = ANY ($2)
			ORDER BY e.created_at, e.kind <> 'appointment.booked', e.id LIMIT 1) AS first ON true
		LEFT JOIN LATERAL (
			SELECT bool_or(o.moves AND e.starts_at <> a.starts_at)
					OR (count(*) FILTER (WHERE o.moves) > 1 AND CASE WHEN a.start_set_at IS NULL
						THEN a.revision > told.revision + 1 ELSE a.start_set_at > ever.looked END) AS moved,
				bool_or(e.kind = 'appointment.confirmed' AND e.planned_at IS NULL) AS confirms,
				bool_or(e.planned_at IS NULL AND `+before+`) AS earlier
			FROM rappel.events e
			CROSS JOIN LATERAL (
				SELECT e.kind = 'appointment.rescheduled' AND abs(extract(epoch FROM e.created_at - w.created_at)) <= p.settle_seconds AS moves) AS o
			WHERE e.appointment_id = w.appointment_id AND e.kind = ANY ($2)) AS others ON true
		WHERE w.id = ANY ($1)`, keys(of), changes())
	if err != nil {
		return err
	}
	var (
		id               string
		starts, reminded *time.Time
		s                plan.Standing
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &s.Kind, &starts, &s.Revision, &reminded, &s.New, &s.Moved, &s.Confirms, &s.Earlier}, func() error {
		s.StartsAt, s.Reminded = value(starts), value(reminded)
		of[id] = s
		return nil
	})
	return err
}
