package app_test

import (
	"context"
	"testing"

	"rappel/internal/app"
)

// A rolling restart may stop a process in its first moments: that is no failure
// of the process.
func TestAProcessThatIsStoppedWhileItStartsEndsWell(t *testing.T) {
	t.Parallel()
	a := newSite(t).open()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := a.Run(ctx, app.Parts{Worker: true, Scheduler: true}); err != nil {
		t.Errorf("it says %v", err)
	}
}

func TestAProcessThatCannotStartSaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.RedisURL = "redis://127.0.0.1:1"
	if err := s.open().Run(t.Context(), app.Parts{Worker: true}); err == nil {
		t.Error("it says nothing")
	}
}
