package twilio_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rappel/internal/testenv"
	"rappel/jobs/deliver"
)

// exchange is one answer of Twilio's and what it means.
type exchange struct {
	status int
	header map[string]string
	body   string
	want   deliver.Answer
}

func (e exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	for name, value := range e.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(e.status)
	_, _ = io.WriteString(w, e.body)
}

// said is a refusal in Twilio's words.
func said(status, code int) exchange {
	body, _ := json.Marshal(no(status, code, phone))
	return exchange{status: status, header: map[string]string{"Content-Type": "application/json"}, body: string(body)}
}

func (e exchange) means(want deliver.Answer) exchange {
	e.want = want
	return e
}

func (e exchange) mayHaveGone() exchange {
	e.want.Verdict = deliver.Unanswered
	return e
}

func checkAnswers(t *testing.T, cases map[string]exchange) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, c.ServeHTTP).Send(testenv.Within(t), sms(t))
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(deliver.Answer{}, "Err")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (got.Err == nil) != (got.Verdict == deliver.Accepted) {
				t.Errorf("verdict %d says %v to ops", got.Verdict, got.Err)
			}
			silent(t, got.Err)
		})
	}
}

func TestACodeSaysWhatItMeans(t *testing.T) {
	t.Parallel()
	refused := func(code string) deliver.Answer { return deliver.Answer{Verdict: deliver.Refused, Code: code} }
	later, busy := deliver.Answer{Verdict: deliver.Later}, deliver.Answer{Verdict: deliver.Busy}
	wrong := deliver.Answer{Verdict: deliver.Misconfigured}
	checkAnswers(t, map[string]exchange{
		"21610: the person wrote STOP":                         said(400, 21610).means(refused(deliver.CodeOptedOut)),
		"21211: no number at all":                              said(400, 21211).means(refused(deliver.CodeInvalidAddress)),
		"21614: not a mobile number":                           said(400, 21614).means(refused(deliver.CodeInvalidAddress)),
		"30005: no such handset":                               said(400, 30005).means(refused(deliver.CodeInvalidAddress)),
		"20503: Twilio is unavailable":                         said(503, 20503).means(later),
		"30002: the account is suspended":                      said(400, 30002).means(wrong),
		"30007: filtered":                                      said(400, 30007).means(refused("30007")),
		"30022: over the rate of the campaign":                 said(400, 30022).means(wrong),
		"30023: over the day's limit of the campaign":          said(429, 30023).means(wrong),
		"30024: the sender is not yet active":                  said(400, 30024).means(wrong),
		"30032: an unverified toll-free number":                said(400, 30032).means(wrong),
		"30033: a suspended campaign":                          said(400, 30033).means(wrong),
		"30034: an unregistered number":                        said(400, 30034).means(wrong),
		"30035: a number that is not ready yet":                said(400, 30035).means(wrong),
		"21635: a landline":                                    said(400, 21635).means(refused(deliver.CodeLandline)),
		"30006: a landline, or its carrier":                    said(400, 30006).means(refused(deliver.CodeLandline)),
		"30001: the queue is full":                             said(400, 30001).means(later),
		"30003: the handset is out of reach":                   said(400, 30003).means(later),
		"30500: Twilio's own failure, in its own words":        said(500, 30500).means(later),
		"20429: too many requests":                             said(429, 20429).means(busy),
		"20429 under another status":                           said(503, 20429).means(busy),
		"14107: too fast":                                      said(429, 14107).means(busy),
		"21611: the sender's queue is full":                    said(400, 21611).means(busy),
		"63038: over the day's limit":                          said(429, 63038).means(busy),
		"20003: the token is wrong":                            said(401, 20003).means(wrong),
		"20003 under another status":                           said(400, 20003).means(wrong),
		"20005: the account is not active":                     said(403, 20005).means(wrong),
		"20404: no such account":                               said(404, 20404).means(wrong),
		"21603: nobody to send from":                           said(400, 21603).means(wrong),
		"21660: the number is another account's":               said(400, 21660).means(wrong),
		"21701: no such messaging service":                     said(400, 21701).means(wrong),
		"21609: a status callback that is none":                said(400, 21609).means(wrong),
		"21408: not to this country":                           said(400, 21408).means(refused("21408")),
		"21408 as forbidden is still about this person":        said(403, 21408).means(refused("21408")),
		"21606: not from this number to that destination":      said(400, 21606).means(refused("21606")),
		"21617: too long":                                      said(400, 21617).means(refused("21617")),
		"21610 as forbidden is still about this person":        said(403, 21610).means(refused(deliver.CodeOptedOut)),
		"a code that nobody knows":                             said(400, 29999).means(refused("29999")),
		"a code that nobody knows, as Twilio's failure":        said(500, 29999).mayHaveGone(),
		"a code that nobody knows, as ours":                    said(403, 29999).means(wrong),
		"a code written as text does not count as one":         {status: 400, body: `{"code":"21610","status":400}`, want: refused("")},
		"a code beside fields of another shape counts":         {status: 400, body: `{"code":21610,"message":{},"details":[]}`, want: refused(deliver.CodeOptedOut)},
		"a code in a page of HTML does not count":              {status: 400, body: `<p>{"code":21610}</p>`, want: refused("")},
		"a code in a body cut off in the middle does not":      {status: 400, body: `{"code":21610,"mess`, want: refused("")},
		"a code behind a body's end does not":                  {status: 400, body: `{"message":"` + strings.Repeat("x", 64<<10) + `","code":21610}`, want: refused("")},
		"a list":                                               {status: 400, body: `[21610]`, want: refused("")},
		"a code larger than any number":                        {status: 400, body: `{"code":1e99}`, want: refused("")},
		"the shape of Twilio's newer interfaces is understood": {status: 400, body: `{"code":21610,"message":"x","httpStatusCode":400,"userError":true}`, want: refused(deliver.CodeOptedOut)},
	})
}

