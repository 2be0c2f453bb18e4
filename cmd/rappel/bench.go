package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"rappel/internal/bench"
)

type benchCommand struct {
	Pipeline benchPipelineCommand `cmd:"" help:"How many events a second become messages, beside other designs."`
	Sweep    benchSweepCommand    `cmd:"" help:"How long the minute's sweep takes among very many appointments."`
	Part     benchPartCommand     `cmd:"" hidden:"" help:"Run one process of a benchmark; the others start it."`
}

// Help is the rest of what --help shows.
func (benchCommand) Help() string {
	return `How fast rappel is on this machine, as ratios to what else could do the work, in one run: PostgreSQL, Redis and an
endpoint of its own are started for it, and nothing of it is kept. No variable of the environment but PG_BIN counts.

Examples:
  rappel bench pipeline
  rappel bench pipeline --latency 20ms --in-flight 512
  rappel bench sweep --appointments 5000000` + ending("a measurement failed, or a message was lost or doubled", "nothing")
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
	launcher, err := e.launcher()
	if err != nil {
		return err
	}
	s, err := bench.StartServices(e.ctx, e.getenv("PG_BIN"))
	if err != nil {
		return err
	}
	if c.Lone {
		err = c.lone(e, s, launcher)
	} else {
		err = c.compare(e, s, launcher)
	}
	return errors.Join(err, s.Stop())
}

func (c benchPipelineCommand) compare(e *env, s *bench.Services, launcher bench.Launcher) error {
	const prepared, designsCompared = 1, 4
	tell, end := e.telling(prepared + designsCompared*c.Rounds)
	designs, err := bench.Pipeline{
		Events: c.Events, Rounds: c.Rounds, Latency: c.Latency, InFlight: c.InFlight,
		Profiles: c.Profile, Launcher: launcher, Progress: tell,
	}.Run(e.ctx, s)
	end()
	if err != nil {
		return err
	}
	if c.JSON {
		return eachAsJSON(e, designs)
	}
	var rows []table.Row
	for _, d := range designs {
		rows = append(rows, table.Row{
			d.Name, fmt.Sprintf("%.0f", d.Rate.Median), fmt.Sprintf("%.2f (%.2f–%.2f)", d.OfPlain.Median, d.OfPlain.Low, d.OfPlain.High),
			fmt.Sprintf("%.0f %%", 100*d.OfCeiling.Median), micros(d.Costs.Worker), micros(d.Costs.Postgres), micros(d.Costs.Redis), micros(d.Costs.Sink),
		})
	}
	head := table.Row{"DESIGN", "MESSAGES/S", "× PLAIN", "OF CEILING", "WORKER", "POSTGRESQL", "REDIS", "ENDPOINT"}
	_, err = fmt.Fprintf(e.stdout, "%s\n\n%d events, %d rounds; medians, and the range over the rounds. The last four: µs of CPU a message.\n",
		render(head, rows, nil, false), c.Events, c.Rounds)
	return err
}

// micros is a cost for people; none, where it is not known.
func micros(cost float64) string {
	if cost == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", cost)
}

func (c benchPipelineCommand) lone(e *env, s *bench.Services, launcher bench.Launcher) error {
	const usual, usualOfRounds = 200, 20000
	if c.Events == usualOfRounds {
		c.Events = usual
	}
	const ways = 2
	tell, end := e.telling(ways)
	waits, err := bench.Lone{Events: c.Events, Launcher: launcher, Progress: tell}.Run(e.ctx, s)
	end()
	if err != nil {
		return err
	}
	if c.JSON {
		return eachAsJSON(e, waits)
	}
	var rows []table.Row
	for _, w := range waits {
		rows = append(rows, table.Row{w.Way, fmt.Sprintf("%.1f ms", w.Median), fmt.Sprintf("%.1f ms", w.Longest)})
	}
	_, err = fmt.Fprintf(e.stdout, "%s\n\nFrom telling to the request, %d events each way, each alone on an idle system.\n",
		render(table.Row{"TOLD BY", "P50", "P99"}, rows, nil, false), c.Events)
	return err
}

type benchSweepCommand struct {
	Appointments int  `help:"Appointments to come." default:"1000000"`
	Practices    int  `help:"Practices, with two or three rules each." default:"20000"`
	Due          int  `help:"Appointments more, found due in a minute that is looked at." default:"2600"`
	Burst        int  `help:"Appointments more, of which a reminder each falls due in one minute." default:"50000"`
	JSON         bool `help:"One JSON object a line." name:"json"`
}

func (c benchSweepCommand) Run(e *env) error {
	if c.Appointments < 1 || c.Practices < 1 || c.Due < 1 || c.Burst < 1 {
		return usage{errors.New("--appointments, --practices, --due and --burst are at least 1")}
	}
	launcher, err := e.launcher()
	if err != nil {
		return err
	}
	s, err := bench.StartServices(e.ctx, e.getenv("PG_BIN"))
	if err != nil {
		return err
	}
	tell, end := e.telling(bench.SweepSteps)
	figures, err := bench.Sweep{
		Appointments: c.Appointments, Practices: c.Practices, Due: c.Due, Burst: c.Burst, Launcher: launcher, Progress: tell,
	}.Run(e.ctx, s)
	end()
	if err = errors.Join(err, s.Stop()); err != nil {
		return err
	}
	if c.JSON {
		return eachAsJSON(e, figures)
	}
	var rows []table.Row
	for _, f := range figures {
		rows = append(rows, table.Row{f.What, f.Figure()})
	}
	_, err = fmt.Fprintf(e.stdout, "%s\n\n%d appointments of %d practices.\n",
		render(table.Row{"WHAT", "FIGURE"}, rows, nil, false), c.Appointments, c.Practices)
	return err
}

type benchPartCommand struct {
	Part     string        `arg:"" help:"Which."`
	Events   int           `help:"Events there are."`
	InFlight int           `help:"Messages in flight at once." default:"64"`
	Latency  time.Duration `help:"Of the endpoint."`
	Profile  string        `help:"File for a CPU profile." placeholder:"FILE"`
}

func (c benchPartCommand) Run(e *env) error {
	return bench.RunPart(e.ctx, c.Part, bench.PartOptions{
		DatabaseURL: e.getenv("DATABASE_URL"), RedisURL: e.getenv("REDIS_URL"),
		AdminURL: e.getenv("RAPPEL_ADMIN_URL"), AdminToken: e.getenv("RAPPEL_ADMIN_TOKEN"),
		InFlight: c.InFlight, Events: c.Events, Latency: c.Latency, Profile: c.Profile,
		In: os.Stdin, Out: e.stdout,
		Worker: func(stop <-chan struct{}) error { return workerUntil(e, stop) },
	})
}

// workerUntil is rappel worker, until it is told to stop.
func workerUntil(e *env, stop <-chan struct{}) error {
	within := *e
	var cancel context.CancelFunc
	within.ctx, cancel = context.WithCancel(e.ctx)
	defer cancel()
	go func() {
		<-stop
		cancel()
	}()
	return workerCommand{}.Run(&within)
}

// launcher starts the parts of a benchmark: this very program.
func (e *env) launcher() (bench.Launcher, error) {
	self, err := os.Executable()
	return bench.Launcher{Command: []string{self, "bench", "part"}}, err
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
