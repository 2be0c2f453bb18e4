package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/jobs/deliver"
	"rappel/recipients"
)

// An entry is one line of a notification's history. It holds no personal data.
type entry struct {
	At      time.Time      `json:"at,omitzero"`
	Via     string         `json:"via,omitempty"`
	Status  deliver.Status `json:"status,omitempty"`
	Code    string         `json:"code,omitempty"`
	Problem string         `json:"problem,omitempty"`
	Told    bool           `json:"told,omitempty"` // by the receiver, afterwards
	Replay  bool           `json:"replay,omitempty"`
}

// line is e as something to add to a history.
func (e entry) line() (*string, error) {
	e.At = e.At.UTC()
	b, err := json.Marshal([]entry{e})
	line := string(b)
	return &line, err
}

// remembered is the history of n with the entries of the given column after it,
// cut to the newest 50.
func remembered(column string) string {
	return `CASE WHEN ` + column + ` IS NULL THEN n.history
		ELSE jsonb_path_query_array(n.history || ` + column + `::jsonb, '$[last - 49 to last]') END`
}

// Record implements deliver.Ledger. It locks all rows in the order of their ids
// before it changes one, as receipts do.
func (s *Store) Record(ctx context.Context, claimID string, outcomes []deliver.Outcome) (lost int, err error) {
	rows, err := recorded(outcomes)
	if err != nil {
		return 0, err
	}
	err = s.within(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			WITH held AS (
				SELECT o.*, n.status AS was, n.claim_id AS holder
				FROM `+outcomeColumns+` JOIN rappel.notifications n USING (id)
				ORDER BY id
				FOR UPDATE OF n
			)
			UPDATE rappel.notifications n SET
				status = o.status, reason = o.reason, not_before = coalesce(o.not_before, n.not_before), repeat_at = o.repeat_at,
				attempts = n.attempts - o.refund, message_id = o.message_id, error_code = o.error_code,
				sent_at = CASE o.status WHEN 'sent' THEN o.at WHEN 'unknown' THEN coalesce(n.sent_at, o.at) END,
				repeated_at = CASE WHEN o.repeat_at IS NULL THEN n.repeated_at END, -- what is to be repeated was not
				claim_id = NULL, claimed_until = NULL, settled_claim = n.claim_id, offered_at = now(),
				history = `+remembered("o.entry")+`,
				`+keepIf("o.status = 'pending' OR o.repeat_at IS NOT NULL")+`
			FROM held o
			WHERE n.id = o.id AND o.was = 'sending' AND o.holder = $1`, append([]any{claimID}, rows.args()...)...)
		if err != nil {
			return err
		}
		if lost = len(outcomes) - int(tag.RowsAffected()); lost > 0 {
			settled, err := complete(ctx, tx, claimID, rows)
			if err != nil {
				return err
			}
			lost -= settled
		}
		return silence(ctx, tx, outcomes)
	})
	return lost, err
}

// Expire implements deliver.Ledger. It reads nothing of the source tables.
func (s *Store) Expire(ctx context.Context, id string, now time.Time) (bool, error) {
	tag, err := s.pool.Exec(ctx, `
		UPDATE rappel.notifications n SET status = 'expired', reason = '`+string(recipients.Past)+`', repeat_at = NULL, offered_at = now(), `+keepIf("false")+`
		WHERE id = $1::uuid AND status = 'pending' AND not_after < $2`, id, now)
	return err == nil && tag.RowsAffected() > 0, redact(err)
}

const outcomeColumns = `unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::int[],
	$8::text[], $9::text[], $10::timestamptz[], $11::text[])
	AS o (id, status, reason, not_before, repeat_at, refund, message_id, error_code, at, entry)`

func recorded(outcomes []deliver.Outcome) (columns, error) {
	rows := columns{rows: len(outcomes)}
	for _, o := range outcomes {
		refund := 0
		if o.Refund {
			refund = 1
		}
		var story *string
		if o.Problem != "" || o.ErrorCode != "" {
			var err error
			if story, err = (entry{At: o.At, Status: o.Status, Code: o.ErrorCode, Problem: o.Problem}).line(); err != nil {
				return rows, err
			}
		}
		rows.add(o.ID, string(o.Status), null(string(o.Reason)), null(o.NotBefore), null(o.RepeatAt), refund,
			null(o.MessageID), null(o.ErrorCode), o.At, story)
	}
	return rows, nil
}

// late tells that an answer came for what had been given up as unknown.
const late = `(n.status = 'unknown' AND o.status = 'sent')`

// complete adds what the receiver's answer says to notifications of the claim
// that a receipt, quicker than the answer, had settled. To those that are
// recorded already, when the commit's own answer was lost, it adds nothing.
func complete(ctx context.Context, tx pgx.Tx, claimID string, rows columns) (int, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE rappel.notifications n SET
			status = CASE WHEN `+late+` THEN 'sent' ELSE n.status END,
			repeat_at = CASE WHEN NOT `+late+` THEN n.repeat_at END,
			message_id = coalesce(n.message_id, o.message_id),
			sent_at = CASE WHEN o.status = 'sent' THEN o.at ELSE n.sent_at END,
			history = CASE WHEN n.history @> o.entry::jsonb THEN n.history ELSE `+remembered("o.entry")+` END
		FROM `+outcomeColumns+`
		WHERE n.id = o.id AND n.settled_claim = $1 AND n.status <> 'sending'`, append([]any{claimID}, rows.args()...)...)
	return int(tag.RowsAffected()), err
}

// silence keeps further messages from addresses, as their receiver asked, in the
// order of the addresses: that of all who write several rows.
func silence(ctx context.Context, tx pgx.Tx, outcomes []deliver.Outcome) error {
	var all []deliver.Silence
	for _, o := range outcomes {
		if o.Silence != nil {
			all = append(all, *o.Silence)
		}
	}
	slices.SortFunc(all, func(a, b deliver.Silence) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Address.Reveal(), b.Address.Reveal()))
	})
	for _, q := range all {
		if err := keepSilence(ctx, tx, q); err != nil {
			return err
		}
	}
	return nil
}

func keepSilence(ctx context.Context, tx pgx.Tx, q deliver.Silence) error {
	if q.Code == deliver.CodeOptedOut {
		_, err := tx.Exec(ctx, `
			INSERT INTO rappel.opt_outs (practice_id, channel, address, source)
			SELECT $1, $2, $3, $4 WHERE NOT EXISTS (
				SELECT 1 FROM rappel.opt_outs
				WHERE practice_id = $1 AND channel = $2 AND address = $3 AND revoked_at IS NULL)`,
			q.PracticeID, string(q.Channel), q.Address.Reveal(), q.Source)
		return err
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO rappel.unusable_addresses (channel, address, code) VALUES ($1, $2, $3)
		ON CONFLICT (channel, address) DO UPDATE SET code = excluded.code, refused_at = now()`,
		string(q.Channel), q.Address.Reveal(), q.Code)
	return err
}
