package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rappel/jobs/retain"
)

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// table is what stands between two comments of a document.
func table(t *testing.T, file, name string) string {
	t.Helper()
	_, rest, begun := strings.Cut(read(t, file), "<!-- "+name+": ")
	text, _, ended := strings.Cut(rest, "<!-- end of "+name+" -->")
	if !begun || !ended {
		t.Fatalf("%s has no table of %s", file, name)
	}
	return text
}

// names are all that a pattern finds, each once.
func names(pattern, text string) []string {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found[m[1]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func TestSecurityTellsTheTermsThatThereAre(t *testing.T) {
	t.Parallel()
	row := map[retain.Trace]string{
		retain.Replies: "that somebody answered", retain.Unusable: "addresses that a receiver refused", retain.Events: "what came with an event",
		retain.Addresses: "the address that a message went to", retain.Decisions: "who was told",
	}
	terms := table(t, path.Join(root, "SECURITY.md"), "terms")
	for _, term := range retain.Terms() {
		days := fmt.Sprintf("%d days", term.Keep/(24*time.Hour))
		if !regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(row[term.Trace]) + `.*\| ` + days + `.*\|$`).MatchString(terms) {
			t.Errorf("SECURITY.md does not say that %s are kept for %s", term.Trace, days)
		}
	}
}

// TestEveryLinkLeadsSomewhere follows the links within the repository.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"OPERATIONS.md", "SCALING.md", root + "/SECURITY.md", root + "/README.md"} {
		for _, link := range names(`\]\(([^):#]+)\)`, read(t, file)) {
			if _, err := os.Stat(path.Join(path.Dir(file), link)); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	for _, link := range []string{"internal/deploy/OPERATIONS.md", "internal/deploy/SCALING.md", "SECURITY.md"} {
		if !strings.Contains(read(t, root+"/README.md"), "]("+link+")") {
			t.Errorf("the README does not lead to %s", link)
		}
	}
}

func TestEveryLinkWithinAGuideLeadsToAHeading(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"OPERATIONS.md", "SCALING.md"} {
		guide := read(t, file)
		headings := map[string]bool{}
		for _, heading := range names(`(?m)^#+ (.+)$`, guide) {
			headings[strings.ReplaceAll(strings.ToLower(heading), " ", "-")] = true
		}
		for _, anchor := range names(`\]\(#([^)]+)\)`, guide) {
			if !headings[anchor] {
				t.Errorf("%s: there is no heading %s", file, anchor)
			}
		}
	}
}
