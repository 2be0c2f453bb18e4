package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/jobs/plan"
)

// patience is how long an event waits for its appointment to be there: a main
// app may report it before its own transaction has committed.
const patience = 10 * time.Minute

// youth is how long an event may have come before the change that it tells of.
const youth = time.Minute

// AddEvents keeps events that came as tasks, and returns how many are new: one
// already known stays as it is.
func (s *Store) AddEvents(ctx context.Context, events []plan.Event) (added int, err error) {
	if len(events) == 0 {
		return 0, nil
	}
	rows := columns{rows: len(events)}
	for _, e := range events {
		rows.add(e.ID, string(e.Kind), null(e.AppointmentID), null(e.ClientID), null(e.ContactID), e.OccurredAt, null(e.Traceparent))
	}
	err = s.within(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO rappel.events (id, kind, appointment_id, client_id, contact_id, occurred_at, traceparent)
			SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::text[])
			ON CONFLICT (id) DO NOTHING`, rows.args()...)
		added = int(tag.RowsAffected())
		return err
	})
	return added, err
}

// PlanEvents implements plan.Store. Events that another machine holds are
// passed over, so that any number of planners may work at once.
func (s *Store) PlanEvents(
	ctx context.Context, limit int, decide func(plan.Event, *practice.Snapshot) (plan.Decision, bool),
) (taken int, made []plan.Decision, err error) {
	return s.planEvents(ctx, limit, decide, nil)
}

func (s *Store) planEvents(
	ctx context.Context, limit int, decide func(plan.Event, *practice.Snapshot) (plan.Decision, bool), leaving *leaving,
) (taken int, made []plan.Decision, err error) {
	err = s.within(ctx, func(tx pgx.Tx) (err error) {
		events, err := waitingEvents(ctx, tx, limit)
		if err != nil || len(events) == 0 {
			return err
		}
		taken = len(events)
		if limit == 1 {
			defer blameEvent(events[0], &err)
		}
		wanted := subjects(events)
		if err := leaving.hold(ctx, tx, wanted); err != nil {
			return err
		}
		known, err := s.snapshots(ctx, tx, wanted)
		if err != nil {
			return err
		}
		if err := recall(ctx, tx, events, known); err != nil {
			return err
		}
		var decisions []plan.Decision
		var later []string
		var waits columns
		for _, e := range events {
			switch d, ok := decide(e, known[subjectOf(e).key()]); {
			case ok:
				decisions = append(decisions, d)
			case d.Wait > 0:
				waits.add(e.ID, d.Wait)
			default:
				later = append(later, e.ID)
			}
		}
		if err := wait(ctx, tx, waits); err != nil {
			return err
		}
		if made, err = keep(ctx, tx, decisions, known, leaving); err != nil {
			return err
		}
		if err = answer(ctx, tx, decisions, made); err != nil {
			return err
		}
		return postpone(ctx, tx, later)
	})
	if err != nil {
		return 0, nil, err
	}
	return taken, made, nil
}

// moved tells of event e and appointment a that the move is there to be seen:
// the start was set after the booking, or another one at an earlier revision,
// and the message about that is not an old one, which was about the move before.
const moved = `(a.start_set_at > a.booked_at OR EXISTS (
			SELECT FROM rappel.decisions o
			WHERE o.appointment_id = a.id AND o.event_id IS NOT NULL AND o.revision < a.revision AND o.starts_at <> a.starts_at))
		AND NOT EXISTS (
			SELECT FROM rappel.decisions t
			WHERE t.appointment_id = a.id AND t.kind = e.kind AND t.event_id IS NOT NULL AND t.revision = a.revision
				AND t.decided_at < ` + occurred + ` - interval '1 minute')`

// mostKind is how much of a kind is read. One that is longer is none of ours, and
// would find no place in an index.
const mostKind = "100"

func waitingEvents(ctx context.Context, tx pgx.Tx, limit int) ([]plan.Event, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, left(kind, `+mostKind+`), coalesce(appointment_id::text, ''), coalesce(client_id::text, ''),
			coalesce(contact_id::text, ''), `+occurred+`, created_at > now() - $3::interval, created_at < now() - $2::interval,
			`+age+`, coalesce(traceparent, ''), CASE WHEN data <> '{}' THEN data END,
			kind = 'appointment.rescheduled' AND EXISTS (
				SELECT FROM rappel.decisions d JOIN rappel.appointments a ON a.id = d.appointment_id
				WHERE d.appointment_id = e.appointment_id AND d.event_id IS NOT NULL AND d.revision = a.revision
					AND (`+moved+`) IS NOT TRUE)
		FROM rappel.events e
		WHERE planned_at IS NULL AND look_at <= now()
		ORDER BY look_at
		LIMIT $1
		FOR UPDATE SKIP LOCKED`, limit, patience, youth)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e plan.Event, err error) {
		return e, row.Scan(&e.ID, &e.Kind, &e.AppointmentID, &e.ClientID, &e.ContactID, &e.OccurredAt, &e.Young, &e.Stale, &e.Age, &e.Traceparent, &e.Data, &e.Unmoved)
	})
}

