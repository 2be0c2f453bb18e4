package postgres_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/postgres"
	"rappel/jobs/deliver"
)

// ownTables are rappel's own, whatever a migration adds.
func (w *world) ownTables() []string {
	w.t.Helper()
	return strings.Fields(w.text(`
		SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables
		WHERE schemaname = 'rappel' AND tablename NOT IN
			('practices', 'practitioners', 'clients', 'contacts', 'client_contacts', 'appointments', 'rules', 'templates')`))
}

// traces tells in which of rappel's own tables any of the words stands, in
// whatever column. Opt-outs that bind stay, and are left out.
func (w *world) traces(words ...string) []string {
	w.t.Helper()
	var found []string
	for _, table := range w.ownTables() {
		rows := "rappel." + table
		if table == "opt_outs" {
			rows = "(SELECT * FROM rappel.opt_outs WHERE revoked_at IS NOT NULL)"
		}
		if w.text(`SELECT count(*) FROM `+rows+` t WHERE EXISTS (SELECT FROM unnest($1::text[]) AS word WHERE strpos(t::text, word) > 0)`, words) != "0" {
			found = append(found, table)
		}
	}
	return found
}

func (w *world) forget(p postgres.Person, dryRun bool) postgres.Traces {
	w.t.Helper()
	traces, err := w.Forget(w.t.Context(), p, dryRun)
	if err != nil {
		w.t.Fatal(err)
	}
	return traces
}

// A family is a client with a mother, who have left traces everywhere.
type family struct {
	client, mother string
	words          []string // that are the client's alone
	mothers        []string
}

// family tells them of three visits by SMS and e-mail: one message is sent, one
// begun and one may have gone; the others wait.
func (w *world) family() family {
	w.t.Helper()
	f := family{words: []string{"Quill", "2015550123", "201.555.0123", "quill@example.com"}, mothers: []string{"Ottilie", "2015550177", "ottilie@example.com"}}
	f.client = w.insert("clients", row{
		"practice_id": w.practice, "first_name": "Quill", "preferred_method": "both",
		"phone": "(201) 555-0123", "email": "quill@example.com",
	})
	f.mother = w.insert("contacts", row{
		"practice_id": w.practice, "first_name": "Ottilie", "phone": "201-555-0177", "email": "ottilie@example.com",
	})
	w.insert("client_contacts", row{"client_id": f.client, "contact_id": f.mother, "receives_confirmations": true})
	for range 3 {
		w.event("appointment.booked", w.visit(f.client, noon().AddDate(0, 0, 7), nil))
	}
	w.plan()
	w.exec(`UPDATE rappel.notifications SET body = 'Quill, see you. Ottilie', recipient_name = 'Ottilie', html = '<p>Quill', body_hash = '\x01',
		history = '[{"problem": "Quill is not there"}]', attempts = 1`)
	w.become(f.client, "sms", deliver.Sent)
	w.become(f.mother, "sms", deliver.Unknown)
	w.told(row{"client_id": f.client, "data": `{"form_name": "Quill's form"}`})
	w.told(row{"client_id": f.client, "contact_id": f.mother, "data": `{"form_name": "For Ottilie"}`})
	for number, name := range map[string]string{"+12015550123": "Quill", "+12015550177": "Ottilie"} {
		w.insert("replies", row{"carrier_id": "SM" + number[8:], "address": number, "body": "Late, " + name, "received_at": noon(), "meaning": "other"})
	}
	w.insert("unusable_addresses", row{"channel": "email", "address": "quill@Example.com", "code": "invalid_address"})
	w.insert("unusable_addresses", row{"channel": "sms", "address": "+12015550177", "code": "landline"})
	w.insert("opt_outs", row{"channel": "sms", "address": "201.555.0123", "revoked_at": noon()})
	w.insert("opt_outs", row{"channel": "sms", "address": "(201) 555 0123"})
	w.insert("opt_outs", row{"channel": "email", "address": "Ottilie@example.com"})
	return f
}

// told adds a notice that was answered.
func (w *world) told(event row) {
	w.t.Helper()
	event["kind"], event["planned_at"] = "form.sent", noon()
	w.insert("decisions", row{"kind": "form.sent", "decided_at": noon(), "outcome": "skipped", "event_id": w.insert("events", event)})
}

