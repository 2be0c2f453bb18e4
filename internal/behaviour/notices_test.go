package behaviour_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// sends reports something beside appointments as notice does, with no data, and
// returns the event's id.
func (w *world) sends(kind, client, contact string) string {
	w.t.Helper()
	r := row{"kind": kind}
	for column, id := range map[string]string{"client_id": client, "contact_id": contact} {
		if id != "" {
			r[column] = id
		}
	}
	return w.event(r)
}

// expectNotice fails the test unless the event was answered by a decision with
// this outcome and these candidates, as expectDecision has them.
func (w *world) expectNotice(what, event, outcome string, candidates ...string) {
	w.t.Helper()
	w.settle()
	var got string
	var list []byte
	err := w.db.QueryRow(w.t.Context(), `SELECT outcome, candidates FROM rappel.decisions WHERE event_id = $1`, event).Scan(&got, &list)
	if err != nil {
		w.t.Errorf("%s: no decision: %v", what, err)
		return
	}
	w.compare(what, append([]string{outcome}, candidates...), append([]string{got}, w.candidates(list)...))
}

// nothing is all flags off: they are not for notices.
func nothing() row {
	return row{"receives_reminders": false, "receives_confirmations": false, "receives_scheduled": false}
}

// everyRight is all that a client can let a contact have.
func everyRight() row {
	return row{
		"can_manage_appointments": true, "portal_access": true, "can_message": true,
		"can_view_forms": true, "can_view_documents": true, "can_manage_billing": true,
	}
}

