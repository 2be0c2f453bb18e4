package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/jobs/retain"
)

// forgotten stands in the place of an address that was forgotten: no number,
// and no mailbox.
const forgotten = "forgotten"

// Retain implements retain.Store. Rows that somebody holds are passed over, and
// found by the next batch.
func (s *Store) Retain(ctx context.Context, t retain.Trace, before time.Time, limit int) (removed int, err error) {
	if t == retain.Decisions {
		return s.retainDecisions(ctx, before, limit)
	}
	statement, ok := retentions()[t]
	if !ok {
		return 0, fmt.Errorf("there is no trace called %q", t)
	}
	tag, err := s.pool.Exec(ctx, statement, before, limit)
	return int(tag.RowsAffected()), redact(err)
}

// retentions are statements that remove traces from before $1, at most $2.
//
// An event stays as long as the start that it told of is to come: it may be how
// one knows that the appointment was moved. So does the address of a message.
func retentions() map[retain.Trace]string {
	return map[retain.Trace]string{
		retain.Replies: `
			DELETE FROM rappel.replies WHERE id IN (
				SELECT id FROM rappel.replies WHERE settled_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
		retain.Unusable: `
			DELETE FROM rappel.unusable_addresses WHERE (channel, address) IN (
				SELECT channel, address FROM rappel.unusable_addresses WHERE refused_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
		retain.Events: `
			DELETE FROM rappel.events WHERE id IN (
				SELECT e.id FROM rappel.events e LEFT JOIN rappel.decisions d ON d.id = e.decision_id
				WHERE e.planned_at < $1 AND (d.starts_at < $1 OR d.starts_at IS NULL)
				LIMIT $2
				FOR UPDATE OF e SKIP LOCKED)`,
		retain.Addresses: `
			UPDATE rappel.notifications SET address = '` + forgotten + `' WHERE id IN (
				SELECT n.id FROM rappel.notifications n
				WHERE n.created_at < $1 AND coalesce(n.sent_at, n.created_at) < $1 AND (n.starts_at < $1 OR n.starts_at IS NULL)
					AND n.address <> '` + forgotten + `' AND NOT ` + goesOn + `
				LIMIT $2
				FOR UPDATE SKIP LOCKED)`,
	}
}

// goesOn tells of notification n that it has yet to go out, or to go once more.
const goesOn = `(n.status IN ('pending', 'sending') OR n.repeat_at IS NOT NULL)`

// retainDecisions removes decisions together with their notifications, so that
// the books of what stays close.
func (s *Store) retainDecisions(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT d.id FROM rappel.decisions d
			WHERE d.decided_at < $1 AND (d.starts_at < $1 OR d.starts_at IS NULL) AND NOT EXISTS (
				SELECT FROM rappel.notifications n
				WHERE n.decision_id = d.id AND (`+goesOn+` OR coalesce(n.sent_at, n.created_at) >= $1))
			LIMIT $2`, before, limit)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(ids) == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM rappel.notifications WHERE decision_id = ANY ($1)`, ids); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `DELETE FROM rappel.decisions WHERE id = ANY ($1)`, ids)
		removed = int(tag.RowsAffected())
		return err
	})
	return removed, err
}

var _ retain.Store = (*Store)(nil)
