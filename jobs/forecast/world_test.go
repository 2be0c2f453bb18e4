package forecast_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
)

// A world is a few practices, and all that happens to them before a span.
type world struct {
	random   *rand.Rand
	from, to time.Time
	began    time.Time
	ids      int
	rules    []ruleRow
	visits   []visitRow
	past     []happening
}

type ruleRow struct {
	practice string
	rule     schedule.Rule
}

type visitRow struct {
	id    string
	visit schedule.Visit // as it is at last
}

// A happening is a statement that somebody runs at a moment, or else a sweep.
type happening struct {
	at   time.Time
	sql  string
	args []any
}

func (w *world) String() string {
	var b strings.Builder
	for _, h := range w.past {
		fmt.Fprintln(&b, h.at.Format(time.RFC3339), strings.Join(strings.Fields(h.sql), " "), h.args)
	}
	return b.String()
}

func drawWorld(t *rapid.T) *world {
	w := &world{random: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))}
	w.from = rapid.SampledFrom([]time.Time{
		time.Date(2026, time.October, 31, 17, 0, 0, 0, time.UTC), // Europe, America: clocks back soon
		time.Date(2026, time.December, 9, 12, 0, 0, 0, time.UTC),
		time.Date(2027, time.March, 13, 20, 0, 0, 0, time.UTC), // America: clocks forward
	}).Draw(t, "month").Add(w.minutes(24 * time.Hour))
	w.to = w.from.Add(6*time.Hour + w.minutes(42*time.Hour))
	w.began = w.from.Add(-48 * time.Hour)
	for range rapid.IntRange(1, 3).Draw(t, "practices") {
		w.practice(rapid.IntRange(1, 6).Draw(t, "rules"), rapid.IntRange(1, 12).Draw(t, "visits"))
	}
	if w.chance(4, 5) {
		for range 1 + w.random.IntN(12) {
			w.happens(w.began.Add(w.minutes(48*time.Hour)), "")
		}
	}
	slices.SortStableFunc(w.past, func(a, b happening) int { return a.at.Compare(b.at) })
	return w
}

func (w *world) id() string {
	w.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", w.ids)
}

func (w *world) chance(n, of int) bool { return w.random.IntN(of) < n }

func (w *world) minutes(most time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(most/time.Minute))) * time.Minute
}

func pick[T any](w *world, from ...T) T { return from[w.random.IntN(len(from))] }

// maybe is the value or NULL.
func maybe[T any](w *world, v T) any {
	if w.chance(1, 2) {
		return v
	}
	return nil
}

func (w *world) happens(at time.Time, sql string, args ...any) {
	w.past = append(w.past, happening{at, sql, args})
}

func (w *world) zone() string {
	return pick(w, "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")
}

func (w *world) practice(rules, visits int) {
	id, zone := w.id(), w.zone()
	if w.chance(1, 12) {
		zone = "Moon/Mare"
	}
	opens, closes := any("08:00"), any("21:00")
	switch w.random.IntN(5) {
	case 0:
		opens, closes = nil, nil
	case 1:
		opens, closes = "22:00", "05:30" // across midnight
	case 2:
		opens, closes = "12:00", "13:00"
	}
	w.happens(w.began, `INSERT INTO rappel.practices (id, name, time_zone, sms_opens, sms_closes, late_booking, channel_fallback, family_digest, active)
		VALUES ($1, 'Elm', $2, $3::text::time, $4::text::time, $5, $6, $7, $8)`,
		id, zone, opens, closes, pick(w, "skip", "grace"), w.chance(1, 2), w.chance(2, 3), w.chance(9, 10))
	for range rules {
		w.rule(id)
	}
	var clients []string
	for range 1 + visits/2 {
		clients = append(clients, w.family(id))
	}
	for range visits {
		w.visit(id, zone, pick(w, clients...))
	}
}

func (w *world) rule(practice string) {
	r := schedule.Rule{ID: w.id(), Kind: pick(w, kind.Reminder, kind.Reminder, kind.Scheduled), SavedAt: w.began}
	r.Anchor = pick(w, schedule.AnchorStart, schedule.AnchorStart, schedule.AnchorStart, schedule.AnchorEnd, schedule.AnchorBooked)
	if w.chance(1, 4) {
		r.SavedAt = w.began.Add(w.minutes(48 * time.Hour))
	}
	if w.chance(1, 4) {
		r.ServiceName = "Therapy"
	}
	if minutes := pick(w, -24*60, -12*60, -3*60, -120, -30, 0, 60, 16*60); w.chance(2, 3) {
		r.Minutes = &minutes
	} else {
		days := pick(w, -2, -1, 0, 1)
		r.Days = &days
		if w.chance(2, 3) {
			clock := pick(w, schedule.Clock{Hour: 2, Minute: 30}, schedule.Clock{Hour: 9}, schedule.Clock{Hour: 23})
			r.At = &clock
		}
	}
	var at any
	if r.At != nil {
		at = r.At.String()
	}
	w.rules = append(w.rules, ruleRow{practice, r})
	w.happens(r.SavedAt, `INSERT INTO rappel.rules (id, practice_id, kind, name, anchor, offset_minutes, offset_days, at_time, template, service_name, updated_at)
		VALUES ($1, $2, $3, 'a rule', $4, $5, $6, $7::text::time, 'appointment.reminder', nullif($8, ''), $9)`,
		r.ID, practice, strings.TrimPrefix(string(r.Kind), "appointment."), r.Anchor, r.Minutes, r.Days, at, r.ServiceName, r.SavedAt)
}

