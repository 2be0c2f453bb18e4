package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/practice"
	"rappel/jobs/deliver"
	"rappel/templates"
)

// Ended implements deliver.Archive.
func (s *Store) Ended(ctx context.Context, q deliver.Selection) ([]deliver.Ended, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, status, coalesce(via, ''), created_at FROM rappel.notifications
		WHERE created_at >= $1 AND created_at < $2 AND status = $3
			AND ($4::text IS NULL OR reason = $4 OR error_code = $4)
			AND ($5::uuid IS NULL OR practice_id = $5)
		ORDER BY created_at, id`, q.From, q.To, string(q.Status), null(q.Reason), null(q.PracticeID))
	if err != nil {
		return nil, redact(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[deliver.Ended])
	return all, redact(err)
}

// retold tells that a newer message has said the same again: the event was told
// again, with another revision.
const retold = `EXISTS (
				SELECT 1 FROM rappel.notifications m
				WHERE m.appointment_id = n.appointment_id AND m.rule_id IS NOT DISTINCT FROM n.rule_id
					AND ` + afterN + `)`

// Judge implements deliver.Archive, in a transaction that cannot write.
func (s *Store) Judge(
	ctx context.Context, ids []string, now time.Time, look func(deliver.Notification, *practice.Snapshot, []templates.Source),
) error {
	return s.look(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			WITH ended AS (
				SELECT `+unclaimed+` FROM rappel.notifications n WHERE id = ANY ($1)
			)`+ofLedger("ended", overtaken("$2")+" OR "+retold), ids, now)
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, scanNotification)
		for i := range all {
			all[i] = all[i].Anew()
		}
		if err != nil || len(all) == 0 {
			return err
		}
		_, err = s.ruleOn(ctx, tx, all, func(n deliver.Notification, known *practice.Snapshot, texts []templates.Source) deliver.Ruling {
			look(n, known, texts)
			return deliver.Ruling{}
		})
		return err
	})
}

// Reopen implements deliver.Archive. The status that a row is to have had is
// the lock against everybody else who moves it: a worker that repeats it, a
// receipt, another replay. Nothing of the try before is left, so that the text
// is written anew and a late answer finds nothing to complete.
func (s *Store) Reopen(ctx context.Context, again []deliver.Reopening, at time.Time) (ids []string, err error) {
	all := columns{rows: len(again)}
	for _, r := range again {
		line, err := (entry{At: at, Status: r.Was, Replay: true}).line()
		if err != nil {
			return nil, err
		}
		all.add(r.ID, string(r.Was), r.NotBefore, line)
	}
	if len(again) == 0 {
		return nil, nil
	}
	err = s.within(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			WITH again AS (
				SELECT n.id, r.not_before, r.entry
				FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[]) AS r (id, was, not_before, entry)
				JOIN rappel.notifications n ON n.id = r.id AND n.status = r.was
				ORDER BY n.id
				FOR UPDATE OF n
			)
			UPDATE rappel.notifications n SET
				status = 'pending', replayed_at = now(), offered_at = now(), not_before = r.not_before, planned_for = r.not_before,
				attempts = 0, reason = NULL, error_code = NULL, message_id = NULL, sent_at = NULL, repeat_at = NULL,
				repeated_at = NULL, settled_claim = NULL, sent_with = NULL, history = `+remembered("r.entry")+`, `+keepIf("false")+`
			FROM again r WHERE n.id = r.id
			RETURNING n.id`, all.args()...)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return ids, err
}

var _ deliver.Archive = (*Store)(nil)
