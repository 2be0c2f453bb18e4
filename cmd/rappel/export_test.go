package main

import (
	"context"
	"io"
	"runtime/debug"
	"time"
)

// Main is the whole program, for the scripts.
func Main() { main() }

// Run is main without the process around it.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	return run(ctx, args, getenv, stdout, stderr)
}

// Progress tells of work on so many things by the clock now.
func Progress(out io.Writer, bar bool, what string, total int, now func() time.Time) (step, end func(), beside func(io.Writer) io.Writer) {
	p := newProgress(out, bar, what, total, now)
	return p.step, p.end, p.beside
}

// Revision is the commit that a build tells of.
func Revision(info *debug.BuildInfo) string { return revision(info, info != nil) }
