package postgres_test

import (
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"rappel/internal/postgres"
	"rappel/internal/practice"
	"rappel/internal/testenv"
	"rappel/jobs/deliver"
	"rappel/jobs/forecast"
	"rappel/jobs/plan"
	"rappel/jobs/reply"
	"rappel/jobs/retain"
	"rappel/jobs/sweep"
	"rappel/templates"
)

// A granted is one server with the roles of grants.sql, and somebody who logs
// in for each: a deployer who migrates, a worker, and the main app. Roles are a
// server's, so each test has its own.
type granted struct {
	*world // of the superuser

	worker, mainApp *world
}

func newGranted(t *testing.T, practiceSide string) granted {
	t.Helper()
	server := testenv.PostgresServer(t).URL("postgres")
	g := granted{world: connect(t, server)}
	g.grant()
	g.exec(practiceSide + `;
		CREATE ROLE worker LOGIN IN ROLE rappel_worker;
		CREATE ROLE mainapp LOGIN IN ROLE rappel_app;
		CREATE ROLE deployer LOGIN IN ROLE rappel_migrator;
		ALTER ROLE deployer SET role = 'rappel_migrator'`)
	deployer := connect(t, as(t, server, "deployer"))
	for range 2 {
		if _, err := deployer.Migrate(t.Context(), nil); err != nil {
			t.Fatalf("migrate: %v", err)
		}
		g.grant()
	}
	g.worker, g.mainApp = connect(t, as(t, server, "worker")), connect(t, as(t, server, "mainapp"))
	return g
}

func (g granted) grant() {
	g.t.Helper()
	file, err := os.ReadFile("grants.sql")
	if err != nil {
		g.t.Fatal(err)
	}
	g.exec(string(file))
}

// as is a URL with another user, who needs no password here.
func as(t *testing.T, server, user string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(user)
	return u.String()
}

// fine fails the test where something did not work.
func (g granted) fine(what string, err error) {
	g.t.Helper()
	if err != nil {
		g.t.Errorf("%s: %v", what, err)
	}
}

// worked is fine for a call with two results.
func worked[T any](v T, err error) func(g granted, what string) T {
	return func(g granted, what string) T {
		g.t.Helper()
		g.fine(what, err)
		return v
	}
}

// TestTheRolesHaveWhatTheyNeed has the main app book a visit, and a worker do
// all that a worker and the commands do, in one long day.
func TestTheRolesHaveWhatTheyNeed(t *testing.T) {
	t.Parallel()
	g := newGranted(t, "")
	app, s, ctx := g.mainApp, g.worker.Store, t.Context()
	app.practice = app.insert("practices", row{"name": "Elm Street", "time_zone": "America/New_York"})
	client := app.client()
	visit := app.visit(client, noon().AddDate(0, 0, 7), nil)
	app.rule(row{"offset_minutes": -60})
	var event string
	g.fine("report an event", app.db.QueryRow(ctx, `
		INSERT INTO rappel.events (kind, appointment_id, traceparent) VALUES ('appointment.booked', $1, NULL) RETURNING id`, visit).Scan(&event))
	g.fine("ready", s.Ready(ctx))
	if wrong := worked(s.ContractBreaches(ctx))(g, "compare the practice side"); len(wrong) > 0 {
		t.Error(wrong)
	}
	_, made, err := s.PlanEvents(ctx, 10, decide)
	if err != nil || len(made) != 1 || len(made[0].Notifications) != 1 {
		t.Fatalf("plan: %+v, %v", made, err)
	}
	id := made[0].Notifications[0].ID
	worked(s.SetAside(ctx, app.event("appointment.missed", visit)))(g, "set an event aside")
	s.Blame(ctx, visit, "", "")
	g.sweep(visit)
	g.send(id)
	g.hear(id)
	worked(s.Account(ctx, postgres.Span{From: noon().AddDate(-1, 0, 0), To: noon().AddDate(1, 0, 0)}))(g, "close the books")
	worked(s.Unaccounted(ctx, noon().AddDate(-1, 0, 0)))(g, "count what is unaccounted")
	worked(s.History(ctx, visit))(g, "explain")
	worked(s.EventHistory(ctx, event))(g, "explain an event")
	g.fine("forecast", s.View(ctx, func(forecast.View) error { return nil }))
	g.fine("lint", s.EachText(ctx, 0, func(templates.Source) {}))
	worked(s.TextNames(ctx, 1))(g, "list the templates")
	worked(s.TextsNamed(ctx, "appointment.booked", "", 1))(g, "show a template")
	worked(s.TextsFor(ctx, "appointment.booked", app.practice))(g, "preview a template")
	worked(s.Usages(ctx))(g, "lint")
	_, _, err = s.UnknownZones(ctx)
	g.fine("check the zones", err)
	if added := worked(s.AddEvents(ctx, []plan.Event{{ID: newID(), Kind: "appointment.missed", AppointmentID: visit, OccurredAt: noon()}}))(g, "report by hand"); added != 1 {
		t.Errorf("%d events reported by hand", added)
	}
	worked(s.Forget(ctx, postgres.Person{ClientID: client}, false))(g, "forget")
	for _, term := range retain.Terms() {
		_, _, err := s.Retain(ctx, term.Trace, noon().AddDate(2, 0, 0), 10)
		g.fine("remove old "+string(term.Trace), err)
	}
	if left := g.text(`SELECT count(*) FROM rappel.decisions`); left != "0" {
		t.Errorf("%s decisions are left", left)
	}
	if seen := app.text(`SELECT concat((SELECT count(*) FROM rappel.notifications), (SELECT count(*) FROM rappel.decisions), (SELECT count(*) FROM rappel.opt_outs))`); seen == "-" {
		t.Error("the main app sees nothing")
	}
}

