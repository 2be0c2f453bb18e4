package behaviour_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"testing"
	"time"
)

// stands is what the ledger says of the only notification on a channel.
func (d *direct) stands(channel string) string {
	d.t.Helper()
	d.settle()
	return d.value(`SELECT concat_ws(' ', status, reason, attempts, via, coalesce(error_code, '-'),
		CASE WHEN message_id IS NULL THEN 'no id' END, CASE WHEN delivered_at IS NOT NULL THEN 'delivered at a time' END,
		CASE WHEN repeat_at IS NOT NULL THEN 'to be repeated' END, CASE WHEN repeated_at IS NOT NULL THEN 'repeated' END)
		FROM rappel.notifications WHERE channel = $1`, channel)
}

// expectStands fails the test unless the ledger says this of the only text
// message.
func (d *direct) expectStands(want string) {
	d.t.Helper()
	if got := d.stands("sms"); got != want {
		d.t.Errorf("the ledger holds %s, not %s", got, want)
	}
}

// expectStatus fails the test unless the ops server answered so.
func (d *direct) expectStatus(want, got int) {
	d.t.Helper()
	if got != want {
		d.t.Errorf("the ops server answered %d, not %d", got, want)
	}
}

// ann wants text messages, and bea e-mail.
func (d *direct) ann() string { d.t.Helper(); return d.client("Ann", row{"phone": "+12015550101"}) }

func (d *direct) bea() string {
	d.t.Helper()
	return d.client("Bea", row{"email": "ann@example.com", "preferred_method": "email"})
}

func TestATextByTwilioIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.book(d.ann(), thursday)
	d.expect("sms +12015550101: is booked")
	d.expectStands("sent 1 twilio -")
	m := d.carriers.message(0)
	if m.notification != d.value(`SELECT id::text FROM rappel.notifications`) || m.sid != d.value(`SELECT message_id FROM rappel.notifications`) ||
		m.form.Get("From") != "+15005550006" || m.callback.Scheme+"://"+m.callback.Host != publicURL {
		t.Errorf("Twilio was asked %v", m.form)
	}
	for _, state := range []string{"queued", "sent"} {
		d.expectStatus(204, d.callback(0, state))
		d.expectStands("sent 1 twilio -")
	}
	for _, state := range []string{"delivered", "delivered", "sent", "undelivered 30003"} {
		d.expectStatus(204, d.callback(0, state))
		d.expectStands("delivered 1 twilio - delivered at a time")
	}
}

func TestAnEmailBySendGridIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.book(d.bea(), thursday)
	d.expect("email ann@example.com: Hi Bea")
	if got := d.stands("email"); got != "sent 1 sendgrid -" {
		t.Errorf("the ledger holds %s", got)
	}
	stranger := d.event("bounce", map[string]any{"notification_id": "of another program"})
	d.expectStatus(204, d.events(stranger, d.event("delivered", nil), d.event("processed", nil)))
	d.expectStatus(204, d.events(d.event("deferred", map[string]any{"response": "ann@example.com is busy"}), d.event("open", nil)))
	if got := d.stands("email"); got != "delivered 1 sendgrid - delivered at a time" {
		t.Errorf("the ledger holds %s", got)
	}
}

