package bench

import (
	"fmt"
	"os"
	"strings"
)

// A Table is what a measurement came to, for people.
type Table struct {
	Head  []string
	Rows  [][]string
	Below string // a line that says of what
}

// Markdown is the table for a page.
func (t Table) Markdown() string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(t.Head)
	b.WriteString("|---|" + strings.Repeat("--:|", len(t.Head)-1) + "\n")
	for _, row := range t.Rows {
		line(row)
	}
	return b.String() + "\n" + t.Below + "\n"
}

// pipelineHead names what is told of a design.
func pipelineHead() []string {
	return []string{"design", "messages/s", "× plain", "of the ceiling", "a request", "worker", "PostgreSQL", "Redis", "endpoint"}
}

// Table shows designs beside each other.
func (p Pipeline) Table(designs []*Design) Table {
	t := Table{Head: pipelineHead(), Below: fmt.Sprintf(
		"%d events, %d rounds; medians, and the range over the rounds. The last four: µs of CPU a message; before them, messages in one.", p.Events, p.Rounds)}
	if p.Latency > 0 {
		t.Below += fmt.Sprintf(" The endpoint takes %s to answer.", p.Latency)
	}
	for _, d := range designs {
		t.Rows = append(t.Rows, []string{
			d.Name, fmt.Sprintf("%.0f", d.Rate.Median), fmt.Sprintf("%.2f (%.2f–%.2f)", d.OfPlain.Median, d.OfPlain.Low, d.OfPlain.High),
			fmt.Sprintf("%.0f %%", 100*d.OfCeiling.Median), fmt.Sprintf("%.3g", d.Together.Median),
			known(d.Costs.Worker), known(d.Costs.Postgres), known(d.Costs.Redis), known(d.Costs.Sink),
		})
	}
	return t
}

// known is a cost for people; a dash where there is none, or it is not known.
func known(cost float64) string {
	if cost == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", cost)
}

func loneHead() []string { return []string{"told by", "p50", "p99"} }

// Table shows how long a lone event takes.
func (l Lone) Table(waits []Wait) Table {
	t := Table{Head: loneHead(), Below: fmt.Sprintf("From telling to the request, %d events each way, each alone on an idle system.", l.Events)}
	for _, w := range waits {
		t.Rows = append(t.Rows, []string{w.Way, fmt.Sprintf("%.1f ms", w.Median), fmt.Sprintf("%.1f ms", w.Longest)})
	}
	return t
}

func figuresHead() []string { return []string{"what", "figure"} }

// FiguresTable shows figures one below the other.
func FiguresTable(figures []Figure, below string) Table {
	t := Table{Head: figuresHead(), Below: below}
	for _, f := range figures {
		t.Rows = append(t.Rows, []string{f.What, f.Figure()})
	}
	return t
}

// Table shows what sweeps took.
func (b Sweep) Table(figures []Figure) Table {
	return FiguresTable(figures, fmt.Sprintf("%d appointments of %d practices.", b.Appointments, b.Practices))
}

// Table shows what a process takes.
func (f Footprint) Table(figures []Figure) Table {
	below := fmt.Sprintf("One process of rappel run; started %d times, watched at rest for %s.", f.Starts, f.Rest)
	if _, ok := memory(os.Getpid(), memoryNow); !ok {
		below += " There is no /proc here, which would tell of memory and CPU."
	}
	return FiguresTable(figures, below)
}
