package chaos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// A result is what came of one trial, in messages unless it says otherwise.
type result struct {
	scenario    string
	seed        uint64
	events      int // told
	reminders   int // due
	due         int
	lost        int // never came
	doubled     int // came under more than one key
	changed     int // came with another body under one key
	uncalled    int // nobody was due them, or they went to another address
	unaccounted int // where decisions, ledger and endpoint do not agree
	again       int // events told again, since Redis forgot them untaken
	requests    int
	held        time.Duration // the longest that what was due lay about after a worker's death
	heldLast    string        // whose that was
	heldOf      int
	drained     time.Duration
	why         []string // a line for each count
}

func (r result) clean() bool {
	return r.lost+r.doubled+r.changed+r.uncalled+r.unaccounted == 0 && len(r.why) == 0
}

// A row is what the ledger says of one message.
type row struct {
	message

	id, status, reason string
}

// books compare what was due, what was decided, what the ledger says and what
// the endpoint took.
type books struct {
	result

	world *world
	rows  map[string]row
	tally tally
}

func (w *world) count(ctx context.Context) result {
	w.t.Helper()
	worst, last, of := w.watch.measured()
	b := books{world: w, tally: w.endpoint.tally(), result: result{
		scenario: w.scenario.name, seed: w.seed, events: int(w.load.events.Load()), due: len(w.oracle.must),
		again: w.load.again, held: worst, heldLast: last, heldOf: of,
	}}
	b.requests = b.tally.requests
	for m := range w.oracle.must {
		if m.kind == reminder {
			b.reminders++
		}
	}
	for _, step := range []func(context.Context) error{b.read, b.perPerson, b.perKey, b.perDecision, b.perEvent, b.byRappel, b.perLog} {
		w.check("the books: ", step(ctx))
	}
	return b.result
}

func (b *books) note(count *int, format string, args ...any) {
	*count++
	b.why = append(b.why, fmt.Sprintf(format, args...))
}

// read reads the ledger.
func (b *books) read(ctx context.Context) error {
	rows, err := b.world.db.Query(ctx, `
		SELECT id::text, appointment_id::text, coalesce(contact_id, client_id)::text, channel, kind, extract(epoch FROM starts_at)::bigint,
			status, coalesce(reason, '')
		FROM rappel.notifications`)
	if err != nil {
		return err
	}
	b.rows = map[string]row{}
	var r row
	_, err = pgx.ForEachRow(rows, []any{&r.id, &r.appointment, &r.person, &r.channel, &r.kind, &r.start, &r.status, &r.reason}, func() error {
		b.rows[r.id] = r
		return nil
	})
	return err
}

// perPerson counts what each person got.
func (b *books) perPerson(context.Context) error {
	got := map[message][]string{}
	for key := range b.tally.taken {
		if r, ok := b.rows[key]; ok {
			got[r.message] = append(got[r.message], key)
		}
	}
	for m := range b.world.oracle.must {
		if len(got[m]) == 0 {
			b.note(&b.lost, "lost: %+v; %s", m, b.storyOf(m))
		}
	}
	for m, keys := range got {
		if len(keys) > 1 {
			b.note(&b.doubled, "doubled: %+v under the keys %v", m, keys)
		}
		if !b.world.oracle.must[m] && !b.world.oracle.may[m] {
			b.note(&b.uncalled, "uncalled for: %+v under the key %v", m, keys)
		}
	}
	for _, key := range b.tally.changed {
		b.note(&b.changed, "changed body: %+v under the key %s", b.rows[key].message, key)
	}
	return nil
}

// storyOf is what the ledger says of a message that did not come.
func (b *books) storyOf(m message) string {
	var statuses []string
	for _, r := range b.rows {
		if r.message == m {
			statuses = append(statuses, fmt.Sprintf("%s is %s %s", r.id, r.status, r.reason))
		}
	}
	if statuses == nil {
		return "the ledger does not know of it"
	}
	return fmt.Sprint(statuses)
}