func subjectOf(e plan.Event) subject {
	if e.Kind.Sort() == kind.Notice {
		return subject{clientID: e.ClientID}
	}
	return subject{appointmentID: e.AppointmentID}
}

func subjects(events []plan.Event) []subject {
	var wanted []subject
	for _, e := range events {
		if of := subjectOf(e); of != (subject{}) {
			wanted = append(wanted, of)
		}
	}
	return unique(wanted)
}

// keep writes decisions with their notifications, and returns those that are
// new. An event told twice, or a rule decided before, makes none. The order is
// the same for every writer, so that two of them cannot wait for each other.
func keep(
	ctx context.Context, tx pgx.Tx, decisions []plan.Decision, known map[subject]*practice.Snapshot, leaving *leaving,
) ([]plan.Decision, error) {
	if len(decisions) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(decisions, func(a, b plan.Decision) int {
		return strings.Compare(a.AppointmentID+string(a.Kind)+a.RuleID, b.AppointmentID+string(b.Kind)+b.RuleID)
	})
	ids, err := insertDecisions(ctx, tx, decisions)
	if err != nil {
		return nil, err
	}
	var made []plan.Decision
	for _, d := range decisions {
		if ids[d.ID] {
			made = append(made, d)
		}
	}
	claims, err := leaving.admit(ctx, tx, made, known)
	if err != nil {
		return nil, err
	}
	return made, insertNotifications(ctx, tx, made, claims)
}