// Each case is a family of its own: Ann, the client, and Bob, her contact.
func TestWhoIsToldOfWhatBesideAppointments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2026-11-22T23:30:00-05:00") // a Sunday night: no window for notices
	elsewhere := w.insert("practices", row{"name": "Oak Street Practice", "time_zone": "America/New_York", "channel_fallback": true})
	closed := w.insert("practices", row{"name": "Old Street Practice", "time_zone": "America/New_York", "active": false})
	stranger := w.client("Cat", row{"phone": "+12015550103"})
	dee := w.contact(stranger, "Dee", row{"phone": "+12015550104"}, everyRight())
	eve := w.insert("contacts", row{"practice_id": elsewhere, "first_name": "Eve", "phone": "+12015550105"})
	w.names[eve] = "Eve"
	w.stop("+12015550106")
	w.put("opt_outs", row{"practice_id": elsewhere, "channel": "sms", "address": "+12015550106"})

	type family struct {
		kind               string
		to                 string // "": the client, "Bob", or an id
		client, bob, right row
		want               []string
	}
	bobIsTold, nobody := []string{"notify", "contact Bob by sms: send"}, []string{"silenced", "contact Bob by sms: flag_off"}
	both := []string{"notify", "client Ann by sms: send", "contact Bob by sms: send"}
	annAlone := []string{"notify", "client Ann by sms: send", "contact Bob by sms: flag_off"}
	oak, either := row{"practice_id": elsewhere}, row{"preferred_method": "both"}
	everything := everyRight()
	families := map[string]family{
		"an invitation is the client's own":         {kind: "portal.invited", want: []string{"notify", "client Ann by sms: send"}},
		"a message is between two people":           {kind: "portal.message", to: "Bob", right: everything, want: bobIsTold},
		"and is not told without the right to it":   {kind: "portal.message", to: "Bob", right: row{"portal_access": true, "can_view_forms": true}, want: nobody},
		"a form goes to a contact without rights":   {kind: "form.sent", to: "Bob", want: bobIsTold},
		"a signature is asked of the contact alone": {kind: "form.signature_requested", to: "Bob", want: bobIsTold},
		"a document needs both of its rights": {
			kind: "document.shared", right: everything.with(row{"portal_access": false}), want: annAlone,
		},
		"a document has no addressee":                    {kind: "document.shared", to: "Bob", right: everything, want: both},
		"to name a contact gives no right to a document": {kind: "document.shared", to: "Bob", want: annAlone},
		"to name a contact gives no right to an invoice": {kind: "invoice.issued", to: "Bob", want: annAlone},
		"to name a contact gives no estimate":            {kind: "estimate.issued", to: "Bob", right: everything, want: annAlone},
		"to name nobody takes no document away":          {kind: "document.shared", to: newID(), right: everything, want: both},

		"a contact of another client":              {kind: "form.sent", to: dee, want: []string{"silenced", "contact Dee by sms: flag_off"}},
		"a contact of another practice":            {kind: "form.sent", to: eve, want: []string{"silenced", "contact Eve by sms: flag_off"}},
		"another client":                           {kind: "portal.message", to: stranger, want: []string{"silenced", "contact Cat by sms: flag_off"}},
		"somebody nobody knows":                    {kind: "portal.invited", to: newID(), want: []string{"silenced", "contact  by sms: flag_off"}},
		"a stranger where the client wants nobody": {kind: "form.sent", to: dee, client: row{"preferred_method": "none"}, want: []string{"skipped", "contact Dee: flag_off method_none"}},

		"no contact may be told where the client may not": {
			kind: "form.sent", to: "Bob", client: row{"do_not_contact": true}, want: []string{"skipped", "contact Bob by sms: do_not_contact"},
		},
		"a client who has left": {
			kind: "invoice.issued", client: row{"archived_at": w.clock.Now()}, right: everything,
			want: []string{"skipped", "client Ann by sms: client_archived", "contact Bob by sms: client_archived"},
		},
		"a practice that has closed": {
			kind: "form.sent", client: row{"practice_id": closed}, want: []string{"skipped", "client Ann by sms: practice_inactive"},
		},
		"all that speaks against it is said": {
			kind: "portal.message", to: "Bob", bob: row{"phone": "x"}, client: row{"do_not_contact": true, "archived_at": w.clock.Now(), "practice_id": closed},
			want: []string{"skipped", "contact Bob by sms: flag_off invalid_address do_not_contact client_archived practice_inactive"},
		},
		"nothing by telephone": {kind: "portal.invited", client: row{"preferred_method": "voice"}, want: []string{"skipped", "client Ann: unsupported_method"}},
		"no method at all":     {kind: "portal.invited", client: row{"preferred_method": nil}, want: []string{"skipped", "client Ann: bad_method"}},

		"a contact without an address is not replaced by the client": {
			kind: "portal.invited", to: "Bob", bob: row{"phone": nil}, right: everything, want: []string{"unreachable", "contact Bob by sms: no_address"},
		},
		"nor by their own e-mail, where the practice does not say so": {
			kind: "form.sent", to: "Bob", bob: row{"phone": " ", "email": "bob@example.com"}, want: []string{"unreachable", "contact Bob by sms: no_address"},
		},
		"but by that, where it does": {
			kind: "form.sent", to: "Bob", client: oak, bob: row{"phone": "", "email": "bob@example.com"},
			want: []string{"notify", "contact Bob by email: send"},
		},
		"a contact who said STOP": {kind: "form.sent", to: "Bob", bob: row{"phone": "(201) 555-0106"}, want: []string{"unreachable", "contact Bob by sms: opted_out"}},
		"and has an e-mail address": {
			kind: "form.sent", to: "Bob", client: oak, bob: row{"phone": "(201) 555-0106", "email": "bob@example.com"},
			want: []string{"notify", "contact Bob by email: send"},
		},
		"a STOP does not make up for a right": {
			kind: "portal.message", to: "Bob", client: oak, bob: row{"phone": "(201) 555-0106", "email": "bob@example.com"},
			want: []string{"silenced", "contact Bob by sms: flag_off opted_out"},
		},
		"both channels": {
			kind: "portal.invited", client: either, want: []string{"notify", "client Ann by email: send", "client Ann by sms: send"},
		},
		"both channels, of which a contact has one": {
			kind: "invoice.issued", client: either.with(oak), right: everything,
			want: []string{"notify", "client Ann by email: send", "client Ann by sms: send", "contact Bob by email: no_address", "contact Bob by sms: send"},
		},
		"one address is written to once": {
			kind: "document.shared", right: everything, bob: row{"phone": "201-555-0101"},
			want: []string{"notify", "client Ann by sms: duplicate", "contact Bob by sms: send"},
		},
		"an address that is shared does not bring the contact an estimate": {
			kind: "estimate.issued", right: everything, bob: row{"phone": "201-555-0101"}, want: annAlone,
		},
		"nor the other way round": {
			kind: "form.sent", to: "Bob", bob: row{"phone": "201-555-0101"}, want: bobIsTold,
		},
		"an estimate that cannot reach the client reaches nobody": {
			kind: "estimate.issued", client: row{"phone": nil}, right: everything,
			want: []string{"unreachable", "client Ann by sms: no_address", "contact Bob by sms: flag_off"},
		},
	}
	events := map[string]string{}
	var messages []string
	for name, f := range families {
		ann := w.client("Ann", nothing().with(row{"phone": "+12015550101", "email": "ann@example.com"}).with(f.client))
		bob := w.contact(ann, "Bob", row{"phone": "+12015550102"}.with(f.bob), nothing().with(f.right))
		if f.to == "Bob" {
			f.to = bob
		}
		events[name] = w.sends(f.kind, ann, f.to)
		messages = append(messages, w.messagesOf(ann, bob, f.want)...)
	}
	w.expect(messages...)
	for name, f := range families {
		w.expectNotice(name, events[name], f.want[0], f.want[1:]...)
	}
	w.expectClosed(int64(len(messages)))
}

