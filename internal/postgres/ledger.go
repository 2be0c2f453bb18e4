package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/jobs/deliver"
	"rappel/recipients"
	"rappel/templates"
)

// Claim implements deliver.Ledger: it claims, looks once more and fixes the
// text in one short transaction, so that what is sent is in the ledger first.
func (s *Store) Claim(
	ctx context.Context, ids []string, terms deliver.Terms,
	rule func(deliver.Notification, *practice.Snapshot, []templates.Source) deliver.Ruling,
) (claim deliver.Claim, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return claim, fmt.Errorf("new claim id: %w", err)
	}
	claim.ID = id.String()
	err = s.within(ctx, func(tx pgx.Tx) error {
		claimed, err := take(ctx, tx, ids, claim.ID, terms)
		if err != nil || len(claimed) == 0 {
			return err
		}
		all, err := s.ruleOn(ctx, tx, claimed, rule)
		if err != nil {
			return err
		}
		if terms.Join != nil {
			join(all, terms.Join)
		}
		if err := settle(ctx, tx, all); err != nil {
			return err
		}
		sortInto(&claim, all)
		return nil
	})
	if err != nil {
		return deliver.Claim{}, err
	}
	return claim, nil
}

func sortInto(claim *deliver.Claim, all []deliver.Ruled) {
	with := map[*deliver.Message][]deliver.Notification{}
	for _, r := range all {
		if r.Ruling.With != nil {
			with[r.Ruling.With] = append(with[r.Ruling.With], r.Notification)
		}
	}
	for _, r := range all {
		switch {
		case r.Ruling.Send != nil:
			m := deliver.Claimed{Notification: r.Notification, Message: *r.Ruling.Send, With: with[r.Ruling.Send]}
			m.Message.ClaimID = claim.ID
			claim.Messages = append(claim.Messages, m)
		case r.Ruling.With != nil: // with the message
		case r.Ruling.Close != "":
			claim.Closed = append(claim.Closed, deliver.Closed{Notification: r.Notification, Ruling: r.Ruling})
		default:
			claim.Waiting = append(claim.Waiting, deliver.Waiting{ID: r.Notification.ID, Until: r.Ruling.Until})
		}
	}
}

// claimable tells what can be claimed at a time of people's clock.
func claimable(now string) string {
	return `((status = 'pending' AND not_before <= ` + now + `)
		OR (status = 'sending' AND claimed_until < now())
		OR (status = 'unknown' AND repeat_at <= ` + now + `))`
}

// byID reads the rows with the ids of an argument before anything else is asked of
// them. Else PostgreSQL, which thinks that next to nothing is open, reads all
// that is and looks for the ids in that: a claim would cost what waits.
func byID(ids string) string {
	return `(SELECT * FROM rappel.notifications WHERE id = ANY (` + ids + `) OFFSET 0)`
}

