package behaviour_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestThePracticesOwnTextComesBeforeTheDefaultBeforeTheBuiltIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.book(ann, thursday)
	w.expect("sms +12015550101: Your appointment with Elm Street Practice")
	w.template(row{"name": "appointment.booked", "practice_id": nil, "audience": "client", "body": "The default."})
	w.book(ann, thursday)
	w.expect("sms +12015550101: The default.")
	own := w.template(row{"name": "appointment.booked", "body": "Our own."})
	w.book(ann, thursday)
	w.expect("sms +12015550101: Our own.")
	w.update("templates", own, "active = false")
	w.book(ann, thursday)
	w.expect("sms +12015550101: The default.")
}

func TestEverybodyReadsTheTextForThemInTheirLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101", "locale": "es-MX"})
	w.contact(ann, "Bob", row{"phone": "+12015550102", "locale": "de"}, nil)
	w.contact(ann, "Cat", row{"phone": "+12015550103"}, nil)
	w.book(ann, thursday)
	w.expect("sms +12015550101: jueves, 10 de diciembre de 2026", "sms +12015550102: Donnerstag, 10. Dezember 2026", "sms +12015550103: Thursday, December 10, 2026")

	for locale, body := range map[string]string{"en": "For all: [AppointmentDay]", "es": "Para todos: [AppointmentDay]"} {
		w.template(row{"name": "appointment.booked", "locale": locale, "body": body})
	}
	w.template(row{"name": "appointment.booked", "audience": "contact", "body": "For contacts: [AppointmentDay]"})
	w.book(ann, thursday)
	w.expect("sms +12015550101: Para todos: jueves", "sms +12015550102: For contacts: Thursday", "sms +12015550103: For contacts: Thursday")
}

func TestABrokenTextStopsItsOwnMessagesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	for name, body := range map[string]string{
		"unknown":  "Hello [RecipientNmae]",
		"unclosed": "Hello [If ClientName]you",
		"stray":    "Hello [End]",
	} {
		w.rule(row{"kind": "scheduled", "name": name, "anchor": "booked", "offset_minutes": 1, "template": name})
		w.template(row{"name": name, "audience": "contact", "body": body})
		w.template(row{"name": name, "audience": "client", "body": "Fine: " + name})
	}
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.contact(ann, "Bob", row{"phone": "+12015550102"}, nil)
	w.appointment(ann, thursday, nil)
	w.pass(time.Minute)
	w.expect("sms +12015550101: Fine: unknown", "sms +12015550101: Fine: unclosed", "sms +12015550101: Fine: stray")
	broken, sent := "appointment.scheduled to Bob by sms: suppressed, bad_template", "appointment.scheduled to Ann by sms: sent"
	w.expectLedger(broken, broken, broken, sent, sent, sent)
}

func TestARuleWithoutATextForTheChannelSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.template(row{"name": "papers", "channel": "sms", "body": "Please fill in the papers."})
	w.rule(row{"kind": "scheduled", "anchor": "booked", "offset_minutes": 1, "template": "papers"})
	w.appointment(w.client("Ann", row{"phone": "+12015550101", "email": "ann@example.com", "preferred_method": "both"}), thursday, nil)
	w.pass(time.Minute)
	w.expect("sms +12015550101: Please fill in the papers.")
	w.expectLedger("appointment.scheduled to Ann by sms: sent", "appointment.scheduled to Ann by email: suppressed, bad_template")
}

func TestWhatIsEmptyOnceWrittenIsNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.template(row{"name": "appointment.booked", "body": "[If ManageLink]Manage: [ManageLink][End] "})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.contact(ann, "Bob", row{"phone": "+12015550102"}, nil)
	w.tell("appointment.booked", w.appointment(ann, thursday, row{"manage_url": "https://elm.example.com/m/1"}))
	w.expect("sms +12015550101: Manage: https://elm.example.com/m/1")
	w.expectLedger("appointment.booked to Ann by sms: sent", "appointment.booked to Bob by sms: suppressed, empty_body")
}

func TestANameIsNeverReadAsATemplate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.template(row{"name": "appointment.booked", "body": "Dear [RecipientFirstName], [bring your card]"})
	w.book(w.client("[PracticeName]", row{"phone": "+12015550101"}), thursday)
	w.expect("sms +12015550101: Dear [PracticeName], [bring your card]")
}

func TestAnEmailIsTextAndHTMLWithEveryValueEscaped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.template(row{"name": "appointment.booked", "channel": "email", "subject": "For [RecipientFirstName]", "body": "Dear [RecipientFirstName],\n\nsee you."})
	w.book(w.client("<b>Ann</b>\nLee", row{"email": "ann@example.com", "preferred_method": "email"}), thursday)
	w.expect("email ann@example.com: For <b>Ann</b> Lee | Dear <b>Ann</b>")
	var mail struct{ HTML string }
	if err := json.Unmarshal([]byte(w.inbox.tried()[0].body), &mail); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(mail.HTML, "&lt;b&gt;Ann&lt;/b&gt;") || strings.Contains(mail.HTML, "<b>Ann") {
		t.Errorf("not escaped: %s", mail.HTML)
	}
}

func TestTimesOfAVisitInPersonAreThoseOfItsPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.text("appointment.booked", "[AppointmentDate] [AppointmentTime] to [AppointmentEndTime], [AppointmentDuration]")
	ann := w.client("Ann", row{"phone": "+12015550101", "time_zone": "America/Los_Angeles"})
	w.contact(ann, "Bob", row{"phone": "+12015550102"}, nil)
	w.tell("appointment.booked", w.appointment(ann, thursday, row{"time_zone": "America/Chicago"}))
	w.expect(
		"sms +12015550101: Thursday, December 10, 2026 2:00 PM Central Time to 2:50 PM Central Time, 50 minutes",
		"sms +12015550102: Thursday, December 10, 2026 2:00 PM to 2:50 PM, 50 minutes",
	)
}

func TestATextMayChangeUntilTheFirstTry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	text := w.template(row{"name": "appointment.reminder", "body": "Old.", "version": 1})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T06:00:00-05:00", nil)
	w.at("2026-12-09T06:00:00-05:00")
	w.update("templates", text, "body = 'New.', version = 2")
	w.inbox.answers(answer{status: 500})
	w.at("2026-12-09T08:00:00-05:00")
	w.expect()
	w.update("templates", text, "body = 'Newest.', version = 3")
	w.pass(time.Minute)
	w.expect("sms +12015550101: New.")
	if v := w.value(`SELECT template_version::text FROM rappel.notifications`); v != "2" {
		t.Errorf("the ledger says version %s", v)
	}
}
