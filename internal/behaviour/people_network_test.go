package behaviour_test

import (
	"testing"
	"time"
)

// Ben is a client, and a contact of Ann's without an address of his own there.
func (w *world) annAndBen(link row) (ann, ben, contact string) {
	w.t.Helper()
	ann = w.client("Ann", row{"phone": "+12015550101", "email": "ann@example.com"})
	ben = w.client("Ben", row{"phone": "(201) 555-0102", "email": "ben@example.com", "preferred_method": "none"})
	return ann, ben, w.contact(ann, "Ben", row{"client_id": ben}, link)
}

func TestAContactWhoIsAClientIsReachedWhereTheyAreAsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann, ben, contact := w.annAndBen(everyRight())
	w.book(ann, thursday) // by Ann's method, whatever Ben wants for himself
	w.expect("sms +12015550101: Your appointment", "sms +12015550102: for Ann")

	w.inbox.always(&answer{status: 401}) // nothing leaves
	w.book(ann, thursday)
	w.settle()
	w.update("clients", ben, "phone = '+12015550103'")
	w.inbox.always(nil)
	w.pass(time.Hour)
	w.expect("sms +12015550101: Your appointment", "sms +12015550103: for Ann")

	w.update("contacts", contact, "phone = '+12015550104'") // now he has one as a contact
	w.book(ann, thursday)
	w.expect("sms +12015550101: Your appointment", "sms +12015550104: for Ann")
	w.update("contacts", contact, "phone = 'work'") // which is no number: not null, not empty
	visit := w.book(ann, thursday)
	w.expect("sms +12015550101: Your appointment")
	w.expectDecision("appointment.booked", visit, "notify", "client Ann by sms: send", "contact Ben by sms: invalid_address")
	w.update("contacts", contact, "phone = ' ', client_id = '"+newID()+"'") // a client that there is not
	visit = w.book(ann, thursday)
	w.expect("sms +12015550101: Your appointment")
	w.expectDecision("appointment.booked", visit, "notify", "client Ann by sms: send", "contact Ben by sms: no_address")
}

func TestAContactWhoIsAClientTakesTheirSTOPAlong(t *testing.T) {
	t.Parallel()
	d := newAnswered(t)
	ann, ben, contact := d.annAndBen(everyRight())
	d.update("clients", ben, "preferred_method = 'sms'")
	d.book(ben, thursday)
	d.expect("sms +12015550102: Your appointment")
	d.writes("+12015550102", "STOP") // as a client
	d.untilTrue("it is heeded", `SELECT count(*) = 1 FROM rappel.opt_outs`)
	d.hears("0102 STOP: opt_out " + d.value(`SELECT id::text FROM rappel.appointments`))
	visit := d.book(ann, thursday)
	d.notice("portal.message", ann, contact, `{}`)
	d.expect("sms +12015550101: Your appointment")
	d.expectDecision("appointment.booked", visit, "notify", "client Ann by sms: send", "contact Ben by sms: opted_out")
	d.update("contacts", contact, "phone = '+12015550104'") // a STOP is a number's
	d.book(ann, thursday)
	d.book(ben, friday)
	d.expect("sms +12015550101: Your appointment", "sms +12015550104: for Ann")
	d.update("clients", ann, "preferred_method = 'email'")
	d.book(ann, thursday)
	d.expect("email ann@example.com: ", "email ben@example.com: Ann")
}

func TestToBeSomebodysContactIsOneWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	ann, ben, _ := w.annAndBen(everyRight())
	w.update("clients", ben, "preferred_method = 'sms'")
	w.book(ben, thursday)
	for _, kind := range []string{"document.shared", "invoice.issued", "estimate.issued", "form.sent", "portal.message"} {
		w.notice(kind, ben, "", `{}`)
	}
	own := w.sends("form.sent", ben, ann) // Ann is nothing to Ben
	const him = "sms +12015550102: "
	w.expect(him+"Your appointment", him+"document", him+"invoice", him+"estimate", him+"form", him+"secure message")
	w.expectNotice("Ann as Ben's", own, "silenced", "contact Ann by sms: flag_off")
	w.at("2026-12-09T15:00:00-05:00")
	w.expect(him + "Reminder")
}

func TestOnePersonIsTheContactOfManyWithRightsFromEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	names := []string{"Ada", "Bob", "Cat", "Dan"}
	links := []row{
		everyRight(),
		nothing().with(row{"can_manage_billing": true}),
		nothing(),
		{"receives_confirmations": false, "portal_access": true, "can_view_documents": true},
	}
	mary := w.insert("contacts", row{"practice_id": w.practice, "first_name": "Mary", "phone": "+12015550102"})
	w.names[mary] = "Mary"
	var clients []string
	for i, name := range names {
		clients = append(clients, w.client(name, row{"receives_confirmations": false}))
		w.link(clients[i], mary, links[i])
	}
	const her = "sms +12015550102: "
	for _, c := range clients {
		w.tell("appointment.booked", w.appointment(c, thursday, row{"manage_url": manage}))
		w.notice("invoice.issued", c, "", `{}`)
		w.notice("document.shared", c, "", `{}`)
		w.notice("portal.message", c, mary, `{}`)
		w.notice("form.sent", c, mary, `{}`)
	}
	w.expect(
		her+"The appointment for Ada with Elm Street Practice on Thursday, December 10, 2026 at 3:00 PM is booked. Manage: "+manage,
		her+"invoice from Elm Street Practice for Ada", her+"invoice from Elm Street Practice for Bob",
		her+"document for Ada", her+"document for Dan", her+"secure message",
		her+"form to fill in for Ada", her+"form to fill in for Bob", her+"form to fill in for Cat", her+"form to fill in for Dan",
	)
	w.stop("+1 (201) 555-0102")
	for _, c := range clients {
		w.notice("form.sent", c, mary, `{}`)
	}
	w.expect()
}