func TestAStatusSaysWhatItMeansWhereNoCodeDoes(t *testing.T) {
	t.Parallel()
	html := map[string]string{"Content-Type": "text/html; charset=utf-8"}
	cases := map[string]exchange{
		"429": {status: 429, want: deliver.Answer{Verdict: deliver.Busy}},
		"409": {status: 409, want: deliver.Answer{Verdict: deliver.Later}},
		"425": {status: 425, want: deliver.Answer{Verdict: deliver.Later}},
		"408": exchange{status: 408}.mayHaveGone(),
		"303": exchange{status: 303, header: map[string]string{"Location": "/x"}}.mayHaveGone(),
		"304": exchange{status: 304}.mayHaveGone(),
	}
	for _, status := range []int{400, 402, 406, 410, 411, 413, 414, 415, 422, 431, 451} {
		cases[fmt.Sprint(status)] = exchange{status: status, want: deliver.Answer{Verdict: deliver.Refused}}
	}
	for _, status := range []int{401, 403, 404, 405} {
		cases[fmt.Sprint(status)] = exchange{status: status, want: deliver.Answer{Verdict: deliver.Misconfigured}}
		cases[fmt.Sprint(status, " as a page")] = exchange{
			status: status, header: html, body: "<h1>no</h1>", want: deliver.Answer{Verdict: deliver.Misconfigured},
		}
	}
	for name, body := range map[string]string{"503": "", "503 as a page": "<h1>sorry</h1>", "503 with a code that nobody knows": `{"code":29999}`} {
		cases[name] = exchange{status: 503, body: body, want: deliver.Answer{Verdict: deliver.Later}}
	}
	for _, status := range []int{500, 502, 504, 520, 599} {
		cases[fmt.Sprint(status)] = exchange{status: status}.mayHaveGone()
		cases[fmt.Sprint(status, " as a page")] = exchange{status: status, header: html, body: "<h1>sorry</h1>"}.mayHaveGone()
	}
	for _, status := range []int{301, 302, 307, 308} {
		cases[fmt.Sprint(status, " is not followed")] = exchange{
			status: status, header: map[string]string{"Location": "/2010-04-01/elsewhere"},
			want: deliver.Answer{Verdict: deliver.Later},
		}
	}
	checkAnswers(t, cases)
}

