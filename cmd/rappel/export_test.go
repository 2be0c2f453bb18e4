package main

import (
	"context"
	"io"
	"runtime/debug"
)

// Main is the whole program, for the scripts.
func Main() { main() }

// Run is main without the process around it.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	return run(ctx, args, getenv, stdout, stderr)
}

// Revision is the commit that a build tells of.
func Revision(info *debug.BuildInfo) string { return revision(info, info != nil) }
