package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// lifeline becomes the server, after leaving a guard behind that ends the
// server when the pipe on descriptor 3 closes. That pipe's other end is ours
// alone, so the kernel closes it however we die, SIGKILL included; a line on
// the pipe says instead that the server has ended and the guard may go.
// Descriptors 4 and 5 are a pipe that the server and its children hold open as
// long as one of them lives, whether or not anyone has waited for it.
//
// A pipe and not Pdeathsig: that exists on Linux only, fires when the thread
// that forked ends, and reaches the server but not its folder. The guard stands
// before the server runs, so there is no moment without it, and it is not the
// server's child: PostgreSQL looks at every child that ends.
//
// $1 is the signal, $2 the folder to remove.
const lifeline = `
(
	(
		trap '' HUP INT QUIT TERM
		read -r ended <&3 && exit
		kill -"$1" $$
		read -r ended <&4
		rm -rf -- "$2"
	) </dev/null >/dev/null 2>&1 5>&- &
)
shift 2
exec "$@" 3<&- 4<&-
`

// stopLimit is how long a server may take to end before it is killed.
const stopLimit = 10 * time.Second

// command is a server to be run.
type command struct {
	argv   []string
	user   *account
	signal string   // ends the server when we die; without SIG
	folder string   // removed when we die; empty: nothing is
	env    []string // nil: ours
	log    io.Writer
}

// process is a running server.
type process struct {
	cmd   *exec.Cmd
	tail  *tail
	ended chan struct{} // closed once the server has ended; err is set before
	err   error
}

func (c command) start(ctx context.Context) (*process, error) {
	orders, pipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer orders.Close()
	life, alive, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, pipe.Close())
	}
	defer life.Close()
	defer alive.Close()

	args := append([]string{"-c", lifeline, "sh", c.signal, c.folder}, c.argv...)
	p := &process{tail: &tail{next: c.log}, ended: make(chan struct{})}
	// The context bounds the start, not the server's life.
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", args...) //nolint:gosec // constant script; the words are arguments
	p.cmd.ExtraFiles = []*os.File{orders, life, alive}
	p.cmd.WaitDelay = time.Second // a killed server's children may hold its output
	prepare(p.cmd, c.user, p.tail)
	if c.env != nil {
		p.cmd.Env = c.env
	}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, pipe.Close())
	}
	go p.wait(pipe)
	return p, nil
}

// wait lets the guard go as soon as the server has ended: its process id may
// soon be another's.
func (p *process) wait(pipe *os.File) {
	p.err = p.cmd.Wait()
	_, _ = pipe.WriteString("ended\n") // fails only if the guard is gone already
	_ = pipe.Close()
	close(p.ended)
}

// ready waits until ask succeeds, the server ends, or ctx is done.
func (p *process) ready(ctx context.Context, ask func(context.Context) error) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("ended at once: %w\n%s", p.err, p.tail)
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w: %w\n%s", ctx.Err(), err, p.tail)
		case <-tick.C:
		}
	}
}

// stop ends the server. It may have ended before.
func (p *process) stop(sig syscall.Signal) error {
	_ = p.cmd.Process.Signal(sig) // fails only if the server has ended
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopLimit):
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
	return fmt.Errorf("did not end within %s of %s, killed", stopLimit, sig)
}

// prepare keeps a command apart from us: a process group of its own, so that
// Ctrl-C in a terminal reaches us only and we stop it in order; no input; a
// folder that exists for every user; messages in English.
func prepare(cmd *exec.Cmd, user *account, out io.Writer) {
	cmd.Dir = "/"
	cmd.Env = append(cmd.Environ(), "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: user.credential()}
}

// tail keeps the last of what a server says, for the error that explains why
// it did not start, and passes everything on.
type tail struct {
	next io.Writer // may be nil

	mu   sync.Mutex
	last []byte // guarded by mu
}

func (t *tail) Write(b []byte) (int, error) {
	const most = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, b...)
	t.last = t.last[max(0, len(t.last)-most):]
	if t.next != nil {
		return t.next.Write(b)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}
