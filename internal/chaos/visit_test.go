package chaos_test

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/jobs"
)

// A visit is an appointment of a trial, and its story.
type visit struct {
	id       string
	client   *client
	before   bool // it was booked before the trial
	revision int
	start    time.Time
	status   string
	lead     time.Duration // of the rule that reminds of it during the trial
	remindAt time.Time     // zero: nothing does

	steps []step // still to come
}

// A step is something that happens to a visit, and that people are told of.
type step int

const (
	confirm step = iota
	moveAway
	moveNear // so that the reminder of the new start falls into the trial
	cancel
	miss
)

// far is when visits start that nothing reminds of yet.
const far = 30 * 24 * time.Hour

// insert writes a visit as it is.
func (v *visit) insert(ctx context.Context, tx pgx.Tx, booked time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO rappel.appointments (id, practice_id, client_id, service_name, starts_at, ends_at, status, revision, booked_at, updated_at, start_set_at)
		VALUES ($1, $2, $3, 'Intake', $4, $5, $6, $7, $8, $8, $8) ON CONFLICT DO NOTHING`,
		v.id, v.client.practice, v.client.id, v.start, v.start.Add(time.Hour), v.status, v.revision, booked)
	return err
}

// update writes what a step made of a visit at a time; written twice, it changes
// nothing.
func (v *visit) update(ctx context.Context, tx pgx.Tx, at time.Time, moved bool) error {
	_, err := tx.Exec(ctx, `
		UPDATE rappel.appointments SET starts_at = $3, ends_at = $4, status = $5, revision = $2, updated_at = $7,
			start_set_at = CASE WHEN $6 THEN $7 ELSE start_set_at END
		WHERE id = $1 AND revision = $2 - 1`,
		v.id, v.revision, v.start, v.start.Add(time.Hour), v.status, moved, at)
	return err
}

// take makes the visit what it is after s, and returns the kind of event.
func (v *visit) take(s step, soon time.Time) jobs.Kind {
	v.revision++
	switch s {
	case confirm:
		v.status = "confirmed"
		return jobs.Confirmed
	case moveAway:
		v.start, v.remindAt = v.start.Add(far), time.Time{}
		return jobs.Rescheduled
	case moveNear:
		v.remindAt = soon
		v.start = soon.Add(v.lead)
		return jobs.Rescheduled
	case cancel:
		v.status = "cancelled"
		return jobs.Cancelled
	default:
		v.status = "missed"
		return jobs.Missed
	}
}