func insertDecisions(ctx context.Context, tx pgx.Tx, decisions []plan.Decision) (map[string]bool, error) {
	all := columns{rows: len(decisions)}
	for _, d := range decisions {
		candidates, err := d.CandidatesJSON()
		if err != nil {
			return nil, err
		}
		all.add(d.ID, null(d.PracticeID), null(d.ClientID), null(d.AppointmentID), null(d.EventID), null(d.RuleID),
			string(d.Kind), d.Revision, null(d.StartsAt), d.DecidedAt, string(d.Outcome), string(candidates), null(d.Detail))
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO rappel.decisions (id, practice_id, client_id, appointment_id, event_id, rule_id, kind, revision,
			starts_at, decided_at, outcome, candidates, detail)
		SELECT id, practice_id, client_id, appointment_id, event_id, rule_id, kind, revision,
			starts_at, decided_at, outcome, candidates::jsonb, detail
		FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::bigint[],
			$9::timestamptz[], $10::timestamptz[], $11::text[], $12::text[], $13::text[]) WITH ORDINALITY
			AS d (id, practice_id, client_id, appointment_id, event_id, rule_id, kind, revision,
				starts_at, decided_at, outcome, candidates, detail, n)
		ORDER BY n
		ON CONFLICT DO NOTHING
		RETURNING id`, all.args()...)
	if err != nil {
		return nil, err
	}
	made := map[string]bool{}
	var id string
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		made[id] = true
		return nil
	})
	return made, err
}

func insertNotifications(ctx context.Context, tx pgx.Tx, decisions []plan.Decision, claims map[string]claimed) error {
	all := columns{rows: messagesOf(decisions)}
	for _, d := range decisions {
		for _, n := range d.Notifications {
			c := claims[n.ID]
			version, body, hash := c.written()
			all.add(
				n.ID, d.ID, d.PracticeID, d.ClientID, null(n.ContactID), null(d.AppointmentID), null(d.EventID), null(d.RuleID),
				string(d.Kind), string(n.Channel), n.Address.Reveal(), n.Template, d.Revision, null(d.StartsAt),
				n.NotBefore, n.NotAfter, d.DecidedAt, null(n.DigestHour), cmp.Or(n.Alone, n.NotBefore), null(d.Traceparent),
				null(c.claim), null(string(c.via)), c.lease, version, null(c.text.Segments),
				null(c.text.Name), null(c.text.ReplyTo), null(c.text.Subject), body, null(c.text.HTML), hash,
			)
		}
	}
	return all.exec(ctx, tx, `
		INSERT INTO rappel.notifications (id, decision_id, practice_id, client_id, contact_id, appointment_id, event_id,
			rule_id, kind, channel, address, template, revision, starts_at, not_before, not_after, created_at, digest_hour, planned_for, traceparent,
			status, attempts, claim_id, via, claimed_until, template_version, segments, recipient_name, reply_to, subject, body, html, body_hash)
		SELECT id, decision_id, practice_id, client_id, contact_id, appointment_id, event_id,
			rule_id, kind, channel, address, template, revision, starts_at, not_before, not_after, created_at, digest_hour, planned_for, traceparent,
			CASE WHEN claim_id IS NULL THEN 'pending' ELSE 'sending' END, (claim_id IS NOT NULL)::int, claim_id, via, CASE WHEN claim_id IS NOT NULL THEN now() + lease END,
			template_version, segments, recipient_name, reply_to, subject, body, html, body_hash
		FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[],
			$9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::timestamptz[], $15::timestamptz[],
			$16::timestamptz[], $17::timestamptz[], $18::timestamptz[], $19::timestamptz[], $20::text[],
			$21::uuid[], $22::text[], $23::interval[], $24::int[], $25::int[], $26::text[], $27::text[], $28::text[], $29::text[], $30::text[], $31::bytea[])
			AS n (id, decision_id, practice_id, client_id, contact_id, appointment_id, event_id,
			rule_id, kind, channel, address, template, revision, starts_at, not_before, not_after, created_at, digest_hour, planned_for, traceparent,
			claim_id, via, lease, template_version, segments, recipient_name, reply_to, subject, body, html, body_hash)`)
}

func messagesOf(decisions []plan.Decision) (n int) {
	for _, d := range decisions {
		n += len(d.Notifications)
	}
	return n
}

// answer marks events as planned. One that was told twice is answered by the
// decision about the first.
func answer(ctx context.Context, tx pgx.Tx, decisions, made []plan.Decision) error {
	isNew := map[string]bool{}
	for _, d := range made {
		isNew[d.ID] = true
	}
	answers := columns{rows: len(decisions)}
	for _, d := range decisions {
		id := &d.ID
		if !isNew[d.ID] {
			id = nil
		}
		answers.add(id, d.EventID, d.DecidedAt)
	}
	return answers.exec(ctx, tx, `
		UPDATE rappel.events e
		SET planned_at = p.at, decision_id = coalesce(p.decision_id,
			(SELECT d.id FROM rappel.decisions d JOIN rappel.appointments a ON a.id = d.appointment_id
			 WHERE d.appointment_id = e.appointment_id AND d.kind = e.kind AND d.revision = a.revision
			   AND d.event_id IS NOT NULL
			 LIMIT 1))
		FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS p (decision_id, event_id, at)
		WHERE e.id = p.event_id`)
}

// postpone lets events wait for their appointment, the longer the older they are.
func postpone(ctx context.Context, tx pgx.Tx, events []string) error {
	if len(events) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		UPDATE rappel.events
		SET look_at = now() + least(greatest((now() - created_at) / 2, interval '1 second'), interval '30 seconds')
		WHERE id = ANY ($1)`, events)
	return err
}

