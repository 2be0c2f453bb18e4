package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

// Parts of a benchmark, each of which is a process.
const (
	sinkPart    = "sink"
	plainPart   = "plain"
	ceilingPart = "ceiling"
	rowsPart    = "rows"
	postPart    = "post"
	rappelPart  = "rappel" // the product's worker: see [PartOptions]
	wholePart   = "whole"  // all of the product
)

// PartOptions are what a part works with.
type PartOptions struct {
	DatabaseURL, RedisURL string
	AdminURL, AdminToken  string
	InFlight              int           // messages at once
	Events                int           // of POST alone: how many there are
	Latency               time.Duration // of the endpoint
	Batch                 int           // messages that the endpoint takes in one request; 0: it takes them one by one
	Profile               string        // file for a CPU profile of the work; empty: none

	In  io.Reader // says when to start, and ends when the part is to end
	Out io.Writer // is told that the part is ready

	// Worker runs rappel's own worker until it is told to stop, and Whole all of
	// `rappel run`.
	Worker, Whole func(stop <-chan struct{}) error
}

// ready is what a part says once it has all that it needs, with its address
// where it has one; start is what it is told then.
const ready, start = "ready", "start"

// RunPart runs one part until its input ends.
func RunPart(ctx context.Context, name string, o PartOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	started := make(chan struct{})
	go func() {
		defer cancel() // whoever began this is gone, or wants it gone
		lines := bufio.NewScanner(o.In)
		for lines.Scan() {
			if lines.Text() == start {
				close(started)
			}
		}
	}()
	stopProfile := func() error { return nil }
	var profileErr error
	begin := func() bool {
		fmt.Fprintln(o.Out, ready)
		select {
		case <-started:
			stopProfile, profileErr = profile(o.Profile)
			return profileErr == nil
		case <-ctx.Done():
			return false
		}
	}
	err := o.run(ctx, name, begin)
	return errors.Join(err, profileErr, stopProfile())
}

// run runs a part; what it needs is there before it calls begin, and where that
// is false it is over.
func (o PartOptions) run(ctx context.Context, name string, begin func() bool) error {
	switch name {
	case sinkPart:
		sink := &Sink{Latency: o.Latency, Batch: o.Batch}
		return sink.Serve(ctx, func(url string) { fmt.Fprintln(o.Out, ready, url) })
	case plainPart:
		return runPlain(ctx, o, begin)
	case ceilingPart:
		return runCeiling(ctx, o, leastRows{}, begin)
	case rowsPart:
		return runCeiling(ctx, o, rappelRows{}, begin)
	case postPart:
		return runPost(ctx, o, begin)
	case rappelPart, wholePart:
		if !begin() {
			return nil
		}
		if name == wholePart {
			return o.Whole(ctx.Done())
		}
		return o.Worker(ctx.Done())
	}
	return fmt.Errorf("%q is no part of a benchmark", name)
}

// profile writes a CPU profile to a file until it is stopped.
func profile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(file) //nolint:gosec // the file that the command line names
	if err != nil {
		return func() error { return nil }, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return f.Close, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// A Launcher starts parts as processes.
type Launcher struct {
	Command []string // which, with a part's name after it, runs that part
}

// A process is a part that runs.
type process struct {
	name    string
	command *exec.Cmd
	orders  io.WriteCloser
	said    *os.File // what it wrote to standard error, removed already
	address string
	ended   chan struct{} // closed once err is set
	err     error
}

// launch starts a part with flags, and with nothing in its environment but what
// is given: no variable of the shell shall send a message anywhere. It returns
// when the part is ready.
func (l Launcher) launch(ctx context.Context, part string, flags []string, environment ...string) (*process, error) {
	args := slices.Concat(l.Command[1:], []string{part}, flags)
	p := &process{name: part, ended: make(chan struct{})}
	p.command = exec.CommandContext(ctx, l.Command[0], args...) //nolint:gosec // this very program
	p.command.Args[0] = filepath.Base(l.Command[0])
	p.command.Env = environment
	p.command.Cancel = func() error { return p.orders.Close() }
	p.command.WaitDelay = stopWithin
	var err error
	if p.said, err = os.CreateTemp("", "rappel-bench-"); err != nil {
		return nil, err
	}
	p.command.Stderr = p.said
	if err := os.Remove(p.said.Name()); err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.orders, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", part, err)
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, out)
		p.err = p.command.Wait()
		close(p.ended)
	}()
	word, address, _ := strings.Cut(strings.TrimSpace(line), " ")
	if word != ready {
		<-p.ended
		return nil, fmt.Errorf("%s did not get ready: %w\n%s", part, errors.Join(readErr, p.err), p.last())
	}
	p.address = address
	return p, nil
}

// begin has the part do its work.
func (p *process) begin() error {
	_, err := io.WriteString(p.orders, start+"\n")
	return err
}

// pid is the process's id.
func (p *process) pid() int { return p.command.Process.Pid }

// dead returns what went wrong if the part has ended by itself, else nil.
func (p *process) dead() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended before its time: %w\n%s", p.name, p.err, p.last())
	default:
		return nil
	}
}

// stopWithin is how long a part may take to end.
const stopWithin = 30 * time.Second

// stop ends the part. It may be called twice.
func (p *process) stop() error {
	_ = p.orders.Close() // fails only if it was closed before
	select {
	case <-p.ended:
	case <-time.After(stopWithin):
		_ = p.command.Process.Kill()
		<-p.ended
	}
	defer p.said.Close()
	if p.err != nil {
		return fmt.Errorf("stop %s: %w\n%s", p.name, p.err, p.last())
	}
	return nil
}

// last is the end of what the part said.
func (p *process) last() string {
	const most = 4 << 10
	info, err := p.said.Stat()
	if err != nil {
		return ""
	}
	from := max(0, info.Size()-most)
	text := make([]byte, info.Size()-from)
	n, _ := p.said.ReadAt(text, from)
	return string(text[:n])
}
