package chaos_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// A table is what came of a campaign, in Markdown.
type table string

func newTable(results []result) table {
	var b strings.Builder
	b.WriteString("| scenario | seed | events | due | of them reminders | requests | lost | doubled | changed body | uncalled for | unaccounted | drained in |\n")
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %s |\n", r.scenario, r.seed, r.events, r.due, r.reminders,
			r.requests, r.lost, r.doubled, r.changed, r.uncalled, r.unaccounted, r.drained.Round(100*time.Millisecond))
	}
	for _, r := range results {
		if r.heldOf > 0 {
			fmt.Fprintf(&b, "\n%s: of %d messages that were due when a worker was killed, the last was in hand again %s later.\n",
				r.scenario, r.heldOf, r.held.Round(100*time.Millisecond))
		}
		if r.again > 0 {
			fmt.Fprintf(&b, "\n%s: %d events told by task alone were gone with Redis before anybody had taken them, and were told again.\n",
				r.scenario, r.again)
		}
	}
	return table(b.String())
}

// newCaption says how large the campaign was.
func newCaption(z size, took time.Duration) table {
	return table(fmt.Sprintf("\nEach with %d workers and %d schedulers, %s of load and faults; all of it on %d cores in %s.\n",
		z.workers, z.schedulers, z.span, runtime.NumCPU(), took.Round(time.Minute)))
}

// Between these lines of the README stands the table.
const (
	opening = "<!-- chaos: written by make chaos -->\n"
	closing = "<!-- end of chaos -->"
)

var errNoPlace = errors.New("the README has no place for the table")

// intoReadme puts the table in the place of the one before.
func (t table) intoReadme(path string) error {
	readme, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := bytes.Cut(readme, []byte(opening))
	_, tail, closed := bytes.Cut(rest, []byte(closing))
	if !ok || !closed {
		return errNoPlace
	}
	return os.WriteFile(path, bytes.Join([][]byte{head, []byte(opening + string(t) + closing), tail}, nil), 0o600)
}
