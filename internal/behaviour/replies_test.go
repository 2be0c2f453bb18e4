package behaviour_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/config"
	"rappel/internal/twilio"
)

// newAnswered is a world whose messages go by the main app, and which hears
// from Twilio what people answer.
func newAnswered(t *testing.T) *direct {
	t.Helper()
	d := &direct{}
	d.world = openWorld(t, monday, func(w *world) {
		d.listen(w)
		w.cfg.Twilio = config.Twilio{AuthToken: authToken}
	})
	t.Cleanup(d.remembersNobody)
	return d
}

// writes has somebody write to us, as Twilio tells of it, and returns what
// Twilio is answered. More is told beside it.
func (d *direct) writes(from, text string, more ...string) int {
	d.t.Helper()
	d.clock.set(d.clock.Now().Add(time.Millisecond)) // no two at once
	id := strings.ReplaceAll(newID(), "-", "")
	form := url.Values{"MessageSid": {"SM" + id}, "AccountSid": {accountSID}, "From": {from}, "To": {"+15005550006"}, "Body": {text}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	address, err := url.Parse(publicURL + "/webhooks/twilio/inbound")
	if err != nil {
		d.t.Fatal(err)
	}
	c := callback{url: address, form: form, token: authToken}
	return d.post(address.Path, form.Encode(), map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", twilio.SignatureHeader: c.sign(),
	})
}

// hears waits until every reply has come to an end, and fails the test unless
// the main app took exactly these since the last time, as "from text: meaning"
// and what it is about, in any order.
func (d *direct) hears(want ...string) {
	d.t.Helper()
	d.untilTrue("every reply is passed on", `SELECT count(*) = 0 FROM rappel.replies WHERE outcome IS NULL`)
	d.inbox.mu.Lock()
	defer d.inbox.mu.Unlock()
	var got []string
	known := map[string]bool{}
	d.inbox.messages = slices.DeleteFunc(d.inbox.messages, func(m string) bool { return m == "UNREADABLE /replies" })
	d.inbox.tries = slices.DeleteFunc(d.inbox.tries, func(r try) bool {
		if r.path == "/replies" && d.inbox.accepted[r.key] && !known[r.key] {
			known[r.key] = true
			got = append(got, d.inWordsOf(r))
		}
		return r.path == "/replies"
	})
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		d.t.Errorf("the main app heard (-want +got):\n%s", diff)
	}
}

func (d *direct) inWordsOf(r try) string {
	d.t.Helper()
	var reply struct {
		From, Text, Meaning string
		ReceivedAt          time.Time `json:"received_at"`
		PracticeID          string    `json:"practice_id"`
		NotificationID      string    `json:"notification_id"`
		AppointmentID       string    `json:"appointment_id"`
		AppointmentIDs      []string  `json:"appointment_ids"`
	}
	strict := json.NewDecoder(strings.NewReader(r.body))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&reply); err != nil || reply.ReceivedAt.IsZero() {
		d.t.Errorf("a reply that is not as in the contract: %v %s", err, r.body)
	}
	words := fmt.Sprintf("%s %s: %s", strings.TrimPrefix(reply.From, "+1201555"), reply.Text, reply.Meaning)
	for what, id := range map[string]string{"practice": reply.PracticeID, "notification": reply.NotificationID} {
		if (id == "") != (reply.PracticeID == "") {
			d.t.Errorf("the %s alone is named: %s", what, r.body)
		}
	}
	about := append(reply.AppointmentIDs, reply.AppointmentID)
	slices.Sort(about)
	return strings.TrimSpace(words + " " + strings.TrimSpace(strings.Join(about, " ")))
}

// stopped tells which numbers may not be written to, by their last digits.
func (d *direct) stopped() string {
	d.t.Helper()
	return d.value(`SELECT coalesce(string_agg(right(address, 4), ' ' ORDER BY address), '') FROM rappel.opt_outs WHERE revoked_at IS NULL AND channel = 'sms'`)
}

