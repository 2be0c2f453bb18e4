package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"rappel/jobs/deliver"
	"rappel/jobs/reply"
	"rappel/recipients"
)

// replyLocks sets the locks of replies apart from other advisory locks.
const replyLocks = 0x7265706c

// KeepReply implements reply.Store. Messages of one number wait for each other,
// so that a STOP and the START after it end as the person meant.
func (s *Store) KeepReply(
	ctx context.Context, in reply.Inbound, since time.Time, understand func(reply.Inbound, []reply.Sent) reply.Reply,
) (kept reply.Reply, fresh bool, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, hashtext($2))`, replyLocks, in.From.Reveal()); err != nil {
			return err
		}
		sent, err := sentTo(ctx, tx, in.From, since)
		if err != nil {
			return err
		}
		stops, err := ownStops(ctx, tx, in.From)
		if err != nil {
			return err
		}
		in.Stopped = len(stops) > 0
		kept = understand(in, sent)
		kept.ID, err = insertReply(ctx, tx, kept)
		if fresh = kept.ID != ""; err != nil || !fresh {
			return err
		}
		return heed(ctx, tx, kept, stops)
	})
	if err != nil || !fresh {
		return reply.Reply{}, false, err
	}
	return kept, true, nil
}

// sentTo returns what went, or may have gone, to a number, the newest first: what
// is open and was tried is newer than all that has ended. It is put together from
// what the ledger's indexes find, of which only the first is of a number.
func sentTo(ctx context.Context, tx pgx.Tx, to recipients.Address, since time.Time) ([]reply.Sent, error) {
	rows, err := tx.Query(ctx, `
		SELECT n.id, n.practice_id, coalesce(n.appointment_id::text, ''), n.kind, n.starts_at, a.starts_at, coalesce(a.status::text, '')
		FROM rappel.notifications n
		LEFT JOIN rappel.appointments a ON a.id = n.appointment_id
		WHERE n.channel = 'sms' AND n.address = $1 AND n.id IN (
			SELECT id FROM rappel.notifications
			WHERE address = $1 AND sent_at >= $2 AND status IN ('sent', 'delivered', 'unknown')
			UNION SELECT id FROM rappel.notifications
			WHERE status = 'pending' AND channel = 'sms' AND address = $1 AND `+mayHaveArrived+`
			UNION SELECT id FROM rappel.notifications
			WHERE status = 'sending' AND claimed_until IS NOT NULL AND address = $1 AND `+mayHaveArrived+`)
		ORDER BY n.status IN ('pending', 'sending') DESC, n.sent_at DESC, n.id DESC`, to.Reveal(), since)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m reply.Sent, err error) {
		var announced, stands *time.Time
		err = row.Scan(&m.NotificationID, &m.PracticeID, &m.AppointmentID, &m.Kind, &announced, &stands, &m.VisitStatus)
		m.StartsAt, m.VisitStartsAt = value(announced), value(stands)
		return m, err
	})
}

// mayHaveArrived tells of what is still open that it was tried, alone or in a
// family's message.
const mayHaveArrived = `attempts > 0 AND (body IS NOT NULL OR sent_with IS NOT NULL)`

// insertReply returns the id of a reply, or none if its message is known.
func insertReply(ctx context.Context, tx pgx.Tx, r reply.Reply) (string, error) {
	rows, err := tx.Query(ctx, `
		INSERT INTO rappel.replies (carrier_id, address, body, received_at, not_before, meaning, practice_id, notification_id, appointment_ids)
		VALUES ($1, $2, $3, $4, $4, $5, $6, $7, coalesce($8::uuid[], '{}'))
		ON CONFLICT (carrier_id) DO NOTHING
		RETURNING id`, r.CarrierID, r.From.Reveal(), storable(r.Text.Reveal()), r.ReceivedAt, string(r.Meaning),
		null(r.PracticeID), null(r.NotificationID), r.AppointmentIDs)
	if err != nil {
		return "", err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(ids, ""), err
}

// storable is a text without what no text of PostgreSQL can hold.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// heed does what the person wishes of the messages to come.
func heed(ctx context.Context, tx pgx.Tx, r reply.Reply, stops []optOutRow) error {
	switch r.Meaning {
	case reply.OptOut:
		return optOut(ctx, tx, r)
	case reply.OptIn:
		return revoke(ctx, tx, stops, r.ReceivedAt)
	default:
		return nil
	}
}

// byReply is the source of an opt-out that somebody asked for by replying.
const byReply = "reply"

// optOut keeps further messages from the number, for each practice in the
// reply's scope or, where that is empty, for all.
func optOut(ctx context.Context, tx pgx.Tx, r reply.Reply) error {
	scope := []*string{nil}
	if len(r.Scope) > 0 {
		scope = nil
	}
	for _, id := range r.Scope {
		scope = append(scope, &id)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO rappel.opt_outs (practice_id, channel, address, source, created_at)
		SELECT s.practice_id, 'sms', $2, $5, $4
		FROM unnest($1::uuid[]) AS s (practice_id)
		WHERE NOT EXISTS (
			SELECT 1 FROM rappel.opt_outs o
			WHERE o.channel = 'sms' AND o.match_key = $3 AND o.address = $2 AND o.revoked_at IS NULL
				AND o.practice_id IS NOT DISTINCT FROM s.practice_id)`,
		scope, r.From.Reveal(), recipients.MatchKey(recipients.SMS, r.From.Reveal()), r.ReceivedAt, byReply)
	return err
}

