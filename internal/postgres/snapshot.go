package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/recipients"
)

// A subject is what a snapshot is about: an appointment, or a client where
// there is none.
type subject struct {
	appointmentID, clientID string
}

// key is what a subject is found by: the client only counts without an
// appointment.
func (s subject) key() subject {
	if s.appointmentID != "" {
		return subject{appointmentID: s.appointmentID}
	}
	return s
}

// A reader collects the rows of one set of snapshots.
type reader struct {
	tx        pgx.Tx
	zones     *schedule.Zones
	snapshots map[subject]*practice.Snapshot
	byClient  map[string][]*practice.Snapshot
	begun     []begunAddress
	addresses recipients.Addresses
}

// A begunAddress is one that a message was begun to. Who it was for may have
// another by now.
type begunAddress struct {
	channel recipients.Channel
	address recipients.Address
}

// snapshots reads all that bears on the subjects, and what silences the
// addresses that messages were begun to. What is not there, or has no client or
// practice, is missing from the answer.
func (s *Store) snapshots(
	ctx context.Context, tx pgx.Tx, subjects []subject, begun ...begunAddress,
) (map[subject]*practice.Snapshot, error) {
	r := reader{tx: tx, zones: &s.zones, begun: begun, snapshots: map[subject]*practice.Snapshot{}, byClient: map[string][]*practice.Snapshot{}}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return r.visits(ctx, subjects) },
		r.contacts, r.optOuts, r.unusable,
	} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("read the practice side: %w", err)
		}
	}
	return r.snapshots, nil
}

// clientColumns are the columns of a client, for every query that reads one
// through clientFields. Views may hold NULL where the contract has a default.
const clientColumns = `c.id, coalesce(c.first_name::text, ''), coalesce(c.last_name::text, ''), coalesce(c.preferred_name::text, ''),
	coalesce(c.email::text, ''), coalesce(c.phone::text, ''), coalesce(c.preferred_method::text, ''), coalesce(c.time_zone::text, ''),
	coalesce(c.locale::text, ''), coalesce(c.receives_reminders, false), coalesce(c.receives_confirmations, false),
	coalesce(c.receives_scheduled, false), coalesce(c.do_not_contact, false), c.archived_at IS NOT NULL`

func clientFields(c *recipients.Client) []any {
	return []any{
		&c.ID, &c.FirstName, &c.LastName, &c.PreferredName, &c.Email, &c.Phone, &c.Method, &c.TimeZone,
		&c.Locale, &c.ReceivesReminders, &c.ReceivesConfirmations, &c.ReceivesScheduled, &c.DoNotContact, &c.Archived,
	}
}

// startSetAt is when an appointment's start was last set: where the main app
// does not say, its booking, or its last change once it is known to have moved.
const startSetAt = `coalesce(a.start_set_at, CASE WHEN
	EXISTS (SELECT 1 FROM rappel.events e WHERE e.appointment_id = a.id AND e.kind = 'appointment.rescheduled')
	OR EXISTS (SELECT 1 FROM rappel.decisions d WHERE d.appointment_id = a.id AND d.starts_at <> a.starts_at)
	THEN a.updated_at END, a.booked_at)`

// finite reads a time that somebody may have set to infinity as none: Go has no
// such time, and one odd row must not hold up the others.
func finite(column string) string {
	return "CASE WHEN isfinite(" + column + ") THEN " + column + " END"
}

func visitQuery() string {
	return `
SELECT ` + clientColumns + `,
	p.id, coalesce(p.name::text, ''), coalesce(p.time_zone::text, ''), coalesce(p.country::text, ''), coalesce(p.phone::text, ''),
	coalesce(p.email::text, ''), coalesce(p.locale::text, ''), p.sms_opens, p.sms_closes, coalesce(p.late_booking::text, ''),
	coalesce(p.channel_fallback, false), coalesce(p.family_digest, false), least(coalesce(p.settle_seconds::bigint, 0), 1000000000), coalesce(p.active, false),
	coalesce(a.id::text, ''), coalesce(d.name::text, ''), coalesce(a.service_name::text, ''), coalesce(a.location_name::text, ''),
	coalesce(a.location_address::text, ''), coalesce(a.telehealth_url::text, ''), coalesce(a.manage_url::text, ''),
	` + finite("a.starts_at") + `, ` + finite("a.ends_at") + `, coalesce(a.time_zone::text, ''), coalesce(a.status::text, ''),
	coalesce(a.notify, true), coalesce(a.revision, 0), ` + finite("a.booked_at") + `,
	` + finite("a.updated_at") + `, ` + finite(startSetAt) + `
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (appointment_id, client_id)
LEFT JOIN rappel.appointments a ON a.id = wanted.appointment_id
JOIN rappel.clients c ON c.id = CASE WHEN wanted.appointment_id IS NULL THEN wanted.client_id ELSE a.client_id END
JOIN rappel.practices p ON p.id = coalesce(a.practice_id, c.practice_id)
LEFT JOIN rappel.practitioners d ON d.id = a.practitioner_id`
}