func TestEachWordIsHeardAsItIsMeant(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	words := map[string][]string{
		"opt_out": {
			"STOP", "stopall", "Unsubscribe", "END", "quit", "Cancel", "revoke", "OPTOUT", "opt out", " stop \n", "Stop.", "STOP!!", "stop。", "ＳＴＯＰ|STOP",
			"please|STOP", "START|STOP", "STOP|START", "C|stop",
		},
		"opt_in": {"START", "unstop", "start!", "begin|START"},
		"other": {
			"Stop please", "don't stop", "STOP it", "cancel my appointment", "ＳＴＯＰ", "C", "1", "confirm", "", " ", "?", "C|HELP", "help|HELP", "yes", "stop\u200b",
			strings.Repeat("stop ", 200), "START over",
		},
	}
	var want []string
	var stops []string
	number := 0
	for meaning, texts := range words {
		for _, text := range texts {
			number++
			from := fmt.Sprintf("+120155501%02d", number)
			text, taken, _ := strings.Cut(text, "|")
			if got := d.writes(from, text, "OptOutType", taken); got != http.StatusOK {
				t.Errorf("%q is answered %d", text, got)
			}
			want = append(want, fmt.Sprintf("01%02d %s: %s", number, text, meaning))
			if meaning == "opt_out" {
				stops = append(stops, fmt.Sprintf("01%02d", number))
			}
		}
	}
	d.hears(want...)
	slices.Sort(stops)
	if got := d.stopped(); got != strings.Join(stops, " ") {
		t.Errorf("stopped: %s, want %s", got, stops)
	}
}

// Twilio takes any other answer for an error of ours.
func TestWhatIsNobodysNumberIsIgnored(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	for _, from := range []string{"", "12345", "2015550101", "(201) 555-0101", "whatsapp:+12015550101", "messenger:1", "anonymous", "+", "+1 201"} {
		if got := d.writes(from, "STOP"); got != http.StatusOK {
			t.Errorf("%q is answered %d", from, got)
		}
	}
	if got := d.stopped(); got != "" {
		t.Errorf("stopped: %s", got)
	}
	d.hears()
}

// All in one life: two children, one mother and one number.
func TestAMotherIsRemindedOfTwoChildrenAndAnswers(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	d.rule(row{"offset_minutes": -24 * hour})
	ben, ada := d.client("Ben", nil), d.client("Ada", nil)
	mary := d.contact(ben, "Mary", row{"phone": "(201) 555-0102"}, row{"can_manage_appointments": true})
	d.link(ada, mary, nil)
	first := d.appointment(ben, "2026-12-10T15:00:00-05:00", nil)
	second := d.appointment(ada, "2026-12-10T16:00:00-05:00", nil)
	const number = "+12015550102"
	d.writes(number, "C") // to nothing
	d.hears("0102 C: other")
	d.at("2026-12-09T15:00:00-05:00")
	d.expect("sms +12015550102: for Ben")
	d.writes(number, "1")
	d.hears("0102 1: confirm " + first)
	d.at("2026-12-09T16:00:00-05:00")
	d.expect("sms +12015550102: for Ada")
	for _, text := range []string{"C", "1", "Confirm.", "we are late"} {
		d.writes(number, text)
		d.hears("0102 " + text + ": other " + sorted(first, second))
	}
	// Ben's visit is moved: his reminder is of another start now.
	d.move(first, "2026-12-14T15:00:00-05:00")
	d.expect("sms +12015550102: moved")
	d.writes(number, "c")
	d.hears("0102 c: confirm " + second)
	d.cancel(second)
	d.expect("sms +12015550102: is canceled")
	d.writes(number, "c")
	d.hears("0102 c: other " + second) // what the newest message was about
	// CANCEL is a STOP: it cancels nothing, and says nothing to anybody.
	d.writes(number, "CANCEL")
	d.hears("0102 CANCEL: opt_out " + second)
	d.expect()
	if got := d.value(`SELECT status::text FROM rappel.appointments WHERE id = $1`, first); got != "scheduled" {
		t.Errorf("the visit is %s", got)
	}
	d.at("2026-12-13T15:00:00-05:00")
	d.expect()
	d.expectDecision("appointment.reminder", first, "unreachable", "client Ben by sms: no_address", "contact Mary by sms: opted_out")
}

