package behaviour_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"rappel/internal/twilio"
)

// What the people of this story are called, where they can be reached, what is
// written to them and what they write, and the secrets of the process.
const (
	clientNumber, contactNumber = "+12015550143", "+12015550144"
	clientEmail, contactEmail   = "zylphia.quorvex@one.seedmail.example", "brombelgard@two.seedmail.example"
	opsToken                    = "0ps-t0ken-Gnarfle"
	webhookToken                = "Wr0ng-t0ken-Splindor"
)

func allSeeds() seeds {
	return seeds{
		"Zylphia", "Quorvex", "Zyzzlet", "Brombelgard", "Fnordwick", "Vuldrakken", "Aunt-Krimbelle",
		clientNumber, contactNumber, clientEmail, contactEmail, "zylphia.quorvex", // a masked address has its domain
		"Hypnotrichology", "Quibblestone", "secretroom-xqj", "manage-blorptok", // of the visit
		"Wumbletide", "Frobnicake", "Grumblewort", // of templates
		"Snorkelwhack",                                       // of a reply
		"Formlabrax", "Docuzarth", "INVZ-99812", "tokzarb77", // of notices
		token, authToken, apiKey, opsToken, webhookToken, "pgpass-Mumpfel",
	}
}

// expectNobody fails the test for each place where something of a person was
// said, or a secret.
func (p *process) expectNobody() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, where := range slices.Sorted(maps.Keys(p.heard)) {
		said := p.heard[where].String()
		if len(p.seeds.in(said)) == 0 {
			continue // all at once: line by line it takes minutes
		}
		for line := range strings.Lines(said) {
			if found := p.seeds.in(line); len(found) > 0 {
				p.t.Errorf("%s holds %q: %.600s", where, found, line)
			}
		}
	}
}

// people writes a practice with a client who wants everything on both channels,
// a contact of theirs, and texts that name whatever there is to be named.
func (p *process) people() (client, contact string) {
	p.t.Helper()
	p.practice = p.insert("practices", row{
		"name": "Elm Street Practice", "time_zone": "America/New_York", "phone": "+12015550100", "email": "desk@elm.example.com",
		"sms_opens": "00:00", "sms_closes": "00:00",
	})
	p.practitioner = p.insert("practitioners", row{"practice_id": p.practice, "name": "Dr. Vuldrakken"})
	client = p.client("Zylphia", row{
		"last_name": "Quorvex", "preferred_name": "Zyzzlet", "phone": clientNumber, "email": clientEmail, "preferred_method": "both",
	})
	contact = p.contact(client, "Brombelgard", row{"last_name": "Fnordwick", "phone": contactNumber, "email": contactEmail}, row{
		"relationship": "Aunt-Krimbelle", "portal_access": true, "can_message": true, "can_view_documents": true, "can_manage_billing": true,
	})
	for _, kind := range []string{"appointment.booked", "appointment.rescheduled", "appointment.reminder", "document.shared", "invoice.issued", "portal.message"} {
		for _, channel := range []string{"sms", "email"} {
			p.template(row{
				"name": kind, "channel": channel, "subject": "Wumbletide",
				"body": "Wumbletide [RecipientName] [ClientName] [Relationship] [PractitionerName] [ServiceName] [LocationName] [TelehealthLink|] [ManageLink|] " +
					"[PortalLink|] [DocumentName|] [InvoiceNumber|] [AppointmentDate|]",
			})
		}
	}
	p.template(row{"name": "appointment.confirmed", "channel": "sms", "body": "Frobnicake [Zylphia] [ClientName"})
	p.template(row{"name": "appointment.confirmed", "channel": "email", "subject": "Frobnicake", "body": "[If Placeholder]Frobnicake [ClientName]"})
	return client, contact
}

// visit books an appointment in so many hours.
func (p *process) visit(client string, in time.Duration, booked time.Time) string {
	p.t.Helper()
	return p.appointment(client, time.Now().Add(in).Format(time.RFC3339Nano), row{
		"service_name": "Hypnotrichology", "location_name": "Quibblestone 5", "location_address": "Quibblestone 5",
		"telehealth_url": "https://meet.example.com/secretroom-xqj", "manage_url": "https://elm.example.com/m?t=manage-blorptok",
		"booked_at": booked, "updated_at": booked,
	})
}

