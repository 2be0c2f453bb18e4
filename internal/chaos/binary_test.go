package chaos_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build makes the program under trial: not with the race detector, which would
// be another program.
func build(t *testing.T) string {
	t.Helper()
	return compile(t)
}

// buildSkewed makes the program with a clock that can be set: what it goes by
// is the machine's clock and what stands in the file named by CHAOS_CLOCK. Only
// the one place is replaced at which the clock comes in, and only in this build.
func buildSkewed(t *testing.T) string {
	t.Helper()
	const here, there = "Now: time.Now", "Now: skewed"
	main := filepath.Join("..", "..", "cmd", "rappel", "main.go")
	source, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(source), here) != 1 {
		t.Fatalf("the clock does not come in as %q in %s", here, main)
	}
	folder := t.TempDir()
	replace := map[string]string{}
	for name, content := range map[string]string{
		"main.go":   strings.ReplaceAll(string(source), here, there) + "\nvar _ = time.Now\n",
		"skewed.go": skewed,
	} {
		path, err := filepath.Abs(filepath.Join(filepath.Dir(main), name))
		if err != nil {
			t.Fatal(err)
		}
		replace[path] = filepath.Join(folder, name)
		if err := os.WriteFile(replace[path], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return compile(t, "-overlay", file)
}

const skewed = `package main

import (
	"os"
	"time"
)

func skewed() time.Time {
	now := time.Now()
	set, err := os.ReadFile(os.Getenv("CHAOS_CLOCK"))
	if err != nil {
		return now
	}
	by, err := time.ParseDuration(string(set))
	if err != nil {
		return now
	}
	return now.Add(by)
}
`

func compile(t *testing.T, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rappel")
	args := append([]string{"build", "-buildvcs=false", "-o", path}, flags...)
	cmd := exec.CommandContext(t.Context(), "go", append(args, "./cmd/rappel")...)
	cmd.Dir = filepath.Join("..", "..")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build rappel: %v\n%s", err, said)
	}
	return path
}