func TestAConfirmationThatMayHaveGoneIsNeverSentAgain(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.carriers.answers(answer{})
	d.book(d.ann(), thursday)
	d.expect("sms +12015550101: is booked") // but nobody knows
	d.expectStands("unknown 1 twilio - no id")
	d.pass(10 * time.Minute)
	d.pass(24 * time.Hour)
	d.expectStands("unknown 1 twilio - no id")
	d.expectStatus(204, d.callback(0, "delivered"))
	d.expectStands("delivered 1 twilio - delivered at a time")
	if n := d.carriers.requests(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestABookingOutlastsAnOutageThatAnswers503(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.carriers.answers(answer{status: 503, body: `{"code":20503,"status":503}`, retryAfter: "30"}, answer{status: 503})
	d.book(d.ann(), thursday)
	d.expect()
	d.expectStands("pending 1 twilio - no id")
	d.wait(time.Minute)
	d.expect()
	d.wait(time.Minute)
	d.expect("sms +12015550101: is booked")
	d.expectStands("sent 3 twilio -")
	d.carriers.answers(answer{status: 503})
	d.book(d.bea(), thursday)
	d.expect()
	d.wait(time.Minute)
	d.expect("email ann@example.com: Hi Bea")
}

func TestAnUnregisteredNumberLosesNoMessage(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.carriers.answers(answer{status: 400, body: `{"code":30034,"status":400}`})
	d.book(d.ann(), thursday)
	d.expect()
	d.expectStands("pending 0 twilio - no id")
}

func TestATextThatWaitedTooLongAtTwilioHasExpired(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.book(d.ann(), thursday)
	d.expect("sms +12015550101: is booked")
	if got := d.carriers.message(0).form.Get("ValidityPeriod"); got != "36000" {
		t.Errorf("Twilio may keep it for %s s", got)
	}
	d.expectStatus(204, d.callback(0, "failed 30036"))
	d.expectStands("expired past 1 twilio 30036")
}

func TestWhoSubscribesAgainAtSendGridIsWrittenTo(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	bea := d.bea()
	d.book(bea, thursday)
	d.expect("email ann@example.com: Hi Bea")
	d.expectStatus(204, d.events(d.event("group_unsubscribe", nil)))
	d.expectDecision("appointment.booked", d.book(bea, friday), "unreachable", "client Bea by email: opted_out")
	d.expectStatus(204, d.events(d.event("group_resubscribe", nil)))
	d.book(bea, friday)
	d.expect("email ann@example.com: Hi Bea")
}

func TestARequestThatHangsMayHaveGone(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	letGo := make(chan struct{})
	t.Cleanup(func() { close(letGo) })
	d.carriers.answers(answer{status: 202, after: letGo})
	d.book(d.bea(), thursday)
	d.expect("email ann@example.com: Hi Bea")
	if got := d.stands("email"); got != "unknown 1 sendgrid - no id" {
		t.Errorf("the ledger holds %s", got)
	}
	d.pass(time.Hour)
	d.expectStatus(204, d.events(d.event("processed", nil)))
	if got := d.stands("email"); got != "sent 1 sendgrid - no id" {
		t.Errorf("the ledger holds %s", got)
	}
}

// reminded has a reminder, a day ahead, hang at Twilio.
func (d *direct) reminded() (visit string) {
	d.t.Helper()
	d.reminds(24*hour, "in a day")
	visit = d.longBooked(d.ann(), thursday)
	d.carriers.answers(answer{})
	d.at("2026-12-09T15:00:00-05:00")
	d.expect("sms +12015550101: in a day")
	d.expectStands("unknown 1 twilio - no id to be repeated")
	return visit
}

func TestAReminderThatMayHaveGoneIsSentOnceMoreAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []answer
		want    string
	}{
		"and taken":               {nil, "sent 2 twilio - repeated"},
		"and may have gone again": {[]answer{{}}, "unknown 2 twilio - no id repeated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDirect(t)
			d.reminded()
			d.carriers.answers(c.answers...)
			d.pass(5*time.Minute - time.Second)
			d.expect()
			d.pass(time.Second)
			d.expect("sms +12015550101: in a day")
			d.expectStands(c.want)
			d.pass(10 * time.Minute)
			d.pass(12 * time.Hour)
			d.expectStands(c.want)
			if a, b := d.carriers.message(0), d.carriers.message(1); a.notification != b.notification || a.form.Get("Body") != b.form.Get("Body") {
				t.Error("it was another message")
			}
			d.expectStatus(204, d.callback(0, "delivered"))
			d.expectStatus(204, d.callback(1, "undelivered 30003"))
			if got := d.value(`SELECT concat_ws(' ', status, repeated_at IS NOT NULL) FROM rappel.notifications`); got != "delivered t" {
				t.Errorf("the ledger holds %s", got)
			}
		})
	}
}

func TestAReminderWhoseReceiptComesInTimeIsNotSentOnceMore(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.reminded()
	d.pass(4 * time.Minute)
	d.expectStatus(204, d.callback(0, "sent"))
	d.pass(time.Hour)
	d.expectStands("sent 1 twilio -")
}

func TestAReminderThatMayHaveGoneIsNotSentOnceMoreWhenItIsNoLongerRight(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	visit := d.reminded()
	d.change(visit, "status = 'cancelled'")
	d.pass(5 * time.Minute)
	d.expectStands("unknown 1 twilio - no id")
}

