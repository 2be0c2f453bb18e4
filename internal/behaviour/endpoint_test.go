package behaviour_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/config"
)

func TestWhatTheEndpointsAreSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.text("appointment.booked", "Booked.")
	ann := w.client("Ann", row{"phone": "+12015550101"})
	bea := w.client("Bea", row{"preferred_method": "email"})
	mary := w.contact(bea, "Mary", row{"email": "mary@example.com"}, nil)
	first := w.book(ann, thursday)
	w.expect("sms +12015550101: Booked.")
	second := w.book(bea, thursday)
	w.expect("email mary@example.com: Elm Street Practice | Booked.")

	tries := w.inbox.tried()
	sms, mail := tries[0], tries[1]
	compare(t, sms, map[string]any{
		"notification_id": sms.key, "practice_id": w.practice, "client_id": ann, "contact_id": nil, "appointment_id": first,
		"kind": "appointment.booked", "to": "+12015550101", "body": "Booked.",
	})
	compare(t, mail, map[string]any{
		"notification_id": mail.key, "practice_id": w.practice, "client_id": bea, "contact_id": mary, "appointment_id": second,
		"kind": "appointment.booked", "to": map[string]any{"email": "mary@example.com", "name": "Mary Lee"},
		"reply_to": "desk@elm.example.com", "subject": "Elm Street Practice", "text": "Booked.",
	})
	if got := sms.header.Get("User-Agent") + " " + sms.header.Get("Content-Type"); got != "rappel/test application/json" {
		t.Errorf("headers: %s", got)
	}
}

// The first message after a start has the fields that the main app offers, and a
// retry has the same ones.
func TestAMessageSaysUntilWhenItIsOfUse(t *testing.T) {
	t.Parallel()
	w := openWorld(t, monday, func(w *world) {
		w.cfg.SMSVia, w.cfg.EmailVia = config.ViaAdmin, config.ViaAdmin
		w.inbox.batchMax, w.inbox.features = 1, `"expires_at","tomorrow's"`
	})
	w.inbox.answers(answer{status: 503})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect()
	w.pass(time.Minute)
	w.expect("sms +12015550101: is booked")
	tries := w.inbox.tried()
	var body map[string]any
	if err := json.Unmarshal([]byte(tries[0].body), &body); err != nil || len(tries) != 2 || tries[0].body != tries[1].body {
		t.Fatalf("%d requests: %v", len(tries), err)
	}
	if want := instant(t, thursday).UTC().Format(time.RFC3339); body["expires_at"] != want {
		t.Errorf("of use until %v, want the start, %s", body["expires_at"], want)
	}
}

// compare fails the test unless the request's body is as wanted, whatever its
// HTML.
func compare(t *testing.T, got try, want map[string]any) {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatal(err)
	}
	delete(body, "html")
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("POST %s (-want +got):\n%s", got.path, diff)
	}
}

func TestWhatTheLedgerKeepsOfAMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.template(row{"name": "appointment.booked", "version": 7, "body": "Grüße, Zoë 🙂 [AppointmentDate] [AppointmentDate] [AppointmentDate]"})
	w.book(w.client("Ann", row{"phone": "(201) 555-0101"}), thursday)
	w.expect("sms +12015550101: Grüße")
	got := w.value(`SELECT concat_ws(' ', status, address, template, template_version, segments, attempts, message_id = 'm-' || id,
		sent_at, coalesce(body, subject, html, 'no text'), length(body_hash)) FROM rappel.notifications`)
	if want := "sent +12015550101 appointment.booked 7 2 1 t 2026-11-23 15:00:00+00 no text 32"; got != want {
		t.Errorf("the ledger holds\n%s, not\n%s", got, want)
	}
}

