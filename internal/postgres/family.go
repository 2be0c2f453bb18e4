package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"rappel/jobs/deliver"
)

// openTogether tells of notification n that it was tried with others, and is
// still to be told of.
const openTogether = `(n.sent_with IS NOT NULL AND n.attempts > 0 AND (n.status IN ('pending', 'sending') OR (n.status = 'unknown' AND n.repeat_at IS NOT NULL)))`

// withFamilies finds the notifications that are asked for ($1) and may be
// claimed ($3), and all that may go in one message with one of them: what was
// tried together stays together, whenever each of it is due, and what is not
// yet due goes with what is. A family is called by a hash: whoever prints a
// notification prints no address.
func withFamilies() string {
	return `asked AS (
			SELECT id, practice_id, channel, digest_hour, address,
				sent_with IS NOT NULL AND attempts > 0 AS begun, sent_with,
				digest_hour IS NOT NULL AND status = 'pending' AND attempts = 0 AS fresh
			FROM ` + byID("$1") + ` AS n WHERE ` + claimable("$3") + `
		), families AS (
			SELECT n.id, 'with ' || n.sent_with AS family
			FROM asked a JOIN rappel.notifications n ON n.sent_with = a.sent_with AND ` + openTogether + `
			WHERE a.begun
			UNION
			SELECT n.id, encode(sha256(convert_to(concat_ws(' ', n.practice_id, n.channel, n.digest_hour, n.address), 'UTF8')), 'hex')
			FROM asked a JOIN rappel.notifications n USING (practice_id, channel, digest_hour, address)
			WHERE a.fresh AND ` + joinable + `
			UNION
			SELECT id, id::text FROM asked WHERE NOT begun AND NOT fresh
		)`
}

// join has what may go in one message go so.
func join(all []deliver.Ruled, together func([]deliver.Ruled)) {
	of := map[string][]int{}
	for i, r := range all {
		if family := r.Notification.Family; family != "" {
			of[family] = append(of[family], i)
		}
	}
	for _, family := range slices.Sorted(maps.Keys(of)) {
		members := make([]deliver.Ruled, 0, len(of[family]))
		for _, i := range of[family] {
			members = append(members, all[i])
		}
		together(members)
		for k, i := range of[family] {
			all[i] = members[k]
		}
	}
}

// keysOfFamilies returns the key under which each notification goes that does
// not go alone.
func keysOfFamilies(all []deliver.Ruled) map[string]string {
	of, shared := map[string]string{}, map[*deliver.Message]bool{}
	for _, r := range all {
		if with := r.Ruling.With; with != nil {
			of[r.Notification.ID], shared[with] = with.NotificationID, true
		}
	}
	for _, r := range all {
		if m := r.Ruling.Send; m != nil && (shared[m] || m.NotificationID != r.Notification.ID) {
			of[r.Notification.ID] = m.NotificationID
		}
	}
	return of
}

// joinQuery keeps under which key notifications go whose message another one
// holds.
const joinQuery = `
		UPDATE rappel.notifications n SET
			address = j.address, sent_with = j.key, template_version = NULL, segments = NULL, recipient_name = NULL, reply_to = NULL,
			subject = NULL, body = NULL, html = NULL, body_hash = NULL
		FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS j (id, address, key)
		WHERE n.id = j.id`

// inTheirName adds to receipts of a family's message what they say of each
// notification that it told of, and how many of these nobody named.
func inTheirName(ctx context.Context, tx pgx.Tx, receipts []deliver.Receipt) (all []deliver.Receipt, others int, err error) {
	named := map[string]bool{}
	for _, r := range receipts {
		named[r.NotificationID] = true
	}
	rows, err := tx.Query(ctx, `
		SELECT sent_with, id, coalesce(claim_id, settled_claim)::text FROM rappel.notifications
		WHERE sent_with = ANY ($1) AND id <> sent_with ORDER BY id`, keys(named))
	if err != nil {
		return nil, 0, err
	}
	type member struct{ id, lastClaim string }
	members := map[string][]member{}
	var key, id string
	var claim *string
	if _, err := pgx.ForEachRow(rows, []any{&key, &id, &claim}, func() error {
		members[key] = append(members[key], member{id, value(claim)})
		return nil
	}); err != nil {
		return nil, 0, err
	}
	all = slices.Clone(receipts)
	added := map[string]bool{}
	for _, r := range receipts {
		for _, m := range members[r.NotificationID] {
			if r.ClaimID > m.lastClaim {
				continue // it had dropped out of that try: claims are in the order of time
			}
			theirs := r
			theirs.NotificationID = m.id
			all = append(all, theirs)
			if !named[m.id] {
				added[m.id] = true
			}
		}
	}
	return all, len(added), nil
}
