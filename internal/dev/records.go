package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
	"rappel/recipients"
)

// Records are the sample practice's rows as they were in one moment, and what
// rappel decided and sent for it.
type records struct {
	Zones         *zoneinfo.Data
	Practice      practiceRow
	Clients       []personRow // in the order of the page
	Contacts      []personRow
	Links         []linkRow
	Visits        []visitRow
	Rules         []ruleRow
	Waiting       []eventRow // told, and not decided yet
	Decisions     []decisionRow
	Notifications map[string][]notificationRow // by decision
	Stopped       []addressRow
	Decided       map[dueKey]bool // rules that are decided for a visit and its start
	Swept         time.Time       // up to when was looked for what rules make due
}

type practiceRow struct {
	Name, TimeZone, LateBooking, Country string
	FamilyDigest                         bool
	SettleSeconds                        int
	Opens, Closes                        *schedule.Clock
	Zone                                 *time.Location
}

type personRow struct {
	ID, Name, Email, Phone, Method, TimeZone, Locale string
}

type linkRow struct {
	ClientID, ContactID, Relationship        string
	Reminders, Confirmations, Scheduled      bool
	Appointments, Portal, Documents, Billing bool
}

type visitRow struct {
	ID, ClientID, Practitioner, Service, Location, Telehealth string
	StartsAt, EndsAt, BookedAt, SetAt                         time.Time
	Status                                                    schedule.Status
	Revision                                                  int64
}

type ruleRow struct {
	schedule.Rule
	Name string
}

type eventRow struct {
	ID            string
	Kind          kind.Kind
	AppointmentID string // empty: a notice
	ClientID      string
	OccurredAt    time.Time
}

type decisionRow struct {
	ID, AppointmentID, ClientID, EventID, RuleID string
	Kind                                         kind.Kind
	StartsAt                                     *time.Time
	At                                           time.Time
	Outcome                                      recipients.Outcome
	Candidates                                   []recipients.Candidate
	Detail                                       string
}

type notificationRow struct {
	DecisionID, PersonID string
	Channel              recipients.Channel
	Address, Status      string
	Reason               recipients.Reason
	NotBefore            time.Time
	SentAt               *time.Time
	ErrorCode            string
	Together             string // whose reminders went in the same message; empty: it went alone
}

type addressRow struct {
	Channel recipients.Channel
	Address string
}

// dueKey is what a rule is decided by, once.
type dueKey struct {
	RuleID, AppointmentID string
	StartsAt              int64
}

// How much of the past the page shows.
const (
	mostDecisions = 40
	pastVisits    = 36 * time.Hour
)

