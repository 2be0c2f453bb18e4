package postgres_test

import (
	"strings"
	"testing"
	"time"

	"rappel/internal/practice"
	"rappel/internal/testenv"
	"rappel/jobs/deliver"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
	"rappel/recipients"
	"rappel/templates"
)

// app is a main app with tables of its own, and the practice side as views over
// them, NULL where the contract has a default.
const app = `
CREATE SCHEMA app;
CREATE TABLE app.practice (id uuid PRIMARY KEY, name text, zone text);
CREATE TABLE app.person (id uuid PRIMARY KEY, practice uuid, name text, phone text, method text, place int);
CREATE TABLE app.visit (id uuid PRIMARY KEY, practice uuid, person uuid, starts timestamptz, state text, version bigint, booked timestamptz);
CREATE TABLE app.rule (id uuid PRIMARY KEY, practice uuid, kind text, anchor text, minutes int, days int);
CREATE SCHEMA rappel;
CREATE VIEW rappel.practices AS SELECT id, name, zone AS time_zone, NULL::text AS country, NULL::text AS phone, NULL::text AS email,
	NULL::text AS locale, NULL::time AS sms_opens, NULL::time AS sms_closes, NULL::text AS late_booking, NULL::bool AS channel_fallback,
	NULL::bool AS family_digest, NULL::int AS settle_seconds, true AS active FROM app.practice;
CREATE VIEW rappel.practitioners AS SELECT NULL::uuid AS id, NULL::uuid AS practice_id, NULL::text AS name, NULL::text AS email WHERE false;
CREATE VIEW rappel.clients AS SELECT id, practice AS practice_id, name AS first_name, NULL::text AS last_name, NULL::text AS preferred_name,
	NULL::text AS email, phone, method AS preferred_method, NULL::text AS time_zone, NULL::text AS locale, true AS receives_reminders,
	true AS receives_confirmations, NULL::bool AS receives_scheduled, NULL::bool AS do_not_contact, NULL::timestamptz AS archived_at FROM app.person;
CREATE VIEW rappel.contacts AS SELECT id, practice AS practice_id, NULL::uuid AS client_id, name AS first_name, NULL::text AS last_name,
	NULL::text AS email, phone, NULL::text AS time_zone, NULL::text AS locale FROM app.person;
CREATE VIEW rappel.client_contacts AS SELECT p.id AS client_id, k.id AS contact_id, NULL::text AS relationship, k.place AS position,
	NULL::bool AS receives_reminders, NULL::bool AS receives_confirmations, NULL::bool AS receives_scheduled, NULL::bool AS can_manage_appointments,
	NULL::bool AS portal_access, NULL::bool AS can_message, NULL::bool AS can_view_forms, NULL::bool AS can_view_documents,
	NULL::bool AS can_manage_billing FROM app.person p JOIN app.person k ON k.practice = p.practice AND k.id <> p.id;
CREATE VIEW rappel.appointments AS SELECT id, practice AS practice_id, person AS client_id, NULL::uuid AS practitioner_id, NULL::text AS service_name,
	NULL::text AS location_name, NULL::text AS location_address, NULL::text AS telehealth_url, NULL::text AS manage_url, starts AS starts_at,
	NULL::timestamptz AS ends_at, NULL::text AS time_zone, state AS status, NULL::bool AS notify, version AS revision, booked AS booked_at,
	NULL::timestamptz AS updated_at, NULL::timestamptz AS start_set_at FROM app.visit;
CREATE VIEW rappel.rules AS SELECT id, practice AS practice_id, kind, NULL::text AS name, anchor,
	minutes AS offset_minutes, days AS offset_days, NULL::time AS at_time, 'appointment.reminder'::text AS template, NULL::text AS service_name,
	true AS active, NULL::timestamptz AS updated_at FROM app.rule;
CREATE VIEW rappel.templates AS SELECT NULL::uuid AS id, NULL::uuid AS practice_id, NULL::text AS name, NULL::text AS channel, NULL::text AS audience,
	NULL::text AS locale, NULL::text AS subject, NULL::text AS body, NULL::int AS version, true AS active, NULL::timestamptz AS updated_at WHERE false;`