func (r *reader) visits(ctx context.Context, subjects []subject) error {
	appointments, clients := make([]*string, len(subjects)), make([]*string, len(subjects))
	for i, s := range subjects {
		appointments[i], clients[i] = null(s.appointmentID), null(s.clientID)
	}
	rows, err := r.tx.Query(ctx, visitQuery(), appointments, clients)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := r.visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *reader) visit(rows pgx.Rows) error {
	var (
		s                                    = practice.Snapshot{Zones: r.zones, Addresses: &r.addresses}
		a                                    practice.Appointment
		opens, closes                        pgtype.Time
		starts, ends, booked, updated, setAt *time.Time
		settle                               int64 // seconds
	)
	p := &s.Practice
	err := rows.Scan(append(clientFields(&s.Client),
		&p.ID, &p.Name, &p.TimeZone, &p.Country, &p.Phone, &p.Email, &p.Locale, &opens, &closes, &p.LateBooking,
		&p.ChannelFallback, &p.FamilyDigest, &settle, &p.Active,
		&a.ID, &a.PractitionerName, &a.ServiceName, &a.LocationName, &a.LocationAddress, &a.TelehealthURL, &a.ManageURL,
		&starts, &ends, &a.TimeZone, &a.Status, &a.Notify, &a.Revision, &booked, &updated, &setAt)...)
	if err != nil {
		return err
	}
	p.SMSWindow = schedule.Window{Opens: clock(opens), Closes: clock(closes)}
	p.Settle = time.Duration(settle) * time.Second
	key := subject{clientID: s.Client.ID}
	if a.ID != "" {
		a.StartsAt, a.EndsAt = value(starts), value(ends)
		a.BookedAt, a.UpdatedAt, a.StartSetAt = value(booked), value(updated), value(setAt)
		s.Appointment = &a
		key = subject{appointmentID: a.ID}
	}
	r.snapshots[key] = &s
	r.byClient[s.Client.ID] = append(r.byClient[s.Client.ID], &s)
	return nil
}

// clock reads a time of day; NULL is none.
func clock(t pgtype.Time) *schedule.Clock {
	if !t.Valid {
		return nil
	}
	s := int(t.Microseconds / int64(time.Second/time.Microsecond))
	return &schedule.Clock{Hour: s / 3600, Minute: s / 60 % 60, Second: s % 60}
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// Nothing is taken from another practice, whatever links there are: neither a
// contact, nor what a contact lacks and a client has.
const contactQuery = `
SELECT l.client_id, k.id, coalesce(k.first_name::text, ''), coalesce(k.last_name::text, ''), coalesce(k.email::text, ''),
	coalesce(k.phone::text, ''), coalesce(k.time_zone::text, ''), coalesce(k.locale::text, ''), coalesce(l.relationship::text, ''),
	coalesce(l.position, 0), coalesce(l.receives_reminders, false), coalesce(l.receives_confirmations, false),
	coalesce(l.receives_scheduled, false), coalesce(l.can_manage_appointments, false), coalesce(l.portal_access, false),
	coalesce(l.can_message, false), coalesce(l.can_view_forms, false), coalesce(l.can_view_documents, false),
	coalesce(l.can_manage_billing, false), c.id IS NOT NULL, c.*
FROM rappel.client_contacts l
JOIN rappel.clients o ON o.id = l.client_id
JOIN rappel.contacts k ON k.id = l.contact_id AND coalesce(k.practice_id, o.practice_id) = o.practice_id
LEFT JOIN LATERAL (SELECT ` + clientColumns + ` FROM rappel.clients c WHERE c.id = k.client_id AND c.practice_id = o.practice_id)
	AS c (id, first_name, last_name, preferred_name, email, phone, method, time_zone, locale,
		reminders, confirmations, scheduled, do_not_contact, archived) ON true
WHERE l.client_id = ANY ($1)
ORDER BY l.client_id, l.position, k.id`

func (r *reader) contacts(ctx context.Context) error {
	rows, err := r.tx.Query(ctx, contactQuery, keys(r.byClient))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		clientID, contact, err := scanContact(rows)
		if err != nil {
			return err
		}
		for _, s := range r.byClient[clientID] {
			s.Contacts = append(s.Contacts, contact)
		}
	}
	return rows.Err()
}

// A clientRow is a client that may not be there.
type clientRow struct {
	id, first, last, preferred, email, phone, method, zone, locale *string
	reminders, confirmations, scheduled, doNotContact, archived    *bool
}

func (c clientRow) client() *recipients.Client {
	return &recipients.Client{
		ID: value(c.id), FirstName: value(c.first), LastName: value(c.last), PreferredName: value(c.preferred),
		Email: value(c.email), Phone: value(c.phone), Method: value(c.method), TimeZone: value(c.zone),
		Locale: value(c.locale), ReceivesReminders: value(c.reminders), ReceivesConfirmations: value(c.confirmations),
		ReceivesScheduled: value(c.scheduled), DoNotContact: value(c.doNotContact), Archived: value(c.archived),
	}
}