// read reads the records as they are at one moment. Now is the demo's.
func read(ctx context.Context, db *pgxpool.Pool, zones *zoneinfo.Data, now time.Time) (*records, error) {
	r := &records{Zones: zones, Notifications: map[string][]notificationRow{}, Decided: map[dueKey]bool{}}
	moment := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, db, moment, func(tx pgx.Tx) error {
		steps := []func(context.Context, pgx.Tx) error{
			r.practice, r.people, r.visits(now), r.rules, r.events, r.decisions, r.notifications, r.stopped, r.decided, r.swept,
		}
		for _, step := range steps {
			if err := step(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the practice: %w", err)
	}
	return r, nil
}

func (r *records) practice(ctx context.Context, tx pgx.Tx) error {
	var opens, closes *time.Time
	p := &r.Practice
	err := tx.QueryRow(ctx, `
		SELECT name, time_zone, late_booking, country, family_digest, settle_seconds, timestamp '2000-01-01' + sms_opens, timestamp '2000-01-01' + sms_closes
		FROM rappel.practices WHERE id = $1`, PracticeID).
		Scan(&p.Name, &p.TimeZone, &p.LateBooking, &p.Country, &p.FamilyDigest, &p.SettleSeconds, &opens, &closes)
	if errors.Is(err, pgx.ErrNoRows) {
		return errors.New("the sample practice is gone")
	}
	if err != nil {
		return err
	}
	p.Opens, p.Closes = clockOf(opens), clockOf(closes)
	zone, ok := r.Zones.Load(p.TimeZone)
	if !ok {
		return fmt.Errorf("the practice's time zone %q does not exist", p.TimeZone)
	}
	p.Zone = zone
	return nil
}

// clockOf reads a time of day that stands in a timestamp.
func clockOf(t *time.Time) *schedule.Clock {
	if t == nil {
		return nil
	}
	return &schedule.Clock{Hour: t.Hour(), Minute: t.Minute(), Second: t.Second()}
}

func (r *records) people(ctx context.Context, tx pgx.Tx) (err error) {
	r.Clients, err = rows[personRow](ctx, tx, `
		SELECT id::text, btrim(coalesce(preferred_name, first_name) || ' ' || last_name), coalesce(email, ''),
			coalesce(phone, ''), coalesce(preferred_method, ''), coalesce(time_zone, ''), coalesce(locale, '')
		FROM rappel.clients WHERE practice_id = $1 ORDER BY id`, PracticeID)
	if err != nil {
		return err
	}
	r.Contacts, err = rows[personRow](ctx, tx, `
		SELECT id::text, btrim(first_name || ' ' || last_name), coalesce(email, ''), coalesce(phone, ''), '', coalesce(time_zone, ''),
			coalesce(locale, '')
		FROM rappel.contacts WHERE practice_id = $1 ORDER BY id`, PracticeID)
	if err != nil {
		return err
	}
	r.Links, err = rows[linkRow](ctx, tx, `
		SELECT l.client_id::text, l.contact_id::text, coalesce(l.relationship, ''),
			l.receives_reminders, l.receives_confirmations, l.receives_scheduled,
			l.can_manage_appointments, l.portal_access, l.can_view_documents, l.can_manage_billing
		FROM rappel.client_contacts l JOIN rappel.clients c ON c.id = l.client_id
		WHERE c.practice_id = $1 ORDER BY l.client_id, l.position, l.contact_id`, PracticeID)
	return err
}

func (r *records) visits(now time.Time) func(context.Context, pgx.Tx) error {
	return func(ctx context.Context, tx pgx.Tx) (err error) {
		r.Visits, err = rows[visitRow](ctx, tx, `
			SELECT a.id::text, a.client_id::text, coalesce(p.name, ''), a.service_name, coalesce(a.location_name, ''),
				coalesce(a.telehealth_url, ''), a.starts_at, a.ends_at, a.booked_at, coalesce(a.start_set_at, a.booked_at),
				a.status, a.revision
			FROM rappel.appointments a LEFT JOIN rappel.practitioners p ON p.id = a.practitioner_id
			WHERE a.practice_id = $1 AND a.starts_at > $2 ORDER BY a.starts_at, a.id`, PracticeID, now.Add(-pastVisits))
		return err
	}
}

func (r *records) rules(ctx context.Context, tx pgx.Tx) error {
	found, err := tx.Query(ctx, `
		SELECT id::text, name, 'appointment.' || kind, anchor, offset_minutes, offset_days, timestamp '2000-01-01' + at_time,
			coalesce(service_name, ''), coalesce(updated_at, 'epoch')
		FROM rappel.rules WHERE practice_id = $1 AND active ORDER BY id`, PracticeID)
	if err != nil {
		return err
	}
	r.Rules, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (rule ruleRow, err error) {
		var at *time.Time
		err = row.Scan(&rule.ID, &rule.Name, &rule.Kind, &rule.Anchor, &rule.Minutes, &rule.Days, &at, &rule.ServiceName, &rule.SavedAt)
		rule.At = clockOf(at)
		return rule, err
	})
	return err
}

func (r *records) events(ctx context.Context, tx pgx.Tx) (err error) {
	r.Waiting, err = rows[eventRow](ctx, tx, `
		SELECT e.id::text, e.kind, coalesce(e.appointment_id::text, ''), c.id::text, e.occurred_at
		FROM rappel.events e
		LEFT JOIN rappel.appointments a ON a.id = e.appointment_id
		JOIN rappel.clients c ON c.id = coalesce(a.client_id, e.client_id)
		WHERE c.practice_id = $1 AND e.planned_at IS NULL
		ORDER BY e.occurred_at DESC, e.id DESC LIMIT $2`, PracticeID, mostDecisions)
	return err
}

func (r *records) decisions(ctx context.Context, tx pgx.Tx) error {
	found, err := tx.Query(ctx, `
		SELECT id::text, coalesce(appointment_id::text, ''), coalesce(client_id::text, ''), coalesce(event_id::text, ''),
			coalesce(rule_id::text, ''), kind, starts_at, decided_at, outcome, candidates, coalesce(detail, '')
		FROM rappel.decisions WHERE practice_id = $1 ORDER BY decided_at DESC, id DESC LIMIT $2`, PracticeID, mostDecisions)
	if err != nil {
		return err
	}
	r.Decisions, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (d decisionRow, err error) {
		var candidates []byte
		err = row.Scan(&d.ID, &d.AppointmentID, &d.ClientID, &d.EventID, &d.RuleID, &d.Kind, &d.StartsAt, &d.At, &d.Outcome, &candidates, &d.Detail)
		if err != nil {
			return d, err
		}
		return d, json.Unmarshal(candidates, &d.Candidates)
	})
	return err
}