// newApp is migrated after the views were there, twice.
// Another column type may be given, before the views are there.
func newApp(t *testing.T, alter string) *world {
	t.Helper()
	w := connect(t, testenv.Database(t, nil))
	tables, views, _ := strings.Cut(app, "CREATE SCHEMA rappel;")
	w.exec(tables + alter + "; CREATE SCHEMA rappel;" + views)
	for range 2 {
		if _, err := w.Migrate(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	w.practice = newID()
	w.exec(`INSERT INTO app.practice VALUES ($1, 'Elm', 'America/New_York')`, w.practice)
	return w
}

func (w *world) appVisit(starts time.Time) string {
	w.t.Helper()
	person, visit := newID(), newID()
	w.exec(`INSERT INTO app.person VALUES ($1, $2, 'Ann', '+12015550101', 'sms', 1)`, person, w.practice)
	w.exec(`INSERT INTO app.visit VALUES ($1, $2, $3, $4, 'scheduled', 2, $5)`, visit, w.practice, person, starts, starts.AddDate(0, -1, 0))
	return visit
}

func TestViewsSurviveAMigration(t *testing.T) {
	t.Parallel()
	w := newApp(t, "")
	const views = `SELECT count(*) FROM information_schema.views WHERE table_schema = 'rappel'`
	if got := w.text(views); got != "8" {
		t.Errorf("%s views are left", got)
	}
	if err := w.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	// A table beside the views is created where one is missing.
	w.exec(`DROP VIEW rappel.templates`)
	if _, err := w.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := w.text(`SELECT table_type FROM information_schema.tables WHERE table_schema = 'rappel' AND table_name = 'templates'`); got != "BASE TABLE" {
		t.Errorf("templates is a %s", got)
	}
}

// TestWhatCheckHasNothingAgainstWorks gives columns types other than the
// contract's. Either check names them, or everything works.
func TestWhatCheckHasNothingAgainstWorks(t *testing.T) {
	t.Parallel()
	enum := func(table, column, values string) string {
		return "CREATE TYPE app.words AS ENUM (" + values + "); ALTER TABLE app." + table + " ALTER " + column + " TYPE app.words USING NULL"
	}
	cases := map[string]string{
		"the contract's own types": "",
		"short texts": `ALTER TABLE app.practice ALTER name TYPE varchar(80), ALTER zone TYPE varchar(40);
			ALTER TABLE app.person ALTER name TYPE varchar(80), ALTER phone TYPE varchar(20), ALTER method TYPE varchar(9);
			ALTER TABLE app.visit ALTER state TYPE varchar(20); ALTER TABLE app.rule ALTER kind TYPE varchar(20), ALTER anchor TYPE varchar(9)`,
		"a domain":                "CREATE DOMAIN app.zone AS text CHECK (value <> ''); ALTER TABLE app.practice ALTER zone TYPE app.zone",
		"small numbers":           "ALTER TABLE app.person ALTER place TYPE smallint; ALTER TABLE app.visit ALTER version TYPE smallint; ALTER TABLE app.rule ALTER minutes TYPE smallint, ALTER days TYPE smallint",
		"big numbers":             "ALTER TABLE app.person ALTER place TYPE bigint; ALTER TABLE app.rule ALTER minutes TYPE bigint, ALTER days TYPE bigint",
		"an enum of statuses":     enum("visit", "state", "'scheduled', 'cancelled'"),
		"an enum of methods":      enum("person", "method", "'email', 'sms'"),
		"an enum of rules' kinds": enum("rule", "kind", "'reminder', 'scheduled'"),
		"an enum of anchors":      enum("rule", "anchor", "'start', 'end'"),
	}
	for name, alter := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newApp(t, alter)
			breaches, err := w.ContractBreaches(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(breaches) > 0 {
				if alter == "" {
					t.Errorf("breaches: %q", breaches)
				}
				return // whoever runs rappel has been told
			}
			w.everythingWorks()
		})
	}
}

// everythingWorks plans and delivers an event, finds a rule that is due, and
// asks what check asks.
func (w *world) everythingWorks() {
	w.t.Helper()
	w.event("appointment.booked", w.appVisit(noon().AddDate(0, 0, 7)))
	_, made, err := w.PlanEvents(w.t.Context(), 10, decide)
	if err != nil || len(made) != 1 || made[0].Outcome != recipients.Notify || made[0].Revision == nil || *made[0].Revision != 2 {
		w.t.Errorf("plan an event: %+v, %v", made, err)
	} else {
		c, err := w.Claim(w.t.Context(), []string{made[0].Notifications[0].ID}, deliver.Terms{Now: noon(), Lease: time.Minute},
			func(n deliver.Notification, s *practice.Snapshot, rows []templates.Source) deliver.Ruling {
				return deliver.Ruler{Templates: &templates.Cache{}}.Rule(n, s, rows, noon())
			})
		if err != nil || len(c.Messages) != 1 {
			w.t.Errorf("deliver it: %+v, %v", c, err)
		}
	}
	w.appVisit(noon().Add(time.Hour))
	w.exec(`INSERT INTO app.rule VALUES ($1, $2, 'reminder', 'start', -60, NULL), ($3, $2, 'reminder', 'start', NULL, NULL)`, newID(), w.practice, newID())
	found := 0
	if err := w.Find(w.t.Context(), sweep.Span{From: noon().Add(-time.Hour), To: noon()}, func(sweep.Found) { found++ }); err != nil || found != 1 {
		w.t.Errorf("find what is due: %d, %v", found, err)
	}
	if broken, _, err := w.BrokenRules(w.t.Context()); err != nil || len(broken) != 1 {
		w.t.Errorf("name broken rules: %q, %v", broken, err)
	}
	if practices, others, err := w.UnknownZones(w.t.Context()); err != nil || len(practices)+len(others) > 0 {
		w.t.Errorf("name zones: %q, %q, %v", practices, others, err)
	}
}

// TestNullsInViewsAreTheSaferChoice has a flag and a method that nobody set:
// nobody is told by mistake.
func TestNullsInViewsAreTheSaferChoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`ALTER TABLE rappel.clients ALTER COLUMN receives_reminders DROP NOT NULL, ALTER COLUMN receives_confirmations DROP NOT NULL`)
	client := w.client()
	w.exec(`UPDATE rappel.clients SET receives_confirmations = NULL, preferred_method = NULL`)
	w.event("appointment.booked", w.visit(client, noon().AddDate(0, 0, 7), nil))
	_, made, err := w.PlanEvents(t.Context(), 10, func(e plan.Event, s *practice.Snapshot) (plan.Decision, bool) { return decide(e, s) })
	if err != nil || len(made) != 1 || made[0].Outcome != recipients.Skipped || len(made[0].Notifications) > 0 {
		t.Errorf("%+v, %v", made, err)
	}
}
