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

const occurred = `CASE WHEN isfinite(e.occurred_at) THEN e.occurred_at END`

// settled returns which of events wait: for corrections, where their practice
// gives these time, or for an earlier event of their appointment. The others it
// tells how their appointments stood before.
func settled(
	ctx context.Context, tx pgx.Tx, events []plan.Event, known map[subject]*practice.Snapshot,
) (waiting map[string]bool, err error) {
	waits, before := map[string]time.Duration{}, map[string]plan.Standing{}
	for _, e := range events {
		s := known[subjectOf(e).key()]
		if left := e.Settling(s); left > 0 {
			waits[e.ID] = left
		} else if s != nil && s.Practice.Settle > 0 && e.Kind.Sort() == kind.Event {
			before[e.ID] = plan.Standing{}
		}
	}
	if err := standings(ctx, tx, before, waits); err != nil {
		return nil, err
	}
	var rows columns
	waiting = map[string]bool{}
	for id, wait := range waits {
		waiting[id] = true
		rows.add(id, wait)
	}
	for i := range events {
		events[i].Before = before[events[i].ID]
	}
	return waiting, rows.exec(ctx, tx, `
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

// unsaid tells that decision d passed over an event because something else came
// to be true meanwhile.
const unsaid = `(d.outcome = 'skipped' AND (d.candidates @> '[{"reasons": ["superseded"]}]' OR d.candidates @> '[{"reasons": ["cancelled"]}]'))`

// turn is how long an event waits for an earlier one of its appointment.
const turn = time.Second

// standings fills in how appointments stood when people were last told of them,
// by event. An event before which another one is to be decided about waits: what
// that one tells is not news any more.
func standings(ctx context.Context, tx pgx.Tx, of map[string]plan.Standing, waits map[string]time.Duration) error {
	if len(of) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT w.id, coalesce(told.kind, ''), `+finite("told.starts_at")+`, coalesce(told.revision, 0),
			told.kind IS NULL AND coalesce(first.kind = 'appointment.booked', false), coalesce(since.moves, 0),
			coalesce(since.confirms, false), coalesce(since.earlier, false)
		FROM rappel.events w
		LEFT JOIN LATERAL (
			SELECT d.kind, d.starts_at, d.revision, d.event_id FROM rappel.decisions d
			WHERE d.appointment_id = w.appointment_id AND d.event_id IS NOT NULL AND d.kind = ANY ($2) AND NOT `+unsaid+`
			ORDER BY d.decided_at DESC, d.id DESC LIMIT 1) AS told ON true
		LEFT JOIN LATERAL (
			SELECT e.kind FROM rappel.events e WHERE e.appointment_id = w.appointment_id AND e.kind = ANY ($2)
			ORDER BY e.created_at, e.id LIMIT 1) AS first ON true
		LEFT JOIN LATERAL (
			SELECT count(*) FILTER (WHERE e.kind = 'appointment.rescheduled') AS moves,
				bool_or(e.kind = 'appointment.confirmed' AND e.planned_at IS NULL) AS confirms,
				bool_or(e.planned_at IS NULL AND (e.created_at, e.id) < (w.created_at, w.id)) AS earlier
			FROM rappel.events e LEFT JOIN rappel.decisions d ON d.event_id = e.id
			WHERE e.appointment_id = w.appointment_id AND e.kind = ANY ($2) AND (e.planned_at IS NULL OR `+unsaid+`)
				AND e.created_at > coalesce((SELECT t.created_at FROM rappel.events t WHERE t.id = told.event_id), '-infinity')) AS since ON true
		WHERE w.id = ANY ($1)`, keys(of), changes())
	if err != nil {
		return err
	}
	var (
		id      string
		starts  *time.Time
		s       plan.Standing
		earlier bool
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &s.Kind, &starts, &s.Revision, &s.New, &s.Moves, &s.Confirms, &earlier}, func() error {
		s.StartsAt = value(starts)
		if of[id] = s; earlier {
			waits[id] = turn
		}
		return nil
	})
	return err
}