func scanContact(rows pgx.Rows) (clientID string, k recipients.Contact, err error) {
	var (
		also bool
		as   clientRow
	)
	err = rows.Scan(&clientID, &k.ID, &k.FirstName, &k.LastName, &k.Email, &k.Phone, &k.TimeZone, &k.Locale,
		&k.Relationship, &k.Position, &k.ReceivesReminders, &k.ReceivesConfirmations, &k.ReceivesScheduled,
		&k.CanManageAppointments, &k.PortalAccess, &k.CanMessage, &k.CanViewForms, &k.CanViewDocuments,
		&k.CanManageBilling, &also, &as.id, &as.first, &as.last, &as.preferred, &as.email, &as.phone, &as.method,
		&as.zone, &as.locale, &as.reminders, &as.confirmations, &as.scheduled, &as.doNotContact, &as.archived)
	if also {
		k.As = as.client()
	}
	return clientID, k, err
}

func keys[K comparable, V any](m map[K]V) []K {
	ks := make([]K, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	return ks
}

// An addressKey is the coarse key of addresses on one channel.
type addressKey struct {
	channel recipients.Channel
	match   string
}

// addressees returns the coarse key of every address in the snapshots, with
// those that it bears on: what was said of an address is read, and weighed,
// only where somebody has it.
func (r *reader) addressees() map[addressKey][]*practice.Snapshot {
	of := map[addressKey][]*practice.Snapshot{}
	for _, same := range r.byClient {
		for k := range keysOf(same[0]) {
			of[k] = append(of[k], same...)
		}
	}
	for _, b := range r.begun { // whoever has it now
		if k := (addressKey{b.channel, recipients.MatchKey(b.channel, b.address.Reveal())}); k.match != "" {
			of[k] = slices.Collect(maps.Values(r.snapshots))
		}
	}
	return of
}

// keysOf returns the coarse keys of all addresses in a snapshot.
func keysOf(s *practice.Snapshot) map[addressKey]bool {
	all := map[addressKey]bool{}
	person := func(email, phone string) {
		all[addressKey{recipients.Email, recipients.MatchKey(recipients.Email, email)}] = true
		all[addressKey{recipients.SMS, recipients.MatchKey(recipients.SMS, phone)}] = true
	}
	person(s.Client.Email, s.Client.Phone)
	for _, k := range s.Contacts {
		person(k.Email, k.Phone)
		if k.As != nil {
			person(k.As.Email, k.As.Phone)
		}
	}
	maps.DeleteFunc(all, func(k addressKey, _ bool) bool { return k.match == "" })
	return all
}

// split returns the keys as two columns.
func split(of map[addressKey][]*practice.Snapshot) (channels, matches []string) {
	for k := range of {
		channels, matches = append(channels, string(k.channel)), append(matches, k.match)
	}
	return channels, matches
}

func (r *reader) optOuts(ctx context.Context) error {
	of := r.addressees()
	channels, matches := split(of)
	rows, err := r.tx.Query(ctx, `
		SELECT DISTINCT coalesce(o.practice_id::text, ''), o.channel, o.address, o.match_key
		FROM rappel.opt_outs o
		JOIN unnest($1::text[], $2::text[]) AS a (channel, match_key) ON a.channel = o.channel AND a.match_key = o.match_key
		WHERE o.revoked_at IS NULL`, channels, matches)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var practiceID, match string
		var o recipients.OptOut
		if err := rows.Scan(&practiceID, &o.Channel, &o.Address, &match); err != nil {
			return err
		}
		for _, s := range of[addressKey{o.Channel, match}] {
			if practiceID == "" || practiceID == s.Practice.ID {
				s.OptOuts = append(s.OptOuts, o)
			}
		}
	}
	return rows.Err()
}

// unusableFor is how long a refused address is not tried again.
const unusableFor = 30 * 24 * time.Hour

func (r *reader) unusable(ctx context.Context) error {
	of := r.addressees()
	channels, matches := split(of)
	rows, err := r.tx.Query(ctx, `
		SELECT DISTINCT u.channel, u.address, u.match_key
		FROM rappel.unusable_addresses u
		JOIN unnest($1::text[], $2::text[]) AS a (channel, match_key) ON a.channel = u.channel AND a.match_key = u.match_key
		WHERE u.refused_at > now() - $3::interval`, channels, matches, unusableFor)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var match string
		var u recipients.Unusable
		if err := rows.Scan(&u.Channel, &u.Address, &match); err != nil {
			return err
		}
		for _, s := range of[addressKey{u.Channel, match}] {
			s.Unusable = append(s.Unusable, u)
		}
	}
	return rows.Err()
}
