package main_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	rappel "rappel/cmd/rappel"
)

// TestNoFlagTakesASecret holds because everybody on a machine sees what ps shows.
func TestNoFlagTakesASecret(t *testing.T) {
	t.Parallel()
	secret := regexp.MustCompile(`(?i)pass|token|secret|key|url|dsn`)
	for _, name := range commands(t) {
		help, _ := said(t, name, "--help")
		for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(help, -1) {
			if secret.MatchString(flag) {
				t.Errorf("rappel %s has a flag %s: secrets come from the environment or a file", name, flag)
			}
		}
	}
}

// TestNoPasswordIsShownWhateverItsCharacters gives the URL of a database that is
// not there passwords with every character that has a meaning somewhere, as they
// are and escaped, and lets rappel say what it has to say about it.
func TestNoPasswordIsShownWhateverItsCharacters(t *testing.T) {
	t.Parallel()
	for _, odd := range oddCharacters() {
		password := "hunter" + odd + "tiger"
		for _, written := range []string{password, url.QueryEscape(password)} {
			// One after the other: what libraries say goes to one log.
			for _, database := range []string{
				"postgres://u:" + written + "@127.0.0.1:1/x",
				"postgres://u:1" + written + "@127.0.0.1:1/x",
				"postgres://u:1" + odd + "tiger@127.0.0.1:1/x",
				"postgres://127.0.0.1:1/x?user=u&password=" + written,
				"host=127.0.0.1 port=1 dbname=x user=u password=" + written,
				"host=127.0.0.1 port=1 dbname=x user=u password='" + written + "'",
			} {
				environment := map[string]string{
					"DATABASE_URL": database, "RAPPEL_ADMIN_TOKEN": password, "RAPPEL_OPS_TOKEN": password, "RAPPEL_LOG_LEVEL": "debug",
				}
				var out strings.Builder
				code := rappel.Run(t.Context(), []string{"migrate"}, func(name string) string { return environment[name] }, &out, &out)
				if code == 0 || strings.Contains(out.String(), "hunter") || strings.Contains(out.String(), "tiger") {
					t.Errorf("%q: exit code %d:\n%s", database, code, out.String())
				}
			}
		}
	}
}

func oddCharacters() []string {
	return []string{"", "@", ":", "/", "?", "#", "%", "%zz", "&", "=", " ", "'", `"`, `\`, "[", "]", "é", "\n", ";", ","}
}
