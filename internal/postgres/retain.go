package postgres

import (
	"context"
	"fmt"
	"time"

	"rappel/jobs/retain"
)

// forgotten stands in the place of an address that was forgotten: no number,
// and no mailbox.
const forgotten = "forgotten"

// Retain implements retain.Store. Rows that somebody holds are passed over, and
// found by a later batch.
//
// Each kind has an index in the order in which its rows fall due, and a batch
// reads from the front of that: what it costs follows what it removes, not what
// is stored, nor what was removed before it.
func (s *Store) Retain(ctx context.Context, t retain.Trace, before time.Time, limit int) (removed int, more bool, err error) {
	statement, ok := retentions()[t]
	if !ok {
		return 0, false, fmt.Errorf("there is no trace called %q", t)
	}
	var looked int
	err = s.pool.QueryRow(ctx, statement, before, limit).Scan(&removed, &looked)
	return removed, looked == limit, redact(err)
}

// retentions are statements that remove traces from before $1 and look at $2 at
// most. They return how many went, and how many were looked at.
//
// An event stays as long as the start that it told of is to come: it may be how
// one knows that the appointment was moved. So that it is not looked at each
// night until then, look_at moves on to that start. The address of a message
// stays so long, too.
//
// Decisions go together with their notifications, so that the books of what
// stays close. The subquery is one that PostgreSQL cannot turn into a join: it
// would read all of the ledger for the first of them.
func retentions() map[retain.Trace]string {
	return map[retain.Trace]string{
		retain.Replies: `
			WITH past AS (SELECT id FROM rappel.replies WHERE settled_at < $1 ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED),
			gone AS (DELETE FROM rappel.replies WHERE id = ANY (ARRAY(SELECT id FROM past)) RETURNING 1)
			SELECT count(*), count(*) FROM gone`,
		retain.Unusable: `
			WITH past AS (
				SELECT channel, address FROM rappel.unusable_addresses WHERE refused_at < $1 ORDER BY refused_at LIMIT $2 FOR UPDATE SKIP LOCKED
			), gone AS (DELETE FROM rappel.unusable_addresses u USING past WHERE u.channel = past.channel AND u.address = past.address RETURNING 1)
			SELECT count(*), count(*) FROM gone`,
		retain.Events: `
			WITH past AS MATERIALIZED (
				SELECT e.id, d.starts_at FROM rappel.events e LEFT JOIN rappel.decisions d ON d.id = e.decision_id
				WHERE e.planned_at IS NOT NULL AND e.look_at < $1 AND e.planned_at < $1
				ORDER BY e.look_at LIMIT $2
				FOR UPDATE OF e SKIP LOCKED
			), later AS (
				UPDATE rappel.events e SET look_at = past.starts_at FROM past WHERE e.id = past.id AND past.starts_at >= $1
			), gone AS (
				DELETE FROM rappel.events WHERE id = ANY (ARRAY(SELECT id FROM past WHERE starts_at < $1 OR starts_at IS NULL)) RETURNING 1
			)
			SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM past)`,
		retain.Addresses: `
			WITH past AS (
				SELECT n.id FROM rappel.notifications n
				WHERE greatest(n.created_at, n.sent_at, n.starts_at) < $1 AND n.address <> '` + forgotten + `' AND NOT ` + goesOn + `
				ORDER BY greatest(n.created_at, n.sent_at, n.starts_at) LIMIT $2
				FOR UPDATE SKIP LOCKED
			), gone AS (
				UPDATE rappel.notifications SET address = '` + forgotten + `' WHERE id = ANY (ARRAY(SELECT id FROM past)) RETURNING 1
			)
			SELECT count(*), count(*) FROM gone`,
		retain.Decisions: `
			WITH past AS MATERIALIZED (
				SELECT d.id FROM rappel.decisions d
				WHERE greatest(d.decided_at, d.starts_at) < $1 AND NOT coalesce((
					SELECT bool_or(` + goesOn + ` OR coalesce(n.sent_at, n.created_at) >= $1)
					FROM rappel.notifications n WHERE n.decision_id = d.id), false)
				ORDER BY greatest(d.decided_at, d.starts_at) LIMIT $2
			), messages AS (
				DELETE FROM rappel.notifications WHERE decision_id = ANY (ARRAY(SELECT id FROM past))
			), gone AS (
				DELETE FROM rappel.decisions WHERE id = ANY (ARRAY(SELECT id FROM past)) RETURNING 1
			)
			SELECT count(*), count(*) FROM gone`,
	}
}

// goesOn tells of notification n that it has yet to go out, or to go once more.
const goesOn = `(n.status IN ('pending', 'sending') OR n.repeat_at IS NOT NULL)`

var _ retain.Store = (*Store)(nil)