func TestARepeatThatTheCarrierDidNotTakeIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.reminded()
	d.carriers.answers(answer{status: 429, retryAfter: "120", body: `{"code":20429,"status":429}`})
	d.pass(5 * time.Minute)
	d.expectStands("unknown 1 twilio - no id to be repeated")
	d.pass(2*time.Minute - time.Second)
	d.expect()
	d.pass(10 * time.Minute)
	d.expect("sms +12015550101: in a day")
	d.expectStands("sent 2 twilio - repeated")
}

func TestWhatAKilledProcessWasSendingMayHaveGone(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.carriers.answers(answer{status: 429, retryAfter: "60", body: `{"code":20429,"status":429}`})
	d.book(d.ann(), thursday)
	d.expectStands("pending 0 twilio - no id")
	d.exec(`UPDATE rappel.notifications SET status = 'sending', attempts = 1, claim_id = id, claimed_until = now() - interval '1 s'`)
	d.wait(2 * time.Minute)
	d.expectStands("unknown 1 twilio - no id")
	d.pass(time.Hour)
	if n := d.carriers.requests(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestANumberThatSaidStopToTwilioIsLeftAlone(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	ann := d.ann()
	d.carriers.answers(answer{status: 400, body: `{"code":21610,"message":"Ann +12015550101 has stopped","status":400}`})
	d.book(ann, thursday)
	d.expectStands("failed refused 1 twilio opted_out no id")
	d.expectDecision("appointment.booked", d.book(ann, friday), "unreachable", "client Ann by sms: opted_out")
	if got := d.value(`SELECT channel || ' ' || address || ' ' || source FROM rappel.opt_outs WHERE practice_id = $1`, d.practice); got != "sms +12015550101 twilio" {
		t.Errorf("opted out: %s", got)
	}
}

func TestANumberThatTwilioCallsALandlineIsLeftAlone(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	ann := d.ann()
	d.book(ann, thursday)
	d.expect("sms +12015550101: is booked")
	d.expectStatus(204, d.callback(0, "undelivered 30006"))
	d.expectStands("undelivered 1 twilio 30006")
	d.refusedToday()
	d.expectDecision("appointment.booked", d.book(ann, friday), "unreachable", "client Ann by sms: invalid_address")
}

// refusedToday has what was said of addresses count for a month from today: it
// goes by the machine's clock, and these tests may run in any year.
func (d *direct) refusedToday() {
	d.t.Helper()
	d.exec(`UPDATE rappel.unusable_addresses SET refused_at = now()`)
}

func TestAnAddressThatBouncesIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, bounced := range map[string]map[string]any{
		"a bounce": {"event": "bounce", "type": "bounce", "reason": "550 5.1.1 <ann@example.com>: unknown", "status": "5.1.1", "bounce_classification": "Invalid Address"},
		"a drop":   {"event": "dropped", "reason": "Bounced Address", "status": "5.1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDirect(t)
			bea := d.bea()
			d.book(bea, thursday)
			d.expect("email ann@example.com: Hi Bea")
			d.expectStatus(204, d.events(d.event("", bounced)))
			if got := d.stands("email"); got != "undelivered 1 sendgrid 5.1.1" {
				t.Errorf("the ledger holds %s", got)
			}
			d.refusedToday()
			d.expectDecision("appointment.booked", d.book(bea, friday), "unreachable", "client Bea by email: invalid_address")
		})
	}
}

func TestWhoReportsSpamIsLeftAlone(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	bea := d.bea()
	d.book(bea, thursday)
	d.expect("email ann@example.com: Hi Bea")
	d.expectStatus(204, d.events(d.event("delivered", nil)))
	report := d.event("spamreport", nil)
	d.expectStatus(204, d.events(report, report))
	if got := d.stands("email"); got != "delivered 1 sendgrid - delivered at a time" {
		t.Errorf("the ledger holds %s", got)
	}
	d.expectDecision("appointment.booked", d.book(bea, friday), "unreachable", "client Bea by email: opted_out")

	d.exec(`UPDATE rappel.opt_outs SET revoked_at = $1`, d.clock.Now().Add(time.Second))
	d.expectStatus(204, d.events(report)) // told again after the person came back
	d.book(bea, friday)
	d.expect("email ann@example.com: Hi Bea")
}

func TestWhatTwilioDidNotSignChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.book(d.ann(), thursday)
	d.book(d.client("Bob", row{"phone": "+12015550102"}), thursday)
	d.expect("sms +12015550101: is booked", "sms +12015550102: is booked")
	other := d.carriers.message(1).notification
	for name, forge := range map[string]func(*callback){
		"another token":          func(c *callback) { c.token = "another" },
		"no token":               func(c *callback) { c.token = "" },
		"another status":         func(c *callback) { c.after = func(c *callback) { c.form.Set("MessageStatus", "undelivered") } },
		"a field more":           func(c *callback) { c.after = func(c *callback) { c.form.Set("ErrorCode", "30006") } },
		"a field twice":          func(c *callback) { c.after = func(c *callback) { c.form.Add("MessageStatus", "undelivered") } },
		"another notification":   func(c *callback) { c.after = func(c *callback) { c.url = with(c.url, "notification", other) } },
		"another webhook's path": func(c *callback) { c.after = func(c *callback) { c.url = &url.URL{Path: "/webhooks/twilio/status"} } },
	} {
		if got := d.callback(0, "delivered", forge); got != 403 {
			t.Errorf("%s: answered %d", name, got)
		}
	}
	d.expectLedger("appointment.booked to Ann by sms: sent", "appointment.booked to Bob by sms: sent")
}

// with is a URL with another value in its query.
func with(u *url.URL, name, value string) *url.URL {
	changed, query := *u, u.Query()
	query.Set(name, value)
	changed.RawQuery = query.Encode()
	return &changed
}

func TestWhatSendGridDidNotSignChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.book(d.bea(), thursday)
	d.expect("email ann@example.com: Hi Bea")
	another, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal([]any{d.event("spamreport", nil), d.event("delivered", nil)})
	if err != nil {
		t.Fatal(err)
	}
	now := d.clock.Now().Unix()
	for name, got := range map[string]int{
		"another key":    d.signed(another, now, body, body),
		"another body":   d.signed(d.key, now, []byte("[]"), body),
		"an old one":     d.signed(d.key, now-25*3600, body, body),
		"none":           d.post("/webhooks/sendgrid/events", string(body), nil),
		"as the carrier": d.post("/webhooks/sendgrid/events", string(body), map[string]string{"Authorization": "Bearer " + apiKey}),
	} {
		if got != 403 {
			t.Errorf("%s: answered %d", name, got)
		}
	}
	d.expectLedger("appointment.booked to Bea by email: sent")
	if n := d.value(`SELECT count(*)::text FROM rappel.opt_outs`); n != "0" {
		t.Errorf("%s opt-outs", n)
	}
}

func TestTheMainAppTellsWhatBecameOfAMessage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, want, next string
	}{
		"it arrived":           {`"delivered"`, "delivered 1 admin - delivered at a time", "send"},
		"it did not":           {`"undelivered","error_code":"30003"`, "undelivered 1 admin 30003", "send"},
		"it did not, and why":  {`"undelivered","error_code":"landline"`, "undelivered 1 admin landline", "invalid_address"},
		"the person said stop": {`"opted_out"`, "sent 1 admin -", "opted_out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newHooked(t)
			ann := d.ann()
			d.book(ann, thursday)
			d.expect("sms +12015550101: is booked")
			body := `{"notification_id":"` + d.value(`SELECT id::text FROM rappel.notifications`) + `","status":` + c.status + `}`
			d.expectStatus(403, d.post("/webhooks/admin/status", body, nil))
			d.expectStands("sent 1 admin -")
			d.expectStatus(204, d.status(body))
			d.expectStatus(204, d.status(body))
			d.expectStands(c.want)
			d.refusedToday()
			visit, outcome := d.book(ann, friday), "unreachable"
			if c.next == "send" {
				outcome = "notify"
				d.expect("sms +12015550101: is booked")
			}
			d.expectDecision("appointment.booked", visit, outcome, "client Ann by sms: "+c.next)
		})
	}
}

func TestTheMainAppIsToldWhatItToldWrong(t *testing.T) {
	t.Parallel()
	d := newHooked(t)
	d.expectStatus(404, d.status(`{"notification_id":"`+newID()+`","status":"delivered"}`))
	d.expectStatus(400, d.status(`{"notification_id":"Ann","status":"delivered"}`))
	d.expectStatus(400, d.status(`{"notification_id":"`+newID()+`","status":"Ann"}`))
	if _, err := d.db.Exec(context.WithoutCancel(t.Context()), `ALTER TABLE rappel.notifications RENAME TO hidden`); err != nil {
		t.Fatal(err)
	}
	d.expectStatus(503, d.status(`{"notification_id":"`+newID()+`","status":"delivered"}`))
	d.exec(`ALTER TABLE rappel.hidden RENAME TO notifications`)
}
