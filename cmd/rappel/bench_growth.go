package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"

	"rappel/internal/bench"
)

type benchGrowthCommand struct {
	Rows   int  `help:"Messages in the large ledger." default:"10000000"`
	Beside int  `help:"Messages in the one it is compared with." default:"1000000"`
	Day    int  `help:"Messages a day, in both." default:"125000"`
	JSON   bool `help:"One JSON object a line." name:"json"`
}

// Help is the rest of what --help shows.
func (benchGrowthCommand) Help() string {
	return `A ledger as it is after months of work is made in a PostgreSQL of this run's own, in the temporary folder (TMPDIR); it takes 600
bytes a message of disk, and a quarter of a minute a million.`
}

func (c benchGrowthCommand) Run(e *env) error {
	const days, least = 4, 40_000 // enough for what is measured to find something
	if c.Day < least || c.Rows < days*c.Day || c.Beside < days*c.Day {
		return usage{fmt.Errorf("--day is at least %d, --rows and --beside are at least %d days", least, days)}
	}
	g := bench.Growth{Rows: c.Rows, Beside: c.Beside, Day: c.Day}
	tell, end := e.telling(g.Steps())
	g.Progress = tell
	grown, err := g.Run(e.ctx, e.getenv("PG_BIN"))
	end()
	if err != nil {
		return err
	}
	if c.JSON {
		return errors.Join(eachAsJSON(e, grown.Changes), eachAsJSON(e, grown.Sizes))
	}
	var rows []table.Row
	for _, c := range grown.Changes {
		rows = append(rows, table.Row{
			c.What, spreadMillis(c.Small.Millis), spreadMillis(c.Large.Millis), times(c.Large.Millis.Median, c.Small.Millis.Median),
			whole(c.Small.Pages), whole(c.Large.Pages), times(c.Large.Pages, c.Small.Pages),
		})
	}
	head := table.Row{"WHAT", fmt.Sprintf("%d ROWS, MS", c.Beside), fmt.Sprintf("%d ROWS, MS", c.Rows), "×", "PAGES", "PAGES", "×"}
	var sizes []table.Row
	for _, s := range grown.Sizes {
		n := float64(max(s.Rows, 1))
		sizes = append(sizes, table.Row{s.Table, s.Rows, whole(float64(s.Bytes) / n), whole(float64(s.Index) / n)})
	}
	_, err = fmt.Fprintf(e.stdout, "%s\n\n%d messages a day; medians of milliseconds, and the range.\n\n%s\n",
		render(head, rows, nil, false), c.Day, render(table.Row{"TABLE", "ROWS", "BYTES A ROW", "OF INDEXES"}, sizes, nil, false))
	return err
}

// times is how many times as much one is as the other; none, of nothing.
func times(one, other float64) string {
	if other == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", one/other)
}

func spreadMillis(s bench.Spread) string {
	return fmt.Sprintf("%.1f (%.1f–%.1f)", s.Median, s.Low, s.High)
}

type benchProcessesCommand struct {
	Events    int   `help:"Events a round." default:"20000"`
	Rounds    int   `help:"Rounds; in each, the counts take turns." default:"3"`
	Processes []int `help:"How many worker processes: one count after the other." default:"1,2,4"`
	JSON      bool  `help:"One JSON object a line." name:"json"`
}

func (c benchProcessesCommand) Run(e *env) error {
	if c.Events < 1 || c.Rounds < 1 || len(c.Processes) == 0 || slices.Min(c.Processes) < 1 {
		return usage{errors.New("--events, --rounds and each of --processes are at least 1")}
	}
	p := bench.Processes{Events: c.Events, Rounds: c.Rounds, Counts: c.Processes}
	m, err := e.measure(p.Steps())
	if err != nil {
		return err
	}
	p.Launcher, p.Progress = m.launcher, m.tell
	all, err := p.Run(e.ctx, m.services)
	return m.end(err, func() error { return c.show(e, all) })
}

func (c benchProcessesCommand) show(e *env, all []*bench.Scale) error {
	if c.JSON {
		return eachAsJSON(e, all)
	}
	var rows []table.Row
	for _, one := range all {
		rows = append(rows, table.Row{
			one.Processes, whole(one.Rate.Median), fmt.Sprintf("%.2f (%.2f–%.2f)", one.OfFirst.Median, one.OfFirst.Low, one.OfFirst.High),
			whole(one.Costs.Worker), whole(one.Costs.Postgres), whole(one.Costs.Redis), whole(one.Logged.Median), whole(one.Connections),
		})
	}
	head := table.Row{"PROCESSES", "MESSAGES/S", "× FIRST", "WORKERS", "POSTGRESQL", "REDIS", "WAL BYTES", "CONNECTIONS"}
	_, err := fmt.Fprintf(e.stdout, "%s\n\n%d events, %d rounds; medians, and the range over the rounds. CPU is µs a message, of all processes\ntogether; WAL is bytes a message, each round just after a checkpoint.\n",
		render(head, rows, nil, false), c.Events, c.Rounds)
	return err
}

func whole(f float64) string { return fmt.Sprintf("%.0f", f) }