func TestAFailureIsRetriedWithTheVerySameRequest(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]answer{
		"500":              {status: 500},
		"503, later":       {status: 503, retryAfter: "30"},
		"408":              {status: 408},
		"409":              {status: 409},
		"425":              {status: 425},
		"HTML of a proxy":  {status: 502, html: true, body: "<h1>Bad gateway</h1>"},
		"a connection cut": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			w.inbox.answers(failure)
			ann := w.client("Ann", row{"email": "ann@example.com", "preferred_method": "email"})
			w.book(ann, thursday)
			w.expect()
			w.update("clients", ann, "first_name = 'Anna', last_name = 'Li', email = 'anna@example.com', locale = 'de'")
			w.update("practices", w.practice, "name = 'Oak Street Practice', email = 'desk@oak.example.com'")
			w.pass(time.Minute)
			w.expect("email ann@example.com: Hi Ann")
			tries := w.inbox.tried()
			if len(tries) != 2 || tries[0].key != tries[1].key || tries[0].body != tries[1].body {
				t.Errorf("these are not two requests alike: %+v", tries)
			}
			if n := w.value(`SELECT attempts::text FROM rappel.notifications`); n != "2" {
				t.Errorf("%s attempts", n)
			}
		})
	}
}

func TestTooManyRequestsIsHeededAndUsesUpNoAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(
		answer{status: 429, retryAfter: "120"},
		answer{status: 429, retryAfter: "Mon, 23 Nov 2026 15:05:00 GMT"},
		answer{status: 429, retryAfter: "86400"}, // more than an hour is not heeded
	)
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect()
	for _, wait := range []string{"2026-11-23T10:02:00-05:00", "2026-11-23T10:05:00-05:00", "2026-11-23T11:05:00-05:00"} {
		before := len(w.inbox.tried())
		w.wait(instant(t, wait).Sub(w.clock.Now()) - time.Second)
		w.expect()
		if len(w.inbox.tried()) != before {
			t.Errorf("asked again before %s", wait)
		}
		w.wait(time.Second)
		w.settle()
	}
	w.expect("sms +12015550101: is booked")
	if n := w.value(`SELECT attempts::text FROM rappel.notifications`); n != "1" {
		t.Errorf("%s attempts", n)
	}
}

func TestRetriesEndWhenTheMessageIsOfNoMoreUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.always(&answer{status: 503})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), "2026-11-23T11:00:00-05:00")
	for range 5 {
		w.pass(10 * time.Minute)
		w.expectLedger("appointment.booked to Ann by sms: pending")
	}
	w.pass(10 * time.Minute)
	w.inbox.always(nil)
	w.expectLedger("appointment.booked to Ann by sms: expired, past")
}

func TestARefusalIsForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	refusals := []answer{
		{status: 400},
		{status: 404, html: true, body: "<h1>Not found</h1>"},
		{status: 410},
		{status: 413},
		{status: 415},
		{status: 422, body: `{"code":"spam","detail":"Ann Lee at +12015550101"}`},
	}
	ann := w.client("Ann", row{"phone": "+12015550101"})
	var want []string
	for _, refusal := range refusals {
		w.inbox.answers(refusal)
		w.book(ann, thursday)
		w.expect()
		want = append(want, "appointment.booked to Ann by sms: failed, refused")
	}
	w.pass(time.Hour)
	w.expectLedger(want...)
	if n := len(w.inbox.tried()); n != len(refusals) {
		t.Errorf("%d requests", n)
	}
	if code := w.value(`SELECT string_agg(error_code, ' ') FROM rappel.notifications`); code != "spam" {
		t.Errorf("the ledger keeps code %q", code)
	}
}

func TestARefusalForAnOptOutSilencesTheNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101", "email": "ann@example.com", "preferred_method": "both"})
	w.inbox.answers(answer{status: 422, body: `{"code":"opted_out"}`})
	w.update("clients", ann, "preferred_method = 'sms'")
	w.book(ann, thursday)
	w.expect()
	w.update("clients", ann, "preferred_method = 'both'")
	visit := w.book(ann, thursday)
	w.expect("email ann@example.com: is booked")
	w.expectDecision("appointment.booked", visit, "notify", "client Ann by email: send", "client Ann by sms: opted_out")
	if got := w.value(`SELECT channel || ' ' || address FROM rappel.opt_outs WHERE practice_id = $1 AND revoked_at IS NULL`, w.practice); got != "sms +12015550101" {
		t.Errorf("opted out: %s", got)
	}
}

