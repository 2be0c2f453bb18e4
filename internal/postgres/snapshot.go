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
	"rappel/internal/zoneinfo"
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
	zones     *zoneinfo.Data
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
	r := reader{tx: tx, zones: s.zones, begun: begun, snapshots: map[subject]*practice.Snapshot{}, byClient: map[string][]*practice.Snapshot{}}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return r.visits(ctx, subjects) },
		r.contacts, r.silences,
	} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("read the practice side: %w", err)
		}
	}
	return r.snapshots, nil
}

// clientColumns are the columns of a client that may be missing, for every query
// that reads one through clientFields. Views may hold NULL where the contract has
// a default.
const clientColumns = `coalesce(c.id::text, ''), coalesce(c.first_name::text, ''), coalesce(c.last_name::text, ''), coalesce(c.preferred_name::text, ''),
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

// toldStart is the start of appointment a that the last message about it spoke of,
// as far as we know one came: of a visit that was moved and is off, the move may
// never have been told.
const toldStart = `(
		SELECT d.starts_at FROM rappel.decisions d
		WHERE d.appointment_id = a.id AND isfinite(d.starts_at) AND d.outcome = 'notify'
			AND d.kind NOT IN ('appointment.cancelled', 'appointment.declined', 'appointment.missed')
			AND EXISTS (SELECT FROM rappel.notifications n WHERE n.decision_id = d.id AND n.status IN ('sending', 'sent', 'delivered', 'unknown'))
		ORDER BY d.decided_at DESC, d.id DESC LIMIT 1)`

// finite reads a time that somebody may have set to infinity as none: Go has no
// such time, and one odd row must not hold up the others.
func finite(column string) string {
	return "CASE WHEN isfinite(" + column + ") THEN " + column + " END"
}

// visitQuery reads visits, or clients where there is none. A visit with a client
// of another practice is as one without a client. OFFSET 0 has the start's
// setting looked up once a visit, though finite names it twice.
func visitQuery() string {
	return `
SELECT ` + clientColumns + `,
	p.id, coalesce(p.name::text, ''), coalesce(p.time_zone::text, ''), coalesce(p.country::text, ''), coalesce(p.phone::text, ''),
	coalesce(p.email::text, ''), coalesce(p.locale::text, ''), p.sms_opens, p.sms_closes, coalesce(p.late_booking::text, ''),
	coalesce(p.channel_fallback, false), coalesce(p.family_digest, false), least(coalesce(p.settle_seconds::bigint, 0), 1000000000), coalesce(p.active, false),
	coalesce(a.id::text, ''), coalesce(d.name::text, ''), coalesce(a.service_name::text, ''), coalesce(a.location_name::text, ''),
	coalesce(a.location_address::text, ''), coalesce(a.telehealth_url::text, ''), coalesce(a.manage_url::text, ''),
	` + finite("a.starts_at") + `, ` + finite("a.ends_at") + `, coalesce(a.time_zone::text, ''), coalesce(a.status::text, ''),
	coalesce(a.notify, true), a.revision, ` + finite("a.booked_at") + `,
	` + finite("a.updated_at") + `, ` + finite("start.set_at") + `,
	CASE WHEN a.status::text IN ('cancelled', 'declined') THEN ` + toldStart + ` END
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (appointment_id, client_id)
LEFT JOIN rappel.appointments a ON a.id = wanted.appointment_id
JOIN rappel.clients c ON c.id = CASE WHEN wanted.appointment_id IS NULL THEN wanted.client_id ELSE a.client_id END
	AND (a.id IS NULL OR coalesce(c.practice_id, a.practice_id) = a.practice_id)
