package pages_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rappel/internal/app"
)

// What nobody may read who has not asked for it.
const (
	childName   = "Zephyrine"
	motherName  = "Quillfeather"
	motherPhone = "+12015550143"
	motherEmail = "zq.mother@example.com"
)

func personal() []string {
	return []string{
		childName, motherName, motherPhone, "201-555-0143", "2015550143", "zq.mother", "grand-aunt",
		"is booked", "canceled.", // of the built-in texts
	}
}

// A family is a child without an address, a mother who hears everything, and a
// father who hears no reminders and has no number.
type family struct{ child, mother, father, visit, message string }

// settleFamily books a visit for three days ahead, of which the mother is told
// at the third attempt, and reminds her the day before.
func settleFamily(w *world) family {
	w.t.Helper()
	f := family{
		child: w.insert("clients", row{"practice_id": w.practice, "first_name": childName, "last_name": "Rivera", "preferred_method": "sms"}),
		mother: w.insert("contacts", row{
			"practice_id": w.practice, "first_name": motherName, "last_name": "Rivera", "phone": motherPhone, "email": motherEmail,
		}),
		father: w.insert("contacts", row{"practice_id": w.practice, "first_name": "David", "last_name": "Rivera"}),
	}
	w.insert("client_contacts", row{
		"client_id": f.child, "contact_id": f.mother, "relationship": "grand-aunt", "position": 0,
		"receives_reminders": true, "receives_confirmations": true,
	})
	w.insert("client_contacts", row{
		"client_id": f.child, "contact_id": f.father, "relationship": "father", "position": 1, "receives_confirmations": true,
	})
	w.insert("rules", row{
		"practice_id": w.practice, "kind": "reminder", "name": "24 hours before", "offset_minutes": -1440,
		"template": "appointment.reminder", "updated_at": w.clock().AddDate(-1, 0, 0),
	})
	w.main.answers(http.StatusServiceUnavailable)
	f.visit = w.book(f.child, 72*time.Hour)
	w.untilTried()
	w.pass(time.Hour)
	f.message = w.text(`SELECT id FROM rappel.notifications WHERE appointment_id = $1 AND kind = 'appointment.booked'`, f.visit)
	return f
}

// untilTried waits until the first message was tried once.
func (w *world) untilTried() {
	w.t.Helper()
	tick, end := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for w.text(`SELECT count(*) FROM rappel.notifications WHERE attempts > 0 AND status = 'pending'`) == "0" {
		select {
		case <-tick.C:
		case <-end:
			w.t.Fatalf("nothing was tried; the log:\n%s", w.log)
		}
	}
}

// holdText writes a message of which the ledger still has the words.
func (w *world) holdText(f family) string {
	w.t.Helper()
	id := w.ledger(letter{
		client: f.child, contact: f.mother, visit: f.visit, to: motherPhone, status: "pending", decided: w.clock(), notBefore: w.clock().Add(time.Hour),
	})
	w.exec(`UPDATE rappel.notifications SET subject = 'Your visit', body = 'Zephyrine is booked', recipient_name = 'Quillfeather' WHERE id = $1`, id)
	return id
}

// everyPage is what can be opened without asking for anything personal.
func (f family) everyPage() []string {
	return []string{
		"/", "/?day=2026-11-23", "/messages", "/messages?id=" + f.child, "/messages?status=delivered&channel=sms",
		"/messages/" + f.message, "/appointments/" + f.visit, "/unreachable", "/unreachable?days=31",
		"/templates", "/templates/appointment.reminder", "/templates/invoice.issued",
	}
}

func TestNothingPersonalIsOnAnyPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := settleFamily(w)
	w.insert("replies", row{
		"carrier_id": "c-1", "address": motherPhone, "body": childName + " is ill", "received_at": w.clock(), "meaning": "other", "notification_id": f.message,
		"not_before": w.clock().AddDate(1, 0, 0),
	})
	held := w.holdText(f)
	for _, path := range append(f.everyPage(), "/messages/"+held) {
		got := w.get(path)
		if got.status != http.StatusOK {
			t.Errorf("%s: %d\n%s", path, got.status, w.log)
		}
		check(t, path, got.body)
		for _, word := range personal() {
			if strings.Contains(html.UnescapeString(got.body), word) && !strings.HasPrefix(path, "/templates") {
				t.Errorf("%s shows %q", path, word)
			}
		}
		if cache := got.header.Get("Cache-Control"); cache != "no-store" {
			t.Errorf("%s: Cache-Control: %s", path, cache)
		}
	}
	if log := w.log.String(); strings.Contains(log, "personal data was shown") {
		t.Errorf("the log says that something was shown:\n%s", log)
	}
}

func TestWhatIsAskedForIsShownAndLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := settleFamily(w)
	w.insert("replies", row{
		"carrier_id": "c-1", "address": motherPhone, "body": "We come later", "received_at": w.clock(), "meaning": "other", "notification_id": f.message,
		"not_before": w.clock().AddDate(1, 0, 0),
	})
	held := w.holdText(f)
	alone := w.insert("clients", row{"practice_id": w.practice, "first_name": "Ottoline", "last_name": "Marsh", "preferred_method": "sms"})
	w.insert("appointments", row{
		"practice_id": w.practice, "client_id": alone, "starts_at": w.clock().Add(48 * time.Hour), "ends_at": w.clock().Add(49 * time.Hour),
		"booked_at": w.clock().AddDate(0, 0, -9), "start_set_at": w.clock().AddDate(0, 0, -9),
	})
	for path, c := range map[string]struct {
		form url.Values
		want []string
		log  string
	}{
		"/messages/" + f.message:   {nil, []string{motherName, motherPhone, "grand-aunt", childName, "We come later"}, "what=message ids=[" + f.message + "]"},
		"/messages/" + held:        {nil, []string{motherPhone, "Your visit", "Zephyrine is booked"}, "what=message ids=[" + held + "]"},
		"/appointments/" + f.visit: {nil, []string{motherName, motherPhone, childName}, "what=appointment ids=[" + f.visit + "]"},
		"/unreachable":             {url.Values{"days": {"3"}}, []string{"Ottoline Marsh"}, "what=worklist ids=["},
	} {
		got := w.post(path, c.form)
		if got.status != http.StatusOK || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
		check(t, path, got.body)
		for _, word := range c.want {
			if !strings.Contains(html.UnescapeString(got.body), word) {
				t.Errorf("%s does not show %q:\n%s", path, word, got.body)
			}
		}
		if log := w.log.String(); strings.Count(log, c.log) != 1 || !strings.Contains(log, "remote=127.0.0.1") {
			t.Errorf("%q is not in the log once:\n%s", c.log, log)
		}
	}
	for _, word := range append(personal(), "Ottoline", "come later") {
		if strings.Contains(w.log.String(), word) {
			t.Errorf("the log has %q", word)
		}
	}
}

func TestAStoryIsToldInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := settleFamily(w)
	receipt := strings.NewReader(`{"notification_id":"` + f.message + `","status":"delivered"}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/webhooks/admin/status", receipt)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	res, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode/100 != 2 {
		t.Fatalf("the receipt: %d, %v", res.StatusCode, err)
	}
	w.insert("replies", row{
		"carrier_id": "c-1", "address": motherPhone, "received_at": w.clock().Add(time.Minute), "meaning": "confirm", "notification_id": f.message,
		"outcome": "posted", "settled_at": w.clock(),
	})
	inOrder(t, w.get("/messages/"+f.message).body,
		"Appointment booked", "it arrived", "Its story",
		"The main app told of it", "Decided: somebody is told", "no address on file for the channel", "(this message)",
		"Attempt failed; it is tried again", "503", "<h3>Sent</h3>", "by admin, at the 2nd attempt", "Receipt: delivered",
		"Reply: confirms the appointment", "The main app has it")
	inOrder(t, w.get("/appointments/"+f.visit).body,
		"Appointment of Z•••", "What was decided", "Appointment booked", "Somebody is told", "delivered", "no address on file",
		"What will come", "Appointment reminder", "24 hours before", "Somebody will be told", "goes Thu 26 Nov 2026, 10:20")
}

// inOrder fails unless the words are on the page, each after the one before.
func inOrder(t *testing.T, page string, words ...string) {
	t.Helper()
	rest := page
	for _, word := range words {
		_, after, ok := strings.Cut(rest, word)
		if !ok {
			t.Fatalf("%q is not there, or not after the words before it:\n%s", word, page)
		}
		rest = after
	}
}

func TestPagesOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t, app.Parts{})
	for path, words := range map[string]string{
		"/":                "No message was decided on this day",
		"/messages":        "No message of this day is found",
		"/unreachable":     "Nobody: every message",
		"/templates":       "Nothing is wrong",
		"/?day=2020-02-29": "No decision of the day promised a message",
	} {
		got := w.get(path)
		if got.status != http.StatusOK || !strings.Contains(got.body, words) {
			t.Errorf("%s: %d, without %q\n%s\n%s", path, got.status, words, got.body, w.log)
		}
		check(t, path, got.body)
	}
	// The ops server alone knows no breaker, and says so.
	inOrder(t, w.get("/").body, "SMS", "not in this process", "E-mail", "not in this process", "No process works on the queues: nothing goes out")
}

func TestAHostileNameIsOnlyWords(t *testing.T) {
	t.Parallel()
	const hostile = `<script>alert(1)</script>`
	w := newWorld(t)
	client := w.insert("clients", row{"practice_id": w.practice, "first_name": hostile, "last_name": `"><img src=x onerror=alert(2)>`, "preferred_method": "sms"})
	w.insert("rules", row{"practice_id": w.practice, "kind": "reminder", "name": hostile, "offset_minutes": -1440, "template": hostile, "updated_at": w.clock().AddDate(-1, 0, 0)})
	w.insert("templates", row{"practice_id": w.practice, "name": hostile, "channel": "email", "subject": hostile, "body": `<p onclick="alert(3)">` + hostile + `</p><script>alert(4)</script>`})
	visit := w.book(client, 72*time.Hour)
	w.settle()
	for path, got := range map[string]page{
		"appointment": w.post("/appointments/"+visit, nil), "worklist": w.post("/unreachable", nil),
		"templates": w.get("/templates"), "template": w.get("/templates/" + url.PathEscape(hostile)),
		"mail":    w.get("/templates/" + url.PathEscape(hostile) + "/mail/" + w.text(`SELECT id FROM rappel.templates`)),
		"nothing": w.get("/templates/" + url.PathEscape("<script>x</script>")), "search": w.get("/messages?id=" + url.QueryEscape(hostile)),
		"nowhere": w.get("/" + url.PathEscape(hostile)),
	} {
		if strings.Contains(got.body, "<script>") || strings.Contains(got.body, "<img") || strings.Contains(got.body, "<p onclick") {
			t.Errorf("%s: %d\n%s", path, got.status, got.body)
		}
		if path != "mail" {
			check(t, path, got.body)
		}
	}
}

func TestAPageSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const nobody = "01900000-0000-7000-8000-000000000011"
	w := newWorld(t)
	for path, c := range map[string]struct {
		status int
		words  string
	}{
		"/messages/" + nobody:                    {404, "There is no message <code>" + nobody},
		"/appointments/" + nobody:                {404, "There is no appointment <code>" + nobody},
		"/templates/nothing":                     {404, "There is no template <code>nothing"},
		"/nowhere":                               {404, "There is no page <code>/nowhere"},
		"/messages/1":                            {400, "“1” is not an id"},
		"/appointments/x":                        {400, "“x” is not an id"},
		"/messages?id=x":                         {400, "“x” is not an id"},
		"/messages?day=tomorrow":                 {400, "is not a day"},
		"/messages?status=lost":                  {400, "There is no status “lost”"},
		"/messages?reason=because":               {400, "There is no reason “because”"},
		"/messages?kind=x&channel=y":             {400, "There is no kind “x”"},
		"/messages?channel=pigeon":               {400, "There is no channel “pigeon”"},
		"/messages?after=x":                      {400, "is not whole"},
		"/?day=2026-13-01":                       {400, "is not a day"},
		"/unreachable?days=400":                  {400, "between 1 and 31"},
		"/unreachable?days=":                     {200, "Unreachable"},
		"/messages?id=" + nobody:                 {200, "If it is the id of an appointment"},
		"/messages/" + nobody + "/x":             {404, "There is no page"},
		"/templates/appointment.reminder/mail/x": {404, "There is no such e-mail"},
	} {
		got := w.get(path)
		if got.status != c.status || !strings.Contains(got.body, c.words) {
			t.Errorf("%s: %d, want %d with %q:\n%s", path, got.status, c.status, c.words, got.body)
		}
		if !strings.Contains(path, "/mail/") {
			check(t, path, got.body)
		}
	}
	inOrder(t, w.get("/messages/"+nobody).body, `href="/messages?id=`+nobody)
}

func TestAFailureIsFoundInTheLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`ALTER TABLE rappel.notifications RENAME TO elsewhere`)
	got := w.get("/messages?day=2026-11-24&after=")
	w.exec(`ALTER TABLE rappel.elsewhere RENAME TO notifications`)
	_, id, _ := strings.Cut(got.body, `<code id="request-id">`)
	id, _, _ = strings.Cut(id, "<")
	if got.status != http.StatusInternalServerError || len(id) != 12 {
		t.Errorf("%d, request id %q:\n%s", got.status, id, got.body)
	}
	check(t, "a failure", got.body)
	if log := w.log.String(); !strings.Contains(log, "request_id="+id) || !strings.Contains(log, "42P01") {
		t.Errorf("the log does not have it:\n%s", log)
	}
	if strings.Contains(got.body, "42P01") {
		t.Error("the page says more than it should")
	}
}

// The words of an e-mail come from whoever wrote its template: they are shown in
// a frame that may do nothing.
func TestAnEmailIsADocumentWithoutRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, c := range map[string]struct{ policy, frames string }{
		"/templates/appointment.reminder/mail/email.client.en": {
			"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'", "SAMEORIGIN",
		},
		"/templates/appointment.reminder": {
			"default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", "DENY",
		},
		"/style.css": {
			"default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", "DENY",
		},
	} {
		got := w.get(path)
		policy, frames := strings.Join(got.header.Values("Content-Security-Policy"), " | "), strings.Join(got.header.Values("X-Frame-Options"), " | ")
		if got.status != http.StatusOK || policy != c.policy || frames != c.frames {
			t.Errorf("%s: %d %q %q", path, got.status, policy, frames)
		}
	}
	inOrder(t, w.get("/templates/appointment.reminder").body,
		`<iframe sandbox loading="lazy" src="/templates/appointment.reminder/mail/email.client.en"`)
}
