package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"rappel/internal/postgres"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
	"rappel/recipients"
)

// A reader of everything is a store that finds every undecided rule for every
// appointment, by the most obvious query. What is due of that is for
// sweep.Found, jobs/plan and internal/schedule to say.
type readerOfEverything struct {
	*world

	zones *zoneinfo.Data
}

func (r readerOfEverything) Find(ctx context.Context, _ sweep.Span, yield func(sweep.Found)) error {
	rows, err := r.db.Query(ctx, `
		SELECT r.id, 'appointment.' || r.kind, r.anchor, r.offset_minutes, r.offset_days, r.at_time::text, r.template, r.updated_at,
			p.id, p.time_zone, p.family_digest, p.sms_opens::text, p.sms_closes::text,
			a.id, a.starts_at, a.ends_at, a.booked_at, coalesce(a.time_zone, ''), a.status,
			coalesce(a.start_set_at, CASE WHEN EXISTS (
				SELECT FROM rappel.decisions d WHERE d.appointment_id = a.id AND d.starts_at <> a.starts_at) THEN a.updated_at END, a.booked_at),
			EXISTS (SELECT FROM rappel.decisions d WHERE d.rule_id = r.id AND d.appointment_id = a.id AND d.starts_at = a.starts_at)
		FROM rappel.rules r JOIN rappel.practices p ON p.id = r.practice_id JOIN rappel.appointments a ON a.practice_id = p.id
		WHERE r.active
		ORDER BY a.id, r.id`)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, r.scan)
	if err != nil {
		return err
	}
	siblings := map[string][]schedule.Rule{} // by appointment: those of its practice
	for _, c := range all {
		siblings[c.AppointmentID] = append(siblings[c.AppointmentID], c.Rule.Rule)
	}
	for _, c := range all {
		c.Rule.Siblings = siblings[c.AppointmentID]
		if !c.decided {
			yield(c.Found)
		}
	}
	return nil
}

// A candidate is a rule and an appointment, and whether it was decided about.
type candidate struct {
	sweep.Found

	decided bool
}

func (r readerOfEverything) scan(row pgx.CollectableRow) (c candidate, err error) {
	var (
		at, opens, closes            *string
		practice, practiceZone, zone string
		digest                       bool
		v                            = &c.Visit
	)
	err = row.Scan(&c.Rule.ID, &c.Rule.Kind, &c.Rule.Anchor, &c.Rule.Minutes, &c.Rule.Days, &at, &c.Rule.Template, &c.Rule.SavedAt,
		&practice, &practiceZone, &digest, &opens, &closes,
		&c.AppointmentID, &v.StartsAt, &v.EndsAt, &v.BookedAt, &zone, &v.Status, &v.SetAt, &c.decided)
	c.Rule.At, c.Window = clockOf(at), schedule.Window{Opens: clockOf(opens), Closes: clockOf(closes)}
	v.Zone, _ = r.zones.Of(zone, practiceZone)
	if digest {
		c.Digest = practice
		c.PracticeZone, _ = r.zones.Load(practiceZone)
	}
	return c, err
}

func clockOf(s *string) *schedule.Clock {
	if s == nil {
		return nil
	}
	c, err := schedule.ParseClock(*s)
	if err != nil {
		panic(err)
	}
	return &c
}

// noQueue takes what is offered and does nothing with it.
type noQueue struct{}

func (noQueue) OfferAt(context.Context, recipients.Channel, []string, time.Time) error { return nil }

// A swept is a store that can be swept.
type swept interface {
	sweep.Store
	plan.Store
}

