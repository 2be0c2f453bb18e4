package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"rappel/internal/bench"
)

type benchCommand struct {
	Pipeline  benchPipelineCommand  `cmd:"" help:"How many events a second become messages, beside other designs."`
	Sweep     benchSweepCommand     `cmd:"" help:"How long the minute's sweep takes among very many appointments."`
	Footprint benchFootprintCommand `cmd:"" help:"How much memory and CPU one process takes, busy and at rest, and how soon it is ready."`
	Growth    benchGrowthCommand    `cmd:"" help:"What becomes of the work on the ledger when it grows."`
	Processes benchProcessesCommand `cmd:"" help:"How much several worker processes do on one PostgreSQL and Redis."`
	Part      benchPartCommand      `cmd:"" hidden:"" help:"Run one process of a benchmark; the others start it."`
}

// Help is the rest of what --help shows.
func (benchCommand) Help() string {
	return `How fast rappel is on this machine, as ratios to what else could do the work, in one run: PostgreSQL, Redis and an
endpoint of its own are started for it, and nothing of it is kept. No variable of the environment but PG_BIN counts.

Examples:
  rappel bench pipeline
  rappel bench pipeline --latency 20ms --in-flight 512
  rappel bench sweep --appointments 5000000
  rappel bench footprint --rest 20s
  rappel bench growth --rows 50000000
  rappel bench processes --processes 1,2,4` + ending("a measurement failed, or a message was lost or doubled", "nothing")
}

type benchPipelineCommand struct {
	Events   int           `help:"Events a round." default:"20000"`
	Rounds   int           `help:"Rounds; in each, the designs take turns." default:"5"`
	Latency  time.Duration `help:"How long the endpoint takes to answer." default:"0s"`
	InFlight int           `help:"Messages in flight at once; 0: as many as each design does by itself." default:"0"`
	Lone     bool          `help:"Measure instead how long a lone event takes on an idle system: so many each way as --events, 200 unless told otherwise."`
	Profile  string        `help:"Write a CPU profile of each design, and what its statements took, to this folder; needs pg_stat_statements, and slows it down a little." type:"existingdir" placeholder:"DIR"`
	JSON     bool          `help:"One JSON object a line." name:"json"`
}

func (c benchPipelineCommand) Run(e *env) error {
	if c.Events < 1 || c.Rounds < 1 || c.Latency < 0 || c.InFlight < 0 {
		return usage{errors.New("--events and --rounds are at least 1; --latency and --in-flight are not negative")}
	}
	if c.Lone {
		return c.lone(e)
	}
	m, err := e.measure(bench.PipelineSteps(c.Rounds))
	if err != nil {
		return err
	}
	p := bench.Pipeline{
		Events: c.Events, Rounds: c.Rounds, Latency: c.Latency, InFlight: c.InFlight,
		Profiles: c.Profile, Launcher: m.launcher, Progress: m.tell,
	}
	designs, err := p.Run(e.ctx, m.services)
	return m.end(err, func() error { return show(e, c.JSON, designs, p.Table) })
}

func (c benchPipelineCommand) lone(e *env) error {
	const usual, usualOfRounds = 200, 20000
	if c.Events == usualOfRounds {
		c.Events = usual
	}
	const ways = 2
	m, err := e.measure(ways)
	if err != nil {
		return err
	}
	l := bench.Lone{Events: c.Events, Launcher: m.launcher, Progress: m.tell}
	waits, err := l.Run(e.ctx, m.services)
	return m.end(err, func() error { return show(e, c.JSON, waits, l.Table) })
}

type benchSweepCommand struct {
	Appointments int  `help:"Appointments to come." default:"1000000"`
	Practices    int  `help:"Practices, with two or three rules each." default:"20000"`
	Due          int  `help:"Appointments more, found due in a minute that is looked at." default:"2600"`
	Burst        int  `help:"Appointments more, of which a reminder each falls due in one minute that a worker sweeps; 0: only look at minutes." default:"50000"`
	JSON         bool `help:"One JSON object a line." name:"json"`
}

func (c benchSweepCommand) Run(e *env) error {
	if c.Appointments < 1 || c.Practices < 1 || c.Due < 1 || c.Burst < 0 {
		return usage{errors.New("--appointments, --practices and --due are at least 1, --burst is not negative")}
	}
	m, err := e.measure(bench.SweepSteps)
	if err != nil {
		return err
	}
	b := bench.Sweep{
		Appointments: c.Appointments, Practices: c.Practices, Due: c.Due, Burst: c.Burst, Launcher: m.launcher, Progress: m.tell,
	}
	figures, err := b.Run(e.ctx, m.services)
	return m.end(err, func() error { return show(e, c.JSON, figures, b.Table) })
}