func sorted(ids ...string) string {
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func TestAReplyBelongsToTheMessageOfTheLastFourDays(t *testing.T) {
	t.Parallel()
	for after, about := range map[time.Duration]bool{
		95*time.Hour + 59*time.Minute: true,
		96*time.Hour + time.Minute:    false,
	} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			d := newAnswered(t)
			d.rule(row{"offset_days": -7})
			visit := d.longBooked(d.client("Ann", row{"phone": "201.555.0101"}), "2026-11-30T10:00:00-05:00")
			d.sweep()
			d.expect("sms +12015550101: Reminder")
			d.wait(after - time.Second)
			d.writes("+12015550101", "C")
			d.writes("+12015550101", "STOP")
			want := []string{"0101 C: other", "0101 STOP: opt_out"}
			practice := "all"
			if about {
				want, practice = []string{"0101 C: confirm " + visit, "0101 STOP: opt_out " + visit}, d.practice
			}
			d.hears(want...)
			if got := d.value(`SELECT coalesce(practice_id::text, 'all') FROM rappel.opt_outs`); got != practice {
				t.Errorf("the STOP binds %s", got)
			}
		})
	}
}

func TestAfterSTOPNothingGoesAndAfterSTARTNothingIsMadeUpFor(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	d.rule(row{"offset_minutes": -48 * hour})
	d.rule(row{"offset_minutes": -24 * hour})
	d.rule(row{"offset_minutes": -2 * hour})
	ann := d.client("Ann", row{"phone": "(201) 555-0101"})
	visit := d.book(ann, thursday)
	d.expect("sms +12015550101: is booked")
	const number = "+12015550101"
	d.writes(number, "START") // without a STOP
	d.writes(number, "STOP")
	d.writes(number, "Stop") // and again
	d.hears("0101 START: opt_in "+visit, "0101 STOP: opt_out "+visit, "0101 Stop: opt_out "+visit)
	if got := d.stopped(); got != "0101" {
		t.Errorf("stopped: %s", got)
	}
	d.confirm(visit)
	d.notice("form.sent", ann, "", `{}`)
	d.at("2026-12-08T15:00:00-05:00")
	d.expect()
	d.expectDecision("appointment.reminder", visit, "unreachable", "client Ann by sms: opted_out")
	d.writes(number, "START")
	d.writes(number, "unstop")
	d.hears("0101 START: opt_in", "0101 unstop: opt_in") // all that was sent is long ago
	d.pass(time.Minute)
	d.pass(time.Hour)
	d.expect() // what was missed is not made up for
	d.at("2026-12-09T15:00:00-05:00")
	d.expect("sms +12015550101: Reminder")
	d.writes(number, "C")
	d.hears("0101 C: confirm " + visit)
	d.at("2026-12-10T13:00:00-05:00")
	d.expect("sms +12015550101: Reminder")
	d.expectClosed(3)
}

func TestASTOPReachesWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	d.rule(row{"offset_minutes": -24 * hour})
	ann := d.client("Ann", row{"phone": "+12015550101"})
	d.longBooked(ann, "2026-12-11T06:00:00-05:00")
	d.inbox.always(&answer{status: 503})
	booked := d.book(ann, thursday)
	d.notice("form.sent", ann, "", `{}`)
	d.at("2026-12-10T06:00:00-05:00") // the reminder waits for the window
	d.settle()
	d.inbox.always(nil)
	d.writes("+12015550101", "STOP")
	d.hears("0101 STOP: opt_out " + booked) // which may have arrived
	d.pass(3 * time.Hour)
	d.expect()
	got := d.ledger(t.Context())
	if !slices.Contains(got, "appointment.reminder to Ann by sms: suppressed, opted_out") {
		t.Errorf("the ledger holds %v", got)
	}

	// What is being tried again, too; START does not bring it back.
	bea := d.client("Bea", row{"phone": "+12015550102"})
	d.inbox.always(&answer{status: 503})
	booked = d.book(bea, "2026-12-20T15:00:00-05:00")
	d.settle()
	d.inbox.always(nil)
	d.writes("+12015550102", "STOP")
	d.hears("0102 STOP: opt_out " + booked)
	d.pass(10 * time.Minute)
	d.expectInLedger("appointment.booked to Bea by sms: suppressed, opted_out")
	d.writes("+12015550102", "START")
	d.hears("0102 START: opt_in")
	d.pass(10 * time.Minute)
	d.expect()
	d.expectClosed(4)
}