// Due implements deliver.Ledger. It looks whether somebody plans for the same
// appointment at this moment: see leaving.hold.
func (s *Store) Due(ctx context.Context, ids []string, now time.Time) ([]deliver.Due, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, practice_id, NOT pg_try_advisory_xact_lock_shared(`+planned("coalesce(CASE WHEN n.kind LIKE 'appointment.%' THEN n.appointment_id END, n.client_id)::text")+`)
		FROM `+byID("$1")+` AS n
		WHERE `+claimable("$2")+`
		ORDER BY not_before, id`, ids, now)
	if err != nil {
		return nil, redact(err)
	}
	due, err := pgx.CollectRows(rows, pgx.RowToStructByPos[deliver.Due])
	return due, redact(err)
}

// Park implements deliver.Ledger.
func (s *Store) Park(ctx context.Context, ids []string, wait time.Duration) error {
	_, err := s.pool.Exec(ctx, `
		WITH held AS (
			SELECT id FROM rappel.notifications
			WHERE id = ANY ($1) AND status IN ('pending', 'unknown')
			ORDER BY id
			FOR UPDATE SKIP LOCKED
		)
		UPDATE rappel.notifications n SET offered_at = now() + $2::interval FROM held WHERE n.id = held.id`, ids, wait)
	return redact(err)
}

// take claims what is due and on nobody's desk. A claim that has run out is
// taken over: its holder can no longer record. What may have gone is taken only
// where it is to be repeated.
func take(ctx context.Context, tx pgx.Tx, ids []string, claimID string, terms deliver.Terms) ([]deliver.Notification, error) {
	rows, err := tx.Query(ctx, `
		WITH `+withFamilies()+`, locked AS MATERIALIZED (
			SELECT * FROM rappel.notifications WHERE id = ANY (ARRAY(SELECT id FROM families))
			ORDER BY id
			FOR UPDATE SKIP LOCKED
		), due AS (
			SELECT n.id, n.status AS was, n.via AS was_via, f.family
			FROM locked n JOIN families f USING (id)
			WHERE (`+claimable("$3")+` OR `+joinable+` OR `+openTogether+`) AND (n.status <> 'sending' OR n.claimed_until < now())
		), claimed AS (
			UPDATE rappel.notifications n
			SET status = 'sending', claim_id = $2, claimed_until = now() + $4::interval, attempts = attempts + 1, via = $5,
				settled_claim = coalesce(n.claim_id, n.settled_claim), repeat_at = NULL, repeated_at = CASE due.was WHEN 'unknown' THEN now() ELSE n.repeated_at END
			FROM due
			WHERE n.id = due.id AND due.family NOT IN (SELECT f.family FROM families f WHERE f.id NOT IN (SELECT id FROM due))
			RETURNING n.*, due.was, due.was_via, CASE WHEN due.family <> n.id::text THEN due.family END AS family
		)
		`+ofLedger("claimed", overtaken("$3")+" OR "+toldAgain()), ids, claimID, terms.Now, terms.Lease, string(terms.Via))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanNotification)
}

// ofLedger reads notifications for scanNotification, in the order of their ids,
// from a table with the ledger's columns, its family, and what a row was before:
// was, was_via. The condition tells what has taken the place of n.
func ofLedger(table, overtaken string) string {
	return `
		SELECT n.id, n.practice_id, n.client_id, coalesce(n.contact_id::text, ''), coalesce(n.appointment_id::text, ''),
			n.kind, coalesce(n.rule_id::text, ''), n.channel, n.address, n.template, ` + finite("n.starts_at") + `, ` + finite("n.not_before") + `, ` + finite("coalesce(n.planned_for, n.not_before)") + `,
			` + finite("n.not_after") + `, n.attempts, coalesce(e.data, '{}'),
			coalesce(n.recipient_name, ''), coalesce(n.reply_to, ''), coalesce(n.subject, ''), n.body, coalesce(n.html, ''),
			coalesce(n.template_version, 0), coalesce(n.segments, 0), ` + ruleOfMessage + `,
			` + overtaken + `, n.was, coalesce(n.was_via, ''), n.repeated_at IS NOT NULL, coalesce(n.via, ''),
			coalesce(n.family, ''), coalesce(n.sent_with::text, ''), coalesce(n.traceparent, ''),
			array(SELECT coalesce(o.contact_id::text, '') FROM rappel.notifications o
				WHERE o.decision_id = n.decision_id AND o.channel = n.channel AND o.id <> n.id AND o.` + onItsWay + `)
		FROM ` + table + ` n
		LEFT JOIN rappel.events e ON e.id = n.event_id
		LEFT JOIN rappel.rules r ON r.id = n.rule_id AND r.active
		ORDER BY n.id`
}

// ruleOfMessage is what a message must know of its rule.
const ruleOfMessage = `r.anchor::text, 'appointment.' || coalesce(r.kind::text, ''), coalesce(r.service_name::text, '')`

// overtaken tells that a rule nearer to the start has a message for the same
// person by now: one that was decided in advance and waits for its time has not
// come yet.
func overtaken(now string) string {
	return `coalesce(r.anchor::text = 'start', false) AND EXISTS (
				SELECT 1 FROM rappel.notifications m JOIN rappel.rules q ON q.id = m.rule_id AND q.anchor::text = 'start'
				WHERE m.appointment_id = n.appointment_id AND m.starts_at = n.starts_at AND m.rule_id <> n.rule_id
					AND (m.status <> 'pending' OR coalesce(m.planned_for, m.not_before) <= ` + now + `)
					AND ` + afterN + `)`
}

// toldAgain tells that the change that n speaks of was told again, with another
// revision, before n went.
func toldAgain() string {
	return `(n.kind IN ('` + strings.Join(changes(), "', '") + `') AND ` + retold + `)`
}

// afterN tells that message m says the same kind of thing to the same person as
// n, was decided after it, or with it for a later time, and is on its way or there.
const afterN = `m.kind = n.kind AND m.channel = n.channel AND m.contact_id IS NOT DISTINCT FROM n.contact_id
					AND (m.created_at, coalesce(m.planned_for, m.not_before)) > (n.created_at, coalesce(n.planned_for, n.not_before))
					AND m.` + onItsWay

// onItsWay is the status of a message that will go, or has gone for all we know.
const onItsWay = `status IN ('pending', 'sending', 'sent', 'delivered', 'unknown')`

// unclaimed are a row's columns as ofLedger reads those of a claim.
const unclaimed = `n.*, status AS was, via AS was_via, NULL::text AS family`

// endOfTime is until when a notification without an end is of use.
func endOfTime() time.Time { return time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC) }

func scanNotification(row pgx.CollectableRow) (n deliver.Notification, err error) {
	var (
		address          string
		starts, notAfter *time.Time
		plannedFor       *time.Time
		notBefore        *time.Time // null: written by hand, at no time that we can tell
		data             []byte
		body             *string
		text             deliver.Text
		anchor           *schedule.Anchor
		ruleKind         kind.Kind
		service          string
		was              deliver.Status
		wasVia, via      deliver.Way
	)
	err = row.Scan(&n.ID, &n.PracticeID, &n.ClientID, &n.ContactID, &n.AppointmentID, &n.Kind, &n.RuleID,
		&n.Channel, &address, &n.Template, &starts, &notBefore, &plannedFor, &notAfter, &n.Attempts, &data,
		&text.Name, &text.ReplyTo, &text.Subject, &body, &text.HTML, &text.Version, &text.Segments, &anchor, &ruleKind, &service, &n.Overtaken,
		&was, &wasVia, &n.Repeat, &via, &n.Family, &n.SentWith, &n.Traceparent, &n.Others)
	if err != nil {
		return n, err
	}
	n.StartsAt, n.NotBefore, n.PlannedFor, n.NotAfter = value(starts), value(notBefore), value(plannedFor), endOfTime()
	if notAfter != nil {
		n.NotAfter = *notAfter
	}
	n.Data, _ = DataTexts(data)
	to, err := recipients.ParseAddress(n.Channel, address, "")
	const first = 1 // this one: what was tried before without counting never arrived
	if n.Address = to; body != nil && err == nil && n.Attempts > first {
		text.Body = *body
		n.Fixed = &text
	}
	n.Interrupted = interrupted(was, wasVia, via, n.Tried())
	if anchor != nil {
		n.Rule = &schedule.Rule{ID: n.RuleID, Kind: ruleKind, Anchor: *anchor, ServiceName: service}
	}
	return n, nil // an address that somebody wrote by hand is looked up anew
}

// interrupted tells whether a message may have gone by a way on which, or after
// which, nobody recognises the repeat: its sender went away, or the way out was
// changed after a try that may have arrived.
func interrupted(was deliver.Status, wasVia, via deliver.Way, tried bool) bool {
	if was == deliver.Sending {
		return !wasVia.KnowsRepeats() || wasVia != "" && wasVia != via
	}
	return was == deliver.Pending && tried && wasVia.KnowsRepeats() && wasVia != "" && wasVia != via
}

// DataTexts reads the values of an event's data that are texts or numbers, a
// number as it stands there; a template has no use for others. It is false where
// the data is no object.
func DataTexts(data []byte) (map[string]string, bool) {
	if string(data) == "{}" {
		return nil, true // as most have it
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var raw map[string]any
	if !json.Valid(data) || decoder.Decode(&raw) != nil {
		return nil, false
	}
	texts := map[string]string{}
	for k, v := range raw {
		switch v := v.(type) {
		case string:
			texts[k] = v
		case json.Number:
			texts[k] = v.String()
		}
	}
	return texts, true
}

// ruleOn reads what is known at this moment and has each notification ruled on.
func (s *Store) ruleOn(
	ctx context.Context, tx pgx.Tx, claimed []deliver.Notification,
	rule func(deliver.Notification, *practice.Snapshot, []templates.Source) deliver.Ruling,
) ([]deliver.Ruled, error) {
	var wanted []subject
	var begun []begunAddress
	for _, n := range claimed {
		wanted = append(wanted, aboutWhat(n))
		if n.Tried() {
			begun = append(begun, begunAddress{n.Channel, n.Address})
		}
	}
	known, err := s.snapshots(ctx, tx, unique(wanted), begun...)
	if err != nil {
		return nil, err
	}
	texts, err := textsFor(ctx, tx, claimed)
	if err != nil {
		return nil, err
	}
	all := make([]deliver.Ruled, len(claimed))
	for i, n := range claimed {
		s, rows := known[aboutWhat(n)], texts[n.PracticeID]
		all[i] = deliver.Ruled{Notification: n, Known: s, Texts: rows, Ruling: rule(n, s, rows)}
	}
	return all, nil
}

// aboutWhat is by kind, as it was when n was planned: a notice may name an
// appointment, and is about its client all the same.
func aboutWhat(n deliver.Notification) subject {
	if n.AppointmentID == "" || n.Kind.Sort() == kind.Notice {
		return subject{clientID: n.ClientID}
	}
	return subject{appointmentID: n.AppointmentID}
}

// settle keeps the rulings: the text of what is to be sent for the first time,
// and the end or the wait of what is not sent now, and so not repeated either.
func settle(ctx context.Context, tx pgx.Tx, all []deliver.Ruled) error {
	keys := keysOfFamilies(all)
	most := columns{rows: len(all)}
	first, joined, rest := most, most, most
	for _, r := range all {
		n, ruling := r.Notification, r.Ruling
		switch {
		case ruling.Send != nil && (n.Fixed == nil || *n.Fixed != ruling.Send.Text):
			t := ruling.Send.Text
			first.add(n.ID, ruling.Send.To.Reveal(), min(t.Version, math.MaxInt32), null(t.Segments),
				null(t.Name), null(t.ReplyTo), null(t.Subject), t.Body, null(t.HTML), hash(t), null(keys[n.ID]))
		case ruling.Send != nil: // as it was sent before
		case ruling.With != nil:
			joined.add(n.ID, ruling.With.To.Reveal(), keys[n.ID])
		case ruling.Close != "":
			rest.add(n.ID, string(ruling.Close), null(string(ruling.Reason)), (*time.Time)(nil), null(ruling.RepeatAt), n.Interrupted, ruling.Close == deliver.Unknown)
		default:
			rest.add(n.ID, string(deliver.Pending), (*string)(nil), &ruling.Until, (*time.Time)(nil), n.Interrupted, ruling.KeepsKey)
		}
	}
	if err := first.exec(ctx, tx, `
		UPDATE rappel.notifications n SET
			address = t.address, template_version = t.version, segments = t.segments,
			recipient_name = t.name, reply_to = t.reply_to, subject = t.subject, body = t.body, html = t.html, body_hash = t.hash,
			sent_with = t.key
		FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[], $11::uuid[])
			AS t (id, address, version, segments, name, reply_to, subject, body, html, hash, key)
		WHERE n.id = t.id`); err != nil {
		return err
	}
	if err := joined.exec(ctx, tx, joinQuery); err != nil {
		return err
	}
	return rest.exec(ctx, tx, `
		UPDATE rappel.notifications n SET
			status = r.status, reason = r.reason, not_before = coalesce(r.until, n.not_before), repeat_at = r.repeat_at,
			sent_at = CASE r.status WHEN 'unknown' THEN coalesce(n.sent_at, now()) ELSE n.sent_at END,
			sent_with = CASE WHEN r.keeps_key THEN n.sent_with END,
			repeated_at = CASE WHEN r.interrupted THEN n.repeated_at END, attempts = n.attempts - 1, claim_id = NULL, claimed_until = NULL, offered_at = now(),
			`+keepIf("r.status = 'pending' OR r.repeat_at IS NOT NULL")+`
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bool[], $7::bool[])
			AS r (id, status, reason, until, repeat_at, interrupted, keeps_key)
		WHERE n.id = r.id`)
}

// keepIf keeps the words of a message that may be tried again, and drops them
// otherwise.
func keepIf(condition string) string {
	var set []string
	for _, column := range []string{"recipient_name", "reply_to", "subject", "body", "html"} {
		set = append(set, column+" = CASE WHEN "+condition+" THEN n."+column+" END")
	}
	return strings.Join(set, ", ")
}

// hash is what the ledger keeps of a text when the text itself goes.
func hash(t deliver.Text) []byte {
	var all []byte
	for _, part := range []string{t.Name, t.ReplyTo, t.Subject, t.Body, t.HTML} {
		all = strconv.AppendInt(all, int64(len(part)), 10)
		all = append(append(all, ':'), part...)
	}
	sum := sha256.Sum256(all)
	return sum[:]
}

// Forgotten returns notifications of channel c that are due and on nobody's
// desk: open for some time since they were last put on the queue, or claimed by
// somebody whose time ran out. They count as put on the queue again. After no
// time at all, it is what is due, wherever it is.
func (s *Store) Forgotten(ctx context.Context, c recipients.Channel, now time.Time, after time.Duration, limit int) ([]string, error) {
	rows, err := s.pool.Query(ctx, `
		UPDATE rappel.notifications n SET offered_at = now()
		FROM (
			SELECT id FROM rappel.notifications
			WHERE channel = $1 AND (offered_at < now() - $3::interval OR $3::interval = '0') AND (
				(status = 'pending' AND not_before <= $2::timestamptz - $3::interval)
				OR (status = 'sending' AND claimed_until < now())
				OR (status = 'unknown' AND repeat_at <= $2::timestamptz - $3::interval))
			ORDER BY not_before
			LIMIT $4
			FOR UPDATE SKIP LOCKED
		) f
		WHERE n.id = f.id
		RETURNING n.id`, string(c), now, after, limit)
	if err != nil {
		return nil, redact(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return ids, redact(err)
}

// OldestDue returns since when the notification of channel c waits that should
// have gone out first; zero where none does.
func (s *Store) OldestDue(ctx context.Context, c recipients.Channel, now time.Time) (time.Time, error) {
	var oldest *time.Time
	err := s.pool.QueryRow(ctx, `
		SELECT (SELECT not_before FROM rappel.notifications
			WHERE channel = $1 AND status = 'pending' AND not_before <= $2 AND not_before > '-infinity'
			ORDER BY not_before LIMIT 1)`, string(c), now).Scan(&oldest)
	return value(oldest), redact(err)
}

var _ deliver.Ledger = (*Store)(nil)
