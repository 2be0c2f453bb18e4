package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
)

// ProgramOptions say which program to run, and how.
type ProgramOptions struct {
	Argv []string  // the program's path, then its arguments
	Env  []string  // all of its environment
	Log  io.Writer // what it says; nil: nowhere
}

// Program is a program that is none of our servers and must not outlive us
// either: however we die, it is killed.
type Program struct{ process *process }

// StartProgram returns a program that runs. The context bounds the start only.
func StartProgram(ctx context.Context, o ProgramOptions) (*Program, error) {
	if len(o.Argv) == 0 {
		return nil, errors.New("start a program: none is named")
	}
	process, err := command{argv: o.Argv, signal: "KILL", env: append([]string{}, o.Env...), log: o.Log}.start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Argv[0], err)
	}
	return &Program{process}, nil
}

// Signal sends a signal. It fails where the program has ended.
func (p *Program) Signal(s syscall.Signal) error { return p.process.cmd.Process.Signal(s) }

// Ended is closed once the program has ended.
func (p *Program) Ended() <-chan struct{} { return p.process.ended }

// Err is how the program ended, nil for exit code 0. It is known once Ended is
// closed.
func (p *Program) Err() error {
	<-p.process.ended
	return p.process.err
}
