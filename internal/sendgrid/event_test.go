package sendgrid_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rappel/internal/sendgrid"
	"rappel/jobs/deliver"
)

// told is an event as "SendGrid: Event Webhook Reference" shows it, of a mail
// with our own id.
func told(fields string) string {
	return `{"email":"` + mailbox + `","timestamp":1795262400,"smtp-id":"<14c5d75ce93.dfd.64b469@ismtpd-555>","category":["cat facts"],` +
		`"sg_event_id":"rWVYmVk90MjZJ9iohOBa3w==","sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",` +
		`"notification_id":"` + id + `",` + fields + `}`
}

// event is what told says, but for what a test is about.
func event(change func(*sendgrid.Event)) sendgrid.Event {
	e := sendgrid.Event{
		NotificationID: id, EventID: "rWVYmVk90MjZJ9iohOBa3w==", At: time.Unix(1795262400, 0).UTC(),
	}
	change(&e)
	return e
}

func is(k sendgrid.Kind, r sendgrid.Reason) sendgrid.Event {
	return event(func(e *sendgrid.Event) { e.Kind, e.Reason = k, r })
}

func TestEventsAreRead(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fields string
		want   sendgrid.Event
	}{
		"processed": {`"event":"processed"`, is(sendgrid.Processed, "")},
		"deferred":  {`"event":"deferred","response":"400 try again later","attempt":"5"`, is(sendgrid.Deferred, "")},
		"delivered": {`"event":"delivered","response":"250 OK"`, is(sendgrid.Delivered, "")},
		"bounced": {
			`"event":"bounce","type":"bounce","status":"5.1.1","reason":"550 5.1.1 ann.lee@example.com unknown","bounce_classification":"Invalid Address"`,
			event(func(e *sendgrid.Event) {
				e.Kind, e.Reason, e.SMTP = sendgrid.Bounce, sendgrid.InvalidAddress, "5.1.1"
			}),
		},
		"blocked": {
			`"event":"bounce","type":"blocked","status":"421","bounce_classification":"Reputation"`,
			event(func(e *sendgrid.Event) {
				e.Kind, e.Reason, e.SMTP = sendgrid.Blocked, sendgrid.Reputation, "421"
			}),
		},
		"not taken in time":          {`"event":"bounce","type":"expired","bounce_classification":"Unclassified"`, is(sendgrid.Blocked, sendgrid.Other)},
		"bounced, a mailbox":         {`"event":"bounce","bounce_classification":"Mailbox Unavailable"`, is(sendgrid.Bounce, sendgrid.MailboxUnavailable)},
		"bounced, a technical cause": {`"event":"bounce","bounce_classification":"Technical Failure"`, is(sendgrid.Bounce, sendgrid.Technical)},
		"bounced, what it says":      {`"event":"bounce","bounce_classification":"Content"`, is(sendgrid.Bounce, sendgrid.Content)},
		"bounced, too often": {
			`"event":"bounce","bounce_classification":"Frequency or Volume Too High"`, is(sendgrid.Bounce, sendgrid.TooOften),
		},
		"bounced, unclassified":     {`"event":"bounce","bounce_classification":"Unclassified"`, is(sendgrid.Bounce, sendgrid.Other)},
		"bounced without a word":    {`"event":"bounce"`, is(sendgrid.Bounce, sendgrid.Other)},
		"a status that is a text":   {`"event":"bounce","status":"5.1.1 ann.lee@example.com"`, is(sendgrid.Bounce, sendgrid.Other)},
		"a status of dots":          {`"event":"bounce","status":"..."`, is(sendgrid.Bounce, sendgrid.Other)},
		"dropped, bounced before":   {`"event":"dropped","reason":"Bounced Address","status":"5.0.0"`, event(func(e *sendgrid.Event) { e.Kind, e.Reason, e.SMTP = sendgrid.Dropped, sendgrid.BouncedBefore, "5.0.0" })},
		"dropped, no address":       {`"event":"dropped","reason":"Invalid"`, is(sendgrid.Dropped, sendgrid.InvalidAddress)},
		"dropped, unsubscribed":     {`"event":"dropped","reason":"Unsubscribed Address"`, is(sendgrid.Dropped, sendgrid.Unsubscribed)},
		"dropped, complained":       {`"event":"dropped","reason":"Spam Reporting Address"`, is(sendgrid.Dropped, sendgrid.ReportedSpam)},
		"dropped, for what it says": {`"event":"dropped","reason":"Spam Content (if Spam Checker app is enabled)"`, is(sendgrid.Dropped, sendgrid.Content)},
		"dropped, over the quota":   {`"event":"dropped","reason":"Recipient List over Package Quota"`, is(sendgrid.Dropped, sendgrid.OverQuota)},
		"dropped, our mistake":      {`"event":"dropped","reason":"Invalid SMTPAPI header"`, is(sendgrid.Dropped, sendgrid.Other)},
		"a complaint":               {`"event":"spamreport"`, is(sendgrid.SpamReport, "")},
		"unsubscribed":              {`"event":"unsubscribe"`, is(sendgrid.Unsubscribe, "")},
		"unsubscribed from a group": {`"event":"group_unsubscribe","asm_group_id":10`, is(sendgrid.GroupUnsubscribe, "")},
		"subscribed again":          {`"event":"group_resubscribe","asm_group_id":10`, is(sendgrid.GroupResubscribe, "")},
		"opened":                    {`"event":"open","useragent":"Mozilla/4.0","ip":"255.255.255.255"`, is(sendgrid.Open, "")},
		"of tomorrow":               {`"event":"teleported"`, is("", "")},
		"in capitals":               {`"event":"DELIVERED"`, is("", "")},
		"no kind":                   {`"event":null`, is("", "")},
		"a kind of another shape":   {`"event":["delivered"]`, is("", "")},
		"a time in quotes":          {`"event":"delivered","timestamp":"1795262400"`, is(sendgrid.Delivered, "")},
		"a time of another shape":   {`"event":"delivered","timestamp":{}`, event(func(e *sendgrid.Event) { e.Kind, e.At = sendgrid.Delivered, time.Time{} })},
		"a time of another age":     {`"event":"delivered","timestamp":99999999999999`, event(func(e *sendgrid.Event) { e.Kind, e.At = sendgrid.Delivered, time.Time{} })},
		"of a try":                  {`"event":"delivered","claim_id":"` + id + `"`, event(func(e *sendgrid.Event) { e.Kind, e.ClaimID = sendgrid.Delivered, id })},
		"of other mail":             {`"event":"delivered","notification_id":"order 66"`, event(func(e *sendgrid.Event) { e.Kind, e.NotificationID = sendgrid.Delivered, "" })},
		"an id with a blank":        {`"event":"delivered","sg_event_id":"to Ann"`, event(func(e *sendgrid.Event) { e.Kind, e.EventID = sendgrid.Delivered, "" })},
		"an id longer than any":     {`"event":"delivered","sg_event_id":"` + strings.Repeat("x", 201) + `"`, event(func(e *sendgrid.Event) { e.Kind, e.EventID = sendgrid.Delivered, "" })},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := sendgrid.ParseEvents([]byte("[" + told(c.fields) + "]"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]sendgrid.Event{c.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			silent(t, fmt.Errorf("%+v", got))
		})
	}
}