// sends has messages go in every way that there is: taken, refused, put off and
// not answered, by receivers who repeat what they were given in all they say.
func (p *process) sends(client string) (visit string) {
	p.t.Helper()
	echo := strings.Join(p.seeds, " ")
	quoted, err := json.Marshal(echo)
	if err != nil {
		p.t.Fatal(err)
	}
	said := string(quoted)
	rounds := []struct{ byAdmin, byCarrier []answer }{
		{nil, nil},
		{
			[]answer{{status: 422, body: `{"code":` + said + `,"detail":` + said + `,"title":` + said + `}`}, {status: 404, body: echo}, {status: 413, html: true, body: echo}},
			[]answer{{status: 400, body: `{"code":21211,"message":` + said + `,"more_info":` + said + `,"status":400}`}, {status: 400, body: `{"errors":[{"message":` + said + `,"field":` + said + `}]}`}},
		},
		{
			[]answer{{status: 422, body: `{"code":"opted_out","detail":` + said + `}`}, {}, {}},
			[]answer{{}, {}, {}},
		},
		{
			[]answer{{status: 503, html: true, body: echo, retryAfter: echo}, {status: 302, location: "https://elsewhere.example/" + url.PathEscape(echo)}, {status: 500, body: said}},
			[]answer{{status: 503, html: true, body: echo, retryAfter: echo}, {status: 302, location: "https://elsewhere.example/" + url.PathEscape(echo)}, {status: 500, body: said}},
		},
		{
			[]answer{{status: 202, body: `{"message_id":` + said + `}`}, {status: 202, body: echo}, {status: 429, body: echo, retryAfter: "1"}},
			[]answer{{status: 201, body: `{"sid":` + said + `}`}, {status: 429, body: echo, retryAfter: "1"}, {status: 401, body: echo}},
		},
	}
	for _, round := range rounds {
		visit = p.visit(client, 72*time.Hour, time.Now())
		p.answers(round.byAdmin, round.byCarrier)
		p.tell("appointment.booked", visit)
		p.quiet()
	}
	return visit
}

// changes has one visit moved, confirmed, cancelled and reminded of.
func (p *process) changes(client, visit string) {
	p.t.Helper()
	p.move(visit, time.Now().Add(96*time.Hour).Format(time.RFC3339Nano))
	p.quiet()
	p.confirm(visit) // its texts are broken
	p.quiet()
	p.tell("appointment.telehealth_link", visit)
	p.quiet()
	p.cancel(visit)
	p.quiet()
	p.rule(row{"offset_minutes": -24 * hour, "name": "Wumbletide"})
	p.visit(client, 24*time.Hour-time.Second, time.Now().AddDate(0, -1, 0))
	p.command("sweep")
	p.untilTrue("it is reminded of", `SELECT count(*) > 0 FROM rappel.notifications WHERE kind = 'appointment.reminder'`)
	p.quiet()
}

// notices tells of what stands beside appointments.
func (p *process) notices(client, contact string) {
	p.t.Helper()
	p.notice("document.shared", client, "", `{"document_name":"Docuzarth","portal_link":"https://elm.example.com/p/tokzarb77","Zylphia":["Quorvex"]}`)
	p.notice("invoice.issued", client, "", `{"invoice_number":"INVZ-99812","invoice_amount":"Grumblewort"}`)
	p.notice("portal.message", client, contact, `{"portal_link":"https://elm.example.com/p/tokzarb77"}`)
	p.notice("form.sent", client, "", `{"form_name":"Formlabrax","form_link":"https://elm.example.com/f/tokzarb77"}`)
	p.notice("form.sent", newID(), "", `{"form_name":"Formlabrax"}`)
	p.quiet()
}

