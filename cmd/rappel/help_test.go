package main_test

import (
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	rappel "rappel/cmd/rappel"
	"rappel/internal/config"
)

// said is what a command prints, and its exit code.
func said(t *testing.T, args ...string) (stdout string, code int) {
	t.Helper()
	var out, errs strings.Builder
	code = rappel.Run(t.Context(), args, func(string) string { return "" }, &out, &errs)
	if errs.Len() > 0 {
		t.Errorf("rappel %s: %s", strings.Join(args, " "), errs.String())
	}
	return out.String(), code
}

// commands are those that the help lists.
func commands(t *testing.T) []string {
	t.Helper()
	help, _ := said(t, "--help")
	_, list, _ := strings.Cut(help, "Commands:")
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+) `).FindAllStringSubmatch(list, -1) {
		names = append(names, m[1])
	}
	if len(names) < 10 {
		t.Fatalf("commands: %v", names)
	}
	return names
}

func TestEachCommandSaysWhenToUseItAndHowItEnds(t *testing.T) {
	t.Parallel()
	variable := regexp.MustCompile(`\b[A-Z]+(_[A-Z]+)+\b`)
	var known []string
	for _, v := range config.Variables() {
		known = append(known, v.Name, v.Name+"_FILE")
	}
	for _, name := range commands(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			help, code := said(t, name, "--help")
			if code != 0 {
				t.Errorf("exit code %d", code)
			}
			for _, part := range []string{"Example", " rappel " + name, "Exit codes: 0 ", "Needs: "} {
				if !strings.Contains(help, part) {
					t.Errorf("no %q in:\n%s", part, help)
				}
			}
			for _, v := range variable.FindAllString(help, -1) {
				if !slices.Contains(known, v) {
					t.Errorf("there is no variable %s", v)
				}
			}
		})
	}
}

func TestEachBenchmarkHasAnExampleAndSaysWhatItsFlagsAre(t *testing.T) {
	t.Parallel()
	whole, _ := said(t, "bench", "--help")
	_, list, _ := strings.Cut(whole, "Commands:")
	found := regexp.MustCompile(`(?m)^  bench ([a-z]+) `).FindAllStringSubmatch(list, -1)
	if len(found) < 3 {
		t.Fatalf("benchmarks: %v", found)
	}
	for _, m := range found {
		if !strings.Contains(whole, " rappel bench "+m[1]) {
			t.Errorf("no example of %s in:\n%s", m[1], whole)
		}
		help, code := said(t, "bench", m[1], "--help")
		if code != 0 || !strings.Contains(help, "--json") {
			t.Errorf("exit code %d of:\n%s", code, help)
		}
	}
}

func TestTheVersionNamesTheCommit(t *testing.T) {
	t.Parallel()
	of := func(settings ...debug.BuildSetting) *debug.BuildInfo { return &debug.BuildInfo{Settings: settings} }
	at := debug.BuildSetting{Key: "vcs.revision", Value: "0123abcd"}
	for name, c := range map[string]struct {
		info *debug.BuildInfo
		want string
	}{
		"as the toolchain noted it":       {of(at, debug.BuildSetting{Key: "vcs.modified", Value: "false"}), "0123abcd"},
		"with what was changed since":     {of(at, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "0123abcd, changed since"},
		"not known to a build without it": {of(), "not known"},
		"not known without a module":      {nil, "not known"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := rappel.Revision(c.info); got != c.want {
				t.Errorf("%s", got)
			}
		})
	}
}