func (r *records) notifications(ctx context.Context, tx pgx.Tx) error {
	ids := make([]string, len(r.Decisions))
	for i, d := range r.Decisions {
		ids[i] = d.ID
	}
	all, err := rows[notificationRow](ctx, tx, `
		SELECT n.decision_id::text, coalesce(n.contact_id, n.client_id)::text, n.channel, n.address, n.status, coalesce(n.reason, ''),
			n.not_before, n.sent_at, coalesce(n.error_code, ''),
			coalesce((SELECT string_agg(coalesce(c.preferred_name, c.first_name), ' and ' ORDER BY o.id)
				FROM rappel.notifications o JOIN rappel.clients c ON c.id = o.client_id
				WHERE o.sent_with = n.sent_with AND o.id <> n.id), '')
		FROM rappel.notifications n WHERE n.decision_id = ANY ($1) ORDER BY n.id`, ids)
	for _, n := range all {
		r.Notifications[n.DecisionID] = append(r.Notifications[n.DecisionID], n)
	}
	return err
}

func (r *records) stopped(ctx context.Context, tx pgx.Tx) (err error) {
	r.Stopped, err = rows[addressRow](ctx, tx, `
		SELECT DISTINCT channel, address FROM rappel.opt_outs
		WHERE revoked_at IS NULL AND (practice_id = $1 OR practice_id IS NULL)`, PracticeID)
	return err
}

func (r *records) swept(ctx context.Context, tx pgx.Tx) error {
	return tx.QueryRow(ctx, `SELECT coalesce(max(looked_to), to_timestamp(0)) FROM rappel.sweeps`).Scan(&r.Swept)
}

func (r *records) decided(ctx context.Context, tx pgx.Tx) error {
	type row struct {
		RuleID, AppointmentID string
		StartsAt              time.Time
	}
	all, err := rows[row](ctx, tx, `
		SELECT d.rule_id::text, d.appointment_id::text, d.starts_at
		FROM rappel.decisions d JOIN rappel.appointments a ON a.id = d.appointment_id AND a.starts_at = d.starts_at
		WHERE a.practice_id = $1 AND d.rule_id IS NOT NULL`, PracticeID)
	for _, d := range all {
		r.Decided[dueKey{d.RuleID, d.AppointmentID, d.StartsAt.UnixMicro()}] = true
	}
	return err
}

// rows reads all rows of a query into structs, column by column.
func rows[T any](ctx context.Context, tx pgx.Tx, sql string, args ...any) ([]T, error) {
	found, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowToStructByPos[T])
}