// messagesOf is what a family receives if a decision was this.
func (w *world) messagesOf(client, contact string, decision []string) (messages []string) {
	w.t.Helper()
	for _, line := range decision {
		who, told := strings.CutSuffix(line, ": send")
		if !told {
			continue
		}
		role, channel, table := strings.Fields(who)[0], who[strings.LastIndex(who, " ")+1:], "clients"
		id := client
		if role == "contact" {
			id, table = contact, "contacts"
		}
		column := map[string]string{"sms": "phone", "email": "email"}[channel]
		address := w.value("SELECT "+column+" FROM rappel."+table+" WHERE id = $1", id)
		if channel == "sms" {
			digits := strings.NewReplacer("(", "", ")", "", "-", "", " ", "", "+1", "").Replace(address)
			address = "+1" + digits
		}
		messages = append(messages, channel+" "+address+": ")
	}
	return messages
}

func TestANoticeIsThatOfTheClientsOwnPractice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	other := w.insert("practices", row{"name": "Oak Street Practice", "time_zone": "America/New_York"})
	w.text("portal.invited", "Elm's own words.")
	w.notice("portal.invited", w.client("Ann", row{"phone": "+12015550101", "practice_id": other}), "", `{}`)
	w.expect("sms +12015550101: Oak Street Practice invites you")
	if id := w.value(`SELECT practice_id::text FROM rappel.notifications`); id != other {
		t.Errorf("the message is %s's", id)
	}
}

func TestANoticeAboutNobodyWeKnowIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	waits, names := w.sends("form.sent", newID(), ""), w.sends("form.sent", "", "")
	unheard := w.sends("form.burnt", w.client("Ann", row{"phone": "+12015550101"}), "")
	w.expectAnswer(waits, "")
	w.expectAnswer(names, "skipped", "client_id is missing")
	w.expectAnswer(unheard, "skipped", "unknown kind")
	w.exec(`UPDATE rappel.events SET created_at = now() - interval '11 minutes', look_at = now() WHERE id = $1`, waits)
	w.expectAnswer(waits, "skipped", "status")
	w.expectClosed(0)
}

