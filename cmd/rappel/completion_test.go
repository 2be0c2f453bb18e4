package main_test

import (
	"os/exec"
	"strings"
	"testing"
)

// complete asks a real bash what may come next; the last word is begun.
func complete(t *testing.T, words ...string) string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("skipped: there is no bash to ask")
	}
	script, _ := said(t, "completion", "bash")
	script += `
COMP_WORDS=(rappel "$@")
COMP_CWORD=$#
_rappel
echo "${COMPREPLY[*]}"`
	got, err := exec.CommandContext(t.Context(), bash, append([]string{"-uc", script, "bash"}, words...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	return strings.TrimSpace(string(got))
}

func TestBashCompletes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		words []string
		want  string
	}{
		"a command":                {[]string{"fore"}, "forecast"},
		"commands that begin so":   {[]string{"re"}, "replay"},
		"a flag of a command":      {[]string{"sweep", "--a"}, "--at"},
		"no flag of another":       {[]string{"sweep", "--un"}, ""},
		"a word that is one of":    {[]string{"completion", "z"}, "zsh"},
		"a command of a command":   {[]string{"bench", "pi"}, "pipeline"},
		"none that is hidden":      {[]string{"bench", "pa"}, ""},
		"its flags":                {[]string{"bench", "pipeline", "--la"}, "--latency"},
		"one flag after another":   {[]string{"bench", "footprint", "--burst", "5", "--re"}, "--rest"},
		"not those of its sibling": {[]string{"bench", "sweep", "--la"}, ""},
		"nothing after a stranger": {[]string{"fly", "-"}, ""},
		"flags of the whole":       {[]string{"--v"}, "--version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := complete(t, c.words...); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestEachShellKnowsEveryCommandAndFlag also has each shell that is here read
// its script.
func TestEachShellKnowsEveryCommandAndFlag(t *testing.T) {
	t.Parallel()
	for shell, flag := range map[string]string{"bash": "--unreachable", "zsh": "--unreachable[", "fish": "-l unreachable"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			script, code := said(t, "completion", shell)
			if code != 0 {
				t.Errorf("exit code %d", code)
			}
			for _, want := range append(commands(t), flag) {
				if !strings.Contains(script, want) {
					t.Errorf("no %q in:\n%s", want, script)
				}
			}
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Logf("there is no %s to read it", shell)
				return
			}
			cmd := exec.CommandContext(t.Context(), path, "-n")
			cmd.Stdin = strings.NewReader(script)
			if said, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s -n: %v\n%s", shell, err, said)
			}
		})
	}
}
