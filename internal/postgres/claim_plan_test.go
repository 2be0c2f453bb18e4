package postgres_test

import (
	"testing"
	"time"

	"rappel/internal/postgres"
	"rappel/jobs/deliver"
)

// TestAClaimCostsWhatItClaims takes hundreds through their life while nothing else
// waits, and while very much does: before PostgreSQL knows that, when it still
// believes that next to nothing is open, and after. What is read may not follow
// what waits: a plan that does reads a fifth of the crowd at least, which is what
// is being sent of it.
func TestAClaimCostsWhatItClaims(t *testing.T) {
	t.Parallel()
	w := newPast(t)
	const many, crowd = 100, 20_000
	alone := w.efforts(w.toSend(many))
	w.waits(crowd)
	before := w.efforts(w.toSend(many))
	w.exec(`ANALYZE`)
	after := w.efforts(w.toSend(many))
	for what, of := range alone {
		limit := of.rows + crowd/10
		for when, n := range map[string]int{"before": before[what].rows, "after": after[what].rows} {
			if n > limit {
				t.Errorf("%s %d reads %d rows and entries while nothing waits, and %d while %d do, %s PostgreSQL knows of them",
					what, many, of.rows, n, crowd, when)
			}
		}
	}
}

// efforts are those of a life of messages, by what is done with them.
func (w *world) efforts(ids []string) map[string]effort {
	w.t.Helper()
	ctx, all := w.t.Context(), map[string]effort{}
	must := func(err error, ok bool) {
		if err != nil || !ok {
			w.t.Fatalf("that was not to happen: %v", err)
		}
	}
	all["to look which are due of"] = w.effort(func(s *postgres.Store) {
		due, err := s.Due(ctx, ids, noon())
		must(err, len(due) == len(ids))
	})
	all["to park"] = w.effort(func(s *postgres.Store) { must(s.Park(ctx, ids, time.Minute), true) })
	var claim deliver.Claim
	all["to claim"] = w.effort(func(s *postgres.Store) {
		var err error
		claim, err = s.Claim(ctx, ids, deliver.Terms{Now: noon(), Lease: time.Hour, Via: deliver.ByAdmin}, send)
		must(err, len(claim.Messages) == len(ids))
	})
	var outcomes []deliver.Outcome
	for _, m := range claim.Messages {
		outcomes = append(outcomes, deliver.Outcome{ID: m.Notification.ID, Status: deliver.Sent, MessageID: "m", At: noon()})
	}
	all["to record"] = w.effort(func(s *postgres.Store) {
		lost, err := s.Record(ctx, claim.ID, outcomes)
		must(err, lost == 0)
	})
	return all
}