JOIN rappel.practices p ON p.id = coalesce(a.practice_id, c.practice_id)
LEFT JOIN rappel.practitioners d ON d.id = a.practitioner_id
LEFT JOIN LATERAL (SELECT ` + startSetAt + ` AS set_at OFFSET 0) AS start ON true`
}

func (r *reader) visits(ctx context.Context, subjects []subject) error {
	wanted := columns{rows: len(subjects)}
	for _, s := range subjects {
		wanted.add(null(s.appointmentID), null(s.clientID))
	}
	if wanted.col == nil {
		return nil
	}
	rows, err := r.tx.Query(ctx, visitQuery(), wanted.args()...)
	if err != nil {
		return err
	}
	var v visitRow
	_, err = pgx.ForEachRow(rows, v.fields(), func() error {
		r.add(v.snapshot())
		return nil
	})
	return err
}

// add takes a snapshot to those of its client.
func (r *reader) add(s *practice.Snapshot) {
	s.Zones, s.Addresses = r.zones, &r.addresses
	key := subject{clientID: s.Client.ID}
	if s.Appointment != nil {
		key = subject{appointmentID: s.Appointment.ID}
	}
	r.snapshots[key] = s
	r.byClient[s.Client.ID] = append(r.byClient[s.Client.ID], s)
}

// A visitRow is what every row of visitQuery is read into, one after the other.
type visitRow struct {
	client                               recipients.Client
	practice                             practice.Practice
	opens, closes                        pgtype.Time
	settle                               int64 // seconds
	appointment                          practice.Appointment
	starts, ends, booked, updated, setAt pgtype.Timestamptz
	told                                 pgtype.Timestamptz
}

func (v *visitRow) fields() []any {
	p, a := &v.practice, &v.appointment
	return append(clientFields(&v.client),
		&p.ID, &p.Name, &p.TimeZone, &p.Country, &p.Phone, &p.Email, &p.Locale, &v.opens, &v.closes, &p.LateBooking,
		&p.ChannelFallback, &p.FamilyDigest, &v.settle, &p.Active,
		&a.ID, &a.PractitionerName, &a.ServiceName, &a.LocationName, &a.LocationAddress, &a.TelehealthURL, &a.ManageURL,
		&v.starts, &v.ends, &a.TimeZone, &a.Status, &a.Notify, &a.Revision, &v.booked, &v.updated, &v.setAt, &v.told)
}

func (v *visitRow) snapshot() *practice.Snapshot {
	s := &practice.Snapshot{Client: v.client, Practice: v.practice}
	s.Practice.SMSWindow = schedule.Window{Opens: clock(v.opens), Closes: clock(v.closes)}
	s.Practice.Settle = time.Duration(v.settle) * time.Second
	if v.appointment.ID != "" {
		a := v.appointment
		a.StartsAt, a.EndsAt = v.starts.Time, v.ends.Time // zero where it is NULL
		a.BookedAt, a.UpdatedAt, a.StartSetAt = v.booked.Time, v.updated.Time, v.setAt.Time
		a.ToldStart = v.told.Time
		s.Appointment = &a
	}
	return s
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
	coalesce(l.can_manage_billing, false), ` + clientColumns + `
FROM rappel.client_contacts l
JOIN rappel.clients o ON o.id = l.client_id
JOIN rappel.contacts k ON k.id = l.contact_id AND coalesce(k.practice_id, o.practice_id) = o.practice_id
LEFT JOIN rappel.clients c ON c.id = k.client_id AND c.practice_id = o.practice_id
WHERE l.client_id = ANY ($1)
ORDER BY l.client_id, l.position, k.id`

func (r *reader) contacts(ctx context.Context) error {
	if len(r.byClient) == 0 {
		return nil
	}
	rows, err := r.tx.Query(ctx, contactQuery, keys(r.byClient))
	if err != nil {
		return err
	}
	var (
		clientID string
		k        recipients.Contact
		as       recipients.Client
	)
	_, err = pgx.ForEachRow(rows, append([]any{
		&clientID, &k.ID, &k.FirstName, &k.LastName, &k.Email, &k.Phone, &k.TimeZone, &k.Locale,
		&k.Relationship, &k.Position, &k.ReceivesReminders, &k.ReceivesConfirmations, &k.ReceivesScheduled,
		&k.CanManageAppointments, &k.PortalAccess, &k.CanMessage, &k.CanViewForms, &k.CanViewDocuments,
		&k.CanManageBilling,
	}, clientFields(&as)...), func() error {
		contact := k
		if as.ID != "" {
			client := as
			contact.As = &client
		}
		for _, s := range r.byClient[clientID] {
			s.Contacts = append(s.Contacts, contact)
		}
		return nil
	})
	return err
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
		for _, k := range keysOf(same[0]) {
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

// keysOf returns the coarse keys of all addresses in a snapshot, each once.
func keysOf(s *practice.Snapshot) []addressKey {
	var all []addressKey
	add := func(c recipients.Channel, address string) {
		if k := (addressKey{c, recipients.MatchKey(c, address)}); k.match != "" && !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	add(recipients.Email, s.Client.Email)
	add(recipients.SMS, s.Client.Phone)
	for _, k := range s.Contacts {
		add(recipients.Email, k.Email)
		add(recipients.SMS, k.Phone)
		if k.As != nil {
			add(recipients.Email, k.As.Email)
			add(recipients.SMS, k.As.Phone)
		}
	}
	return all
}

// unusableFor is how long a refused address is not tried again.
const unusableFor = 30 * 24 * time.Hour

// silences reads what was said of the addresses: who wants to hear no more, of
// one practice or of any, and what a receiver lately refused.
func (r *reader) silences(ctx context.Context) error {
	of := r.addressees()
	asked := columns{rows: len(of)}
	for k := range of {
		asked.add(string(k.channel), k.match)
	}
	if asked.col == nil {
		return nil
	}
	rows, err := r.tx.Query(ctx, `
		WITH asked AS NOT MATERIALIZED (SELECT * FROM unnest($1::text[], $2::text[]) AS a (channel, match_key))
		SELECT DISTINCT true, coalesce(o.practice_id::text, ''), channel, o.address, match_key
		FROM rappel.opt_outs o JOIN asked USING (channel, match_key)
		WHERE o.revoked_at IS NULL
		UNION ALL
		SELECT false, '', channel, u.address, match_key
		FROM rappel.unusable_addresses u JOIN asked USING (channel, match_key)
		WHERE u.refused_at > now() - $3::interval`, append(asked.args(), unusableFor)...)
	if err != nil {
		return err
	}
	var (
		optOut              bool
		practiceID, address string
		k                   addressKey
	)
	_, err = pgx.ForEachRow(rows, []any{&optOut, &practiceID, &k.channel, &address, &k.match}, func() error {
		for _, s := range of[k] {
			switch {
			case !optOut:
				s.Unusable = append(s.Unusable, recipients.Unusable{Channel: k.channel, Address: address})
			case practiceID == "" || practiceID == s.Practice.ID:
				s.OptOuts = append(s.OptOuts, recipients.OptOut{Channel: k.channel, Address: address})
			}
		}
		return nil
	})
	return err
}