// sweep finds what is due and decides it.
func (g granted) sweep(visit string) {
	g.t.Helper()
	s, ctx := g.worker.Store, g.t.Context()
	starts := noon().AddDate(0, 0, 7)
	worked(s.Mark(ctx))(g, "read the mark")
	var due []plan.Due
	g.fine("find what is due", s.Find(ctx, sweep.Span{From: starts.Add(-2 * time.Hour), To: starts}, func(f sweep.Found) {
		due = append(due, plan.Due{Rule: f.Rule, AppointmentID: visit})
	}))
	made, err := s.PlanRules(ctx, due, func(r plan.Rule, p *practice.Snapshot) (plan.Decision, bool) {
		return decideRule(r, p, starts.Add(-time.Hour))
	})
	if err != nil || len(made) != 1 {
		g.t.Errorf("plan what is due: %+v, %v", made, err)
	}
	g.fine("advance the mark", s.Advance(ctx, starts, starts))
}

// send takes a message through its life, and once more.
func (g granted) send(id string) {
	g.t.Helper()
	s, ctx := g.worker.Store, g.t.Context()
	worked(s.Forgotten(ctx, "sms", noon(), 0, 10))(g, "reconcile")
	worked(s.OldestDue(ctx, "sms", noon()))(g, "find the oldest")
	worked(s.Due(ctx, []string{id}, noon()))(g, "find what is due")
	g.fine("park", s.Park(ctx, []string{id}, time.Second))
	claim := worked(s.Claim(ctx, []string{id}, deliver.Terms{Now: noon(), Lease: time.Minute}, send))(g, "claim")
	number := numberOf(g.t, mobile)
	worked(s.Record(ctx, claim.ID, []deliver.Outcome{{
		ID: id, Status: deliver.Failed, Reason: "refused", At: noon(),
		Silence: &deliver.Silence{Code: deliver.CodeLandline, Channel: "sms", Address: number, PracticeID: g.mainApp.practice},
	}}))(g, "record")
	ended := worked(s.Ended(ctx, deliver.Selection{From: noon().AddDate(-1, 0, 0), To: noon().AddDate(1, 0, 0), Status: deliver.Failed}))(g, "find what failed")
	g.fine("judge", s.Judge(ctx, []string{id}, noon(), func(deliver.Notification, *practice.Snapshot, []templates.Source) {}))
	again := worked(s.Reopen(ctx, []deliver.Reopening{{ID: id, Was: deliver.Failed, NotBefore: noon()}}, noon()))(g, "replay")
	if len(ended) != 1 || len(again) != 1 {
		g.t.Errorf("%d failed, %d replayed", len(ended), len(again))
	}
	claim = worked(s.Claim(ctx, []string{id}, deliver.Terms{Now: noon(), Lease: time.Minute}, send))(g, "claim again")
	worked(s.Record(ctx, claim.ID, []deliver.Outcome{{ID: id, Status: deliver.Sent, At: noon()}}))(g, "record again")
	worked(s.Settle(ctx, []deliver.Receipt{undelivered(id, "30006", deliver.CodeLandline), complaint(id)}))(g, "settle")
}