func TestAnOddEventDoesNotKeepBackItsNeighbours(t *testing.T) {
	t.Parallel()
	got, err := sendgrid.ParseEvents([]byte(`[{"event":{},"timestamp":[],"notification_id":7},` + told(`"event":"delivered"`) + `,{}]`))
	want := []sendgrid.Event{{}, is(sendgrid.Delivered, ""), {}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestABodyThatIsNoListOfEvents(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"nothing":                {"", sendgrid.ErrNotEvents},
		"null":                   {"null", sendgrid.ErrNotEvents},
		"one event":              {told(`"event":"delivered"`), sendgrid.ErrNotEvents},
		"a list of texts":        {`["delivered"]`, sendgrid.ErrNotEvents},
		"a list of nothing":      {`[null]`, sendgrid.ErrNotEvents},
		"cut off":                {"[" + told(`"event":"delivered"`), sendgrid.ErrNotEvents},
		"something behind it":    {"[]x", sendgrid.ErrNotEvents},
		"a page":                 {"<html>", sendgrid.ErrNotEvents},
		"a form":                 {"event=delivered", sendgrid.ErrNotEvents},
		"deeper than any":        {strings.Repeat("[", 100_000), sendgrid.ErrNotEvents},
		"larger than any":        {"[" + strings.Repeat(" ", 1<<20) + "]", sendgrid.ErrTooLarge},
		"more than ten thousand": {"[{}" + strings.Repeat(",{}", 10_000) + "]", sendgrid.ErrTooLarge},
	} {
		got, err := sendgrid.ParseEvents([]byte(c.body))
		if !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := sendgrid.ParseEvents([]byte("[]")); err != nil || len(got) != 0 {
		t.Errorf("none at all: %v, %v", got, err)
	}
}

func TestAKindIsAStatusOfTheLedger(t *testing.T) {
	t.Parallel()
	want := map[sendgrid.Kind]deliver.Status{
		sendgrid.Processed: deliver.Sent, sendgrid.Deferred: deliver.Sent, sendgrid.Delivered: deliver.Delivered,
		sendgrid.Bounce: deliver.Undelivered, sendgrid.Blocked: deliver.Undelivered, sendgrid.Dropped: deliver.Undelivered,
		sendgrid.SpamReport: "", sendgrid.Unsubscribe: "", sendgrid.GroupUnsubscribe: "", sendgrid.GroupResubscribe: "",
		sendgrid.Open: "", sendgrid.Click: "", "": "",
	}
	for k, status := range want {
		if got := k.Status(); got != status {
			t.Errorf("%s: %q, want %q", k, got, status)
		}
		if final := status == deliver.Delivered || status == deliver.Undelivered; k.Final() != final {
			t.Errorf("%s: final is %t", k, !final)
		}
		if (k.Rank() == 0) != (status == "") {
			t.Errorf("%s: rank %d with the status %q", k, k.Rank(), status)
		}
	}
	if len(sendgrid.Kinds()) != len(want)-1 {
		t.Errorf("%v", sendgrid.Kinds())
	}
}

func TestWhatSpeaksOfTheAddressSilencesIt(t *testing.T) {
	t.Parallel()
	event := func(k sendgrid.Kind, r sendgrid.Reason) sendgrid.Event { return sendgrid.Event{Kind: k, Reason: r} }
	bounce := func(smtp string, r sendgrid.Reason) sendgrid.Event {
		return sendgrid.Event{Kind: sendgrid.Bounce, SMTP: smtp, Reason: r}
	}
	for e, want := range map[sendgrid.Event]string{
		event(sendgrid.Bounce, sendgrid.Other):           deliver.CodeInvalidAddress,
		event(sendgrid.Blocked, sendgrid.Reputation):     "",
		event(sendgrid.Bounce, sendgrid.InvalidAddress):  deliver.CodeInvalidAddress,
		event(sendgrid.Bounce, sendgrid.Reputation):      "",
		event(sendgrid.Bounce, sendgrid.Content):         "",
		event(sendgrid.Bounce, sendgrid.TooOften):        "",
		event(sendgrid.Bounce, sendgrid.Technical):       "",
		bounce("5.2.1", sendgrid.MailboxUnavailable):     deliver.CodeInvalidAddress,
		bounce("5.2.2", sendgrid.MailboxUnavailable):     "", // it is full
		bounce("452", sendgrid.MailboxUnavailable):       "",
		event(sendgrid.Dropped, sendgrid.BouncedBefore):  deliver.CodeInvalidAddress,
		event(sendgrid.Dropped, sendgrid.InvalidAddress): deliver.CodeInvalidAddress,
		event(sendgrid.Dropped, sendgrid.Unsubscribed):   deliver.CodeOptedOut,
		event(sendgrid.Dropped, sendgrid.ReportedSpam):   deliver.CodeOptedOut,
		event(sendgrid.Dropped, sendgrid.OverQuota):      "",
		event(sendgrid.Dropped, sendgrid.Other):          "",
		event(sendgrid.SpamReport, ""):                   deliver.CodeOptedOut,
		event(sendgrid.Unsubscribe, ""):                  deliver.CodeOptedOut,
		event(sendgrid.GroupUnsubscribe, ""):             deliver.CodeOptedOut,
		event(sendgrid.GroupResubscribe, ""):             "",
		event(sendgrid.Delivered, ""):                    "",
		event("", ""):                                    "",
	} {
		if got := e.Silence(); got != want {
			t.Errorf("%+v: %q, want %q", e, got, want)
		}
	}
}

func TestWhoSubscribesAgainResumes(t *testing.T) {
	t.Parallel()
	for _, k := range sendgrid.Kinds() {
		if got := (sendgrid.Event{Kind: k}).Receipt(now()).Resumes; got != (k == sendgrid.GroupResubscribe) {
			t.Errorf("%s: %t", k, got)
		}
	}
}

func TestTheLedgerKeepsANumberOrAWord(t *testing.T) {
	t.Parallel()
	for e, want := range map[sendgrid.Event]string{
		{SMTP: "5.1.1", Reason: sendgrid.InvalidAddress}: "5.1.1", {Reason: sendgrid.OverQuota}: "over_quota", {}: "",
	} {
		if got := e.Code(); got != want {
			t.Errorf("%+v: %q", e, got)
		}
	}
}

func TestEventsInAnyOrderAndRepeatedEndTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.SampledFrom([]sendgrid.Kind{"delivered", "bounce", "blocked", "dropped"}).Draw(t, "end")
		way := []sendgrid.Kind{"processed", "deferred", "deferred", "open", "spamreport", "", end}
		more := rapid.SliceOf(rapid.SampledFrom(way)).Draw(t, "repeated")
		came := rapid.Permutation(append(way, more...)).Draw(t, "came")
		var kept sendgrid.Kind
		for _, k := range came {
			if k.Rank() > kept.Rank() {
				kept = k
			}
		}
		if kept != end {
			t.Errorf("%v ends as %s", came, kept)
		}
	})
}

func FuzzParseEvents(f *testing.F) {
	f.Add([]byte("[" + told(`"event":"bounce","status":"5.1.1","reason":"x"`) + "]"))
	f.Add([]byte(`[{"event":{},"timestamp":-1e99}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := sendgrid.ParseEvents(body)
		if err != nil && events != nil {
			t.Errorf("%v beside %v", events, err)
		}
		for _, e := range events {
			if e.NotificationID != "" && len(e.NotificationID) != 36 || len(e.EventID) > 200 || len(e.SMTP) > 11 {
				t.Errorf("%+v", e)
			}
			_, _, _, _ = e.Silence(), e.Code(), e.Kind.Status(), e.Kind.Final()
		}
	})
}
