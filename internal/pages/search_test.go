package pages_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// A letter is a message to write into the ledger by hand.
type letter struct {
	client, contact, visit   string
	kind, channel, to        string
	status, reason           string
	decided, notBefore, sent time.Time
}

// post writes a decision and its message, as the planner does.
func (w *world) ledger(l letter) (id string) {
	w.t.Helper()
	if l.kind == "" {
		l.kind = "appointment.reminder"
	}
	if l.channel == "" {
		l.channel = "sms"
	}
	if l.notBefore.IsZero() {
		l.notBefore = l.decided
	}
	if l.client == "" {
		l.client = uuid.Must(uuid.NewV7()).String()
	}
	who, role := l.client, "client"
	if l.contact != "" {
		who, role = l.contact, "contact"
	}
	decision := w.insert("decisions", row{
		"practice_id": w.practice, "client_id": l.client, "appointment_id": orNull(l.visit), "kind": l.kind, "decided_at": l.decided, "outcome": "notify",
		"candidates": fmt.Sprintf(`[{"recipient":%q,"id":%q,"channel":%q,"outcome":"send","reasons":[]}]`, role, who, l.channel),
	})
	return w.insert("notifications", row{
		"decision_id": decision, "practice_id": w.practice, "client_id": l.client, "contact_id": orNull(l.contact), "appointment_id": orNull(l.visit),
		"kind": l.kind, "channel": l.channel, "address": l.to, "template": l.kind, "status": l.status, "reason": orNull(l.reason),
		"not_before": l.notBefore, "created_at": l.decided, "sent_at": orNullTime(l.sent),
	})
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func orNullTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// found are the messages that a page lists, in order.
func found(page string) (ids []string) {
	for _, m := range regexp.MustCompile(`<a href="/messages/([0-9a-f-]{36})">`).FindAllStringSubmatch(page, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

func TestMessagesAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.clock()
	const phone, mail = "+12015550143", "Ann.Lee@example.com"
	client, contact, visit := newID(), newID(), newID()
	reminder := w.ledger(letter{client: client, contact: contact, visit: visit, to: phone, status: "delivered", decided: now.Add(-2 * time.Hour), sent: now.Add(-time.Hour)})
	refused := w.ledger(letter{client: client, to: mail, channel: "email", kind: "appointment.booked", status: "failed", reason: "refused", decided: now.Add(-time.Hour), sent: now})
	waiting := w.ledger(letter{client: client, to: phone, status: "pending", decided: now.Add(-48 * time.Hour), notBefore: now.Add(time.Hour)})
	silent := w.ledger(letter{to: phone, status: "suppressed", reason: "cancelled", decided: now.Add(-24 * time.Hour)})

	for path, want := range map[string][]string{
		"/messages":                                                   {refused, reminder}, // of today
		"/messages?day=2026-11-23":                                    {silent},
		"/messages?day=2026-11-20":                                    nil,
		"/messages?id=" + client:                                      {refused, reminder, waiting},
		"/messages?id=" + contact:                                     {reminder},
		"/messages?id=" + visit:                                       {reminder},
		"/messages?id=" + silent:                                      {silent},
		"/messages?id=" + strings.ToUpper(visit):                      {reminder},
		"/messages?id=" + client + "&day=2026-11-22":                  {waiting},
		"/messages?id=" + client + "&channel=email":                   {refused},
		"/messages?status=failed":                                     {refused},
		"/messages?reason=refused":                                    {refused},
		"/messages?kind=appointment.reminder":                         {reminder},
		"/messages?channel=email&status=sent":                         nil,
		"/messages?day=2026-11-23&reason=cancelled&status=suppressed": {silent},
	} {
		got := w.get(path)
		if ids := found(got.body); !slices.Equal(ids, want) {
			t.Errorf("%s: %d %v, want %v", path, got.status, ids, want)
		}
	}
	for name, c := range map[string]struct {
		address, day string
		want         []string
	}{
		"a number, sent or waiting":        {"(201) 555-0143", "", []string{reminder, waiting}},
		"a number with its country":        {"+1 201 555 0143", "", []string{reminder, waiting}},
		"a number on a day":                {phone, "2026-11-23", []string{silent}},
		"an e-mail address in any case":    {" ann.lee@EXAMPLE.com ", "", nil}, // the ledger has it as it was written
		"an e-mail address as it is kept":  {mail, "", []string{refused}},
		"an address nobody has written to": {"nobody@example.com", "", nil},
	} {
		got := w.post("/messages", url.Values{"address": {c.address}, "day": {c.day}})
		if ids := found(got.body); got.status != http.StatusOK || !slices.Equal(ids, c.want) {
			t.Errorf("%s: %d %v, want %v", name, got.status, ids, c.want)
		}
		check(t, name, got.body)
		if words := html.UnescapeString(got.body); len(c.want) > 0 && strings.Contains(words, strings.TrimSpace(c.address)) {
			t.Errorf("%s: the page repeats it", name)
		}
	}
	for _, bad := range []string{"", "12", "not an address", "a@b", strings.Repeat("1", 400)} {
		if got := w.post("/messages", url.Values{"address": {bad}}); got.status != http.StatusBadRequest || (bad != "" && strings.Contains(got.body, ">"+bad)) {
			t.Errorf("%q: %d", bad, got.status)
		}
	}
	if log := w.log.String(); strings.Contains(log, "5550143") || strings.Contains(strings.ToLower(log), "ann.lee") || strings.Count(log, "searched for by an address") != 6 {
		t.Errorf("the log:\n%s", log)
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func TestPagesOfASearchFollowEachOtherWithoutAGapOrARepeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := newID()
	var want []string
	for i := range 120 { // three at each moment: the id decides
		want = append(want, w.ledger(letter{client: client, to: "+12015550143", status: "sent", decided: w.clock().Add(time.Duration(i/3) * time.Microsecond), sent: w.clock()}))
	}
	slices.Reverse(want)
	for name, first := range map[string]string{"by day": "/messages?status=sent", "by id": "/messages?id=" + client} {
		var got []string
		pages := 0
		for path := first; path != ""; pages++ {
			page := w.get(path).body
			got = append(got, found(page)...)
			path = ""
			if m := regexp.MustCompile(`id="older" [^>]*href="([^"]+)"`).FindStringSubmatch(page); m != nil {
				path = html.UnescapeString(m[1])
			}
		}
		if pages != 3 || !slices.Equal(got, want) {
			t.Errorf("%s: %d pages with %d messages, want 3 with %d in their order", name, pages, len(got), len(want))
		}
	}
	form := url.Values{"address": {"+1 201 555 0143"}}
	var got []string
	for range 4 {
		page := w.post("/messages", form).body
		got = append(got, found(page)...)
		m := regexp.MustCompile(`name="after" value="([^"]+)"`).FindStringSubmatch(page)
		if m == nil {
			break
		}
		form.Set("after", html.UnescapeString(m[1]))
	}
	if !slices.Equal(got, want) {
		t.Errorf("by address: %d messages, want %d in their order", len(got), len(want))
	}
}

func TestTheDayIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.clock()
	midnight := instant(t, "2026-11-24T00:00:00-05:00")
	for _, l := range []letter{
		{status: "delivered", decided: midnight},
		{status: "delivered", decided: now},
		{status: "sent", decided: now},
		{status: "suppressed", reason: "cancelled", decided: now},
		{status: "suppressed", reason: "opted_out", decided: now},
		{status: "suppressed", reason: "cancelled", decided: now},
		{status: "pending", decided: now, notBefore: now.Add(90 * time.Minute)},
		{status: "failed", reason: "refused", decided: midnight.Add(-time.Second)},
	} {
		l.to = "+12015550143"
		w.ledger(l)
	}
	for path, want := range map[string][]string{
		"/": {
			"Tuesday, 24 November 2026", "10:20", "America/New_York", "The books are closed.", "7 messages promised",
			`<b class="n">1</b> <span class="chip good"><span aria-hidden="true">✓</span> sent`,
			`<b class="n">2</b> <span class="chip good"><span aria-hidden="true">✓</span> delivered`,
			`<b class="n">0</b> <span class="chip bad"><span aria-hidden="true">!</span> failed`,
			`<b class="n">3</b> <span class="chip plain"><span aria-hidden="true">–</span> suppressed`,
			"7 messages decided on this day", "1 message in the ledger", "Tue 11:00",
			"reason=cancelled", `<td class="figure">2</td>`, "reason=opted_out", `<td class="figure">1</td>`, "SMS", "admin", "closed: messages go out", "One process works on the queues",
		},
		"/?day=2026-11-23": {"Monday, 23 November 2026", "1 message promised", `<b class="n">1</b> <span class="chip bad"><span aria-hidden="true">!</span> failed`},
	} {
		got := w.get(path)
		check(t, path, got.body)
		inOrder(t, got.body, want...)
	}
	w.exec(`DELETE FROM rappel.notifications WHERE status = 'delivered' AND created_at = $1`, now)
	got := w.get("/").body
	inOrder(t, got, `role="alert"`, "The books do not close: 1 message not accounted for", "promised 1, and the ledger has 0")
	check(t, "books that do not close", got)
}