// expectInLedger fails the test unless the ledger holds the line.
func (d *direct) expectInLedger(line string) {
	d.t.Helper()
	d.settle()
	if got := d.ledger(d.t.Context()); !slices.Contains(got, line) {
		d.t.Errorf("the ledger holds %v, without %s", got, line)
	}
}

// What several practices share is one number of ours and one of theirs.
func TestASTOPToOneNumberOfSeveralPractices(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	oak := d.insert("practices", row{"name": "Oak Street Practice", "time_zone": "America/New_York"})
	fir := d.insert("practices", row{"name": "Fir Street Practice", "time_zone": "America/New_York"})
	people := map[string]string{}
	for _, practice := range []string{d.practice, oak, fir} {
		people[practice] = d.client("Ann", row{"phone": "+12015550101", "practice_id": practice})
	}
	invite := func(practices ...string) {
		for _, p := range practices {
			d.notice("portal.invited", people[p], "", `{}`)
		}
	}
	const elmTold, oakTold, firTold = "sms +12015550101: Elm Street", "sms +12015550101: Oak Street", "sms +12015550101: Fir Street"
	invite(d.practice, oak)
	d.expect(elmTold, oakTold)
	d.writes("+12015550101", "STOP")
	d.hears("0101 STOP: opt_out")
	invite(d.practice, oak, fir)
	d.expect(firTold) // who has not written is not bound
	d.writes("+12015550101", "START")
	d.hears("0101 START: opt_in")
	invite(d.practice, oak, fir)
	d.expect(elmTold, oakTold, firTold)
	d.wait(97 * time.Hour)
	d.writes("+12015550101", "STOP") // to nobody: it binds all
	d.hears("0101 STOP: opt_out")
	invite(d.practice, oak, fir)
	d.expect()
	d.wait(time.Hour)
	d.writes("+12015550101", "START")
	d.hears("0101 START: opt_in")
	invite(fir)
	d.expect(firTold)
}

func TestAReplyReachesTheMainAppOnceAndARefusalIsCounted(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	visit := d.book(d.client("Ann", row{"phone": "+12015550101"}), thursday)
	d.expect("sms +12015550101: is booked")
	d.inbox.answers(answer{status: 502}, answer{}) // answered wrongly, and cut
	d.writes("+12015550101", "Thank you")
	d.until("the reply is tried three times", func(context.Context) bool {
		d.clock.set(d.clock.Now().Add(10 * time.Second))
		n := 0
		for _, r := range d.inbox.tried() {
			if r.path == "/replies" {
				n++
			}
		}
		return n >= 3
	})
	keys := map[string]bool{}
	for _, r := range d.inbox.tried() {
		if r.path == "/replies" {
			keys[r.key] = true
		}
	}
	if len(keys) != 1 {
		t.Errorf("asked under %d keys", len(keys))
	}
	d.hears("0101 Thank you: other " + visit)
	d.inbox.answers(answer{status: 404})
	d.writes("+12015550101", "Hello?")
	d.hears()
	d.shows(`rappel_replies_total{meaning="other"}`, 2)
	d.shows(`rappel_replies_passed_total{outcome="posted"}`, 1)
	d.shows(`rappel_replies_passed_total{outcome="dropped"}`, 1)
	if left := d.value(`SELECT count(body)::text FROM rappel.replies`); left != "0" {
		t.Errorf("%s replies still have their words", left)
	}
}