// twilioPosts is a request of Twilio's, signed with a token.
func (p *process) twilioPosts(path, key string, form url.Values) int {
	p.t.Helper()
	target, err := url.Parse(publicURL + path)
	if err != nil {
		p.t.Fatal(err)
	}
	c := &callback{url: target, token: key, form: form}
	return p.post(path, form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded", twilio.SignatureHeader: c.sign()})
}

// replies has people answer: words that count, words for staff, with a database
// that fails, and words that nobody signed.
func (p *process) replies() {
	p.t.Helper()
	for n, text := range []string{"C", "STOP", "START", "Snorkelwhack Zylphia Quorvex is late, call " + clientNumber} {
		if n == 3 {
			p.inbox.answers(answer{status: 503, html: true, body: "Snorkelwhack " + clientNumber}, answer{status: 422, body: `{"detail":"Snorkelwhack"}`})
		}
		form := url.Values{"MessageSid": {fmt.Sprintf("SM%032x", n)}, "From": {clientNumber}, "To": {"+15005550006"}, "Body": {text}, "ProfileName": {"Zylphia"}}
		p.expectStatus(200, p.twilioPosts("/webhooks/twilio/inbound", authToken, form))
		form.Set("Body", "Snorkelwhack")
		p.expectStatus(403, p.twilioPosts("/webhooks/twilio/inbound", webhookToken, form))
		p.expectStatus(403, p.twilioPosts("/webhooks/twilio/status?name=Zylphia&to="+url.QueryEscape(clientNumber), webhookToken, form))
	}
	p.trap("replies", "NEW.body = 'Snorkelwhack'")
	form := url.Values{"MessageSid": {fmt.Sprintf("SM%032x", 99)}, "From": {clientNumber}, "To": {"+15005550006"}, "Body": {"Snorkelwhack"}}
	if status := p.twilioPosts("/webhooks/twilio/inbound", authToken, form); status < 500 {
		p.t.Errorf("what could not be kept was answered %d", status)
	}
	p.release("replies")
	p.untilTrue("the replies were tried", `SELECT count(*) = 4 AND bool_and(attempts > 0) FROM rappel.replies`)
}

// receipts has everybody tell what became of messages, and strangers too.
func (p *process) receipts() {
	p.t.Helper()
	id := p.value(`SELECT id::text FROM rappel.notifications WHERE status IN ('sent', 'unknown') ORDER BY id LIMIT 1`)
	p.expectStatus(204, p.status(`{"notification_id":"`+id+`","status":"undelivered","error_code":"landline","to":"`+clientNumber+`"}`))
	p.status(`{"notification_id":"` + id + `","status":"undelivered","error_code":"Zylphia ` + clientNumber + `"}`)
	p.status(`{"notification_id":"Zylphia Quorvex","status":"Snorkelwhack"}`)
	p.status(clientEmail)
	p.expectStatus(403, p.post("/webhooks/admin/status", clientEmail, map[string]string{"Authorization": "Bearer " + webhookToken}))
	event := []byte(`[{"event":"bounce","email":"` + clientEmail + `","reason":"550 Zylphia ` + clientEmail + `","status":"5.1.1","notification_id":"` + id +
		`","timestamp":` + strconv.FormatInt(time.Now().Unix(), 10) + `},{"event":"deferred","response":"` + clientEmail + `","notification_id":"` + clientEmail + `"}]`)
	p.clock.set(time.Now())
	p.expectStatus(204, p.signed(p.key, p.clock.Now().Unix(), event, event))
	p.expectStatus(403, p.signed(p.key, p.clock.Now().Unix(), []byte("[]"), event))
	p.signed(p.key, p.clock.Now().Unix(), []byte(clientEmail), []byte(clientEmail))
	for _, path := range []string{"/Zylphia", "/tasks/?q=" + url.QueryEscape(clientEmail), "/metrics?token=" + webhookToken} {
		p.ask(p.t.Context(), path)
	}
	p.post("/tasks/api/queues/Zylphia:pause", clientEmail, nil)
}

// trap has the database refuse rows of a table, and say in its error all that is
// in them.
func (p *process) trap(table, condition string) {
	p.t.Helper()
	p.exec(`CREATE FUNCTION rappel.complain() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			RAISE EXCEPTION 'this is no good: %', NEW USING DETAIL = NEW::text, HINT = NEW::text, ERRCODE = 'check_violation';
		END $$`)
	p.exec(`CREATE TRIGGER trap BEFORE INSERT OR UPDATE ON rappel.` + table + ` FOR EACH ROW WHEN (` + condition + `) EXECUTE FUNCTION rappel.complain()`)
}

// release undoes a trap.
func (p *process) release(table string) {
	p.t.Helper()
	p.exec(`DROP TRIGGER trap ON rappel.` + table)
	p.exec(`DROP FUNCTION rappel.complain()`)
}

// troubles has the database refuse what would name a person in its complaint.
func (p *process) troubles(client string) {
	p.t.Helper()
	p.trap("notifications", "NEW.status IN ('pending', 'sending')")
	event := p.tell("appointment.booked", p.visit(client, 80*time.Hour, time.Now()))
	p.untilTrue("it is set aside", `SELECT look_at > now() + interval '5 s' FROM rappel.events WHERE id = '`+event+`'`)
	p.release("notifications")
	p.exec(`UPDATE rappel.events SET look_at = now() WHERE planned_at IS NULL`)
	p.quiet()
	p.trap("notifications", "NEW.body ~ 'Wumbletide'")
	p.tell("appointment.booked", p.visit(client, 81*time.Hour, time.Now()))
	p.until("the task has failed", func(context.Context) bool { return p.says(`"msg":"task failed"`) })
	p.release("notifications")
	p.enqueue(asynq.NewTask("notifications:deliver", []byte(`{"ids":["no id"]}`)), asynq.Queue("sms"))
}

// says tells whether the log holds something.
func (p *process) says(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard["standard output and error"] != nil && bytes.Contains(p.heard["standard output and error"].Bytes(), []byte(what))
}

// looks has whoever is on call look at everything.
func (p *process) looks(client, visit string) {
	p.t.Helper()
	from, to := time.Now().AddDate(0, 0, -1).Format(time.RFC3339), time.Now().AddDate(0, 0, 7).Format(time.RFC3339)
	for _, args := range [][]string{
		{"check"},
		{"check", "--json"},
		{"account"},
		{"account", "--json"},
		{"migrate", "--status"},
		{"explain", visit},
		{"explain", visit, "--json"},
		{"forecast", "--from", from, "--to", to},
		{"forecast", "--from", from, "--to", to, "--json"},
		{"replay", "--yes"},
		{"replay", "--status", "unknown"},
		{"forget", "--client", client},
		{"event", "appointment.booked", "--appointment", "Zylphia"},
	} {
		p.command(args...)
	}
	for _, path := range []string{"/", "/readyz", "/metrics", "/tasks/api/queues", "/tasks/api/queues/sms/archived_tasks", "/tasks/api/queues/sms/retry_tasks"} {
		if p.ask(p.t.Context(), path) == 0 {
			p.t.Errorf("%s does not answer", path)
		}
	}
	p.remember()
}

// Nothing of a person, and no secret, is in what the program says, nor in Redis:
// not in a line of the log at any level, not in a metric, an error, a page or an
// argument.
func TestNothingSaysWhoItIsAbout(t *testing.T) {
	t.Parallel()
	for name, byAdmin := range map[string]bool{"by the admin endpoints": true, "by Twilio and SendGrid": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProcess(t, byAdmin)
			client, contact := p.people()
			visit := p.sends(client)
			p.remember()
			p.changes(client, visit)
			p.notices(client, contact)
			p.remember()
			p.receipts()
			p.replies()
			p.troubles(client)
			p.happened()
			p.looks(client, visit)
			p.command("forget", "--client", client, "--yes")
			p.command("forget", "--contact", contact, "--yes")
			p.looks(client, visit)
			p.wasHeard()
			p.expectNobody()
		})
	}
}

// happened fails the test unless the story took place: what never was cannot
// have left a trace.
func (p *process) happened() {
	p.t.Helper()
	want := []string{"sent", "failed", "suppressed bad_template"}
	if !p.admin {
		want = append(want, "unknown")
	}
	got := p.value(`SELECT string_agg(DISTINCT concat_ws(' ', status, nullif(reason, 'refused')), ', ') FROM rappel.notifications`)
	for _, status := range want {
		if !strings.Contains(got, status) {
			p.t.Errorf("nothing is %s: %s", status, got)
		}
	}
}

// wasHeard fails the test unless each place was listened to.
func (p *process) wasHeard() {
	p.t.Helper()
	for where, words := range map[string]string{
		"standard output and error": `"msg":"decided"`, "what Redis was told": "notifications:deliver", "Redis": "asynq:", "GET /metrics": "rappel_notifications_total",
		"GET /readyz": "redis: ok", "rappel account": "planned", "arguments": "run",
	} {
		p.mu.Lock()
		if p.heard[where] == nil || !strings.Contains(p.heard[where].String(), words) {
			p.t.Errorf("%s does not hold %q", where, words)
		}
		p.mu.Unlock()
	}
}