// sweepAs has store sweep w, and returns what was decided then.
func (w *world) sweepAs(store swept, at time.Time) []string {
	w.t.Helper()
	now := func() time.Time { return at }
	quiet := slog.New(slog.DiscardHandler)
	planner := &plan.Planner{Store: store, Queue: noQueue{}, Now: now, Log: quiet}
	if _, err := (&sweep.Sweeper{Store: store, Planner: planner, Now: now, Log: quiet}).Sweep(w.t.Context(), at); err != nil {
		w.t.Fatal(err)
	}
	rows, err := w.db.Query(w.t.Context(), `
		SELECT concat_ws(' ', d.rule_id, d.appointment_id, d.starts_at, d.outcome, d.candidates, n.channel, n.contact_id, n.not_before, n.not_after)
		FROM rappel.decisions d LEFT JOIN rappel.notifications n ON n.decision_id = d.id
		WHERE d.decided_at = $1 ORDER BY 1`, at)
	if err != nil {
		w.t.Fatal(err)
	}
	made, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// A pastime is a practice side on which something happens now and then, the same
// in two databases.
type pastime struct {
	*rand.Rand

	both                              [2]*world
	now                               time.Time
	practices, clients, visits, rules []string
	practiceOf                        map[string]string // by client and rule
}

func (p *pastime) exec(sql string, args ...any) {
	for _, w := range p.both {
		w.exec(sql, args...)
	}
}

func (p *pastime) insert(table string, r row) string {
	r["id"] = newID()
	for _, w := range p.both {
		w.insert(table, r)
	}
	return r["id"].(string)
}

func one[T any](p *pastime, of ...T) T { return of[p.IntN(len(of))] }

// zone is one of few, in which clocks change by an hour, by half an hour or never.
func (p *pastime) zone() string {
	return one(p, "America/New_York", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Mars/Olympus")
}

// ownZone is mostly none.
func (p *pastime) ownZone() any { return one[any](p, nil, nil, nil, p.zone()) }

func (p *pastime) window() row {
	return one(p,
		row{"sms_opens": "08:00", "sms_closes": "21:00"}, row{"sms_opens": "08:00", "sms_closes": "21:00"},
		row{"sms_opens": "20:00", "sms_closes": "06:00"}, row{"sms_opens": "09:05", "sms_closes": "09:25"},
		row{"sms_opens": nil, "sms_closes": "21:00"}, row{"sms_opens": "00:00", "sms_closes": "24:00"})
}

func (p *pastime) practice() {
	r := p.window()
	r["name"], r["time_zone"] = "Elm", p.zone()
	r["late_booking"], r["family_digest"] = one(p, "skip", "grace"), p.IntN(3) == 0
	id := p.insert("practices", r)
	p.practices = append(p.practices, id)
	for range 4 {
		p.rule(id, p.now.AddDate(-1, 0, 0))
	}
	for range 5 {
		p.client(id)
	}
}

func (p *pastime) client(practice string) {
	id := p.insert("clients", row{
		"practice_id": practice, "first_name": "Ann", "phone": "+1201555" + strconv.Itoa(1000+p.IntN(6)), "email": "ann@example.com",
		"preferred_method": one(p, "sms", "both", "email"), "time_zone": p.ownZone(),
	})
	p.clients, p.practiceOf[id] = append(p.clients, id), practice
	if p.IntN(2) == 0 {
		return
	}
	contact := row{"practice_id": practice, "first_name": "Eve", "phone": "+12015552000", "time_zone": p.ownZone()}
	if p.IntN(2) == 0 {
		contact["client_id"] = one(p, p.clients...)
	}
	link := row{"client_id": id, "contact_id": p.insert("contacts", contact), "receives_reminders": true, "receives_scheduled": true}
	for _, w := range p.both {
		w.insert("client_contacts", link)
	}
}

func (p *pastime) offset() row {
	minutes := row{"offset_minutes": -one(p, 0, 15, 60, 120, 180, 12*60, 24*60), "offset_days": nil, "at_time": nil}
	days := row{"offset_minutes": nil, "offset_days": -p.IntN(3), "at_time": nil}
	times := row{"offset_minutes": nil, "offset_days": -p.IntN(3), "at_time": one(p, "00:00", "02:30", "07:00", "20:59", "24:00")}
	r := one(p, minutes, minutes, days, times)
	r["anchor"] = one(p, "start", "start", "start", "end", "booked")
	if r["anchor"] != "start" {
		for _, c := range []string{"offset_minutes", "offset_days"} {
			if n, ok := r[c].(int); ok {
				r[c] = -n
			}
		}
	}
	return r
}

func (p *pastime) rule(practice string, saved time.Time) {
	r := p.offset()
	r["practice_id"], r["name"], r["template"], r["updated_at"] = practice, "r", "appointment.reminder", saved
	r["kind"] = one(p, "reminder", "reminder", "scheduled")
	id := p.insert("rules", r)
	p.rules, p.practiceOf[id] = append(p.rules, id), practice
}

// start is within two days of now, mostly soon.
func (p *pastime) start() time.Time {
	return p.now.Add(time.Duration(p.IntN(one(p, 3, 20, 50)*60)-60) * time.Minute).Truncate(one(p, time.Minute, 15*time.Minute))
}

// visit books a visit, perhaps in a transaction that took minutes.
func (p *pastime) visit(booked time.Time) {
	client, starts := one(p, p.clients...), p.start()
	r := row{
		"practice_id": p.practiceOf[client], "client_id": client, "starts_at": starts, "ends_at": starts.Add(50 * time.Minute),
		"booked_at": booked, "updated_at": booked, "time_zone": p.ownZone(),
	}
	if p.IntN(2) == 0 {
		r["start_set_at"] = booked
	}
	p.visits = append(p.visits, p.insert("appointments", r))
}

// lately is now, or some minutes ago, as a late commit has it.
func (p *pastime) lately() time.Time { return p.now.Add(-time.Duration(p.IntN(8)) * time.Minute) }

// happens has one thing happen.
func (p *pastime) happens() {
	visit, rule, client, practice := one(p, p.visits...), one(p, p.rules...), one(p, p.clients...), one(p, p.practices...)
	switch p.IntN(12) {
	case 0, 1, 2, 3:
		p.visit(p.lately())
	case 4, 5:
		starts, at := p.start(), p.lately()
		p.exec(`UPDATE rappel.appointments SET starts_at = $2::timestamptz, ends_at = $2::timestamptz + interval '50 minutes', updated_at = $3::timestamptz,
			start_set_at = CASE WHEN start_set_at IS NOT NULL THEN $3::timestamptz END WHERE id = $1`, visit, starts, at)
	case 6:
		p.exec(`UPDATE rappel.appointments SET status = $2, updated_at = $3 WHERE id = $1`, visit, one(p, "cancelled", "requested", "scheduled", "arrived"), p.now)
	case 7:
		p.rule(practice, p.lately())
	case 8:
		o := p.offset()
		p.exec(`UPDATE rappel.rules SET anchor = $2, offset_minutes = $3, offset_days = $4, at_time = $5::text::time, active = $6, updated_at = $7 WHERE id = $1`,
			rule, o["anchor"], o["offset_minutes"], o["offset_days"], o["at_time"], p.IntN(4) > 0, p.lately())
	case 9:
		p.exec(`UPDATE rappel.clients SET preferred_method = $2, time_zone = $3 WHERE id = $1`, client, one(p, "sms", "both", "email"), p.ownZone())
	case 10:
		o := p.window()
		p.exec(`UPDATE rappel.practices SET sms_opens = $2::text::time, sms_closes = $3::text::time WHERE id = $1`, practice, o["sms_opens"], o["sms_closes"])
	case 11:
		p.exec(`UPDATE rappel.practices SET time_zone = $2, family_digest = $3 WHERE id = $1`, practice, p.zone(), p.IntN(3) == 0)
	}
}

// pause is mostly a minute; sometimes sweeps are missed, or all of a night.
func (p *pastime) pause() time.Duration {
	return time.Duration(one(p, 1, 1, 1, 1, 1, 1, 2, 5, 12, 30, 45, 5*60)) * time.Minute
}

// TestASweepDecidesAsIfItReadEverything has the same happen in two databases,
// around nights on which clocks change. One is swept as it is in earnest, and the
// other by one who looks at each rule and each appointment each time. All that is
// decided, and when, is the same. In some, the practice side is views.
func TestASweepDecidesAsIfItReadEverything(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			p := &pastime{Rand: rand.New(rand.NewPCG(seed, 0)), practiceOf: map[string]string{}}
			p.both = [2]*world{newWorld(t), newWorld(t)}
			p.now = nights()[seed%4].Add(-time.Duration(10+p.IntN(20)) * time.Hour)
			if seed >= 4 {
				p.both[0].becomeViews()
			}
			for range 5 {
				p.practice()
			}
			for range 40 {
				p.visit(p.now.AddDate(0, 0, -1-p.IntN(5)))
			}
			all, decided := readerOfEverything{p.both[1], zoneinfo.Embedded()}, 0
			for range sweeps {
				got := p.both[0].sweepAs(p.both[0].Store, p.now)
				want := p.both[1].sweepAs(all, p.now)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("at %s (-want +got):\n%s", p.now, diff)
				}
				decided += len(got)
				p.now = p.now.Add(p.pause())
				for p.IntN(2) == 0 {
					p.happens()
				}
			}
			if decided < 100 {
				t.Errorf("%d decisions are too few to tell anything", decided)
			}
		})
	}
}

// sweeps is how many there are in each of the worlds.
const sweeps = 150

// becomeViews puts the practice side out of the schema, with its indexes, and
// views in its place.
func (w *world) becomeViews() {
	w.t.Helper()
	w.exec(`CREATE SCHEMA app`)
	for _, table := range []string{"practices", "clients", "contacts", "client_contacts", "appointments", "rules", "templates", "practitioners"} {
		w.exec(fmt.Sprintf(`ALTER TABLE rappel.%s SET SCHEMA app; CREATE VIEW rappel.%[1]s AS SELECT * FROM app.%[1]s`, table))
	}
}

var _ sweep.Store = (*postgres.Store)(nil)
