package bench

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// leastRows is a ledger of one row a message, with as few indexes as a ledger
// can do with: see pipeline.sql.
type leastRows struct{}

func (leastRows) insert(ctx context.Context, tx pgx.Tx, messages []sms) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO bench.messages (id, appointment_id, client_id, practice_id, channel, address, body)
		SELECT id, appointment_id, client_id, practice_id, 'sms', address, body FROM `+messageColumns+`
		ON CONFLICT (id) DO NOTHING`, columnsOf(messages)...)
	return err
}

func (leastRows) record(ctx context.Context, pool *pgxpool.Pool, ids, messageIDs []string) error {
	_, err := pool.Exec(ctx, `
		UPDATE bench.messages m SET status = 'sent', message_id = r.message_id, sent_at = now()
		FROM unnest($1::uuid[], $2::text[]) AS r (id, message_id) WHERE m.id = r.id`, ids, messageIDs)
	return err
}

// rappelRows are the rows that rappel writes of an event that is told of at once:
// its decision with the candidates, and the message with its claim and text. What
// they cost, with the indexes by which others look them up, is what is left of
// the ceiling for a product that keeps them, if all its rules were for nothing.
type rappelRows struct{}

func (rappelRows) insert(ctx context.Context, tx pgx.Tx, messages []sms) error {
	columns := columnsOf(messages)
	if _, err := tx.Exec(ctx, `
		INSERT INTO rappel.decisions (id, practice_id, client_id, appointment_id, event_id, kind, revision, starts_at, decided_at, outcome, candidates)
		SELECT id, practice_id, client_id, appointment_id, id, '`+bookedKind+`', 1, `+starting+`, now(), 'notify', jsonb_build_array(jsonb_build_object(
			'recipient', 'client', 'id', client_id, 'channel', 'sms', 'outcome', 'send', 'reasons', '[]'::jsonb))
		FROM `+messageColumns+`
		ON CONFLICT DO NOTHING`, columns...); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO rappel.notifications (id, decision_id, practice_id, client_id, appointment_id, event_id, kind, channel, address, template,
			template_version, revision, starts_at, not_before, not_after, planned_for, created_at, status, attempts, claim_id, via, claimed_until,
			segments, recipient_name, body, body_hash)
		SELECT id, id, practice_id, client_id, appointment_id, id, '`+bookedKind+`', 'sms', address, '`+bookedKind+`',
			1, 1, `+starting+`, now(), `+starting+`, now(), now(), 'sending', 1, id, 'admin', now() + interval '1 minute', 2, 'First', body, sha256(body::bytea)
		FROM `+messageColumns, columns...)
	return err
}

func (rappelRows) record(ctx context.Context, pool *pgxpool.Pool, ids, messageIDs []string) error {
	_, err := pool.Exec(ctx, `
		UPDATE rappel.notifications n SET status = 'sent', message_id = r.message_id, sent_at = now(),
			claim_id = NULL, claimed_until = NULL, settled_claim = n.claim_id, offered_at = now()
		FROM unnest($1::uuid[], $2::text[]) AS r (id, message_id) WHERE n.id = r.id`, ids, messageIDs)
	return err
}

// messageColumns are the columns of messages, as rows; starting is a start in some
// days.
const (
	messageColumns = `unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[]) WITH ORDINALITY
			AS m (id, appointment_id, client_id, practice_id, address, body, n)`
	starting = `now() + interval '2 days' + n * interval '15 minutes'`
)

func columnsOf(messages []sms) []any {
	var ids, appointments, clients, practices, addresses, bodies []string
	for _, m := range messages {
		ids, appointments, clients = append(ids, m.NotificationID), append(appointments, m.AppointmentID), append(clients, m.ClientID)
		practices, addresses, bodies = append(practices, m.PracticeID), append(addresses, m.To), append(bodies, m.Body)
	}
	return []any{ids, appointments, clients, practices, addresses, bodies}
}
