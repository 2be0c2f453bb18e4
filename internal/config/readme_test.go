package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/config"
)

var update = flag.Bool("update", false, "rewrite the table in the README")

const (
	readme = "../../README.md"
	begins = "<!-- configuration: compared with internal/config by a test -->\n"
	ends   = "<!-- end of configuration -->"
)

func TestTheReadmesTableIsWhatTheCodeReads(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(file), begins)
	table, after, closed := strings.Cut(rest, ends)
	if !found || !closed {
		t.Fatal("the README has no table between the two comments")
	}
	if *update {
		if err := os.WriteFile(readme, []byte(before+begins+wanted()+ends+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(wanted(), table); diff != "" {
		t.Errorf("run go test ./internal/config -update and read the diff:\n%s", diff)
	}
}

func wanted() string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning |\n|---|---|---|\n")
	for _, v := range config.Variables() {
		secret := ""
		if v.Secret {
			secret = " (secret)"
		}
		b.WriteString("| `" + v.Name + "` | " + v.Default + " | " + v.Meaning + secret + " |\n")
	}
	return b.String()
}
