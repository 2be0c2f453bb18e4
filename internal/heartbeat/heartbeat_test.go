package heartbeat_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rappel/internal/heartbeat"
)

func TestALoopHangsOnceItsBoundHasPassed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.October, 25, 0, 59, 30, 0, time.UTC)
	loops := heartbeat.New(func() time.Time { return now })
	planned := loops.Start("planner", 30*time.Second)
	posted := loops.Start("reply_poster", time.Minute)
	loops.Start("sweep", 0) // any process may do it

	now = now.Add(30 * time.Second)
	if err := loops.Check(); err != nil {
		t.Errorf("within its bound: %v", err)
	}
	now = now.Add(time.Second)
	if err := loops.Check(); err == nil || !strings.HasSuffix(err.Error(), "by: planner") {
		t.Errorf("after its bound: %v, want the planner named", err)
	}
	planned()
	if err := loops.Check(); err != nil {
		t.Errorf("after a turn: %v", err)
	}
	if got := loops.Ages(); got["planner"] != 0 || got["reply_poster"] != 31*time.Second || got["sweep"] != 31*time.Second {
		t.Errorf("ages %v", got)
	}

	now = now.Add(time.Hour)
	if got := loops.Hanging(1); !slices.Equal(got, []string{"planner", "reply_poster"}) {
		t.Errorf("hanging: %v", got)
	}
	posted()
	now = now.Add(2 * time.Minute)
	if got := loops.Hanging(3); !slices.Equal(got, []string{"planner"}) {
		t.Errorf("hanging for three times the bound: %v", got)
	}
	loops.Stop("planner")
	if got := loops.Hanging(3); len(got) > 0 {
		t.Errorf("hanging after it was stopped: %v", got)
	}
}
