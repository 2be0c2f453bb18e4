package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	rappel "rappel/cmd/rappel"
)

// work does so many things, each of which takes a while, and prints a line after
// some of them to the same terminal.
func work(bar bool, total int, takes time.Duration, printAfter int) string {
	var screen strings.Builder
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	step, end, beside := rappel.Progress(&screen, bar, "replay", total, func() time.Time { return now })
	out := beside(&screen)
	for i := range total {
		now = now.Add(takes)
		step()
		if i+1 == printAfter {
			fmt.Fprintln(out, "a result")
		}
	}
	end()
	return screen.String()
}

func TestWhereThereIsNoTerminalALineIsSaidNowAndThen(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		total int
		takes time.Duration
		want  string
	}{
		"nothing of what is soon done": {1000, time.Millisecond, ""},
		"nothing of nothing":           {0, time.Second, ""},
		"every five seconds": {600, 20 * time.Millisecond, "rappel: replay: 250 of 600, 50 a second, 7s left\n" +
			"rappel: replay: 500 of 600, 50 a second, 2s left\nrappel: replay: 600 of 600, in 12s\n"},
		"at each step that is longer": {2, time.Minute, "rappel: replay: 1 of 2, 0.0167 a second, 1m0s left\n" +
			"rappel: replay: 2 of 2, 0.0167 a second, 0s left\nrappel: replay: 2 of 2, in 2m0s\n"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := work(false, c.total, c.takes, 0); got != c.want {
				t.Errorf("got:\n%swant:\n%s", got, c.want)
			}
		})
	}
}

func TestATerminalShowsABarThatMakesRoomAndGoes(t *testing.T) {
	t.Parallel()
	got := work(true, 4, time.Second, 2)
	const room = "\r\x1b[K"
	bar := func(full int, status string) string {
		return room + "replay " + strings.Repeat("█", full) + strings.Repeat("░", 24-full) + " " + status
	}
	want := bar(0, "0 of 4") + bar(6, "1 of 4, 1 a second, 3s left") + bar(12, "2 of 4, 1 a second, 2s left") + room + "a result\n" +
		bar(18, "3 of 4, 1 a second, 1s left") + bar(24, "4 of 4, 1 a second, 0s left") + room
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if quick := work(true, 1000, time.Millisecond, 0); strings.Count(quick, "\r") != 12 {
		t.Errorf("drawn %d times in a second: %q", strings.Count(quick, "\r"), quick)
	}
}