func TestAnAddressThatTheReceiverCannotUseIsLeftAloneForAMonth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	landline := w.client("Ann", row{"phone": "+12015550101"})
	w.inbox.answers(answer{status: 422, body: `{"code":"landline"}`})
	w.book(landline, thursday)
	w.expect()
	wrong := w.client("Bob", row{"email": "bob@example.com", "preferred_method": "email"})
	w.inbox.answers(answer{status: 400, body: `{"code":"invalid_address"}`})
	w.book(wrong, thursday)
	w.expect()
	w.expectDecision("appointment.booked", w.book(landline, thursday), "unreachable", "client Ann by sms: invalid_address")
	w.expectDecision("appointment.booked", w.book(wrong, thursday), "unreachable", "client Bob by email: invalid_address")

	w.update("clients", landline, "phone = '+12015550102'")
	w.book(landline, thursday)
	w.expect("sms +12015550102: is booked")
	w.exec(`UPDATE rappel.unusable_addresses SET refused_at = now() - interval '31 days'`)
	w.book(wrong, thursday)
	w.expect("email bob@example.com: is booked")
}

// A login page before the endpoints takes no message, whatever its status.
func TestAnHTMLPageIsNotAnAcceptance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 200, html: true, body: "<h1>Please sign in</h1>"})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect()
	w.expectLedger("appointment.booked to Ann by sms: pending")
	w.pass(time.Minute)
	w.expect("sms +12015550101: is booked")
	w.expectLedger("appointment.booked to Ann by sms: sent")
}

func TestJSONLabeledAsHTMLIsAnAcceptance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 200, html: true, body: `{"message_id":"m-1"}`})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect("sms +12015550101: is booked")
	w.expectLedger("appointment.booked to Ann by sms: sent")
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was asked elsewhere", r.Method, r.URL.Path)
	}))
	t.Cleanup(elsewhere.Close)
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 307, location: elsewhere.URL}, answer{status: 301, location: elsewhere.URL})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect()
	w.pass(time.Minute)
	w.expect()
	w.pass(time.Minute)
	w.expect("sms +12015550101: is booked")
}

func TestAChannelThatDoesNotKnowUsRestsAndTheOtherGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.inbox.answers(answer{status: 401})
	w.book(ann, thursday)
	w.expect()
	w.book(w.client("Bob", row{"email": "bob@example.com", "preferred_method": "email"}), thursday)
	w.expect("email bob@example.com: is booked")
	w.expectLedger("appointment.booked to Ann by sms: pending", "appointment.booked to Bob by email: sent")
	w.pass(time.Minute) // the token was mended meanwhile
	w.expect("sms +12015550101: is booked")
	if n := w.value(`SELECT attempts::text FROM rappel.notifications WHERE channel = 'sms'`); n != "1" {
		t.Errorf("%s attempts", n)
	}
}

func TestAReminderThatTheEndpointHeldUpYieldsToANearerOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(24*hour, "a day")
	w.reminds(2*hour, "two hours")
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T15:00:00-05:00")
	w.inbox.always(&answer{status: 503})
	w.at("2026-12-09T15:00:00-05:00")
	w.expect()
	w.at("2026-12-10T13:00:00-05:00")
	w.expect()
	w.inbox.always(nil)
	w.pass(10 * time.Minute)
	w.expect("sms +12015550101: two hours")
	w.expectLedger("appointment.reminder to Ann by sms: suppressed, superseded", "appointment.reminder to Ann by sms: sent")
}

func TestWhatTheReceiverNeverHadIsWrittenAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 401})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.book(ann, thursday)
	w.expect()
	w.update("clients", ann, "phone = '+12015550102'")
	w.pass(time.Minute)
	w.expect("sms +12015550102: is booked")
}
