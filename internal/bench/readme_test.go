package bench_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rappel/internal/bench"
)

// make bench-readme sets it.
var update = flag.Bool("update", false, "measure everything and write the README's section on speed; with -short, in small sizes, to try it out")

const (
	readme  = "../../README.md"
	opening = "<!-- bench: written by make bench-readme -->\n"
	closing = "<!-- end of bench -->"
)

// The titles of what the README shows.
const (
	pipelineTitle  = "**Events that become messages**"
	loneTitle      = "**A lone event**"
	sweepTitle     = "**The minute's sweep**"
	footprintTitle = "**Memory and rest**"
	renderingTitle = "**Rendering**"
)

// A size is how much is measured.
type size struct {
	events, rounds, lone          int
	appointments                  []int
	practices, due, burst, starts int
	rest                          time.Duration
	rendering                     string // as go test -benchtime has it
}

func whole() size {
	return size{
		events: 20_000, rounds: 5, lone: 200, appointments: []int{1_000_000, 5_000_000}, practices: 20_000, due: 2600, burst: 50_000,
		starts: 9, rest: 30 * time.Second, rendering: "1s",
	}
}

func small() size {
	return size{
		events: 500, rounds: 1, lone: 5, appointments: []int{1000, 2000}, practices: 100, due: 20, burst: 200,
		starts: 2, rest: time.Second, rendering: "10ms",
	}
}

// TestTheReadmeShowsWhatBenchPrints compares what does not change from run to
// run: which tables there are, with which columns, and which designs.
func TestTheReadmeShowsWhatBenchPrints(t *testing.T) {
	t.Parallel()
	if *update {
		t.Skip("it is being written")
	}
	_, shown, _ := readmeAround(t)
	for _, table := range []struct {
		title string
		head  []string
		rows  []string
	}{
		{pipelineTitle, bench.Pipeline{}.Table(nil).Head, bench.DesignNames()},
		{loneTitle, bench.Lone{}.Table(nil).Head, nil},
		{sweepTitle, sweepHead(nil), []string{"a quiet minute, found in", "the burst, planned"}},
		{footprintTitle, bench.Footprint{}.Table(nil).Head, []string{"from start to ready", "at rest, CPU of rappel run"}},
		{renderingTitle, renderingHead(), []string{"rappel"}},
	} {
		_, rest, found := strings.Cut(shown, table.title+"\n\n")
		if head := "| " + strings.Join(table.head, " | ") + " |"; !found || !strings.HasPrefix(rest, head) {
			t.Errorf("%s is not there, or does not begin with the columns %q: run make bench-readme", table.title, table.head)
		}
		section, _, _ := strings.Cut(rest, "\n\n")
		for _, row := range table.rows {
			if !strings.Contains(section, "\n| "+row+" | ") {
				t.Errorf("%s has no line of %q: run make bench-readme", table.title, row)
			}
		}
	}
}

// TestWriteTheReadme is what make bench-readme runs: every benchmark, and the
// README's tables out of what came of them.
func TestWriteTheReadme(t *testing.T) { //nolint:paralleltest // one measurement at a time
	if !*update {
		t.Skip("make bench-readme runs it")
	}
	z := whole()
	if testing.Short() {
		z = small()
	}
	m := measurements{z, build(t)}
	began := time.Now()
	parts := []string{
		m.machine(t),
		section(pipelineTitle, m.pipeline(t)),
		section(loneTitle, m.lone(t)),
		section(sweepTitle, m.sweeps(t)),
		section(footprintTitle, m.footprint(t)),
		section(renderingTitle, m.rendering(t)),
	}
	text := strings.Join(parts, "\n")
	t.Logf("in %s\n\n%s", time.Since(began).Round(time.Second), text)
	before, _, after := readmeAround(t)
	if err := os.WriteFile(readme, []byte(before+opening+text+closing+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

// readmeAround is the README's section, and what stands before and after it.
func readmeAround(t *testing.T) (before, section, after string) {
	t.Helper()
	file, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(file), opening)
	section, after, closed := strings.Cut(rest, closing)
	if !found || !closed {
		t.Fatalf("the README has no place between %q and %q", opening, closing)
	}
	return before, section, after
}

func section(title string, table bench.Table) string { return title + "\n\n" + table.Markdown() }

// build makes the program that is measured: the product, not this test.
func build(t *testing.T) bench.Launcher {
	t.Helper()
	program := filepath.Join(t.TempDir(), "rappel")
	run(t, "go", "build", "-buildvcs=false", "-o", program, "./cmd/rappel")
	return bench.Launcher{Command: []string{program, "bench", "part"}}
}

// run runs a program at the root of the repository, and returns what it prints.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = filepath.Join("..", "..")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, said)
	}
	return string(said)
}

type measurements struct {
	size     size
	launcher bench.Launcher
}