func TestRetryAfterIsKept(t *testing.T) {
	t.Parallel()
	after := func(v string) map[string]string { return map[string]string{"Retry-After": v} }
	busy := func(d time.Duration) deliver.Answer { return deliver.Answer{Verdict: deliver.Busy, RetryAfter: d} }
	open := exchange{status: 503, header: after("30"), want: deliver.Answer{Verdict: deliver.Later, RetryAfter: 30 * time.Second}}
	checkAnswers(t, map[string]exchange{
		"seconds":                       {status: 429, header: after("90"), want: busy(90 * time.Second)},
		"a date":                        {status: 429, header: after("Sat, 21 Nov 2026 12:02:00 GMT"), want: busy(2 * time.Minute)},
		"a date that has passed":        {status: 429, header: after("Sat, 21 Nov 2026 11:00:00 GMT"), want: busy(0)},
		"a date in another age":         {status: 429, header: after("Sat, 21 Nov 2999 11:00:00 GMT"), want: busy(24 * time.Hour)},
		"less than nothing":             {status: 429, header: after("-5"), want: busy(0)},
		"more than a day":               {status: 429, header: after("9999999999"), want: busy(24 * time.Hour)},
		"neither":                       {status: 429, header: after("soon"), want: busy(0)},
		"of Twilio's outage":            open,
		"of Twilio's failure":           exchange{status: 500, header: after("30")}.mayHaveGone(),
		"of a refusal is no business":   {status: 400, header: after("90"), want: deliver.Answer{Verdict: deliver.Refused}},
		"beside a code in Twilio's way": {status: 429, header: after("7"), body: `{"code":20429}`, want: busy(7 * time.Second)},
	})
}

func TestCreatedMeansAccepted(t *testing.T) {
	t.Parallel()
	accepted := func(id string) deliver.Answer { return deliver.Answer{Verdict: deliver.Accepted, MessageID: id} }
	created := func(fields string) string { return `{"sid":"` + sid + `"` + fields + `}` }
	checkAnswers(t, map[string]exchange{
		"201":                                  {status: 201, body: created(`,"status":"queued","error_code":null`), want: accepted(sid)},
		"201 of a messaging service":           {status: 201, body: created(`,"status":"accepted","from":null`), want: accepted(sid)},
		"201 without a body":                   {status: 201, want: accepted("")},
		"201 with a body cut off":              {status: 201, body: `{"sid":"SM0123`, want: accepted("")},
		"201 with a page":                      {status: 201, body: `<html>`, want: accepted("")},
		"201 with an id that is none":          {status: 201, body: `{"sid":"x\u0000"}`, want: accepted("")},
		"201 with a picture's id":              {status: 201, body: `{"sid":"MM0123456789abcdef0123456789abcdef"}`, want: accepted("MM0123456789abcdef0123456789abcdef")},
		"200 with a message":                   {status: 200, body: created(""), want: accepted(sid)},
		"200 with a page may be a proxy's own": exchange{status: 200, header: map[string]string{"Content-Type": "text/html"}, body: "<html>"}.mayHaveGone(),
		"204 may be anybody's":                 exchange{status: 204}.mayHaveGone(),
		"created as failed": {
			status: 201, body: created(`,"status":"failed","error_code":30006`),
			want: deliver.Answer{Verdict: deliver.Refused, MessageID: sid, Code: deliver.CodeLandline},
		},
		"created as failed with a code of no other meaning": {
			status: 201, body: created(`,"status":"failed","error_code":30008`),
			want: deliver.Answer{Verdict: deliver.Refused, MessageID: sid, Code: "30008"},
		},
		"created as failed since our number is not registered": {
			status: 201, body: created(`,"status":"failed","error_code":30034`), want: deliver.Answer{Verdict: deliver.Misconfigured},
		},
		"created as failed without a reason": {
			status: 201, body: created(`,"status":"failed"`),
			want: deliver.Answer{Verdict: deliver.Refused, MessageID: sid},
		},
	})
}
