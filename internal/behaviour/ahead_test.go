package behaviour_test

import (
	"testing"
	"time"
)

// ahead has the worker sweep as of a time to come.
func (w *world) ahead(t string) {
	w.t.Helper()
	w.sweepAsOf(instant(w.t, t))
}

// What is due until a time to come is in the ledger, also about visits that will
// have begun by then, and goes at its own time.
func TestASweepAheadOfAStartRemindsOfIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(hour, "see you")
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-23T15:00:00-05:00") // due at 14:00 today
	w.ahead("2026-11-24T10:00:00-05:00")
	if got := w.value(`SELECT status || ' ' || (created_at < $1)::text FROM rappel.notifications`, instant(t, "2026-11-24T00:00:00Z")); got != "pending true" {
		t.Errorf("in the ledger: %s", got)
	}
	w.expect()
	w.at("2026-11-23T14:00:00-05:00")
	w.expect("sms +12015550101: see you")
}

func TestOfTwoRemindersThatASweepAheadCoversEachGoesAtItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(24*hour, "tomorrow")
	w.reminds(2*hour, "soon")
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-24T13:00:00-05:00")
	w.ahead("2026-11-24T12:00:00-05:00")
	w.at("2026-11-23T13:00:00-05:00")
	w.expect("sms +12015550101: tomorrow")
	w.at("2026-11-24T11:00:00-05:00")
	w.expect("sms +12015550101: soon")
}

// Both were decided at one moment: the one that was held up gives way to the
// nearer one all the same.
func TestAReminderHeldUpUntilTheNextOfASweepAheadGivesWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(3*hour, "in three hours")
	w.reminds(2*hour, "in two hours")
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-23T18:00:00-05:00")
	w.ahead("2026-11-23T17:00:00-05:00")
	w.inbox.always(&answer{status: 503})
	w.at("2026-11-23T15:00:00-05:00")
	w.expect()
	w.inbox.always(nil)
	w.at("2026-11-23T16:01:00-05:00")
	w.expect("sms +12015550101: in two hours")
}

// What is booked after a sweep ahead was not there for it to see.
func TestWhatIsBookedAfterASweepAheadIsFoundByTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(2*hour, "soon")
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.ahead("2026-11-24T10:00:00-05:00")
	w.appointment(ann, "2026-11-24T11:00:00-05:00", row{"booked_at": w.clock.Now(), "updated_at": w.clock.Now()})
	w.ahead("2026-11-24T10:00:01-05:00")
	if got := w.value(`SELECT count(*)::text FROM rappel.notifications`); got != "1" {
		t.Errorf("%s in the ledger, want 1", got)
	}
	w.at("2026-11-24T09:00:00-05:00")
	w.expect("sms +12015550101: soon")
}

func TestAnOutageAfterASweepAheadLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(2*hour, "soon")
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.ahead("2026-11-30T10:00:00-05:00")
	w.wait(time.Hour)
	w.appointment(ann, "2026-11-23T17:00:00-05:00", row{"booked_at": w.clock.Now(), "updated_at": w.clock.Now()}) // due at 15:00
	w.at("2026-11-23T15:45:00-05:00")                                                                             // nobody looked for longer than sweeps overlap
	w.expect("sms +12015550101: soon")
}