// blameEvent says of an error or a panic which event it was about.
func blameEvent(e plan.Event, err *error) {
	if recover() != nil {
		*err = errors.New("deciding panicked")
	}
	if *err != nil {
		*err = &plan.EventError{Event: e, Err: redact(*err)}
	}
}

// Unplanned returns how many events wait to be decided, and for how long the one
// has been due that should have been first; zero where none is due.
func (s *Store) Unplanned(ctx context.Context) (count int64, waited time.Duration, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*), greatest(coalesce(clock_timestamp() - min(look_at), '0'), '0') FROM rappel.events WHERE planned_at IS NULL`).Scan(&count, &waited)
	return count, waited, redact(err)
}

// SetAside implements plan.Store.
func (s *Store) SetAside(ctx context.Context, id string) (tried bool, err error) {
	err = s.pool.QueryRow(ctx, `
		UPDATE rappel.events e SET look_at = now() + interval '30 seconds'
		FROM (SELECT look_at > created_at + $2::interval AS tried FROM rappel.events WHERE id = $1) before
		WHERE e.id = $1 AND e.planned_at IS NULL
		RETURNING before.tried`, id, patience).Scan(&tried)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil // another planner was quicker
	}
	return tried, redact(err)
}

// GiveUp implements plan.Store.
func (s *Store) GiveUp(ctx context.Context, d plan.Decision) error {
	return s.within(ctx, func(tx pgx.Tx) error {
		if _, err := insertDecisions(ctx, tx, []plan.Decision{d}); err != nil || d.EventID == "" {
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE rappel.events SET planned_at = $2, decision_id = (SELECT id FROM rappel.decisions WHERE id = $3)
			WHERE id = $1 AND planned_at IS NULL`, d.EventID, d.DecidedAt, d.ID)
		return err
	})
}

// PlanRules implements plan.Store.
func (s *Store) PlanRules(
	ctx context.Context, due []plan.Due, decide func(plan.Rule, *practice.Snapshot) (plan.Decision, bool),
) (made []plan.Decision, err error) {
	return s.planRules(ctx, due, decide, nil)
}

func (s *Store) planRules(
	ctx context.Context, due []plan.Due, decide func(plan.Rule, *practice.Snapshot) (plan.Decision, bool), leaving *leaving,
) (made []plan.Decision, err error) {
	var wanted []subject
	for _, d := range due {
		wanted = append(wanted, subject{appointmentID: d.AppointmentID})
	}
	wanted = unique(wanted)
	err = s.within(ctx, func(tx pgx.Tx) error {
		if err := leaving.hold(ctx, tx, wanted); err != nil {
			return err
		}
		known, err := s.snapshots(ctx, tx, wanted)
		if err != nil {
			return err
		}
		var decisions []plan.Decision
		for _, d := range due {
			snapshot := known[subject{appointmentID: d.AppointmentID}]
			if snapshot == nil && d.LastTry {
				return plan.ErrMissing
			}
			if snapshot == nil {
				continue // it may come
			}
			if decision, ok := decide(d.Rule, snapshot); ok {
				decisions = append(decisions, decision)
			}
		}
		waiting, err := company(ctx, tx, decisions)
		if err != nil {
			return err
		}
		made, err = keep(ctx, tx, plan.Join(decisions, waiting), known, leaving)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}
