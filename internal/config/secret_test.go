package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rappel/internal/config"
)

// TestAPasswordThatTakesItsURLApartIsAMistake has passwords whose characters
// mean something in a URL. What would be left of some is a URL that can be read,
// in which a part of the password is the name of a port or of a database.
func TestAPasswordThatTakesItsURLApartIsAMistake(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ name, url string }{
		"a slash, to PostgreSQL":              {"DATABASE_URL", "postgres://u:hun/ter2@db:5432/app"},
		"a slash after a number":              {"DATABASE_URL", "postgres://u:12/hunter2@db:5432/app"},
		"an @, after which comes no host":     {"DATABASE_URL", "postgres://u:12@hunter2@db:5432/app"},
		"a slash, to Redis":                   {"REDIS_URL", "redis://:hun/ter2@cache:6379/0"},
		"a slash after a number, to Redis":    {"REDIS_URL", "redis://u:12/hunter2@cache:6379/0"},
		"a question mark after one, to Redis": {"REDIS_URL", "redis://u:12?hunter2@cache:6379/0"},
		"a hash after one, to Redis":          {"REDIS_URL", "redis://u:12#hunter2@cache:6379/0"},
		"no escape, to Redis":                 {"REDIS_URL", "redis://u:hunter2%zz@cache:6379/0"},
		"a line break, to Redis":              {"REDIS_URL", "redis://u:hunter2\n@cache:6379/0"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			lines := mistakes(t, complete().with(vars{c.name: c.url}), everything)
			if len(lines) != 1 || !strings.HasPrefix(lines[0], c.name+" ") || !strings.Contains(lines[0], "%2F for /") {
				t.Errorf("mistakes: %q", lines)
			}
			if strings.Contains(strings.Join(lines, ""), "ter2") {
				t.Errorf("shows the password: %q", lines)
			}
		})
	}
	for what, c := range map[string]struct{ name, url string }{
		"escaped":                        {"DATABASE_URL", "postgres://u:p%2Fs%40s%23w%3F%25@db/app?sslmode=verify-full&sslrootcert=/etc/ca.pem"},
		"what libpq takes as it is":      {"DATABASE_URL", "postgres://u:p#s?s:w&rd@db/app"},
		"several hosts":                  {"DATABASE_URL", "postgres://u:p@a:5432,b:5432/app?target_session_attrs=read-write"},
		"a user in the query":            {"DATABASE_URL", "postgres:///app?host=/run/postgresql&user=me@example.com"},
		"a socket in the host's place":   {"DATABASE_URL", "postgres://u:p@%2Frun%2Fpostgresql/app"},
		"escaped, to Redis":              {"REDIS_URL", "rediss://u:p%2Fs%40s%23w%3F%25@cache:6380/3"},
		"what Redis' URL takes as it is": {"REDIS_URL", "redis://:p@ss:w&rd@cache"},
		"Sentinels":                      {"REDIS_URL", "redis-sentinel://u:p%2F@a:1,b:2/main"},
		"a socket":                       {"REDIS_URL", "redis-socket://:p%40@/run/redis.sock?db=1"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if lines := mistakes(t, complete().with(vars{c.name: c.url}), everything); len(lines) > 0 {
				t.Errorf("%q", lines)
			}
		})
	}
}

func TestAFileThatIsThereAndCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lines := mistakes(t, complete().with(vars{"DATABASE_URL": "", "DATABASE_URL_FILE": dir}), everything)
	if want := "DATABASE_URL_FILE names a file that cannot be read: " + dir + ": is a directory"; len(lines) != 1 || lines[0] != want {
		t.Errorf("mistakes: %q, want %q", lines, want)
	}
}

// TestASecretInThePlaceOfItsFilesNameIsNotShown is about a mistake that is
// easily made.
func TestASecretInThePlaceOfItsFilesNameIsNotShown(t *testing.T) {
	t.Parallel()
	for what, value := range map[string]string{
		"a URL":          "postgres://u:hunter2@db/app",
		"a token":        "hunter2",
		"a long token":   strings.Repeat("hunter2", 1000),
		"no name at all": "hunter2\x00",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for _, name := range secretNames() {
				lines := mistakes(t, complete().with(vars{name: "", name + "_FILE": value}), everything)
				if len(lines) != 1 || !strings.HasPrefix(lines[0], name+"_FILE names a file that ") || strings.Contains(lines[0], "hunter2") {
					t.Errorf("mistakes: %q", lines)
				}
			}
		})
	}
}

func TestOnlyTheNewlineIsCutFromWithinAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("two words\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, complete().with(vars{"RAPPEL_ADMIN_TOKEN": "", "RAPPEL_ADMIN_TOKEN_FILE": path}), everything)
	if got := c.AdminToken; got != config.Secret("two words") {
		t.Errorf("got %q", got.Reveal())
	}
}
