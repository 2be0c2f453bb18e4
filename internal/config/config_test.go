package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/config"
)

const everything = config.Database | config.Redis | config.Delivery | config.Listen

// vars is an environment.
type vars map[string]string

func (v vars) get(name string) string { return v[name] }

// with returns the environment with some variables changed.
func (v vars) with(changes vars) vars {
	changed := maps.Clone(v)
	maps.Copy(changed, changes)
	return changed
}

// complete is an environment in which nothing is missing.
func complete() vars {
	return vars{
		"DATABASE_URL":       "postgres://rappel:pw-of-the-database@db/app",
		"REDIS_URL":          "redis://:pw-of-redis@cache:6379/0",
		"RAPPEL_ADMIN_URL":   "https://app.example.com/rappel",
		"RAPPEL_ADMIN_TOKEN": "the-admin-token",
	}
}

func load(t *testing.T, v vars, needs config.Need) config.Config {
	t.Helper()
	c, err := config.Load(v.get, needs)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mistakes returns what is wrong with an environment, a line a mistake.
func mistakes(t *testing.T, v vars, needs config.Need) []string {
	t.Helper()
	_, err := config.Load(v.get, needs)
	if err == nil {
		return nil
	}
	wrong, ok := errors.AsType[*config.Error](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	var lines []string
	for _, m := range wrong.Mistakes {
		lines = append(lines, m.Error())
		if !strings.Contains(err.Error(), m.Error()) {
			t.Errorf("%q is not in: %v", m, err)
		}
	}
	return lines
}

func TestWhatIsNotSaidHasItsDefault(t *testing.T) {
	t.Parallel()
	want := config.Config{
		DatabaseURL: "postgres://rappel:pw-of-the-database@db/app", RedisURL: "redis://:pw-of-redis@cache:6379/0",
		SMSVia: "admin", EmailVia: "admin", AdminURL: "https://app.example.com/rappel", AdminToken: "the-admin-token",
		HTTPAddr: "127.0.0.1:8080", Concurrency: 32 * runtime.GOMAXPROCS(0), ShutdownTimeout: 25 * time.Second,
		LogLevel: slog.LevelInfo, LogFormat: "json",
	}
	if diff := cmp.Diff(want, load(t, complete(), everything)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoAddressIsListenedOnUnlessAsked(t *testing.T) {
	t.Parallel()
	if got := load(t, complete(), config.Database|config.Redis|config.Delivery).HTTPAddr; got != "" {
		t.Errorf("listens on %q", got)
	}
	given := complete().with(vars{"RAPPEL_HTTP_ADDR": "127.0.0.1:9090"})
	if got := load(t, given, config.Database).HTTPAddr; got != "127.0.0.1:9090" {
		t.Errorf("listens on %q", got)
	}
}

func TestWhatIsSaidCounts(t *testing.T) {
	t.Parallel()
	want := config.Config{
		DatabaseURL: "host=/run/postgresql dbname=app", RedisURL: "rediss://cache:6380",
		AdminURL: "http://app:3000", AdminToken: "a", HTTPAddr: "0.0.0.0:80", OpsToken: "o",
		PublicURL: "https://rappel.example.com", Concurrency: 7, PracticeRate: 20, ShutdownTimeout: 90 * time.Second,
		LogLevel: slog.LevelDebug, LogFormat: "text", SMSVia: "twilio", EmailVia: "sendgrid",
		Twilio: config.Twilio{
			AccountSID: "AC1", AuthToken: "t", From: "+15005550006", MessagingServiceSID: "MG1", URL: "http://twilio:1",
		},
		SendGrid: config.SendGrid{
			APIKey: "k", FromEmail: "desk@example.com", FromName: "The desk", WebhookPublicKey: "MFk", URL: "http://sendgrid:1",
		},
	}
	got := load(t, vars{
		"DATABASE_URL": "host=/run/postgresql dbname=app", "REDIS_URL": "rediss://cache:6380",
		"RAPPEL_ADMIN_URL": "http://app:3000", "RAPPEL_ADMIN_TOKEN": "a", "RAPPEL_SMS_VIA": "twilio", "RAPPEL_EMAIL_VIA": "sendgrid",
		"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": "+15005550006",
		"TWILIO_MESSAGING_SERVICE_SID": "MG1", "RAPPEL_TWILIO_URL": "http://twilio:1",
		"SENDGRID_API_KEY": "k", "SENDGRID_FROM_EMAIL": "desk@example.com", "SENDGRID_FROM_NAME": "The desk",
		"SENDGRID_WEBHOOK_PUBLIC_KEY": "MFk", "RAPPEL_SENDGRID_URL": "http://sendgrid:1", "RAPPEL_PRACTICE_RATE": "20",
		"RAPPEL_HTTP_ADDR": "0.0.0.0:80", "RAPPEL_OPS_TOKEN": "o", "RAPPEL_PUBLIC_URL": "https://Rappel.Example.com",
		"RAPPEL_CONCURRENCY": "7", "RAPPEL_SHUTDOWN_TIMEOUT": "1m30s", "RAPPEL_LOG_LEVEL": "debug", "RAPPEL_LOG_FORMAT": "text",
	}, everything)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADirectWayOutNeedsItsAccountAndNoAdminEndpoints(t *testing.T) {
	t.Parallel()
	direct := vars{
		"DATABASE_URL": "postgres://db/app", "REDIS_URL": "redis://cache",
		"RAPPEL_SMS_VIA": "twilio", "RAPPEL_EMAIL_VIA": "sendgrid",
	}
	want := []string{
		"TWILIO_ACCOUNT_SID is missing",
		"TWILIO_AUTH_TOKEN is missing (or TWILIO_AUTH_TOKEN_FILE)",
		"TWILIO_FROM is missing (or TWILIO_MESSAGING_SERVICE_SID)",
		"SENDGRID_API_KEY is missing (or SENDGRID_API_KEY_FILE)",
		"SENDGRID_FROM_EMAIL is missing",
	}
	if diff := cmp.Diff(want, mistakes(t, direct, everything)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := mistakes(t, direct, config.Database|config.Listen); got != nil {
		t.Errorf("a command that delivers nothing: %q", got)
	}
	half := direct.with(vars{"RAPPEL_EMAIL_VIA": "admin"})
	if got := mistakes(t, half, config.Delivery); !slices.Contains(got, "RAPPEL_ADMIN_URL is missing") {
		t.Errorf("where one channel goes by admin: %q", got)
	}
}

func TestACommandAsksForNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		needs config.Need
		want  []string
	}{
		"nothing":          {0, nil},
		"the database":     {config.Database, []string{"DATABASE_URL"}},
		"Redis":            {config.Redis, []string{"REDIS_URL"}},
		"a way out":        {config.Delivery, []string{"RAPPEL_ADMIN_TOKEN", "RAPPEL_ADMIN_URL"}},
		"the ops server":   {config.Listen, nil},
		"all, all at once": {everything, []string{"DATABASE_URL", "RAPPEL_ADMIN_TOKEN", "RAPPEL_ADMIN_URL", "REDIS_URL"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var missing []string
			for _, line := range mistakes(t, vars{}, c.needs) {
				name, _, ok := strings.Cut(line, " is missing")
				if !ok {
					t.Error(line)
				}
				missing = append(missing, name)
			}
			slices.Sort(missing)
			if diff := cmp.Diff(c.want, missing); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEveryMistakeIsToldAtOnceAndNoValueIsShown gives every variable a value
// that is wrong and holds the word secret.
func TestEveryMistakeIsToldAtOnceAndNoValueIsShown(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	wrong := vars{
		"DATABASE_URL":            "mysql://u:secret@db/app",
		"REDIS_URL":               "http://:secret@cache",
		"RAPPEL_ADMIN_URL":        "https://u:secret@host:port/",
		"RAPPEL_ADMIN_TOKEN":      "secret",
		"RAPPEL_ADMIN_TOKEN_FILE": file,
		"RAPPEL_SMS_VIA":          "secret",
		"RAPPEL_EMAIL_VIA":        "secret",
		"RAPPEL_HTTP_ADDR":        "secret",
		"RAPPEL_PUBLIC_URL":       "secret",
		"RAPPEL_CONCURRENCY":      "secret",
		"RAPPEL_SHUTDOWN_TIMEOUT": "secret",
		"RAPPEL_LOG_LEVEL":        "secret",
		"RAPPEL_LOG_FORMAT":       "secret",
	}
	want := []string{
		"DATABASE_URL", "RAPPEL_ADMIN_TOKEN", "RAPPEL_ADMIN_URL", "RAPPEL_CONCURRENCY", "RAPPEL_EMAIL_VIA", "RAPPEL_HTTP_ADDR",
		"RAPPEL_LOG_FORMAT", "RAPPEL_LOG_LEVEL", "RAPPEL_OPS_TOKEN", "RAPPEL_PUBLIC_URL", "RAPPEL_SHUTDOWN_TIMEOUT",
		"RAPPEL_SMS_VIA", "REDIS_URL",
	}
	var named []string
	for _, line := range mistakes(t, wrong, everything) {
		name, _, _ := strings.Cut(line, " ")
		named = append(named, name)
		if strings.Contains(line, "secret") {
			t.Errorf("shows a value: %s", line)
		}
	}
	slices.Sort(named)
	if diff := cmp.Diff(want, named); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestATokenThatCannotStandInAHeaderIsAMistake(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"RAPPEL_ADMIN_TOKEN", "RAPPEL_OPS_TOKEN", "TWILIO_AUTH_TOKEN", "SENDGRID_API_KEY"} {
		got := mistakes(t, vars{name: "two\nlines"}, config.Need(0))
		if want := name + " has a line break or another control character in it"; !slices.Contains(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestWhatIsThereIsCheckedThoughNobodyNeedsIt(t *testing.T) {
	t.Parallel()
	lines := mistakes(t, vars{"RAPPEL_CONCURRENCY": "none", "REDIS_URL": "memcached://x"}, 0)
	if len(lines) != 2 {
		t.Errorf("mistakes: %q", lines)
	}
}

func TestBoundsAndSpellings(t *testing.T) {
	t.Parallel()
	type choice struct{ good, bad []string }
	cases := map[string]choice{
		"RAPPEL_CONCURRENCY":      {[]string{"1", "10000"}, []string{"0", "-1", "10001", "1e3", "4.0", "all", "99999999999999999999", " 5"}},
		"RAPPEL_SHUTDOWN_TIMEOUT": {[]string{"5s", "10m", "1m30s", "5000ms"}, []string{"0", "25", "4.999s", "10m1s", "-25s", "300h", "soon"}},
		"RAPPEL_LOG_LEVEL":        {[]string{"debug", "info", "warn", "error"}, []string{"trace", "INFO+1", "warning"}},
		"RAPPEL_LOG_FORMAT":       {[]string{"json", "text"}, []string{"logfmt", "tint"}},
		"RAPPEL_TASKS_READ_ONLY":  {[]string{"true", "false"}, []string{"no", "0", "FALSE"}},
		"RAPPEL_SMS_VIA":          {[]string{"admin"}, []string{"pigeon"}},
		"RAPPEL_EMAIL_VIA":        {[]string{"admin"}, []string{"pigeon"}},
		"RAPPEL_HTTP_ADDR":        {[]string{"127.0.0.1:0", "[::1]:8080", "localhost:80"}, []string{"8080", "localhost", "127.0.0.1:", "::1:80"}},
		"RAPPEL_ADMIN_URL":        {[]string{"http://app", "https://app:8443/a/b"}, []string{"app:80", "//app", "ftp://app", "https://", "http://[::1"}},
		"RAPPEL_PUBLIC_URL":       {[]string{"https://rappel.example.com"}, []string{"rappel.example.com"}},
		"DATABASE_URL":            {[]string{"postgres://db/x", "postgresql://db/x", "host=db"}, []string{"db", "mysql://db", "postgres:/db"}},
		"REDIS_URL": {
			[]string{"redis://c", "rediss://c", "redis-socket:///run/redis.sock", "redis-sentinel://a,b/main", "redis-cluster://a,b"},
			[]string{"cache:6379", "http://c", "unix:///run/redis.sock"},
		},
	}
	for name, values := range cases {
		for _, v := range values.good {
			t.Run(name+" may be "+v, func(t *testing.T) {
				t.Parallel()
				if lines := mistakes(t, complete().with(vars{name: v}), everything); len(lines) > 0 {
					t.Errorf("%q", lines)
				}
			})
		}
		for _, v := range values.bad {
			t.Run(name+" may not be "+v, func(t *testing.T) {
				t.Parallel()
				lines := mistakes(t, complete().with(vars{name: v}), everything)
				if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+" ") }) {
					t.Errorf("mistakes: %q", lines)
				}
			})
		}
	}
}

// secretNames are the variables that a file may hold.
func secretNames() []string {
	var names []string
	for _, v := range config.Variables() {
		if v.Secret {
			names = append(names, v.Name)
		}
	}
	return names
}

func reveal(c config.Config, name string) string {
	return map[string]config.Secret{
		"DATABASE_URL": c.DatabaseURL, "REDIS_URL": c.RedisURL, "RAPPEL_ADMIN_TOKEN": c.AdminToken, "RAPPEL_OPS_TOKEN": c.OpsToken,
		"TWILIO_AUTH_TOKEN": c.Twilio.AuthToken, "SENDGRID_API_KEY": c.SendGrid.APIKey,
	}[name].Reveal()
}

func TestEachSecretMayStandInAFile(t *testing.T) {
	t.Parallel()
	values := vars{
		"DATABASE_URL": "postgres://u:in-the-file@db/app", "REDIS_URL": "redis://:in-the-file@cache",
		"RAPPEL_ADMIN_TOKEN": "in-the-file", "RAPPEL_OPS_TOKEN": "in-the-file",
		"TWILIO_AUTH_TOKEN": "in-the-file", "SENDGRID_API_KEY": "in-the-file",
	}
	ends := map[string]string{"as it is": "", "with a newline": "\n", "with Windows' newline": "\r\n"}
	for _, name := range secretNames() {
		for how, end := range ends {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "value")
				if err := os.WriteFile(path, []byte(values[name]+end), 0o600); err != nil {
					t.Fatal(err)
				}
				if got := reveal(load(t, complete().with(vars{name: "", name + "_FILE": path}), everything), name); got != values[name] {
					t.Errorf("got %q", got)
				}
			})
		}
	}
}

func TestAFileThatHoldsNoSecretIsAMistake(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cases := map[string]struct{ path, want string }{
		"it does not exist":    {filepath.Join(dir, "none"), "does not exist"},
		"it is empty":          {file("empty", ""), "empty"},
		"it holds blanks only": {file("blank", " \n\t\n"), "empty"},
		"it is a folder":       {dir, "cannot be read"},
	}
	for _, name := range secretNames() {
		for why, c := range cases {
			t.Run(name+": "+why, func(t *testing.T) {
				t.Parallel()
				lines := mistakes(t, complete().with(vars{name: "", name + "_FILE": c.path}), everything)
				if len(lines) != 1 || !strings.HasPrefix(lines[0], name+"_FILE ") || !strings.Contains(lines[0], c.want) {
					t.Errorf("mistakes: %q, want one on %s_FILE with %q", lines, name, c.want)
				}
			})
		}
		t.Run(name+": both are set", func(t *testing.T) {
			t.Parallel()
			both := complete().with(vars{name + "_FILE": file("both of "+name, complete()[name])})
			if both[name] == "" {
				both[name] = "o"
			}
			lines := mistakes(t, both, everything)
			if len(lines) != 1 || !strings.HasPrefix(lines[0], name+" ") || !strings.Contains(lines[0], "both") {
				t.Errorf("mistakes: %q", lines)
			}
		})
	}
}

func TestAFileIsCheckedLikeAValue(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(path, []byte("mysql://u:hunter2@db/app\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := mistakes(t, complete().with(vars{"DATABASE_URL": "", "DATABASE_URL_FILE": path}), everything)
	if len(lines) != 1 || strings.Contains(lines[0], "hunter2") || !strings.Contains(lines[0], "postgres://") {
		t.Errorf("mistakes: %q", lines)
	}
}

func TestOnlyOnLoopbackNobodyNeedsAnOpsToken(t *testing.T) {
	t.Parallel()
	cases := map[string]bool{ // whether the token is required
		"127.0.0.1:8080":          false,
		"127.1.2.3:8080":          false,
		"[::1]:8080":              false,
		"localhost:8080":          false,
		":8080":                   true,
		"0.0.0.0:8080":            true,
		"[::]:8080":               true,
		"10.0.0.1:8080":           true,
		"localhost.example.com:1": true,
		"127.0.0.1.example.com:1": true,
		"rappel:8080":             true,
	}
	for addr, required := range cases {
		t.Run(addr, func(t *testing.T) {
			t.Parallel()
			if config.Loopback(addr) == required {
				t.Errorf("Loopback(%q) is %t", addr, !required)
			}
			open := complete().with(vars{"RAPPEL_HTTP_ADDR": addr})
			for _, needs := range []config.Need{everything, config.Database} {
				lines := mistakes(t, open, needs)
				if required != (len(lines) == 1 && strings.HasPrefix(lines[0], "RAPPEL_OPS_TOKEN ")) || (!required && len(lines) > 0) {
					t.Errorf("mistakes: %q", lines)
				}
			}
			if lines := mistakes(t, open.with(vars{"RAPPEL_OPS_TOKEN": "o"}), everything); len(lines) > 0 {
				t.Errorf("with a token: %q", lines)
			}
		})
	}
}

func TestVariablesListsExactlyWhatLoadReads(t *testing.T) {
	t.Parallel()
	read := map[string]bool{}
	_, _ = config.Load(func(name string) string {
		read[name] = true
		return complete()[name]
	}, everything)
	want := map[string]bool{}
	for _, v := range config.Variables() {
		want[v.Name] = true
		if v.Secret {
			want[v.Name+"_FILE"] = true
		}
		if v.Default == "" || v.Meaning == "" {
			t.Errorf("%s has no default or no meaning", v.Name)
		}
	}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("(-listed +read):\n%s", diff)
	}
}

func TestNoSecretIsShownByPrintingAConfig(t *testing.T) {
	t.Parallel()
	c := load(t, complete().with(vars{"RAPPEL_OPS_TOKEN": "the-ops-token"}), everything)
	var log strings.Builder
	text, asJSON := slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)
	slog.New(text).Info("config", "config", c, "token", c.OpsToken)
	slog.New(asJSON).Info("config", "config", c, "token", c.OpsToken)
	marshalled, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	shown := log.String() + string(marshalled)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		shown += fmt.Sprintf(verb, c) + fmt.Sprintf(verb, &c) + fmt.Sprintf(verb, c.OpsToken)
	}
	for _, secret := range []string{"pw-of-the-database", "pw-of-redis", "the-admin-token", "the-ops-token", fmt.Sprintf("%x", "the-ops-token")} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
	if fmt.Sprint(config.Secret("")) != "" {
		t.Error("a secret that is not set looks as if it were")
	}
}

func TestTheDashboardOnlyShowsUnlessTold(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"": false, "true": false, "false": true} {
		c, err := config.Load(vars{"RAPPEL_TASKS_READ_ONLY": value}.get, 0)
		if err != nil || c.TasksWritable != want {
			t.Errorf("%q: %v, %v", value, c.TasksWritable, err)
		}
	}
}