// What comes with an event is a main app's, and so anybody's.
func TestWhatComesWithANoticeIsShownAndNeverRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.text("invoice.issued", "P:[PortalLink|-] F:[FormName|-] L:[FormLink|-] D:[DocumentName|-] N:[InvoiceNumber|-] A:[InvoiceAmount|-] U:[InvoiceDueDate|-]")
	huge := strings.Repeat("x", 5_000)
	const nothing = "P:- F:- L:- D:- N:- A:- U:-"
	form := func(name string) string { return "P:- F:" + name + " L:- D:- N:- A:- U:-" }
	due := func(day string) string { return "P:- F:- L:- D:- N:- A:- U:" + day }
	cases := map[string]string{ // what is shown of each data
		`{}`: nothing, `null`: nothing, `["portal_link"]`: nothing, `"portal_link"`: nothing, `7`: nothing,
		`{"portal_link":"https://a.example.org/p","form_name":"f","form_link":"https://a.example.org/f","document_name":"d",
			"invoice_number":"n","invoice_amount":"a","invoice_due":"u"}`: "P:https://a.example.org/p F:f L:https://a.example.org/f D:d N:n A:a U:u",
		`{"body":"x","PortalLink":"x","invoice_due_date":"x","ServiceName":"x","InvoiceNumber":"x"}`:  nothing,
		`{"form_name":null,"invoice_number":true,"invoice_amount":["$9"],"document_name":{"en":"x"}}`: nothing,
		`{"invoice_number":12345678901234567890,"invoice_amount":90.50,"invoice_due":20261201}`:       "P:- F:- L:- D:- N:12345678901234567890 A:90.50 U:Tuesday, December 1, 2026",
		`{"portal_link":"  ","form_name":"\n\t","invoice_due":" "}`:                                   nothing,
		`{"form_name":"one\ntwo\r\nthree\u2028four\u0007"}`:                                           form("one two three four"),
		`{"portal_link":" JavaScript:alert(1)","form_link":"data:text/html,x"}`:                       nothing,
		`{"form_name":"javascript:alert(1)"}`:                                                         form("javascript:alert(1)"), // a name, that leads nowhere
		`{"portal_link":"java\nscript:alert(1)"}`:                                                     "P:java script:alert(1) F:- L:- D:- N:- A:- U:-",
		`{"form_name":"[PracticeName] [[x]] [If A] [RecipientNmae|x] [End]"}`:                         form("[PracticeName] [[x]] [If A] [RecipientNmae|x] [End]"),
		`{"form_name":"<b>x</b> & \"y\"</p><script>"}`:                                                form(`<b>x</b> & "y"</p><script>`),
		`{"invoice_due":"2026-12-01"}`:                                                                due("Tuesday, December 1, 2026"),
		`{"invoice_due":"2026-02-30"}`:                                                                due("2026-02-30"),
		`{"invoice_due":"2026-12-01T00:00:00Z"}`:                                                      due("Tuesday, December 1, 2026"),
		`{"invoice_due":"next week"}`:                                                                 due("next week"),
		`{"form_name":"` + huge + `"}`:                                                                form(huge),
	}
	var want []string
	for data, c := range cases {
		phone, email := fmt.Sprintf("+120155501%02d", len(want)), fmt.Sprintf("ann%d@example.com", len(want))
		client := w.client("Ann", row{"phone": phone, "email": email, "preferred_method": "both"})
		w.notice("invoice.issued", client, "", data)
		want = append(want, "sms "+phone+": "+c, "email "+email+": Elm Street Practice | "+c)
	}
	w.expect(want...)
	for _, request := range w.inbox.tried() {
		var mail struct{ HTML string }
		if err := json.Unmarshal([]byte(request.body), &mail); err != nil {
			t.Fatal(err)
		}
		for _, danger := range []string{"<script", "<b>x", `="java`, `="data:`} {
			if strings.Contains(mail.HTML, danger) {
				t.Errorf("%s in %s", danger, mail.HTML)
			}
		}
	}
}

func TestANoticeIsToldOnceHoweverItComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	id := w.sends("form.sent", ann, "")
	w.expect("sms +12015550101: form")
	// The main app is not sure, and tells it again with the same id.
	w.exec(`INSERT INTO rappel.events (id, kind, client_id) VALUES ($1, 'form.sent', $2) ON CONFLICT (id) DO NOTHING`, id, ann)
	told := fmt.Sprintf(`{"event_id":%q,"kind":"form.sent","appointment_id":%q}`, id, newID())
	w.enqueue(asynq.NewTask("appointment:event", []byte(told)), asynq.Queue("events"))
	w.expect()
	w.notice("form.sent", ann, "", `{}`) // a second form
	w.expect("sms +12015550101: form")

	// A task has no room for a client: what it tells of is answered, and tells nobody.
	alone := newID()
	told = fmt.Sprintf(`{"event_id":%q,"kind":"portal.message","appointment_id":%q}`, alone, newID())
	w.enqueue(asynq.NewTask("appointment:event", []byte(told)), asynq.Queue("events"))
	w.untilTrue("the task is taken", `SELECT count(*) = 3 FROM rappel.events`)
	w.expectAnswer(alone, "skipped", "client_id is missing")
	w.expectClosed(2)
}

func TestANoticeIsOfUseForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	bob := w.client("Bob", row{"phone": "+12015550102"})
	cat := w.client("Cat", row{"phone": "+12015550103"})
	ago := func(d time.Duration) time.Time { return w.clock.Now().Add(-d) }
	w.event(row{"kind": "form.sent", "client_id": ann, "occurred_at": ago(24 * time.Hour)})
	w.event(row{"kind": "form.sent", "client_id": bob, "occurred_at": ago(24*time.Hour - time.Second)})
	w.expect("sms +12015550102: form")
	w.inbox.always(&answer{status: 503})
	w.notice("form.sent", cat, "", `{}`)
	w.settle()
	w.pass(23 * time.Hour)
	w.expectLedger("form.sent to Ann by sms: expired, past", "form.sent to Bob by sms: sent", "form.sent to Cat by sms: pending")
	w.inbox.always(nil)
	w.pass(time.Hour)
	w.expectLedger("form.sent to Ann by sms: expired, past", "form.sent to Bob by sms: sent", "form.sent to Cat by sms: expired, past")
}

func TestWhatChangesBeforeANoticeLeavesWinsOverIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.always(&answer{status: 503})
	type family struct{ client, contact string }
	changes := map[string]struct {
		kind, reason string
		change       func(family)
	}{
		"Blind":    {"document.shared", "flag_off", func(f family) { w.grant(f.client, f.contact, "can_view_documents = false") }},
		"Locked":   {"document.shared", "flag_off", func(f family) { w.grant(f.client, f.contact, "portal_access = false") }},
		"Mute":     {"portal.message", "flag_off", func(f family) { w.grant(f.client, f.contact, "can_message = false") }},
		"Thrifty":  {"invoice.issued", "flag_off", func(f family) { w.grant(f.client, f.contact, "can_manage_billing = false") }},
		"Left":     {"form.sent", "superseded", func(f family) { w.unlink(f.client, f.contact) }},
		"Archived": {"form.sent", "client_archived", func(f family) { w.update("clients", f.client, "archived_at = now()") }},
		"Private":  {"invoice.issued", "do_not_contact", func(f family) { w.update("clients", f.client, "do_not_contact = true") }},
		"Stopped":  {"form.sent", "opted_out", func(f family) { w.stop(w.value(`SELECT phone FROM rappel.contacts WHERE id = $1`, f.contact)) }},
		"Silent":   {"portal.message", "method_none", func(f family) { w.update("clients", f.client, "preferred_method = 'none'") }},
		"Erased":   {"form.sent", "no_address", func(f family) { w.update("contacts", f.contact, "phone = NULL") }},
	}
	families := map[string]family{}
	var want []string
	for name, c := range changes {
		f := family{client: w.client("Child", nil)}
		f.contact = w.contact(f.client, name, row{"phone": fmt.Sprintf("+120155501%02d", len(families))}, everyRight())
		families[name] = f
		w.notice(c.kind, f.client, f.contact, `{}`)
		want = append(want, c.kind+" to "+name+" by sms: suppressed, "+c.reason)
	}
	w.expect()
	for name, c := range changes {
		c.change(families[name])
	}
	w.inbox.always(nil)
	w.pass(time.Minute)
	w.expect()
	w.expectLedger(want...)
	w.expectClosed(int64(len(changes)))
}

