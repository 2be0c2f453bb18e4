package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// promtool runs Prometheus's own tool. A laptop may lack it, CI may not.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("skipped: ", err)
	}
	if said, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
	}
}

// alerts are the rules, in their order.
func alerts(t *testing.T) (all []node) {
	t.Helper()
	for _, d := range documents(t, "prometheus/alerts.yaml") {
		for _, group := range d.at("groups").list() {
			all = append(all, group.at("rules").list()...)
		}
	}
	return all
}

func nameOf(alert node) string { return alert.at("alert").text() }

func TestPrometheusUnderstandsTheAlerts(t *testing.T) {
	t.Parallel()
	promtool(t, "check", "rules", "prometheus/alerts.yaml")
}

func TestEachAlertFiresAndIsSilent(t *testing.T) {
	t.Parallel()
	promtool(t, "test", "rules", "prometheus/alerts_test.yaml")
	tested := map[string]bool{}
	for _, d := range documents(t, "prometheus/alerts_test.yaml") {
		for _, test := range d.at("tests").list() {
			name, _, _ := strings.Cut(test.at("name").text(), ":")
			fires, silent := false, false
			for _, moment := range test.at("promql_expr_test").list() {
				if moment.at("expr").text() != `ALERTS{alertstate="firing"}` {
					t.Errorf("%s asks for less than all that fires", name)
				}
				samples := moment.at("exp_samples").list()
				silent = silent || len(samples) == 0
				fires = fires || slices.ContainsFunc(samples, func(s node) bool {
					return strings.Contains(s.at("labels").text(), `alertname="`+name+`"`)
				})
			}
			tested[name] = fires && silent
		}
	}
	for _, alert := range alerts(t) {
		if name := nameOf(alert); !tested[name] {
			t.Errorf("no test has %s fire at one moment and be silent at another", name)
		}
	}
}

func TestEachAlertAsksForWhatThereIs(t *testing.T) {
	t.Parallel()
	there := exported(t)
	for _, alert := range alerts(t) {
		var said strings.Builder
		for _, part := range []string{"summary", "description"} {
			text := alert.at("annotations").at(part).text()
			if text == "" {
				t.Errorf("%s has no %s", nameOf(alert), part)
			}
			said.WriteString(text)
		}
		expectQuery(t, there, alert.at("expr").text(), names(`\$labels\.(\w+)`, said.String()))
		if severity := alert.at("labels/severity").text(); severity != "page" && severity != "ticket" {
			t.Errorf("%s has severity %q", nameOf(alert), severity)
		}
	}
}

// sections are the parts of the guide about alerts, by the names of the alerts.
func sections(t *testing.T) map[string]string {
	t.Helper()
	_, guide, ok := strings.Cut(read(t, "OPERATIONS.md"), "\n## Alerts\n")
	if !ok {
		t.Fatal("OPERATIONS.md has no part about alerts")
	}
	guide, _, _ = strings.Cut(guide, "\n## ")
	found := map[string]string{}
	for _, part := range strings.Split(guide, "\n### ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		found[name] = text
	}
	return found
}

func TestEachAlertLeadsToItsSection(t *testing.T) {
	t.Parallel()
	said := sections(t)
	var fire, explained []string
	for _, alert := range alerts(t) {
		name := nameOf(alert)
		fire = append(fire, name)
		if got, want := alert.at("annotations/runbook").text(), "OPERATIONS.md#"+strings.ToLower(name); got != want {
			t.Errorf("%s leads to %q, not %q", name, got, want)
		}
	}
	for name, text := range said {
		explained = append(explained, name)
		for _, part := range []string{"**Means.**", "**Look.**", "**Do.**"} {
			if strings.Count(text, part) != 1 {
				t.Errorf("the section %s has no part %s", name, part)
			}
		}
	}
	slices.Sort(fire)
	slices.Sort(explained)
	if diff := cmp.Diff(fire, explained); diff != "" {
		t.Errorf("alerts against sections (-alerts +sections):\n%s", diff)
	}
}

// checkExpressions has promtool read expressions as if they were rules.
func checkExpressions(t *testing.T, all []string) {
	t.Helper()
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: expressions\n    rules:\n")
	for _, expr := range all {
		rules.WriteString("      - record: an:expression\n        expr: '" + strings.ReplaceAll(expr, "'", "''") + "'\n" +
			"        labels: {of: '" + strings.Repeat("i", strings.Count(rules.String(), "record")) + "'}\n")
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", path)
}

// placeholders are what stands between two pairs of braces.
func placeholders(text string) []string { return names(`\{\{\s*(\w+)\s*\}\}`, text) }