// become takes one pending message of a person on a channel to another status.
func (w *world) become(person, channel string, s deliver.Status) {
	w.t.Helper()
	w.exec(`UPDATE rappel.notifications SET status = 'sending', claim_id = id, claimed_until = now(), via = 'twilio'
		WHERE id = (SELECT min(id::text)::uuid FROM rappel.notifications WHERE coalesce(contact_id, client_id) = $1 AND channel = $2)`, person, channel)
	w.exec(`UPDATE rappel.notifications SET status = $1, claim_id = NULL, claimed_until = NULL, sent_at = now(),
		repeat_at = CASE $1 WHEN 'unknown' THEN now() END WHERE status = 'sending'`, string(s))
}

func TestOfAForgottenClientNoTraceIsLeftInAnyColumn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.family()
	everywhere := []string{"events", "notifications", "opt_outs", "replies", "unusable_addresses"}
	if diff := cmp.Diff(everywhere, w.traces(f.words...)); diff != "" {
		t.Fatalf("the seed (-want +got):\n%s", diff)
	}
	before := w.books()
	want := postgres.Traces{
		To: 6, About: 6, Open: 11, Notices: 2, Replies: 1, Unusable: 2, OptOuts: 1, Known: true, Others: []string{f.mother},
	}
	if diff := cmp.Diff(want, w.forget(postgres.Person{ClientID: f.client}, true)); diff != "" {
		t.Errorf("a dry run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(everywhere, w.traces(f.words...)); diff != "" {
		t.Errorf("after a dry run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, w.forget(postgres.Person{ClientID: f.client}, false)); diff != "" {
		t.Errorf("for good (-want +got):\n%s", diff)
	}
	if found := w.traces(f.words...); len(found) > 0 {
		t.Errorf("still in %v", found)
	}
	if found := w.traces(f.mothers...); !slices.Contains(found, "notifications") || !slices.Contains(found, "replies") {
		t.Errorf("the mother's own traces are left in %v only", found)
	}
	after := w.books()
	if after.Planned != before.Planned || after.Unaccounted != 0 || after.Suppressed != 10 || after.Sent != 1 || after.Unknown != 1 {
		t.Errorf("books %+v, before %+v", after, before)
	}
	if again := w.forget(postgres.Person{ClientID: f.client}, false); !again.None() || again.Open > 0 {
		t.Errorf("again: %+v", again)
	}
}

func TestOfAForgottenContactNoTraceIsLeftInAnyColumn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.family()
	want := postgres.Traces{To: 6, Open: 6, Notices: 1, Replies: 1, Unusable: 1, OptOuts: 1, Known: true, Others: []string{}}
	if diff := cmp.Diff(want, w.forget(postgres.Person{ContactID: f.mother}, false)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.exec(`UPDATE rappel.notifications SET body = NULL, recipient_name = NULL WHERE contact_id IS NULL`) // those to the client name her
	if found := w.traces(f.mothers...); len(found) > 0 {
		t.Errorf("still in %v", found)
	}
	if found := w.traces(f.words...); !slices.Contains(found, "notifications") || !slices.Contains(found, "replies") {
		t.Errorf("the client's own traces are left in %v only", found)
	}
}

func TestWhoHasGoneFromThePracticeSideIsForgottenToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.family()
	w.exec(`DELETE FROM rappel.client_contacts`)
	w.exec(`DELETE FROM rappel.contacts`)
	w.exec(`DELETE FROM rappel.appointments`)
	w.exec(`DELETE FROM rappel.clients`)
	for _, p := range []postgres.Person{{ClientID: f.client}, {ContactID: f.mother}} {
		if traces := w.forget(p, false); traces.Known || traces.None() {
			t.Errorf("%+v", traces)
		}
	}
	if found := w.traces(append(f.words, f.mothers...)...); len(found) > 0 {
		t.Errorf("still in %v", found)
	}
}

func TestAClientWhoIsAContactOfOthersIsForgottenAsThatToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mother := w.insert("clients", row{"practice_id": w.practice, "first_name": "Ottilie", "phone": "2015550177", "preferred_method": "sms"})
	child := w.client()
	as := w.insert("contacts", row{"practice_id": w.practice, "client_id": mother})
	w.insert("client_contacts", row{"client_id": child, "contact_id": as, "receives_confirmations": true})
	w.event("appointment.booked", w.visit(child, noon().AddDate(0, 0, 7), nil))
	w.plan()
	w.forget(postgres.Person{ClientID: mother}, false)
	if found := w.traces("2015550177"); len(found) > 0 {
		t.Errorf("still in %v", found)
	}
}

