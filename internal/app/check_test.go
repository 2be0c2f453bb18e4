package app_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"rappel/internal/app"
	"rappel/internal/config"
	"rappel/internal/postgres"
	"rappel/internal/queue"
	"rappel/internal/services"
	"rappel/internal/testenv"
)

const adminToken = "the-token-of-the-endpoints"

// A site is an installation of which all is as it should be, until a test
// changes something.
type site struct {
	t        *testing.T
	cfg      config.Config
	now      func() time.Time
	practice string
	health   http.HandlerFunc
	log      *slog.Logger
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, now: time.Now, practice: newID(), log: slog.New(slog.DiscardHandler), health: func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"batch_max":100}`)
	}}
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+adminToken {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.health(w, r)
	}))
	t.Cleanup(endpoint.Close)
	s.cfg = config.Config{
		DatabaseURL: config.Secret(testenv.Database(t, migrate)), RedisURL: config.Secret(testenv.Redis(t)),
		AdminURL: endpoint.URL, AdminToken: adminToken, SMSVia: config.ViaAdmin, EmailVia: config.ViaAdmin,
		Concurrency: 4, ShutdownTimeout: 25 * time.Second,
	}
	s.redis("CONFIG", "SET", "appendonly", "yes")
	s.sql(`INSERT INTO rappel.practices (id, name, time_zone) VALUES ($1, 'Elm', 'America/New_York')`, s.practice)
	return s
}

func migrate(ctx context.Context, url string) error {
	store, err := postgres.Open(ctx, url, 2)
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Migrate(ctx, nil)
	return err
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (s *site) sql(statement string, args ...any) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.cfg.DatabaseURL.Reveal())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(s.t.Context())
	if _, err := conn.Exec(s.t.Context(), statement, args...); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

func (s *site) redis(words ...any) {
	s.t.Helper()
	opt, err := queue.ParseRedis(s.cfg.RedisURL.Reveal())
	if err != nil {
		s.t.Fatal(err)
	}
	client := opt.MakeRedisClient().(redis.UniversalClient)
	defer client.Close()
	if err := client.Do(s.t.Context(), words...).Err(); err != nil {
		s.t.Fatalf("%v: %v", words, err)
	}
}

func (s *site) rule(columns, values string) {
	s.t.Helper()
	s.sql(fmt.Sprintf(`INSERT INTO rappel.rules (id, practice_id, name, kind, template, %s)
		VALUES ('%s', '%s', 'r', 'reminder', 'appointment.reminder', %s)`, columns, newID(), s.practice, values))
}

func (s *site) open() *app.App {
	s.t.Helper()
	a, err := app.Open(s.t.Context(), app.Options{Config: s.cfg, Version: "test", Log: s.log, Now: s.now})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(a.Close)
	return a
}

func (s *site) findings() map[string]app.Finding {
	s.t.Helper()
	found := map[string]app.Finding{}
	for f := range s.open().Check(s.t.Context()) {
		if _, twice := found[f.Check]; twice || f.Detail == "" || strings.Contains(f.Detail, "\n") {
			s.t.Errorf("not one line: %+v", f)
		}
		found[f.Check] = f
	}
	return found
}

func TestOfASoundInstallationEveryCheckIsOk(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.rule("offset_minutes", "-60")
	for _, f := range s.findings() {
		if f.Result != app.OK {
			t.Errorf("%+v", f)
		}
	}
}

// TestEachLineFailsWhenItShould breaks one thing at a time: the line that is
// about it says so, with the words that name the cure, and no other changes.
func TestEachLineFailsWhenItShould(t *testing.T) {
	t.Parallel()
	manyRules := func(s *site) {
		for range 9 {
			s.rule("anchor, offset_minutes", "'lunch', -60")
		}
	}
	cases := map[string]struct {
		change func(*site)
		check  string
		result app.Result
		words  []string
	}{
		"a step of the schema is missing": {
			func(s *site) {
				s.sql(`DELETE FROM rappel.migrations WHERE version_id = (SELECT max(version_id) FROM rappel.migrations)`)
			}, "schema", app.Fail, []string{"run `rappel migrate`"},
		},
		"a newer version migrated": {
			func(s *site) {
				s.sql(`INSERT INTO rappel.migrations (version_id, is_applied) VALUES (29990101000000, true)`)
			}, "schema", app.Warn, []string{"29990101000000", "bring this one up to date"},
		},
		"a column is missing": {
			func(s *site) { s.sql(`ALTER TABLE rappel.practitioners DROP name`) },
			"practice side", app.Fail,
			[]string{"rappel.practitioners lacks column name (text): ALTER TABLE rappel.practitioners ADD COLUMN name text"},
		},
		"a setting counts as another": {
			func(s *site) { s.sql(`UPDATE rappel.practices SET late_booking = 'maybe', settle_seconds = -5`) },
			"practices", app.Warn,
			[]string{"late_booking", "settle_seconds is negative"},
		},
		"rules can never fire, and only some are named": {
			manyRules, "rules", app.Fail, []string{"can never fire", "lunch", "and 4 more"},
		},
		"a rule comes after the start": {
			func(s *site) { s.rule("offset_minutes", "60") }, "rules", app.Fail, []string{"after the start", "negative"},
		},
		"a rule is for a service that nobody has": {
			func(s *site) { s.rule("offset_minutes, service_name", "-60, 'Intake'") }, "rules", app.Warn, []string{"service_name"},
		},
		"a rule's text is missing": {
			func(s *site) {
				s.rule("offset_minutes", "-60")
				s.sql(`UPDATE rappel.rules SET template = 'none'`)
			}, "rules", app.Fail, []string{"cannot write to everybody", "no sms for a client"},
		},
		"a text has a mistake": {
			func(s *site) {
				s.sql(`INSERT INTO rappel.templates (id, name, channel, body) VALUES ('01900000-0000-7000-8000-000000000005', 'appointment.booked', 'sms', '[Nobody]')`)
			}, "templates", app.Fail, []string{"1 cannot be rendered (rappel lint says why): 01900000-0000-7000-8000-000000000005"},
		},
		"a text costs more": {
			func(s *site) {
				s.sql(`INSERT INTO rappel.templates (id, name, channel, body) VALUES ('01900000-0000-7000-8000-000000000005', 'appointment.booked', 'sms', 'Ž')`)
			}, "templates", app.Warn, []string{"1 costs more SMS segments", "01900000-0000-7000-8000-000000000005"},
		},
		"a row cannot be read": {
			func(s *site) {
				s.sql(`INSERT INTO rappel.practitioners (id, practice_id, name) VALUES ('01900000-0000-7000-8000-000000000006', $1, 'Dr. A'), ('01900000-0000-7000-8000-000000000007', $1, 'Dr. B')`, s.practice)
				s.sql(`ALTER TABLE rappel.practitioners RENAME TO people`)
				s.sql(`CREATE VIEW rappel.practitioners AS SELECT id, practice_id, name, (1 / (length(name) - CASE name WHEN 'Dr. B' THEN 5 ELSE 0 END))::text AS email FROM rappel.people`)
			}, "source rows", app.Fail, []string{"rappel.practitioners.email cannot be read, id 01900000-0000-7000-8000-000000000007", "SQLSTATE 22012", "CASE WHEN"},
		},
		"words that rappel does not know": {
			func(s *site) {
				s.sql(`INSERT INTO rappel.clients (id, practice_id, preferred_method) VALUES ('01900000-0000-7000-8000-000000000008', $1, 'fax')`, s.practice)
				s.sql(`INSERT INTO rappel.appointments (id, practice_id, client_id, starts_at, ends_at, booked_at, updated_at, status)
					VALUES ('01900000-0000-7000-8000-000000000009', $1, '01900000-0000-7000-8000-000000000008', now() + interval '1 day', now() + interval '2 days', now(), now(), 'BOOKED')`, s.practice)
				s.sql(`INSERT INTO rappel.events (kind) VALUES ('appointment.reschedule')`)
			}, "source rows", app.Warn, []string{"1 of the coming appointments have status 'BOOKED'", "1 clients have preferred_method 'fax'", "1 events of the last day have kind 'appointment.reschedule'"},
		},
		"an appointment with another practice's client": {
			func(s *site) {
				s.sql(`INSERT INTO rappel.clients (id, practice_id) VALUES ('01900000-0000-7000-8000-000000000008', gen_random_uuid())`)
				s.sql(`INSERT INTO rappel.appointments (id, practice_id, client_id, starts_at, ends_at, booked_at, updated_at, status)
					VALUES ('01900000-0000-7000-8000-000000000009', $1, '01900000-0000-7000-8000-000000000008', now() + interval '1 day', now() + interval '2 days', now(), now(), 'scheduled')`, s.practice)
			}, "source rows", app.Warn, []string{"1 of the coming appointments", "another practice: nobody is notified; the first are 01900000-0000-7000-8000-000000000009"},
		},
		"a practice has no zone": {
			func(s *site) { s.sql(`UPDATE rappel.practices SET time_zone = 'Moon/Mare'`) },
			"time zones", app.Fail,
			[]string{`"Moon/Mare" (practice 0`},
		},
		"a client has no zone": {
			func(s *site) {
				s.sql(`INSERT INTO rappel.clients (id, practice_id, time_zone) VALUES ($1, $2, 'Moon/Mare')`, newID(), s.practice)
			}, "time zones", app.Warn, []string{`"Moon/Mare" (client)`},
		},
		"Redis evicts": {
			func(s *site) { s.redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru") },
			"redis eviction", app.Fail,
			[]string{"allkeys-lru", "CONFIG SET maxmemory-policy noeviction"},
		},
		"Redis lets nobody wait": {
			func(s *site) { s.redis("ACL", "SETUSER", "default", "-blmove") }, "redis", app.Warn, []string{"idle worker", "BLMOVE"},
		},
		"Redis keeps nothing": {
			func(s *site) {
				s.redis("CONFIG", "SET", "appendonly", "no")
				s.redis("CONFIG", "SET", "save", "")
			}, "redis persistence", app.Warn, []string{"neither", "an event told by task alone", "appendonly yes"},
		},
		"the clocks are some seconds apart": {
			func(s *site) { s.now = func() time.Time { return time.Now().Add(-5 * time.Second) } },
			"clock", app.Warn,
			[]string{"the database's clock", "Redis's clock", "NTP"},
		},
		"the clocks are a minute apart": {
			func(s *site) { s.now = func() time.Time { return time.Now().Add(time.Minute) } },
			"clock", app.Fail,
			[]string{"the database's clock", "Redis's clock", "NTP"},
		},
		"the main app knows another token": {
			func(s *site) { s.cfg.AdminToken = "another" }, "admin endpoints", app.Fail, []string{"401", "RAPPEL_ADMIN_TOKEN"},
		},
		"the main app is not there": {
			func(s *site) { s.cfg.AdminURL = "http://127.0.0.1:1" }, "admin endpoints", app.Fail, []string{"no answer", "RAPPEL_ADMIN_URL"},
		},
		"the main app lists no features": {
			func(s *site) { s.health = func(http.ResponseWriter, *http.Request) {} }, "admin endpoints", app.OK, []string{"expires_at", "after the moment"},
		},
		"a login page is before it": {
			func(s *site) {
				s.health = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>Please sign in") }
			}, "admin endpoints", app.Fail, []string{"HTML", "RAPPEL_ADMIN_URL"},
		},
		"something else is there": {
			func(s *site) { s.health = http.NotFound }, "admin endpoints", app.Fail, []string{"404", "RAPPEL_ADMIN_URL"},
		},
		"no main app is named": {
			func(s *site) { s.cfg.AdminURL = "" }, "admin endpoints", app.Warn, []string{"RAPPEL_ADMIN_URL", "RAPPEL_ADMIN_TOKEN"},
		},
		"there is no time between the limits": {
			func(s *site) { s.cfg.ShutdownTimeout = 2 }, "time limits", app.Fail, []string{"RAPPEL_SHUTDOWN_TIMEOUT"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			c.change(s)
			for _, f := range s.findings() {
				switch f.Check {
				case c.check:
					expect(t, f, c.result, c.words)
				default:
					if f.Result != app.OK {
						t.Errorf("and also: %+v", f)
					}
				}
			}
		})
	}
}

func expect(t *testing.T, f app.Finding, want app.Result, words []string) {
	t.Helper()
	if f.Result != want {
		t.Errorf("%+v, want %s", f, want)
	}
	for _, w := range words {
		if !strings.Contains(f.Detail, w) {
			t.Errorf("%s does not say %q: %s", f.Check, w, f.Detail)
		}
	}
}

func TestWhatDoesNotAnswerIsSaidOnceAndNotAskedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.DatabaseURL, s.cfg.RedisURL = "postgres://u:p%40ss:w@127.0.0.1:1/x", "redis://:p%40ss:w@127.0.0.1:1"
	found := s.findings()
	for name, word := range map[string]string{
		"database": "DATABASE_URL: ", "schema": "not asked: database fails", "rules": "not asked: database fails",
		"redis": "REDIS_URL: ", "redis eviction": "not asked: redis fails", "clock": "neither",
	} {
		expect(t, found[name], app.Fail, []string{word})
	}
	for _, f := range found {
		if strings.Contains(f.Detail, "p@ss") || strings.Contains(f.Detail, "p%40ss") {
			t.Errorf("shows the password: %+v", f)
		}
	}
}

func TestTheDirectWaysAreLookedAtWhereTheyAreUsed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if found := s.findings(); found["twilio"].Check != "" || found["sendgrid"].Check != "" {
		t.Error("asked, though neither is used")
	}
	s.cfg.SMSVia, s.cfg.EmailVia = config.ViaTwilio, config.ViaSendGrid
	s.cfg.Twilio = config.Twilio{AccountSID: "AC" + strings.Repeat("0", 32), AuthToken: "t", From: "+15005550006"}
	s.cfg.SendGrid = config.SendGrid{APIKey: "SG.1", FromEmail: "desk@example.com"}
	found := s.findings()
	expect(t, found["twilio"], app.Warn, []string{"RAPPEL_PUBLIC_URL is not set"})
	expect(t, found["sendgrid"], app.Warn, []string{"RAPPEL_PUBLIC_URL is not set", "SENDGRID_WEBHOOK_PUBLIC_KEY"})

	s.cfg.PublicURL, s.cfg.Twilio.From = "http://rappel.example.com", "2015550123"
	found = s.findings()
	expect(t, found["twilio"], app.Fail, []string{"TWILIO_FROM", "not https"})
	expect(t, found["sendgrid"], app.Warn, []string{"not https"})

	s.cfg.PublicURL, s.cfg.Twilio.From = "https://rappel.example.com", "74454"
	expect(t, s.findings()["twilio"], app.OK, nil)
}

func TestEachNodeOfAClusterIsAsked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cluster, err := services.StartCluster(t.Context(), services.ClusterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	s.cfg.RedisURL = config.Secret(cluster.Nodes[1].URL())
	s.redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	s.cfg.RedisURL = config.Secret(cluster.URL())
	found := s.findings()
	expect(t, found["redis"], app.OK, []string{"(3 nodes)"})
	_, evicts, _ := strings.Cut(strings.TrimSuffix(cluster.Nodes[1].URL(), "/0"), "://")
	expect(t, found["redis eviction"], app.Fail, []string{evicts + ": maxmemory-policy is allkeys-lru"})
	if n := strings.Count(found["redis eviction"].Detail, "allkeys-lru"); n != 1 {
		t.Errorf("%d nodes evict: %s", n, found["redis eviction"].Detail)
	}
}

func TestServersAreJudgedByTheirAgeAndTheWayToThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server postgres.Server
		want   app.Result
		words  string
	}{
		"as it should be":               {postgres.Server{Version: 140_000, TLS: "TLS 1.3", Known: true}, app.OK, "PostgreSQL 14.0 answers, over TLS 1.3"},
		"on this machine":               {postgres.Server{Version: 150_004, Local: true}, app.OK, "on this machine"},
		"too old":                       {postgres.Server{Version: 130_022, Local: true}, app.Fail, "14 or newer"},
		"in the clear over a network":   {postgres.Server{Version: 150_004}, app.Warn, "sslmode=verify-full"},
		"to whoever says to be it":      {postgres.Server{Version: 150_004, TLS: "TLS 1.3"}, app.Warn, "sslmode=verify-full"},
		"to itself, whoever it says is": {postgres.Server{Version: 150_004, TLS: "TLS 1.3", Local: true}, app.OK, "over TLS 1.3"},
	} {
		t.Run("PostgreSQL "+name, func(t *testing.T) {
			t.Parallel()
			expect(t, app.JudgeServer(c.server), c.want, []string{c.words})
		})
	}
	for name, c := range map[string]struct {
		node queue.Node
		want [3]app.Result // version, eviction, persistence
	}{
		"as it should be":        {queue.Node{Version: "6.2.0", Policy: "noeviction", Log: true}, [3]app.Result{app.OK, app.OK, app.OK}},
		"newer":                  {queue.Node{Version: "10.0", Policy: "noeviction", Saves: "60 1"}, [3]app.Result{app.OK, app.OK, app.OK}},
		"too old":                {queue.Node{Version: "6.0.16", Policy: "noeviction", Log: true}, [3]app.Result{app.Fail, app.OK, app.OK}},
		"much too old":           {queue.Node{Version: "5.9.1", Policy: "volatile-ttl"}, [3]app.Result{app.Fail, app.Fail, app.Warn}},
		"of no version at all":   {queue.Node{Policy: "noeviction", Log: true}, [3]app.Result{app.Fail, app.OK, app.OK}},
		"one that tells nothing": {queue.Node{Version: "7.1.0", Silent: true}, [3]app.Result{app.OK, app.Warn, app.Warn}},
	} {
		t.Run("Redis "+name, func(t *testing.T) {
			t.Parallel()
			for i, f := range app.JudgeNode(c.node) {
				if f.Result != c.want[i] {
					t.Errorf("%+v, want %s", f, c.want[i])
				}
			}
		})
	}
}

// TestWhatReadyzAsksIsTheCheapHalfOfTheSameChecks has the names that the metric
// rappel_ready has, and the words that check has.
func TestWhatReadyzAsksIsTheCheapHalfOfTheSameChecks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.sql(`DELETE FROM rappel.migrations WHERE version_id = (SELECT max(version_id) FROM rappel.migrations)`)
	found := s.findings()
	var names []string
	for _, c := range s.open().Ready() {
		names = append(names, c.Name)
		err := c.Ask(t.Context())
		if (err != nil) != (found[c.Name].Result == app.Fail) {
			t.Errorf("%s: readyz has %v, check %+v", c.Name, err, found[c.Name])
		}
		if err != nil && err.Error() != found[c.Name].Detail {
			t.Errorf("%s: readyz has %v, check %s", c.Name, err, found[c.Name].Detail)
		}
	}
	if got := strings.Join(names, " "); got != "database schema redis loops" {
		t.Errorf("conditions: %s", got)
	}
}
