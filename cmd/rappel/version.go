package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// commit is set when a release is built. Otherwise it is what the toolchain
// noted, where it could ask git.
var commit string //nolint:gochecknoglobals // the linker can set nothing else

// built is what --version tells.
func built() string {
	return fmt.Sprintf("rappel %s (commit %s, %s)", version, revision(debug.ReadBuildInfo()), runtime.Version())
}

func revision(info *debug.BuildInfo, ok bool) string {
	if commit != "" {
		return commit
	}
	found, changed := "", ""
	if ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				found = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = ", changed since"
			}
		}
	}
	if found == "" {
		return "not known"
	}
	return found + changed
}
