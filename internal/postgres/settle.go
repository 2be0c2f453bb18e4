package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"rappel/jobs/deliver"
	"rappel/recipients"
)

// Settle keeps what receivers told of messages afterwards, and returns how many
// of the notifications named are known. A receipt may overtake the record of the
// request, come twice, or after a later one: what has ended stays as it ended,
// and what is said of an address counts in any case.
func (s *Store) Settle(ctx context.Context, receipts []deliver.Receipt) (known int, err error) {
	if len(receipts) == 0 {
		return 0, nil
	}
	err = s.within(ctx, func(tx pgx.Tx) error {
		receipts, others, err := inTheirName(ctx, tx, receipts)
		if err != nil {
			return err
		}
		all, err := locked(ctx, tx, receipts)
		if known = all - others; err != nil || all == 0 {
			return err
		}
		for _, round := range rounds(heaviest(receipts)) {
			if err := settleStatus(ctx, tx, round); err != nil {
				return err
			}
		}
		return settleAddresses(ctx, tx, receipts)
	})
	return known, err
}

// heaviest returns the receipt that says most of each try of a notification, in
// the order of the ids: that of all who write several rows.
func heaviest(receipts []deliver.Receipt) []deliver.Receipt {
	type try struct{ notification, claim string }
	of := map[try]deliver.Receipt{}
	for _, r := range receipts {
		key := try{r.NotificationID, r.ClaimID}
		if best, ok := of[key]; !ok || r.Settled() > best.Settled() {
			of[key] = r
		}
	}
	all := make([]deliver.Receipt, 0, len(of))
	for _, r := range of {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b deliver.Receipt) int {
		return cmp.Or(cmp.Compare(a.NotificationID, b.NotificationID), cmp.Compare(a.ClaimID, b.ClaimID))
	})
	return all
}

// rounds parts receipts in order so that none has two of one notification: one
// statement changes a row once.
func rounds(receipts []deliver.Receipt) (all [][]deliver.Receipt) {
	turn := 0
	for i, r := range receipts {
		if turn++; i == 0 || receipts[i-1].NotificationID != r.NotificationID {
			turn = 0
		}
		if turn == len(all) {
			all = append(all, nil)
		}
		all[turn] = append(all[turn], r)
	}
	return all
}