type benchFootprintCommand struct {
	Burst  int           `help:"Reminders that fall due in one minute." default:"50000"`
	Starts int           `help:"How often it is started." default:"9"`
	Rest   time.Duration `help:"How long it is watched at rest; from a minute on, a sweep is among it." default:"60s"`
	JSON   bool          `help:"One JSON object a line." name:"json"`
}

func (c benchFootprintCommand) Run(e *env) error {
	if c.Burst < 1 || c.Starts < 1 || c.Rest < time.Second {
		return usage{errors.New("--burst and --starts are at least 1, --rest is at least a second")}
	}
	m, err := e.measure(bench.FootprintSteps)
	if err != nil {
		return err
	}
	f := bench.Footprint{
		Burst: c.Burst, Starts: c.Starts, Rest: c.Rest, Launcher: m.launcher, Progress: m.tell,
	}
	figures, err := f.Run(e.ctx, m.services)
	return m.end(err, func() error { return show(e, c.JSON, figures, f.Table) })
}

type benchPartCommand struct {
	Part     string        `arg:"" help:"Which."`
	Events   int           `help:"Events there are."`
	InFlight int           `help:"Messages in flight at once." default:"64"`
	Latency  time.Duration `help:"Of the endpoint."`
	Batch    int           `help:"Messages that the endpoint takes in one request."`
	Profile  string        `help:"File for a CPU profile." placeholder:"FILE"`
}

func (c benchPartCommand) Run(e *env) error {
	return bench.RunPart(e.ctx, c.Part, bench.PartOptions{
		DatabaseURL: e.getenv("DATABASE_URL"), RedisURL: e.getenv("REDIS_URL"),
		AdminURL: e.getenv("RAPPEL_ADMIN_URL"), AdminToken: e.getenv("RAPPEL_ADMIN_TOKEN"),
		InFlight: c.InFlight, Events: c.Events, Latency: c.Latency, Batch: c.Batch, Profile: c.Profile,
		In: os.Stdin, Out: e.stdout,
		Worker: func(stop <-chan struct{}) error { return until(e, stop, workerCommand{}.Run) },
		Whole:  func(stop <-chan struct{}) error { return until(e, stop, runCommand{}.Run) },
	})
}

// until runs a command until it is told to stop.
func until(e *env, stop <-chan struct{}, command func(*env) error) error {
	within := *e
	var cancel context.CancelFunc
	within.ctx, cancel = context.WithCancel(e.ctx)
	defer cancel()
	go func() {
		<-stop
		cancel()
	}()
	return command(&within)
}

// A measurement is what a benchmark needs while it runs.
type measurement struct {
	launcher bench.Launcher // of this very program
	services *bench.Services
	tell     func(format string, args ...any)
	told     func()
}

// measure prepares a benchmark of so many steps.
func (e *env) measure(steps int) (*measurement, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, err := bench.StartServices(e.ctx, e.getenv("PG_BIN"))
	if err != nil {
		return nil, err
	}
	m := &measurement{launcher: bench.Launcher{Command: []string{self, "bench", "part"}}, services: s}
	m.tell, m.told = e.telling(steps)
	return m, nil
}

// end shows what the benchmark came to, unless it failed, and stops the services.
func (m *measurement) end(err error, show func() error) error {
	m.told()
	if err == nil {
		err = show()
	}
	return errors.Join(err, m.services.Stop())
}

// show prints things as one JSON object a line, or as a table.
func show[T any](e *env, asJSON bool, all []T, table func([]T) bench.Table) error {
	if asJSON {
		return eachAsJSON(e, all)
	}
	return e.table(table(all))
}

// table prints what a measurement came to.
func (e *env) table(t bench.Table) error {
	row := func(cells []string) table.Row {
		all := make(table.Row, len(cells))
		for i, c := range cells {
			all[i] = c
		}
		return all
	}
	var rows []table.Row
	for _, cells := range t.Rows {
		rows = append(rows, row(cells))
	}
	var head []string
	for _, name := range t.Head {
		head = append(head, strings.ToUpper(name))
	}
	_, err := fmt.Fprintf(e.stdout, "%s\n\n%s\n", render(row(head), rows, nil, false), t.Below)
	return err
}

// telling shows how far a benchmark of so many steps is, with a line for what
// each came to.
func (e *env) telling(steps int) (tell func(format string, args ...any), end func()) {
	p := e.progress("measured", steps)
	out := p.beside(e.stderr)
	return func(format string, args ...any) {
		fmt.Fprintf(out, "rappel: "+format+"\n", args...)
		p.step()
	}, p.end
}

func eachAsJSON[T any](e *env, all []T) error {
	enc := json.NewEncoder(e.stdout)
	for _, one := range all {
		if err := enc.Encode(one); err != nil {
			return err
		}
	}
	return nil
}
