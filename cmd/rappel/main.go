// Command rappel tells people around appointments what they need to hear, once:
// the background worker and scheduler of a practice app.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/lmittmann/tint"

	"rappel/internal/app"
	"rappel/internal/config"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes of the contract.
const (
	done   = 0
	failed = 1
	wrong  = 2 // the command line or the configuration
)

// commands is the command line: one field a command, in the order of the help.
type commands struct {
	Dev        devCommand        `cmd:"" help:"Run everything on throw-away local services, with a sample practice to play with."`
	Migrate    migrateCommand    `cmd:"" help:"Bring schema rappel up to date. Safe to run from several machines at once."`
	Run        runCommand        `cmd:"" help:"Run worker, scheduler and ops server in one process."`
	Worker     workerCommand     `cmd:"" help:"Run the worker alone: it plans and delivers."`
	Scheduler  schedulerCommand  `cmd:"" help:"Run the scheduler alone: it ticks."`
	Ops        opsCommand        `cmd:"" help:"Run the ops server alone: health, metrics, dashboard."`
	Sweep      sweepCommand      `cmd:"" help:"Run one reminder sweep, now or as of a given time."`
	Event      eventCommand      `cmd:"" help:"Report one event by hand."`
	Explain    explainCommand    `cmd:"" help:"Explain one appointment or event: every message that did or will concern it, to whom, and why not."`
	Forecast   forecastCommand   `cmd:"" help:"Tell which messages the rules will send in a span of time, to whom, and which not and why."`
	Preview    previewCommand    `cmd:"" help:"Show a template as it would go out, with the size of an SMS."`
	Lint       lintCommand       `cmd:"" help:"Check every template in the database."`
	Account    accountCommand    `cmd:"" help:"Close the books: what was planned, by practice and day, and what became of it."`
	Replay     replayCommand     `cmd:"" help:"Send again what failed; tells what it would do, unless --yes."`
	Forget     forgetCommand     `cmd:"" help:"Remove the traces of a person; tells what it would do, unless --yes."`
	Check      checkCommand      `cmd:"" help:"Check configuration, database, Redis and admin endpoints, one line a check."`
	Bench      benchCommand      `cmd:"" help:"Measure rappel on this machine, beside what else could do its work."`
	Version    versionCommand    `cmd:"" help:"Print the version, and which time zone data is in use."`
	Completion completionCommand `cmd:"" help:"Print the completion of commands and flags for a shell."`

	VersionFlag kong.VersionFlag `name:"version" help:"Print the version and exit."`
}

// An env is what a command gets from its surroundings.
type env struct {
	ctx            context.Context //nolint:containedctx // a command is a call, and this its parameter list
	getenv         func(string) string
	stdout, stderr io.Writer
}

// run is main without the process around it. It returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	var exited *int
	parser, err := kong.New(&commands{},
		kong.Name("rappel"),
		kong.Description(about),
		kong.Vars{"version": built()},
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = &code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.TypeMapper(reflect.TypeFor[time.Time](), kong.MapperFunc(instant)),
	)
	if err != nil {
		return report(stderr, err)
	}
	command, err := parser.Parse(args)
	if exited != nil {
		return *exited
	}
	if err != nil {
		return report(stderr, usage{err})
	}
	return report(stderr, command.Run(&env{ctx: ctx, getenv: getenv, stdout: stdout, stderr: stderr}, parser.Model))
}

// instant reads a time, and says by an example what one is.
func instant(ctx *kong.DecodeContext, into reflect.Value) error {
	var s string
	if err := ctx.Scan.PopValueInto("time", &s); err != nil {
		return err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("%q is not a time of RFC 3339, such as 2026-12-10T09:00:00-05:00", s)
	}
	into.Set(reflect.ValueOf(t))
	return nil
}

// usage marks an error of the command line.
type usage struct{ error }

// errFailed says that everything there is to say was said.
var errFailed = errors.New("failed")

// report tells people what went wrong and returns the exit code.
func report(stderr io.Writer, err error) int {
	var misconfigured *config.Error
	var misused usage
	var mistake app.MistakeError
	switch {
	case err == nil:
		return done
	case errors.Is(err, errFailed):
		return failed
	case errors.As(err, &misconfigured):
		fmt.Fprintln(stderr, "rappel:", err)
		return wrong
	case errors.As(err, &misused), errors.As(err, &mistake):
		fmt.Fprintf(stderr, "rappel: %v\nTry rappel --help.\n", err)
		return wrong
	}
	fmt.Fprintln(stderr, "rappel:", err)
	return failed
}

// open reads the configuration and connects to what needs asks for.
func (e *env) open(needs config.Need) (*app.App, error) {
	cfg, err := config.Load(e.getenv, needs)
	if err != nil {
		return nil, err
	}
	log := logger(cfg, e.stderr)
	app.LogLibraries(log)
	return app.Open(e.ctx, app.Options{Config: cfg, Version: version, Log: log, Now: time.Now})
}

func logger(cfg config.Config, w io.Writer) *slog.Logger {
	if cfg.LogFormat == "text" {
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: cfg.LogLevel, TimeFormat: time.TimeOnly, NoColor: !terminal(w)}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: cfg.LogLevel}))
}

// terminal tells whether people are likely to read w as it is written.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
