package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"rappel/internal/services"
)

// A post is a place in which one process of rappel runs, and another after it
// has ended: what systemd or Kubernetes would see to.
type post struct {
	name string
	argv []string
	env  []string
	log  *os.File
	dice *dice

	mu      sync.Mutex
	program *services.Program // nil: none runs
	asked   time.Time         // when it was asked to stop; zero: it was not
	unclean []string          // ends that were asked for and were not clean

	quit    context.CancelFunc
	stopped chan struct{}
}

// newPost keeps a process running until stop.
func newPost(ctx context.Context, folder, name string, d *dice, argv, env []string) (*post, error) {
	log, err := os.Create(filepath.Join(folder, name+".log"))
	if err != nil {
		return nil, err
	}
	ctx, quit := context.WithCancel(context.WithoutCancel(ctx))
	p := &post{name: name, argv: argv, env: env, log: log, dice: d, quit: quit, stopped: make(chan struct{})}
	go p.run(ctx)
	return p, nil
}

// run starts the process whenever there is none.
func (p *post) run(ctx context.Context) {
	defer close(p.stopped)
	for ctx.Err() == nil {
		program, err := services.StartProgram(ctx, services.ProgramOptions{Argv: p.argv, Env: p.env, Log: p.log})
		if err != nil {
			fmt.Fprintln(p.log, "not started:", err)
			wait(ctx, time.Second)
			continue
		}
		p.began(program)
		<-program.Ended()
		p.ended(program.Err())
		wait(ctx, p.dice.between(100*time.Millisecond, 1500*time.Millisecond))
	}
}

func (p *post) began(program *services.Program) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.program, p.asked = program, time.Time{}
}

func (p *post) ended(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && !p.asked.IsZero() {
		p.unclean = append(p.unclean, fmt.Sprintf("%s, asked to stop, ended %s later with %v",
			p.name, time.Since(p.asked).Round(time.Millisecond), err))
	}
	p.program = nil
}

// signal sends a signal to the process, if one runs.
func (p *post) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.program == nil {
		return
	}
	if s == syscall.SIGTERM && p.asked.IsZero() {
		p.asked = time.Now()
	}
	_ = p.program.Signal(s) // it may have ended by itself
}

func (p *post) kill() { p.signal(syscall.SIGKILL) }

// freeze stops the process for d, as a machine that swaps or is moved does.
func (p *post) freeze(ctx context.Context, d time.Duration) {
	p.signal(syscall.SIGSTOP)
	wait(ctx, d)
	p.signal(syscall.SIGCONT)
}

// renew asks the process to stop, and waits until another is in its place.
func (p *post) renew(ctx context.Context) {
	p.mu.Lock()
	before := p.program
	p.mu.Unlock()
	p.signal(syscall.SIGTERM)
	for wait(ctx, 20*time.Millisecond) {
		p.mu.Lock()
		renewed := p.program != nil && p.program != before
		p.mu.Unlock()
		if renewed {
			return
		}
	}
}

// stop ends the process for good, with time to finish what it has in hand. It
// may be called twice.
func (p *post) stop(within time.Duration) error {
	select {
	case <-p.stopped:
		return nil
	default:
	}
	p.quit()
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGTERM)
	select {
	case <-p.stopped:
	case <-time.After(within):
		p.kill()
		<-p.stopped
		return errors.Join(fmt.Errorf("%s did not stop within %s", p.name, within), p.log.Close())
	}
	return p.log.Close()
}

func (p *post) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.unclean...)
}