func locked(ctx context.Context, tx pgx.Tx, receipts []deliver.Receipt) (int, error) {
	var ids []string
	for _, r := range receipts {
		ids = append(ids, r.NotificationID)
	}
	slices.Sort(ids)
	tag, err := tx.Exec(ctx, `SELECT FROM rappel.notifications WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, slices.Compact(ids))
	return int(tag.RowsAffected()), err
}

func settleStatus(ctx context.Context, tx pgx.Tx, receipts []deliver.Receipt) error {
	rows := columns{rows: len(receipts)}
	for _, r := range receipts {
		if r.Status == "" {
			continue
		}
		told := entry{Via: r.Source, Status: r.Status, Code: r.ErrorCode, Told: true}
		same, err := told.line() // told again, it adds nothing
		if err != nil {
			return err
		}
		told.At = r.At
		story, err := told.line()
		if err != nil {
			return err
		}
		rows.add(r.NotificationID, string(r.Status), null(r.MessageID), null(r.ErrorCode), r.At, story, same, null(r.ClaimID))
	}
	return rows.exec(ctx, tx, `
		UPDATE rappel.notifications n SET
			status = CASE WHEN t.told THEN r.status ELSE n.status END,
			reason = CASE WHEN NOT t.told THEN n.reason WHEN r.status = 'expired' THEN '`+string(recipients.Past)+`' END,
			error_code = CASE WHEN t.told THEN r.error_code ELSE n.error_code END,
			message_id = CASE WHEN t.told OR n.status IN ('sent', 'delivered', 'undelivered')
				THEN coalesce(n.message_id, r.message_id) ELSE n.message_id END,
			sent_at = CASE WHEN t.told THEN least(n.sent_at, r.at) ELSE n.sent_at END,
			delivered_at = CASE WHEN t.told AND r.status = 'delivered' THEN r.at ELSE n.delivered_at END,
			settled_claim = coalesce(n.claim_id, n.settled_claim),
			claim_id = CASE WHEN NOT t.told THEN n.claim_id END,
			claimed_until = CASE WHEN NOT t.told THEN n.claimed_until END,
			repeat_at = CASE WHEN NOT t.told THEN n.repeat_at END,
			history = CASE WHEN n.history @> r.same::jsonb THEN n.history ELSE `+remembered("r.entry")+` END,
			`+keepIf("NOT t.told AND (n.status IN ('pending', 'sending') OR n.repeat_at IS NOT NULL)")+`
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::uuid[])
				AS r (id, status, message_id, error_code, at, entry, same, claim)
			JOIN rappel.notifications o USING (id)
			CROSS JOIN LATERAL (SELECT `+settles()+` AS told) t
		WHERE n.id = r.id`)
}

// lastTry tells whether receipt r is about the last try of a notification; one
// that does not say is taken for it.
func lastTry(notification string) string {
	return `(r.claim IS NULL OR r.claim = coalesce(` + notification + `.claim_id, ` + notification + `.settled_claim))`
}

// settles tells whether receipt r moves notification o on. What was never sent
// cannot have arrived. Of an earlier try, or of one that is to be sent again, it
// counts only that it did arrive after all: that it did not is why there is
// another.
func settles() string {
	return `CASE
	WHEN r.status = 'delivered' THEN o.status IN ('sending', 'sent', 'unknown')
		OR (o.status = 'pending' AND (o.attempts > 0 OR o.replayed_at IS NOT NULL))
	WHEN NOT ` + lastTry("o") + ` THEN FALSE
	WHEN o.status = 'sent' THEN r.status <> 'sent'
	WHEN o.status = 'pending' THEN o.attempts > 0
	ELSE o.status IN ('sending', 'unknown') END`
}

// settleAddresses keeps further messages from addresses: a complaint or a bounce
// counts also where it comes after the message had ended, but not one about an
// earlier try, which may have had another address. A receipt told again
// does not undo what the person has revoked since. Whoever wants messages again
// ends the opt-outs that the same source told before.
func settleAddresses(ctx context.Context, tx pgx.Tx, receipts []deliver.Receipt) error {
	var rows columns
	for _, r := range receipts {
		if r.Silence != "" || r.Resumes {
			rows.add(r.NotificationID, r.Silence, r.Source, r.At, null(r.ClaimID))
		}
	}
	of := `
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::uuid[]) AS r (id, code, source, at, claim)
		JOIN rappel.notifications n ON n.id = r.id AND n.address <> '` + forgotten + `'
			AND ` + lastTry("n") + ` `
	err := rows.exec(ctx, tx, `
		INSERT INTO rappel.opt_outs (practice_id, channel, address, source, created_at)
		SELECT DISTINCT ON (n.practice_id, n.channel, n.address) n.practice_id, n.channel, n.address, r.source, r.at `+of+`
		WHERE r.code = '`+deliver.CodeOptedOut+`' AND NOT EXISTS (
			SELECT 1 FROM rappel.opt_outs o
			WHERE o.practice_id = n.practice_id AND o.channel = n.channel AND o.address = n.address
				AND (o.revoked_at IS NULL OR o.revoked_at >= r.at))
		ORDER BY n.practice_id, n.channel, n.address, r.at`)
	if err != nil {
		return err
	}
	err = rows.exec(ctx, tx, `
		UPDATE rappel.opt_outs o SET revoked_at = r.at `+of+`
		WHERE r.code = '' AND o.practice_id = n.practice_id AND o.channel = n.channel AND o.address = n.address
			AND o.source = r.source AND o.created_at <= r.at AND o.revoked_at IS NULL`)
	if err != nil {
		return err
	}
	return rows.exec(ctx, tx, `
		INSERT INTO rappel.unusable_addresses (channel, address, code, refused_at)
		SELECT DISTINCT ON (n.channel, n.address COLLATE "C") n.channel, n.address, r.code, r.at `+of+`
		WHERE r.code NOT IN ('', '`+deliver.CodeOptedOut+`')
		ORDER BY n.channel, n.address COLLATE "C", r.at DESC
		ON CONFLICT (channel, address) DO UPDATE SET code = excluded.code, refused_at = excluded.refused_at
		WHERE excluded.refused_at > unusable_addresses.refused_at`)
}