// Ann is her own contact: the main app has her in both lists.
func TestOnePersonAsClientAndContactIsWrittenToOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	for _, channel := range []string{"sms", "email"} {
		for audience, body := range map[string]string{"client": "As the client.", "contact": "As a contact."} {
			w.template(row{"name": "appointment.booked", "channel": channel, "audience": audience, "body": body})
		}
	}
	const phone, email = "sms +12015550101: ", "email ann@example.com: "
	off := row{"receives_confirmations": false}
	cases := map[string]struct {
		client, contact, link row
		messages              []string
		decision              []string
	}{
		"the contact is told": {
			nil, nil, nil,
			[]string{phone + "As a contact."},
			[]string{"notify", "client Ann by sms: duplicate", "contact Ann by sms: send"},
		},
		"by e-mail": {
			row{"preferred_method": "email"},
			nil, nil,
			[]string{email + "Elm Street Practice | As a contact."},
			[]string{"notify", "client Ann by email: duplicate", "contact Ann by email: send"},
		},
		"on each channel once": {
			row{"preferred_method": "both"},
			row{"email": "ANN@EXAMPLE.COM"},
			nil,
			[]string{phone + "As a contact.", "email ANN@example.com: Elm Street Practice | As a contact."},
			[]string{
				"notify", "client Ann by email: duplicate", "client Ann by sms: duplicate",
				"contact Ann by email: send", "contact Ann by sms: send",
			},
		},
		"the client, where the contact is switched off": {
			nil, nil, off,
			[]string{phone + "As the client."},
			[]string{"notify", "client Ann by sms: send", "contact Ann by sms: flag_off"},
		},
		"the contact, where the client is": {
			off, nil, nil,
			[]string{phone + "As a contact."},
			[]string{"notify", "client Ann by sms: flag_off", "contact Ann by sms: send"},
		},
		"nobody, where both are": {
			off, nil, off, nil, []string{"silenced", "client Ann by sms: flag_off", "contact Ann by sms: flag_off"},
		},
		"at two numbers, where she has two": {
			nil,
			row{"phone": "+12015550109"},
			nil,
			[]string{phone + "As the client.", "sms +12015550109: As a contact."},
			[]string{"notify", "client Ann by sms: send", "contact Ann by sms: send"},
		},
		"not at all, if she may not be contacted": {
			row{"do_not_contact": true},
			row{"phone": "+12015550109"},
			nil, nil,
			[]string{"skipped", "client Ann by sms: do_not_contact", "contact Ann by sms: do_not_contact"},
		},
	}
	visits := map[string]string{}
	var messages []string
	for name, c := range cases {
		ann := w.client("Ann", row{"phone": "+12015550101", "email": "ann@example.com"}.with(c.client))
		w.contact(ann, "Ann", row{"client_id": ann}.with(c.contact), c.link)
		visits[name] = w.book(ann, thursday)
		messages = append(messages, c.messages...)
	}
	w.expect(messages...)
	for name, c := range cases {
		w.expectDecision("appointment.booked", visits[name], c.decision[0], c.decision[1:]...)
	}

	// An estimate is the client's alone, also where her contact has her number.
	ann := w.client("Ann", row{"phone": "+12015550101"})
	self := w.contact(ann, "Ann", row{"client_id": ann}, everyRight())
	w.notice("estimate.issued", ann, "", `{}`)
	w.notice("portal.message", ann, self, `{}`)
	w.notice("portal.message", ann, "", `{}`)
	w.expect(phone+"estimate", phone+"secure message", phone+"secure message")
}

// A main app's mistake may not hand one customer's people to another.
func TestNothingIsTakenFromAnotherPractice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	oak := w.insert("practices", row{"name": "Oak Street Practice", "time_zone": "America/New_York"})
	secret := w.client("Secret", row{"practice_id": oak, "phone": "+12015550109", "email": "secret@example.com", "do_not_contact": true})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	bob := w.contact(ann, "Bob", row{"client_id": secret}, everyRight())
	cat := w.contact(ann, "", row{"client_id": secret, "phone": "+12015550103"}, everyRight())
	w.names[cat] = "Cat"
	w.contact(ann, "Eve", row{"practice_id": oak, "phone": "+12015550105"}, everyRight())
	w.template(row{"name": "appointment.booked", "body": "For [RecipientFirstName|nobody], about [ClientFirstName]."})
	visit := w.book(ann, thursday)
	w.expect("sms +12015550101: For Ann", "sms +12015550103: For nobody, about Ann")
	w.expectDecision("appointment.booked", visit, "notify",
		"client Ann by sms: send", "contact Bob by sms: no_address", "contact Cat by sms: send")
	w.event(row{"kind": "form.sent", "client_id": ann, "contact_id": bob})
	w.notice("invoice.issued", ann, "", `{}`)
	w.expect("sms +12015550101: invoice", "sms +12015550103: invoice")

	// A link that goes wrong while a message waits.
	dan := w.contact(ann, "Dan", row{"phone": "+12015550104"}, everyRight())
	w.inbox.always(&answer{status: 503})
	w.notice("portal.message", ann, dan, `{}`)
	w.settle()
	w.update("contacts", dan, "practice_id = '"+oak+"'")
	w.inbox.always(nil)
	w.pass(10 * time.Minute)
	w.expect()
	if got := w.value(`SELECT status || ' ' || reason FROM rappel.notifications WHERE contact_id = $1`, dan); got != "suppressed superseded" {
		t.Errorf("it is %s", got)
	}
}
