package behaviour_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rappel/jobs"
)

// ways are the two on which a message may come to its desk. A practice whose rate
// is limited has the long one.
func ways() map[string]func(*world) {
	return map[string]func(*world){
		"straight":  func(*world) {},
		"by a task": func(w *world) { w.cfg.PracticeRate = 1000 },
	}
}

// What is claimed where it is planned leaves the same traces as what waited for
// its task, while it is tried again and when it is there.
func TestAMessageIsKeptTheSameWhicheverWayItWent(t *testing.T) {
	t.Parallel()
	seen := make(chan [2]string, len(ways()))
	went := t.Run("ways", func(t *testing.T) {
		for name, prepare := range ways() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := openWorld(t, monday, prepare)
				ann := w.client("Ann", row{"phone": "+12015550101", "preferred_method": "both", "email": "ann@example.com"})
				w.inbox.always(&answer{status: 503})
				w.book(ann, thursday)
				w.expect()
				tried := w.rows()
				w.inbox.always(nil)
				w.pass(time.Minute)
				w.expect("email ann@example.com: is booked", "sms +12015550101: is booked")
				seen <- [2]string{tried, w.rows()}
			})
		}
	})
	if !went {
		return // who failed has told nothing, and would be waited for
	}
	if one, other := <-seen, <-seen; one != other {
		t.Errorf("one way:\n%s\nthe other:\n%s", strings.Join(one[:], "\n"), strings.Join(other[:], "\n"))
	}
}

// rows are those of the ledger, without ids and without times of the machine;
// what is there of them, and what came before what, stays.
func (w *world) rows() string {
	w.t.Helper()
	return w.value(`
		SELECT string_agg((to_jsonb(n) - '{id,decision_id,practice_id,client_id,appointment_id,event_id,claim_id,settled_claim,message_id,offered_at,history,not_before}'::text[]
			|| jsonb_build_object('settled', n.settled_claim IS NOT NULL, 'answered', n.message_id IS NOT NULL,
				'offered', n.offered_at > now() - interval '1 min', 'waits', n.not_before > n.created_at, 'story', jsonb_array_length(n.history)))::text,
			E'\n' ORDER BY channel)
		FROM rappel.notifications n`)
}

// A sweep as of a time to come decides, and nothing leaves before its time.
func TestASweepAsOfATimeToComeSendsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(24*hour, "see you")
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-25T10:00:00-05:00")
	task, err := jobs.Sweep{At: instant(t, "2026-11-24T10:00:00-05:00")}.Task()
	if err != nil {
		t.Fatal(err)
	}
	w.enqueue(task)
	w.untilTrue("it is decided", `SELECT count(*) = 1 FROM rappel.notifications`)
	w.expect()
	w.at("2026-11-24T10:00:00-05:00")
	w.expect("sms +12015550101: see you")
}

// A text that cannot be kept does not keep its event from being decided.
func TestAMessageThatCannotBeKeptHoldsUpNoDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`)
	w.exec(`CREATE TRIGGER trap BEFORE INSERT OR UPDATE ON rappel.notifications FOR EACH ROW WHEN (NEW.body LIKE '%Ben%') EXECUTE FUNCTION refuse()`)
	ann, ben := w.client("Ann", row{"phone": "+12015550101"}), w.client("Ben", row{"phone": "+12015550102"})
	w.template(row{"name": "appointment.booked", "channel": "sms", "body": "[RecipientFirstName]: is booked"})
	for i, client := range []string{ann, ben, ann} {
		w.book(client, fmt.Sprintf("2026-12-10T1%d:00:00-05:00", i))
	}
	w.untilTrue("all is decided", `SELECT count(*) = 3 FROM rappel.decisions WHERE outcome = 'notify'`)
	w.untilTrue("the others are told", `SELECT count(*) = 2 FROM rappel.notifications WHERE status = 'sent'`)
	w.exec(`DROP TRIGGER trap ON rappel.notifications`)
	w.expect("sms +12015550101: Ann", "sms +12015550101: Ann", "sms +12015550102: Ben")
}