// perKey compares what was taken with what the ledger says was sent.
func (b *books) perKey(context.Context) error {
	for key, l := range b.tally.taken {
		r, ok := b.rows[key]
		person := l.ContactID
		if person == "" {
			person = l.ClientID
		}
		switch {
		case !ok:
			b.note(&b.unaccounted, "taken under %s, which the ledger does not know", key)
		case r.status == "suppressed" && b.world.oracle.may[r.message]:
			// Asked for without an answer, then taken back: nobody knew that it had
			// gone, and to ask again would have been wrong.
		case !sent(r):
			b.note(&b.unaccounted, "taken under %s, but the ledger says %s %s", key, r.status, r.reason)
		case l.Kind != r.kind || l.channel != r.channel || l.AppointmentID != r.appointment || person != r.person:
			b.note(&b.unaccounted, "taken under %s was another message than the ledger says", key)
		case !b.addressed(r.message, l.to()):
			b.note(&b.uncalled, "taken under %s went to an address that is not that person's", key)
		}
	}
	for key, r := range b.rows {
		switch _, ok := b.tally.taken[key]; {
		case sent(r) && !ok:
			b.note(&b.unaccounted, "%s is %s, but was never taken", key, r.status)
		case r.status == "pending" || r.status == "sending" || r.status == "unknown":
			b.note(&b.unaccounted, "%s is still %s", key, r.status)
		}
	}
	for _, key := range b.tally.broken {
		b.note(&b.unaccounted, "a request that nobody can read, under the key %q", key)
	}
	return nil
}

func sent(r row) bool { return r.status == "sent" || r.status == "delivered" }

func (b *books) addressed(m message, to string) bool {
	p := b.world.people.persons[m.person]
	return p != nil && slices.Contains(slices.Concat(p.phones, p.emails), to)
}

// perDecision compares what was decided with the ledger.
func (b *books) perDecision(ctx context.Context) error {
	lines, err := b.world.ids(ctx, `
		WITH decided AS (
			SELECT d.appointment_id, d.kind, d.starts_at, d.event_id, d.rule_id,
				(SELECT count(*) FROM jsonb_array_elements(d.candidates) c WHERE c->>'outcome' = 'send') AS send
			FROM rappel.decisions d)
		SELECT format('decided about %s %s: %s to be told, %s in the ledger', d.kind, d.appointment_id, d.send, n.rows)
		FROM decided d
		CROSS JOIN LATERAL (
			SELECT count(*) AS rows FROM rappel.notifications n
			WHERE (d.event_id IS NOT NULL AND n.event_id = d.event_id)
				OR (d.rule_id IS NOT NULL AND n.rule_id = d.rule_id AND n.appointment_id = d.appointment_id AND n.starts_at = d.starts_at)) n
		WHERE d.send <> n.rows`)
	for _, line := range lines {
		b.note(&b.unaccounted, "%s", line)
	}
	return err
}

// perEvent looks for events that were told and that nobody decided about.
func (b *books) perEvent(ctx context.Context) error {
	undecided, err := b.world.ids(ctx, `SELECT id FROM rappel.events WHERE planned_at IS NULL`)
	if err != nil {
		return err
	}
	for _, id := range undecided {
		b.note(&b.unaccounted, "event %s was never decided", id)
	}
	untaken, err := b.world.load.untaken(ctx)
	for _, e := range untaken {
		b.note(&b.unaccounted, "event %s, told by task, was never taken", e.ID)
	}
	return err
}

// byRappel compares these books with those that rappel itself keeps.
func (b *books) byRappel(ctx context.Context) error {
	said, failed := b.world.fleet.run(ctx, "account", "--json", "--from", longAgo().Format(time.RFC3339))
	var own struct{ Planned, Unaccounted int }
	if err := json.Unmarshal(said, &own); err != nil {
		return errors.Join(failed, err)
	}
	if own.Unaccounted != 0 || own.Planned != len(b.rows) {
		b.note(&b.unaccounted, "rappel account: %d planned, %d unaccounted, where the ledger has %d rows", own.Planned, own.Unaccounted, len(b.rows))
	}
	return nil
}

// perLog looks for personal data in the logs, and for ends that were not clean.
func (b *books) perLog(context.Context) error {
	found, err := leaks(b.world.folder, b.world.people.betray)
	for _, line := range found {
		b.why = append(b.why, "personal data in a log: "+line)
	}
	if b.world.scenario.clean {
		for _, p := range b.world.fleet.all() {
			b.why = append(b.why, p.complaints()...)
		}
	}
	return err
}