// Twilio writes a number in one way, people and practices in many.
func TestANumberIsTheSameHoweverItIsSpelt(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	d.update("practices", d.practice, "country = 'GB', time_zone = 'Europe/London'")
	ann := d.client("Ann", row{"phone": "07400 123456"})
	d.contact(ann, "Bob", row{"phone": "(0044) 7400-123457"}, nil)
	const hers, his = "+447400123456", "+447400123457"
	visit := d.book(ann, thursday)
	d.expect("sms "+hers+": is booked", "sms "+his+": is booked")
	d.writes(hers, "STOP")
	d.hears(hers + " STOP: opt_out " + visit)
	d.stop("07400 123 457") // at the desk
	d.book(ann, thursday)
	d.expect()
	d.writes(hers, "START")
	d.writes(his, "START")
	d.hears(hers+" START: opt_in "+visit, his+" START: opt_in "+visit)
	d.book(ann, thursday)
	d.expect("sms " + hers + ": is booked") // what the desk noted of his stays
}

func TestASTARTTakesBackWhatTheSTOPDid(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	oak := d.insert("practices", row{"name": "Oak Street Practice", "time_zone": "America/New_York"})
	fir := d.insert("practices", row{"name": "Fir Street Practice", "time_zone": "America/New_York"})
	d.put("opt_outs", row{"practice_id": fir, "channel": "sms", "address": "(201) 555-0101", "source": "desk"})
	elms, oaks := d.client("Ann", row{"phone": "+12015550101"}), d.client("Ann", row{"phone": "+12015550101", "practice_id": oak})
	d.notice("portal.invited", elms, "", `{}`)
	d.expect("sms +12015550101: Elm Street")
	d.wait(95 * time.Hour)
	d.notice("portal.invited", oaks, "", `{}`)
	d.expect("sms +12015550101: Oak Street")
	d.writes("+12015550101", "STOP")
	d.wait(2 * time.Hour)
	d.writes("+12015550101", "START") // Elm Street, which is silent since, wrote too long ago
	d.hears("0101 STOP: opt_out", "0101 START: opt_in")
	if got := d.value(`SELECT coalesce(string_agg(practice_id::text, ' '), '') FROM rappel.opt_outs WHERE revoked_at IS NULL`); got != fir {
		t.Errorf("still stopped: %s; what Fir Street noted at its desk, %s, stays", got, fir)
	}
}

// A message does not move to the other channel because of a STOP, and says why.
func TestASTOPWithAnotherChannelSaysSo(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	d.update("practices", d.practice, "channel_fallback = true")
	ann := d.client("Ann", row{"phone": "+12015550101", "email": "ann@example.com"})
	d.inbox.always(&answer{status: 503})
	d.notice("portal.invited", ann, "", `{}`)
	d.settle()
	d.inbox.always(nil)
	d.writes("+12015550101", "STOP")
	d.hears("0101 STOP: opt_out")
	d.pass(10 * time.Minute)
	d.expectLedger("portal.invited to Ann by sms: suppressed, opted_out")
	d.notice("portal.invited", ann, "", `{}`) // what is decided from now on
	d.expect("email ann@example.com: ")
}

func TestAReminderThatMayHaveArrivedIsNotGuessedAway(t *testing.T) {
	t.Parallel()
	for name, digest := range map[string]bool{"of each child": false, "of the family": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newAnswered(t)
			d.rule(row{"offset_minutes": -24 * hour})
			ben, ada := d.client("Ben", nil), d.client("Ada", nil)
			mary := d.contact(ben, "Mary", row{"phone": "+12015550102"}, nil)
			d.link(ada, mary, nil)
			first := d.longBooked(ben, "2026-12-10T15:00:00-05:00")
			second := d.longBooked(ada, "2026-12-10T15:30:00-05:00")
			if digest {
				d.update("practices", d.practice, "family_digest = true")
			} else {
				d.at("2026-12-09T15:00:00-05:00")
				d.expect("sms +12015550102: for Ben")
			}
			d.inbox.answers(answer{}) // the main app has it, and its answer is lost
			d.at("2026-12-09T15:30:00-05:00")
			d.settle()
			d.writes("+12015550102", "C")
			d.hears("0102 C: other " + sorted(first, second))
		})
	}
}