// revoke ends opt-outs that the number's own STOP caused, in all practices: a
// practice that was stopped so has not written since, and Twilio blocks and
// resumes a number for all who write from ours.
func revoke(ctx context.Context, tx pgx.Tx, stops []optOutRow, at time.Time) error {
	var revoked columns
	for _, o := range stops {
		revoked.add(o.practiceID, o.address, o.source, at)
	}
	return revoked.exec(ctx, tx, `
		UPDATE rappel.opt_outs o SET revoked_at = r.at
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS r (practice_id, address, source, at)
		WHERE o.channel = 'sms' AND o.address = r.address AND o.practice_id IS NOT DISTINCT FROM r.practice_id
			AND o.source = r.source AND o.revoked_at IS NULL`)
}

// An optOutRow is an opt-out as it is stored, by whoever stored it.
type optOutRow struct {
	practiceID *string // nil: all
	address    string
	source     string
	regions    []string // of the practices that it binds
}

// ownStops returns the live opt-outs that a number's own STOP caused: those of
// replies, and those that Twilio answered to a later message. What staff noted
// is not among them.
func ownStops(ctx context.Context, tx pgx.Tx, number recipients.Address) ([]optOutRow, error) {
	rows, err := tx.Query(ctx, `
		SELECT o.practice_id, o.address, o.source, array(
			SELECT DISTINCT coalesce(p.country::text, '') FROM rappel.practices p
			WHERE p.id = o.practice_id OR o.practice_id IS NULL)
		FROM rappel.opt_outs o
		WHERE o.channel = 'sms' AND o.match_key = $1 AND o.revoked_at IS NULL AND o.source IN ($2, $3)`,
		recipients.MatchKey(recipients.SMS, number.Reveal()), byReply, string(deliver.ByTwilio))
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o optOutRow, err error) {
		return o, row.Scan(&o.practiceID, &o.address, &o.source, &o.regions)
	})
	return slices.DeleteFunc(all, func(o optOutRow) bool { return !o.silences(number) }), err
}

// silences tells whether o is about the number, however it is spelt. One that
// cannot be read may be about another with the same digits at its end, and
// stays.
func (o optOutRow) silences(number recipients.Address) bool {
	if len(o.regions) == 0 {
		o.regions = []string{""} // the practice is gone
	}
	return slices.ContainsFunc(o.regions, func(region string) bool {
		a, err := recipients.ParsePhone(o.address, region)
		return err == nil && a.Same(number)
	})
}

// ClaimReplies implements reply.Outbox.
func (s *Store) ClaimReplies(ctx context.Context, t reply.Terms) (claim reply.Claim, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return claim, fmt.Errorf("new claim id: %w", err)
	}
	rows, err := s.pool.Query(ctx, `
		WITH line AS (
			SELECT id, attempts >= $5 OR row_number() OVER (PARTITION BY address, attempts >= $5 ORDER BY received_at, id) = 1 AS first
			FROM rappel.replies WHERE outcome IS NULL
		), due AS (
			SELECT r.id FROM rappel.replies r JOIN line USING (id)
			WHERE line.first AND r.outcome IS NULL AND r.not_before <= $2 AND (r.claimed_until IS NULL OR r.claimed_until < now())
			ORDER BY r.received_at, r.id
			LIMIT $4
			FOR UPDATE OF r SKIP LOCKED
		), claimed AS (
			UPDATE rappel.replies r
			SET claim_id = $1, claimed_until = now() + $3::interval, attempts = attempts + 1
			FROM due WHERE r.id = due.id
			RETURNING r.*
		)
		SELECT id, carrier_id, address, coalesce(body, ''), received_at, meaning, coalesce(practice_id::text, ''),
			coalesce(notification_id::text, ''), appointment_ids::text[], attempts
		FROM claimed ORDER BY received_at, id`, id.String(), t.Now, t.Lease, t.Most, t.Turns)
	if err != nil {
		return claim, redact(err)
	}
	claim.ID = id.String()
	claim.Replies, err = pgx.CollectRows(rows, scanReply)
	return claim, redact(err)
}

func scanReply(row pgx.CollectableRow) (r reply.Reply, err error) {
	var address, body string
	err = row.Scan(&r.ID, &r.CarrierID, &address, &body, &r.ReceivedAt, &r.Meaning, &r.PracticeID, &r.NotificationID,
		&r.AppointmentIDs, &r.Attempts)
	if err != nil {
		return r, err
	}
	r.Text = reply.WordsOf(body)
	if from, bad := recipients.ParsePhone(address, ""); bad == nil {
		r.From = from // one that somebody wrote by hand, the main app refuses
	}
	return r, nil
}

// RecordReply implements reply.Outbox. With its end, a reply loses its words.
func (s *Store) RecordReply(ctx context.Context, claimID string, o reply.Outcome) (held bool, err error) {
	refund := 0
	if o.Refund {
		refund = 1
	}
	tag, err := s.pool.Exec(ctx, `
		UPDATE rappel.replies SET
			outcome = $3, settled_at = CASE WHEN $3::text IS NOT NULL THEN $6::timestamptz END,
			body = CASE WHEN $3::text IS NULL THEN body END,
			not_before = coalesce($4, not_before), attempts = attempts - $5, claim_id = NULL, claimed_until = NULL
		WHERE id = $1 AND claim_id = $2`, o.ReplyID, claimID, null(string(o.Result)), null(o.NotBefore), refund, o.At)
	return tag.RowsAffected() > 0, redact(err)
}

var (
	_ reply.Store  = (*Store)(nil)
	_ reply.Outbox = (*Store)(nil)
)
