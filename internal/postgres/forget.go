package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"rappel/recipients"
)

// A Person is somebody on the practice side, who need not be there any more: a
// client or a contact. One of the two ids is empty.
type Person struct {
	ClientID, ContactID string
}

// Traces are what rappel's own tables hold of a person.
type Traces struct {
	To       int // messages to them
	About    int // messages to others that may name them
	Open     int // of both, those that have yet to go out
	Sending  int // of both, those that are being sent at this moment
	Notices  int // events that hold something about them
	Replies  int
	Unusable int // addresses of theirs that were refused, and opt-outs they revoked
	OptOuts  int // that go on binding their addresses: these stay

	Known  bool     // the practice side still has them
	Others []string // contacts who were written to about this client
}

// None tells whether nothing is left to forget.
func (t Traces) None() bool {
	return t.To+t.About+t.Notices+t.Replies+t.Unusable == 0
}

// Forget removes what rappel's own tables hold of a person, and returns what
// that was. Ids, statuses and times stay, so that the books still close and
// nothing that was decided is decided again. What has yet to go out does not.
//
// While a message is being sent nothing is done at all: its status would be a
// guess. A dry run does the same and takes it back.
func (s *Store) Forget(ctx context.Context, p Person, dryRun bool) (t Traces, err error) {
	untouched := errors.New("as it was")
	err = s.within(ctx, func(tx pgx.Tx) error {
		o := oblivion{tx: tx, traces: &t, client: null(p.ClientID), contacts: []string{}}
		if p.ContactID != "" {
			o.contacts = append(o.contacts, p.ContactID)
		}
		for _, step := range []func(context.Context) error{
			o.person, o.forgetEvents, o.holdOpen, o.addressesKnown, o.forgetReplies, o.forgetUnusable, o.forgetOptOuts, o.forgetMessages,
		} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		if dryRun || t.Sending > 0 {
			return untouched
		}
		return nil
	})
	if errors.Is(err, untouched) {
		err = nil
	}
	return t, err
}

// An oblivion is the forgetting of one person, within one transaction.
type oblivion struct {
	tx       pgx.Tx
	traces   *Traces
	client   *string
	contacts []string // a client may be contacts of others too
	regions  []string // of practices that know them, in which their numbers are read
	known    []knownAddress
}

// A knownAddress is one of the person's.
type knownAddress struct {
	channel recipients.Channel
	address recipients.Address
}

// Messages n to the person, and about them, whoever they go to: $1 is the
// client, $2 the contacts.
const (
	toThem    = `coalesce(n.contact_id = ANY ($2) OR (n.client_id = $1 AND n.contact_id IS NULL), false)`
	aboutThem = `(n.contact_id = ANY ($2) OR n.client_id = $1)`
)

// mayHaveGone tells of message n that a worker died over it, and that its
// receiver would not know it again.
const mayHaveGone = `(n.status = 'sending' AND coalesce(n.via, 'admin') <> 'admin')`

func (o *oblivion) args(more ...any) []any {
	return append([]any{o.client, o.contacts}, more...)
}