// Somebody may be quicker than the answer to the request that wrote to them.
func TestAReminderWhoseAnswerIsOnItsWayIsNotGuessedAway(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	d.rule(row{"offset_minutes": -24 * hour})
	ben, ada := d.client("Ben", nil), d.client("Ada", nil)
	mary := d.contact(ben, "Mary", row{"phone": "+12015550102"}, nil)
	d.link(ada, mary, nil)
	first := d.longBooked(ben, "2026-12-10T15:00:00-05:00")
	second := d.longBooked(ada, "2026-12-10T15:30:00-05:00")
	d.at("2026-12-09T15:00:00-05:00")
	d.expect("sms +12015550102: for Ben")
	answered := make(chan struct{})
	d.inbox.answers(answer{status: 202, body: `{"message_id":"m"}`, after: answered})
	d.at("2026-12-09T15:30:00-05:00")
	d.until("the main app is asked", func(context.Context) bool { return len(d.inbox.tried()) == 2 })
	d.writes("+12015550102", "C")
	d.hears("0102 C: other " + sorted(first, second))
	close(answered)
	d.expect("sms +12015550102: for Ada")
}

// What was never asked of the main app is on nobody's phone.
func TestAReminderThatCannotHaveArrivedIsNotAsked(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	d.rule(row{"offset_minutes": -24 * hour})
	ben, ada := d.client("Ben", nil), d.client("Ada", nil)
	mary := d.contact(ben, "Mary", row{"phone": "+12015550102"}, nil)
	d.link(ada, mary, nil)
	first := d.longBooked(ben, "2026-12-10T15:00:00-05:00")
	d.longBooked(ada, "2026-12-10T15:30:00-05:00")
	d.at("2026-12-09T15:00:00-05:00")
	d.expect("sms +12015550102: for Ben")
	d.inbox.always(&answer{status: 429})
	d.at("2026-12-09T15:30:00-05:00")
	d.untilTrue("it was not taken", `SELECT count(*) = 1 FROM rappel.notifications WHERE status = 'pending' AND attempts = 0 AND body IS NOT NULL`)
	d.writes("+12015550102", "C")
	d.untilTrue("it is understood", `SELECT count(*) = 1 FROM rappel.replies`)
	if got := d.value(`SELECT meaning || ' ' || array_to_string(appointment_ids, ' ') FROM rappel.replies`); got != "confirm "+first {
		t.Errorf("it is %s, want confirm %s", got, first)
	}
	d.untilTrue("it was not taken", `SELECT count(*) = 1 FROM rappel.replies WHERE not_before > received_at AND claim_id IS NULL`)
	d.inbox.always(nil)
	d.pass(time.Hour)
	d.hears("0102 C: confirm " + first)
	d.expect("sms +12015550102: for Ada")
}

func TestASTOPBindsWhoseMessageMayHaveArrived(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	oak := d.insert("practices", row{"name": "Oak Street Practice", "time_zone": "America/New_York"})
	elms, oaks := d.client("Ann", row{"phone": "+12015550101"}), d.client("Ann", row{"phone": "+12015550101", "practice_id": oak})
	d.notice("portal.invited", elms, "", `{}`)
	d.expect("sms +12015550101: Elm Street")
	d.inbox.answers(answer{})
	d.notice("portal.invited", oaks, "", `{}`)
	d.settle()
	id := d.value(`SELECT id::text FROM rappel.notifications WHERE practice_id = $1`, oak)
	d.writes("+12015550101", "STOP")
	d.hears("0101 STOP: opt_out")
	if n := d.value(`SELECT count(DISTINCT practice_id)::text FROM rappel.opt_outs WHERE practice_id IS NOT NULL`); n != "2" {
		t.Errorf("it binds %s practices, and not the one whose message %s it answers", n, id)
	}
	if got := d.value(`SELECT notification_id::text FROM rappel.replies`); got != id {
		t.Errorf("it belongs to message %s, not to the newest, %s", got, id)
	}
	d.pass(10 * time.Minute)
	d.expect()
}