// grant changes what a client lets a contact have.
func (w *world) grant(client, contact, set string) {
	w.t.Helper()
	w.exec("UPDATE rappel.client_contacts SET "+set+" WHERE client_id = $1 AND contact_id = $2", client, contact)
}

func TestANoticeIsWrittenInTheLanguageOfWhoReadsItAndForThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101", "locale": "es-MX"})
	for i, locale := range []string{"de", "fr-CA", "en-GB", "xx"} {
		w.contact(ann, "Reader", row{"phone": fmt.Sprintf("+1201555011%d", i), "locale": locale}, everyRight().with(row{"position": i}))
	}
	w.notice("invoice.issued", ann, "", `{"invoice_due":"2026-12-10","invoice_number":"7"}`)
	w.expect(
		"sms +12015550101: jueves, 10 de diciembre de 2026", "sms +12015550110: Rechnung von Elm Street Practice für Ann",
		"sms +12015550111: jeudi 10 décembre 2026", "sms +12015550112: Thursday 10 December 2026", "sms +12015550113: Thursday, December 10, 2026",
	)
	w.template(row{"name": "invoice.issued", "audience": "contact", "body": "For [RecipientFirstName], about [ClientFirstName]: [InvoiceNumber]"})
	w.template(row{"name": "invoice.issued", "audience": "client", "locale": "es", "body": "Factura [InvoiceNumber][If AppointmentDate] x[End][If ManageLink] x[End]"})
	w.notice("invoice.issued", ann, "", `{"invoice_number":"8"}`)
	w.expect(
		"sms +12015550101: Factura 8", "sms +12015550110: For Reader, about Ann: 8", "sms +12015550111: For Reader, about Ann: 8",
		"sms +12015550112: For Reader, about Ann: 8", "sms +12015550113: For Reader, about Ann: 8",
	)
}

func TestForecastsKnowNothingOfNotices(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	visit := w.appointment(ann, thursday, nil)
	w.rule(row{"offset_minutes": -24 * hour})
	w.notice("form.sent", ann, "", `{}`)
	w.event(row{"kind": "form.sent", "client_id": ann, "look_at": "2100-01-01"})
	w.expect("sms +12015550101: form")
	w.same(w.foresee(), "12-09 20:00 sms to Ann")
	w.same(w.explain(visit), "12-09 20:00 appointment.reminder ahead notify", "  12-09 20:00 sms to Ann")
	w.expectClosed(1)
}

// "The form for Thursday's visit": the visit is named, and decides nothing.
func TestANoticeThatNamesAVisitIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	visit := w.appointment(ann, thursday, row{"notify": false})
	form := func(visit string) {
		w.event(row{"kind": "form.sent", "client_id": ann, "appointment_id": visit})
	}
	form(visit)
	w.expect("sms +12015550101: form")
	w.cancel(visit)
	form(visit)   // another form, at the same revision
	form(newID()) // a visit that nobody knows
	w.expect("sms +12015550101: form", "sms +12015550101: form")
	w.expectDecision("form.sent", visit, "notify", "client Ann by sms: send")
	if n := w.value(`SELECT count(*)::text FROM rappel.notifications WHERE appointment_id = $1 AND kind = 'form.sent'`, visit); n != "2" {
		t.Errorf("the ledger names the visit with %s forms", n)
	}
	w.expectClosed(3)
}

func TestANoticeThatNamesAVisitIsTheClientsWhoIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann, bea := w.client("Ann", row{"phone": "+12015550101"}), w.client("Bea", row{"phone": "+12015550102"})
	w.event(row{"kind": "form.sent", "client_id": ann, "appointment_id": w.appointment(bea, thursday, nil)})
	w.expect("sms +12015550101: form")
}
