package postgres_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"rappel/jobs/deliver"
)

// refuses tells whether the database refuses to take a notification from one
// status to another, as a replay or not. Nothing of it is kept.
func (w *world) refuses(id string, from, to deliver.Status, replay bool) bool {
	w.t.Helper()
	var said error
	unkept := errors.New("not kept")
	err := pgx.BeginFunc(w.t.Context(), w.db, func(tx pgx.Tx) error {
		trigger := func(do string) error {
			_, err := tx.Exec(w.t.Context(), `ALTER TABLE rappel.notifications `+do+` TRIGGER transition`)
			return err
		}
		become := func(s deliver.Status, replay bool) error {
			_, err := tx.Exec(w.t.Context(), `UPDATE rappel.notifications SET status = $2,
				claim_id = CASE $2 WHEN 'sending' THEN id END, claimed_until = CASE $2 WHEN 'sending' THEN now() END,
				replayed_at = CASE WHEN $3 THEN now() ELSE replayed_at END WHERE id = $1`, id, string(s), replay)
			return err
		}
		if err := errors.Join(trigger("DISABLE"), become(from, false), trigger("ENABLE")); err != nil {
			return err
		}
		said = become(to, replay)
		return unkept
	})
	refusal, ok := errors.AsType[*pgconn.PgError](said)
	if !errors.Is(err, unkept) || (said != nil && (!ok || refusal.ConstraintName != "notifications_transition")) {
		w.t.Fatalf("from %s to %s: %v, %v", from, to, err, said)
	}
	return said != nil
}

func TestTheDatabaseAllowsTheVeryStepsThatAStatusHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	for _, from := range deliver.Statuses() {
		var allowed []deliver.Status
		for _, to := range deliver.Statuses() {
			if !w.refuses(id, from, to, false) && to != from {
				allowed = append(allowed, to)
			}
		}
		if diff := cmp.Diff(from.Next(), allowed); diff != "" {
			t.Errorf("from %s (-Next +database):\n%s", from, diff)
		}
	}
}

func TestOnlyAReplayOpensWhatHadEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notifications(1)[0]
	for _, from := range deliver.Statuses() {
		for _, to := range deliver.Statuses() {
			want := to == from || slices.Contains(from.Next(), to) || (from.Replayable() && to == deliver.Pending)
			if got := !w.refuses(id, from, to, true); got != want {
				t.Errorf("that a replay takes a notification from %s to %s is allowed: %t", from, to, got)
			}
		}
	}
}

func TestWhatReachedItsEndHasNoNextStatus(t *testing.T) {
	t.Parallel()
	goOn := []deliver.Status{deliver.Pending, deliver.Sending, deliver.Sent, deliver.Unknown}
	for _, s := range deliver.Statuses() {
		if (len(s.Next()) > 0) != slices.Contains(goOn, s) {
			t.Errorf("after %s comes %v", s, s.Next())
		}
	}
}
