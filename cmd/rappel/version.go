package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"rappel/internal/zoneinfo"
)

type versionCommand struct{}

func (versionCommand) Help() string {
	return `Compare it on all machines: with other time zone data, they write other hours. rappel uses the newest of the system's, the copy in the binary and RAPPEL_ZONEINFO.

Example:
  rappel version` + ending("RAPPEL_ZONEINFO cannot be used", "nothing")
}

// Run prints the version and the time zone data in use.
func (versionCommand) Run(e *env) error {
	zones, err := zoneinfo.Newest(e.getenv("RAPPEL_ZONEINFO"))
	if err != nil {
		return fmt.Errorf("RAPPEL_ZONEINFO: %w", err)
	}
	fmt.Fprintln(e.stdout, built())
	fmt.Fprintln(e.stdout, zones)
	return nil
}

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