// person finds the contacts that a client is, and whether there is anybody.
func (o *oblivion) person(ctx context.Context) error {
	rows, err := o.tx.Query(ctx, `SELECT id FROM rappel.contacts WHERE client_id = $1 ORDER BY id`, o.client)
	if err != nil {
		return err
	}
	also, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	o.contacts = append(o.contacts, also...)
	return o.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM rappel.clients WHERE id = $1) OR EXISTS (SELECT FROM rappel.contacts WHERE id = ANY ($2)),
			array(SELECT DISTINCT n.contact_id::text FROM rappel.notifications n
				WHERE n.client_id = $1 AND n.contact_id IS NOT NULL AND n.contact_id <> ALL ($2) AND n.address <> '`+forgotten+`' ORDER BY 1)`,
		o.args()...).Scan(&o.traces.Known, &o.traces.Others)
}

// holdOpen keeps everybody else from messages that have yet to go out, in the
// order of all who hold several.
func (o *oblivion) holdOpen(ctx context.Context) error {
	rows, err := o.tx.Query(ctx, `
		SELECT n.status = 'sending' AND n.claimed_until >= now(), `+aboutThem+` FROM rappel.notifications n
		WHERE `+goesOn+` AND n.id = ANY (ARRAY(
			SELECT n.id FROM rappel.notifications n WHERE `+aboutThem+`
			UNION SELECT h.id FROM rappel.notifications n JOIN rappel.notifications h USING (sent_with) WHERE `+aboutThem+`))
		ORDER BY n.id FOR UPDATE OF n`, o.args()...)
	if err != nil {
		return err
	}
	var sending, theirs bool
	_, err = pgx.ForEachRow(rows, []any{&sending, &theirs}, func() error {
		if theirs {
			o.traces.Open++
		}
		if sending { // with a family's message, theirs is
			o.traces.Sending++
		}
		return nil
	})
	return err
}

// addressesKnown collects the person's addresses: those that were written to,
// and those of the practice side.
func (o *oblivion) addressesKnown(ctx context.Context) error {
	rows, err := o.tx.Query(ctx, `
		WITH wrote AS (
			SELECT DISTINCT n.channel, n.address, n.practice_id FROM rappel.notifications n
			WHERE `+aboutThem+` AND `+toThem+` AND n.address <> '`+forgotten+`'
		), people AS (
			SELECT email::text, phone::text, practice_id FROM rappel.clients WHERE id = $1
			UNION ALL SELECT email::text, phone::text, practice_id FROM rappel.contacts WHERE id = ANY ($2)
		), spelt AS (
			SELECT channel, address, practice_id FROM wrote
			UNION ALL SELECT 'email', email, practice_id FROM people
			UNION ALL SELECT 'sms', phone, practice_id FROM people
		)
		SELECT DISTINCT s.channel, s.address, coalesce(p.country::text, '')
		FROM spelt s LEFT JOIN rappel.practices p ON p.id = s.practice_id
		WHERE s.address IS NOT NULL`, o.args()...)
	if err != nil {
		return err
	}
	var channel recipients.Channel
	var raw, region string
	_, err = pgx.ForEachRow(rows, []any{&channel, &raw, &region}, func() error {
		o.regions = append(o.regions, region)
		if a, err := recipients.ParseAddress(channel, raw, region); err == nil {
			o.known = append(o.known, knownAddress{channel, a})
		}
		return nil
	})
	o.regions, o.known = unique(append(o.regions, "")), unique(o.known)
	return err
}

// spelt returns how the person's addresses are spelt in a table that others
// write too.
func (o *oblivion) spelt(ctx context.Context, table string) (c columns, err error) {
	var near columns
	for _, k := range o.known {
		near.add(string(k.channel), recipients.MatchKey(k.channel, k.address.Reveal()))
	}
	if near.col == nil {
		return c, nil
	}
	rows, err := o.tx.Query(ctx, `
		SELECT DISTINCT channel, address FROM `+table+` JOIN unnest($1::text[], $2::text[]) AS k (channel, match_key)
		USING (channel, match_key)`, near.args()...)
	if err != nil {
		return c, err
	}
	var channel recipients.Channel
	var raw string
	_, err = pgx.ForEachRow(rows, []any{&channel, &raw}, func() error {
		if o.theirs(channel, raw) {
			c.add(string(channel), raw)
		}
		return nil
	})
	return c, err
}

func (o *oblivion) theirs(channel recipients.Channel, raw string) bool {
	for _, region := range o.regions {
		a, err := recipients.ParseAddress(channel, raw, region)
		if err == nil && slices.ContainsFunc(o.known, func(k knownAddress) bool { return k.channel == channel && k.address.Same(a) }) {
			return true
		}
	}
	return false
}

// forgetEvents empties what was told with events about the person. A notice that
// was not answered yet would make a message, and goes. Of an appointment the
// decisions know whose it was; next to none of its events tells more.
func (o *oblivion) forgetEvents(ctx context.Context) error {
	gone, err := o.tx.Exec(ctx, `
		DELETE FROM rappel.events e
		WHERE (e.client_id = $1 OR e.contact_id = ANY ($2)) AND e.planned_at IS NULL AND e.appointment_id IS NULL`, o.args()...)
	if err != nil {
		return err
	}
	emptied, err := o.tx.Exec(ctx, `
		UPDATE rappel.events SET data = '{}' WHERE data <> '{}' AND id = ANY (ARRAY(
			SELECT e.id FROM rappel.events e WHERE e.client_id = $1 OR e.contact_id = ANY ($2)
			UNION SELECT e.id FROM rappel.events e
				WHERE e.data <> '{}' AND e.appointment_id IS NOT NULL AND EXISTS (
					SELECT FROM rappel.decisions d WHERE d.appointment_id = e.appointment_id AND d.client_id = $1)))`, o.args()...)
	o.traces.Notices = int(gone.RowsAffected() + emptied.RowsAffected())
	return err
}

// forgetReplies takes what the person wrote out of replies, also where the main
// app does not have it yet. A number that others were written to on answers for
// them too: a reply to their messages stays.
func (o *oblivion) forgetReplies(ctx context.Context) error {
	numbers := []string{}
	for _, k := range o.known {
		if k.channel == recipients.SMS {
			numbers = append(numbers, k.address.Reveal())
		}
	}
	tag, err := o.tx.Exec(ctx, `
		UPDATE rappel.replies r SET
			address = '`+forgotten+`', body = NULL, outcome = coalesce(outcome, 'dropped'), settled_at = coalesce(settled_at, now()),
			claim_id = NULL, claimed_until = NULL
		WHERE r.address <> '`+forgotten+`' AND (
			EXISTS (SELECT FROM rappel.notifications n WHERE n.id = r.notification_id AND `+toThem+`)
			OR (r.address = ANY ($3) AND NOT EXISTS (
				SELECT FROM rappel.notifications n WHERE n.id = r.notification_id AND NOT `+toThem+`)))`,
		o.args(numbers)...)
	o.traces.Replies = int(tag.RowsAffected())
	return err
}

func (o *oblivion) forgetUnusable(ctx context.Context) error {
	spelt, err := o.spelt(ctx, "rappel.unusable_addresses")
	if err != nil || spelt.col == nil {
		return err
	}
	tag, err := o.tx.Exec(ctx, `
		DELETE FROM rappel.unusable_addresses WHERE (channel, address) IN (SELECT * FROM unnest($1::text[], $2::text[]))`, spelt.args()...)
	o.traces.Unusable += int(tag.RowsAffected())
	return err
}

// forgetOptOuts leaves those that bind: whoever asked to hear no more must not
// hear more for having been forgotten.
func (o *oblivion) forgetOptOuts(ctx context.Context) error {
	spelt, err := o.spelt(ctx, "rappel.opt_outs")
	if err != nil || spelt.col == nil {
		return err
	}
	const theirs = `(channel, address) IN (SELECT * FROM unnest($1::text[], $2::text[]))`
	tag, err := o.tx.Exec(ctx, `DELETE FROM rappel.opt_outs WHERE revoked_at IS NOT NULL AND `+theirs, spelt.args()...)
	if err != nil {
		return err
	}
	o.traces.Unusable += int(tag.RowsAffected())
	return o.tx.QueryRow(ctx, `SELECT count(*) FROM rappel.opt_outs WHERE `+theirs, spelt.args()...).Scan(&o.traces.OptOuts)
}

// forgetMessages comes last: the other steps find the person by them.
func (o *oblivion) forgetMessages(ctx context.Context) error {
	// A family's message names them too: if it is tried again, it is written anew.
	if _, err := o.tx.Exec(ctx, `
		UPDATE rappel.notifications h SET `+strings.ReplaceAll(keepIf("false"), "n.", "h.")+`
		WHERE h.body IS NOT NULL AND h.sent_with IN (
			SELECT n.sent_with FROM rappel.notifications n WHERE `+aboutThem+` AND n.sent_with IS NOT NULL)`, o.args()...); err != nil {
		return err
	}
	return o.tx.QueryRow(ctx, `
		WITH emptied AS (
			UPDATE rappel.notifications n SET
				address = CASE WHEN `+toThem+` THEN '`+forgotten+`' ELSE n.address END,
				status = CASE WHEN `+mayHaveGone+` THEN 'unknown' WHEN n.status IN ('pending', 'sending') THEN 'suppressed' ELSE n.status END,
				reason = CASE WHEN `+mayHaveGone+` THEN NULL WHEN n.status IN ('pending', 'sending') THEN 'superseded' ELSE n.reason END,
				sent_at = CASE WHEN `+mayHaveGone+` THEN coalesce(n.sent_at, now()) ELSE n.sent_at END,
				claim_id = NULL, claimed_until = NULL, repeat_at = NULL, history = '[]', body_hash = NULL, `+keepIf("false")+`
			WHERE `+aboutThem+` AND (`+goesOn+` OR n.body_hash IS NOT NULL OR n.history <> '[]'
				OR coalesce(n.recipient_name, n.reply_to, n.subject, n.body, n.html) IS NOT NULL
				OR (`+toThem+` AND n.address <> '`+forgotten+`'))
			RETURNING `+toThem+` AS to_them
		)
		SELECT count(*) FILTER (WHERE to_them), count(*) FILTER (WHERE NOT to_them) FROM emptied`,
		o.args()...).Scan(&o.traces.To, &o.traces.About)
}
