package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/jobs/plan"
	"rappel/jobs/sweep"
	"rappel/recipients"
)

// company returns what waits to go in the digests of decisions.
func company(ctx context.Context, tx pgx.Tx, decisions []plan.Decision) (plan.Company, error) {
	waiting := plan.Company{}
	var of columns
	for _, in := range plan.Digests(decisions) {
		of.add(in.PracticeID, string(in.Channel), in.Address.Reveal(), in.Hour)
	}
	if of.col == nil {
		return waiting, nil
	}
	rows, err := tx.Query(ctx, `
		SELECT `+waitingColumns+`
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS d (practice_id, channel, address, digest_hour)
		JOIN rappel.notifications n USING (practice_id, channel, address, digest_hour)
		WHERE `+joinable, of.args()...)
	if err != nil {
		return nil, err
	}
	return waiting, meet(rows, waiting)
}

// waitingColumns are what meet reads.
const waitingColumns = `n.practice_id, n.channel, n.address, n.digest_hour, coalesce(n.appointment_id::text, ''), n.not_before`

// joinable tells of notification n that it may still go with others.
const joinable = `n.status = 'pending' AND n.digest_hour IS NOT NULL AND n.attempts = 0 AND isfinite(n.not_before)`

// Waiting implements forecast.View.
func (v *view) Waiting(ctx context.Context, span sweep.Span, practiceID string) (plan.Company, error) {
	rows, err := v.tx.Query(ctx, `
		SELECT `+waitingColumns+`
		FROM rappel.notifications n
		WHERE `+joinable+` AND n.digest_hour >= $1 AND n.digest_hour <= $2 AND ($3::uuid IS NULL OR n.practice_id = $3)`,
		span.From, span.To, null(practiceID))
	if err != nil {
		return nil, err
	}
	waiting := plan.Company{}
	return waiting, meet(rows, waiting)
}

// meet counts what waits in.
func meet(rows pgx.Rows, waiting plan.Company) error {
	var (
		in          plan.Digest
		address     string
		appointment string
		notBefore   time.Time
	)
	_, err := pgx.ForEachRow(rows, []any{&in.PracticeID, &in.Channel, &address, &in.Hour, &appointment, &notBefore}, func() error {
		// One that somebody wrote by hand may not be readable.
		if to, bad := recipients.ParseAddress(in.Channel, address, ""); bad == nil {
			in.Address, in.Hour = to, in.Hour.UTC()
			waiting.Meet(in, appointment, notBefore)
		}
		return nil
	})
	return err
}