// onServices gives a measurement services of its own, and takes them away after it.
func onServices[T any](t *testing.T, measure func(context.Context, *bench.Services) (T, error)) T {
	t.Helper()
	s, err := bench.StartServices(t.Context(), os.Getenv("PG_BIN"))
	if err != nil {
		t.Fatal(err)
	}
	result, err := measure(t.Context(), s)
	if stopped := s.Stop(); err == nil {
		err = stopped
	}
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// machine says where it was measured.
func (measurements) machine(t *testing.T) string {
	t.Helper()
	return onServices(t, func(ctx context.Context, s *bench.Services) (string, error) {
		postgresql, redis, err := s.Versions(ctx)
		return fmt.Sprintf("%d cores for everything, %s/%s, PostgreSQL %s that waits for the disk, Redis %s, %s.\n", runtime.NumCPU(),
			runtime.GOOS, runtime.GOARCH, postgresql, redis, strings.Replace(runtime.Version(), "go", "Go ", 1)), err
	})
}

func (m measurements) pipeline(t *testing.T) bench.Table {
	t.Helper()
	p := bench.Pipeline{Events: m.size.events, Rounds: m.size.rounds, Launcher: m.launcher, Progress: t.Logf}
	return p.Table(onServices(t, p.Run))
}

func (m measurements) lone(t *testing.T) bench.Table {
	t.Helper()
	l := bench.Lone{Events: m.size.lone, Launcher: m.launcher, Progress: t.Logf}
	return l.Table(onServices(t, l.Run))
}

func (m measurements) footprint(t *testing.T) bench.Table {
	t.Helper()
	f := bench.Footprint{Burst: m.size.burst, Starts: m.size.starts, Rest: m.size.rest, Launcher: m.launcher, Progress: t.Logf}
	return f.Table(onServices(t, f.Run))
}

func sweepHead(appointments []int) []string {
	head := []string{"what"}
	for _, n := range appointments {
		head = append(head, fmt.Sprintf("%g million appointments", float64(n)/1e6))
	}
	return head
}

// sweeps sets the same sweep among few and among many beside each other.
func (m measurements) sweeps(t *testing.T) bench.Table {
	t.Helper()
	all := bench.Table{
		Head:  sweepHead(m.size.appointments),
		Below: fmt.Sprintf("Of %d practices with two or three rules each; the burst is %d reminders due in one minute.", m.size.practices, m.size.burst),
	}
	for _, n := range m.size.appointments {
		s := bench.Sweep{
			Appointments: n, Practices: m.size.practices, Due: m.size.due, Burst: m.size.burst, Launcher: m.launcher, Progress: t.Logf,
		}
		for i, row := range s.Table(onServices(t, s.Run)).Rows {
			if i == len(all.Rows) {
				all.Rows = append(all.Rows, row[:1:1])
			}
			all.Rows[i] = append(all.Rows[i], row[1])
		}
	}
	return all
}

func (m measurements) rendering(t *testing.T) bench.Table {
	t.Helper()
	t.Log("rendering, five times")
	return rendered(run(t, "go", "test", "./templates", "-run=^$", "-bench=^BenchmarkTextAgainst$", "-count=5", "-benchtime="+m.size.rendering))
}

func renderingHead() []string { return []string{"by", "ns a text", "allocations", "× rappel"} }

// rendered reads what go test printed of the rendering of one text.
func rendered(output string) bench.Table {
	took, allocations := map[string][]float64{}, map[string]string{}
	line := regexp.MustCompile(`(?m)^BenchmarkTextAgainst/(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op\s+\d+ B/op\s+(\d+) allocs/op`)
	for _, found := range line.FindAllStringSubmatch(output, -1) {
		ns, _ := strconv.ParseFloat(found[2], 64)
		took[found[1]], allocations[found[1]] = append(took[found[1]], ns), found[3]
	}
	median := func(name string) float64 { return bench.SpreadOf(took[name]...).Median }
	var names []string
	for name := range took {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(median(a) - median(b)) })
	t := bench.Table{Head: renderingHead(), Below: "An SMS of twelve placeholders and 630 bytes; medians of five."}
	for _, name := range names {
		t.Rows = append(t.Rows, []string{
			name, fmt.Sprintf("%.0f", median(name)), allocations[name], fmt.Sprintf("%.1f", median(name)/median("rappel")),
		})
	}
	return t
}

func TestRenderingIsReadFromWhatGoTestPrints(t *testing.T) {
	t.Parallel()
	got := rendered(`goos: linux
BenchmarkTextAgainst/rappel-2           2203120       500.0 ns/op     704 B/op      1 allocs/op
BenchmarkTextAgainst/text/template-2     400000      2000 ns/op     1704 B/op      31 allocs/op
BenchmarkTextAgainst/rappel-2           2203120       400.0 ns/op     704 B/op      1 allocs/op
BenchmarkTextAgainst/text/template-2     400000      2500 ns/op     1704 B/op      31 allocs/op
PASS`).Markdown()
	const want = `| by | ns a text | allocations | × rappel |
|---|--:|--:|--:|
| rappel | 450 | 1 | 1.0 |
| text/template | 2250 | 31 | 5.0 |

An SMS of twelve placeholders and 630 bytes; medians of five.
`
	if got != want {
		t.Errorf("%s", got)
	}
}
