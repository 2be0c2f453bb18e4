package services_test

import (
	"bytes"
	"syscall"
	"testing"

	"rappel/internal/services"
)

func TestProgramRunsInItsOwnEnvironmentAndTakesSignals(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	p := startProgram(t, &said, `echo "$VISIT"`)
	if err := p.Err(); err != nil || said.String() != "today\n" {
		t.Errorf("it said %q and ended with %v", said.String(), err)
	}

	p = startProgram(t, nil, `kill -STOP $$; exit 3`)
	if err := p.Signal(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	if p.Err() == nil {
		t.Error("killed, it ended as if all was well")
	}
}

func startProgram(t *testing.T, log *bytes.Buffer, script string) *services.Program {
	t.Helper()
	o := services.ProgramOptions{Argv: []string{"/bin/sh", "-c", script}, Env: []string{"VISIT=today"}}
	if log != nil {
		o.Log = log
	}
	p, err := services.StartProgram(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Signal(syscall.SIGKILL) })
	return p
}