func TestWhatHasYetToGoOutToAForgottenPersonDoesNot(t *testing.T) {
	t.Parallel()
	twilio, admin := deliver.ByTwilio, deliver.ByAdmin
	for name, c := range map[string]struct {
		begin func(w *world, id string)
		want  string
	}{
		"what waits is suppressed": {func(*world, string) {}, "suppressed superseded"},
		"what a worker died over is suppressed where its receiver knows repeats": {func(w *world, id string) {
			w.via(admin, id, expired)
		}, "suppressed superseded"},
		"what a worker died over may have gone elsewhere": {func(w *world, id string) {
			w.via(twilio, id, expired)
		}, "unknown"},
		"what may have gone is not repeated": {func(w *world, id string) {
			w.ended(id, deliver.Outcome{Status: deliver.Unknown, RepeatAt: noon()})
		}, "unknown"},
		"what was sent stays sent": {func(w *world, id string) {
			w.ended(id, deliver.Outcome{Status: deliver.Sent})
		}, "sent"},
		"what failed stays failed": {func(w *world, id string) {
			w.ended(id, deliver.Outcome{Status: deliver.Failed, Reason: "refused"})
		}, "failed refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.notifications(1)[0]
			c.begin(w, id)
			w.forget(postgres.Person{ClientID: w.text(`SELECT id FROM rappel.clients`)}, false)
			got := w.text(`SELECT concat_ws(' ', status, reason, claim_id, repeat_at, nullif(address, 'forgotten'), body) FROM rappel.notifications`)
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if due, err := w.Due(t.Context(), []string{id}, noon().AddDate(1, 0, 0)); err != nil || len(due) > 0 {
				t.Errorf("due: %v, %v", due, err)
			}
		})
	}
}

func TestWhileAMessageIsBeingSentNothingIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.notifications(2)
	claim := w.via(deliver.ByAdmin, ids[0], time.Minute)
	person := postgres.Person{ClientID: w.text(`SELECT id FROM rappel.clients`)}
	if traces := w.forget(person, false); traces.Sending != 1 || traces.Open != 2 {
		t.Errorf("%+v", traces)
	}
	if got := w.text(`SELECT string_agg(status, ' ' ORDER BY id) FROM rappel.notifications WHERE address <> 'forgotten'`); got != "sending pending" {
		t.Error(got)
	}
	if lost := w.record(claim.ID, deliver.Outcome{ID: ids[0], Status: deliver.Sent}); lost > 0 {
		t.Error("what was sent could not be recorded")
	}
	if traces := w.forget(person, false); traces.Sending != 0 || traces.To != 2 {
		t.Errorf("a moment later: %+v", traces)
	}
}

func TestWhatSeveralPeopleShareStaysTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.notifications(1) // Ann, with the number that her brother has too
	brother := w.insert("clients", row{"practice_id": w.practice, "first_name": "Bob", "phone": "2015550101", "preferred_method": "sms"})
	w.event("appointment.booked", w.visit(brother, noon().AddDate(0, 0, 7), nil))
	w.plan()
	reply := row{"address": "+12015550101", "received_at": noon(), "meaning": "other", "body": "Late"}
	for carrier, to := range map[string]string{
		"to Ann": `client_id <> $1`, "to Bob": `client_id = $1`,
	} {
		r := row{"carrier_id": carrier, "notification_id": w.text(`SELECT id FROM rappel.notifications WHERE `+to, brother)}
		maps.Copy(r, reply)
		w.insert("replies", r)
	}
	w.forget(postgres.Person{ClientID: brother}, false)
	if got := w.text(`SELECT string_agg(carrier_id, ',') FROM rappel.replies WHERE address <> 'forgotten' AND body IS NOT NULL`); got != "to Ann" {
		t.Errorf("left: %s", got)
	}
	if got := w.text(`SELECT count(*) FROM rappel.notifications WHERE address = '+12015550101' AND status = 'pending'`); got != "1" {
		t.Errorf("%s messages wait for Ann", got)
	}
}

func TestANoticeThatWasNotAnsweredYetIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.client()
	w.insert("events", row{"kind": "form.sent", "client_id": client, "data": `{"form_name": "Intake of Ann"}`})
	appointment := w.event("appointment.booked", w.visit(client, noon().AddDate(0, 0, 7), nil))
	if traces := w.forget(postgres.Person{ClientID: client}, false); traces.Notices != 1 {
		t.Errorf("%+v", traces)
	}
	if got := w.text(`SELECT string_agg(id::text, ',') FROM rappel.events`); got != appointment {
		t.Errorf("events left: %s", got)
	}
}

func TestOfAStrangerNothingIsHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.family()
	for _, p := range []postgres.Person{{ClientID: newID()}, {ContactID: newID()}} {
		if diff := cmp.Diff(postgres.Traces{Others: []string{}}, w.forget(p, false)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if found := w.traces(f.words...); len(found) != 5 {
		t.Errorf("traces are left in %v only", found)
	}
}
