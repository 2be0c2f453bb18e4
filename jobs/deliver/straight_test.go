package deliver_test

import (
	"context"
	"strings"
	"testing"

	"rappel/jobs/deliver"
)

// What no task brought has nobody else who would catch a panic.
func TestAPanicOnTheStraightWayDoesNotEndTheProcess(t *testing.T) {
	t.Parallel()
	d := newDesk(t, answers(deliver.Answer{Verdict: deliver.Accepted}))
	d.ledger.keep = func(context.Context, string) error { panic("an odd row") }
	claim, err := d.Begin()
	if err != nil {
		t.Fatal(err)
	}
	claim.Add(deliver.Notification{ID: id(0), PracticeID: "p"}, deliver.Message{NotificationID: id(0), To: phone()})
	if !d.Admit("p") {
		t.Fatal("there is no place")
	}
	d.Take(t.Context(), claim)
	d.Wait()
	if !strings.Contains(d.log.String(), "panicked") {
		t.Errorf("nobody is told: %s", d.log)
	}
}