// hear keeps what the number answers, and tells the main app.
func (g granted) hear(id string) {
	g.t.Helper()
	s, ctx := g.worker.Store, g.t.Context()
	for carrier, text := range map[string]string{"SM1": "STOP", "SM2": "START"} {
		in := reply.Inbound{CarrierID: carrier, From: numberOf(g.t, mobile), Text: reply.WordsOf(text), ReceivedAt: noon()}
		if _, fresh, err := s.KeepReply(ctx, in, noon().Add(-reply.Window), reply.Understand); err != nil || !fresh {
			g.t.Errorf("keep %s about %s: %v", text, id, err)
		}
	}
	claim := worked(s.ClaimReplies(ctx, reply.Terms{Now: noon(), Lease: time.Minute, Most: 10, Turns: 3}))(g, "claim replies")
	for _, r := range claim.Replies {
		worked(s.RecordReply(ctx, claim.ID, reply.Outcome{ReplyID: r.ID, Result: "posted", At: noon()}))(g, "record a reply")
	}
	if len(claim.Replies) == 0 {
		g.t.Error("no reply was claimed")
	}
}

func TestTheRolesHaveNoMoreThanTheyNeed(t *testing.T) {
	t.Parallel()
	g := newGranted(t, "")
	g.practice = g.insert("practices", row{"name": "Elm Street", "time_zone": "America/New_York"})
	g.client()
	for name, c := range map[string]struct {
		who *world
		sql string
	}{
		"a worker adds no client":              {g.worker, `INSERT INTO rappel.clients (id, practice_id) VALUES (gen_random_uuid(), gen_random_uuid())`},
		"a worker changes no client":           {g.worker, `UPDATE rappel.clients SET phone = '1'`},
		"a worker deletes no client":           {g.worker, `DELETE FROM rappel.clients`},
		"a worker moves no appointment":        {g.worker, `UPDATE rappel.appointments SET starts_at = now()`},
		"a worker writes no text":              {g.worker, `UPDATE rappel.templates SET body = ''`},
		"a worker rewrites no decision":        {g.worker, `UPDATE rappel.decisions SET outcome = 'skipped'`},
		"a worker empties no table":            {g.worker, `TRUNCATE rappel.replies`},
		"a worker creates no table":            {g.worker, `CREATE TABLE rappel.mine (id int)`},
		"a worker alters no table":             {g.worker, `ALTER TABLE rappel.notifications DISABLE TRIGGER transition`},
		"a worker notes no migration":          {g.worker, `INSERT INTO rappel.migrations (version_id, is_applied) VALUES (1, true)`},
		"a main app changes no message":        {g.mainApp, `UPDATE rappel.notifications SET status = 'sent'`},
		"a main app answers no event":          {g.mainApp, `INSERT INTO rappel.events (kind, planned_at) VALUES ('appointment.booked', now())`},
		"a main app takes no event back":       {g.mainApp, `DELETE FROM rappel.events`},
		"a main app decides nothing":           {g.mainApp, `INSERT INTO rappel.decisions (id, kind, decided_at, outcome) VALUES (gen_random_uuid(), 'x', now(), 'notify')`},
		"a main app reads replies when posted": {g.mainApp, `SELECT FROM rappel.replies`},
		"a main app creates no table":          {g.mainApp, `CREATE TABLE rappel.mine (id int)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.who.db.Exec(t.Context(), c.sql)
			if refusal, ok := errors.AsType[*pgconn.PgError](err); !ok || refusal.Code != "42501" {
				t.Errorf("%s: %v", c.sql, err)
			}
		})
	}
	if forgotten := g.text(`SELECT string_agg(relname, ', ') FROM pg_class WHERE relnamespace = 'rappel'::regnamespace AND relkind IN ('r', 'v')
		AND NOT has_table_privilege('rappel_worker', oid, 'SELECT')`); forgotten != "-" {
		t.Errorf("grants.sql forgot %s", forgotten)
	}
}

// TestAWorkerReadsViewsWithoutARightToWhatIsBehindThem has the practice side as
// views of the superuser's, over tables that nobody else may read.
func TestAWorkerReadsViewsWithoutARightToWhatIsBehindThem(t *testing.T) {
	t.Parallel()
	g := newGranted(t, strings.Replace(app, "CREATE SCHEMA rappel;", "", 1))
	g.practice = newID()
	g.exec(`INSERT INTO app.practice VALUES ($1, 'Elm', 'America/New_York')`, g.practice)
	g.Store = g.worker.Store
	g.everythingWorks()
	for _, sql := range []string{`SELECT FROM app.person`, `DELETE FROM rappel.clients`} {
		if _, err := g.worker.db.Exec(t.Context(), sql); err == nil {
			t.Errorf("a worker may %s", sql)
		}
	}
}