// family is a client with up to two contacts. Now and then an address is
// missing, cannot be read, is another's too, or has opted out.
func (w *world) family(practice string) string {
	client := w.id()
	w.happens(w.began, `INSERT INTO rappel.clients (id, practice_id, first_name, email, phone, preferred_method, time_zone,
			receives_reminders, receives_scheduled, do_not_contact, archived_at)
		VALUES ($1, $2, 'Ann', $3, $4, $5, $6, $7, $8, $9, $10)`,
		client, practice, w.email(), w.phone(), pick(w, "sms", "sms", "sms", "email", "both", "both", "none", "voice"),
		maybe(w, w.zone()), w.chance(4, 5), w.chance(4, 5), w.chance(1, 15), w.archived())
	for position := range w.random.IntN(3) {
		contact := w.id()
		w.happens(w.began, `INSERT INTO rappel.contacts (id, practice_id, first_name, email, phone, time_zone) VALUES ($1, $2, 'Maria', $3, $4, $5)`,
			contact, practice, w.email(), w.phone(), maybe(w, w.zone()))
		w.happens(w.began, `INSERT INTO rappel.client_contacts (client_id, contact_id, position, receives_reminders, receives_scheduled)
			VALUES ($1, $2, $3, $4, $5)`, client, contact, position, w.chance(3, 4), w.chance(3, 4))
	}
	if w.chance(1, 4) {
		w.happens(w.began, `INSERT INTO rappel.opt_outs (practice_id, channel, address) VALUES ($1, 'sms', $2)`, practice, w.number())
	}
	return client
}

func (w *world) archived() any {
	if w.chance(1, 15) {
		return w.began
	}
	return nil
}

func (w *world) number() string { return fmt.Sprintf("+1201555%04d", 100+w.random.IntN(4)) }

func (w *world) phone() any { return pick[any](w, w.number(), w.number(), w.number(), nil, "nonsense") }

func (w *world) email() any {
	return pick[any](w, fmt.Sprintf("ann%d@example.com", w.random.IntN(8)), fmt.Sprintf("ann%d@example.com", w.random.IntN(8)), nil, "nonsense")
}

// visit books an appointment, and may move it, move it back or end it in some
// other way.
func (w *world) visit(practice, practiceZone, client string) {
	at := w.began.Add(w.minutes(48 * time.Hour))
	if w.chance(1, 2) {
		at = w.began
	}
	start := func() time.Time {
		if n := len(w.visits); n > 0 && w.chance(1, 2) { // a sibling's
			return w.visits[n-1].visit.StartsAt.Add(w.minutes(40 * time.Minute)).Truncate(5 * time.Minute)
		}
		return w.from.Add(w.minutes(100*time.Hour) - 30*time.Hour).Truncate(5 * time.Minute)
	}
	v := schedule.Visit{StartsAt: start(), BookedAt: at, SetAt: at, ServiceName: pick(w, "Therapy", "Massage"), Status: schedule.StatusScheduled}
	if at.Equal(w.began) && w.chance(1, 2) {
		v.BookedAt = at.AddDate(0, -1, 0)
		v.SetAt = v.BookedAt
	}
	zone := pick(w, "", "", w.zone(), "Moon/Mare")
	v.Zone, _ = zoneinfo.Embedded().Of(zone, practiceZone)
	id := w.id()
	w.happens(at, `INSERT INTO rappel.appointments (id, practice_id, client_id, service_name, starts_at, ends_at, time_zone, status, booked_at, updated_at, start_set_at, notify)
		VALUES ($1, $2, $3, $4, $5, $5::timestamptz + interval '50 minutes', nullif($6, ''), $7, $8, $8, $9, $10)`,
		id, practice, client, v.ServiceName, v.StartsAt, zone, pick(w, v.Status, v.Status, schedule.StatusRequested), v.BookedAt, maybe(w, v.BookedAt), w.chance(4, 5))
	first := v.StartsAt
	for range w.random.IntN(4) {
		if at = at.Add(w.minutes(24 * time.Hour)); at.After(w.from) {
			break
		}
		if w.chance(1, 2) {
			w.happens(at, `UPDATE rappel.appointments SET status = $2, updated_at = $3, revision = revision + 1,
				start_set_at = coalesce(start_set_at, booked_at) WHERE id = $1`, id, pick(w, "confirmed", "confirmed",
				"scheduled", "cancelled", "declined", "missed", "arrived", "completed"), at)
			continue
		}
		v.StartsAt, v.SetAt = pick(w, first, start(), start()), at
		w.happens(at, `UPDATE rappel.appointments SET starts_at = $2, ends_at = $2::timestamptz + interval '50 minutes', start_set_at = $3, updated_at = $3,
			revision = revision + 1 WHERE id = $1`, id, v.StartsAt, at)
	}
	v.EndsAt = v.StartsAt.Add(50 * time.Minute)
	w.visits = append(w.visits, visitRow{id, v})
}
