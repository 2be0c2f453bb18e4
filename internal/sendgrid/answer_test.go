package sendgrid_test

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

// exchange is one answer of SendGrid's and what it means.
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

// said is a refusal in SendGrid's words.
func said(status int, field string) exchange {
	body, _ := json.Marshal(no(status, field, mailbox+" is refused"))
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
			got := serve(t, c.ServeHTTP).Send(testenv.Within(t), email(t))
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

func TestTwoHundredAndTwoMeansAccepted(t *testing.T) {
	t.Parallel()
	accepted := func(id string) deliver.Answer { return deliver.Answer{Verdict: deliver.Accepted, MessageID: id} }
	named := func(id string) map[string]string { return map[string]string{"X-Message-Id": id} }
	checkAnswers(t, map[string]exchange{
		"202":                                  {status: 202, header: named("m-1"), want: accepted("m-1")},
		"202 without an id":                    {status: 202, want: accepted("")},
		"202 with a page":                      {status: 202, header: named("m-1"), body: "<html>", want: accepted("m-1")},
		"202 with an id of more than 200":      {status: 202, header: named(strings.Repeat("m", 201)), want: accepted("")},
		"202 with an id that is a sentence":    {status: 202, header: named("to Ann Lee"), want: accepted("")},
		"200 with an id":                       {status: 200, header: named("m-1"), want: accepted("m-1")},
		"200 without one may be anybody's":     exchange{status: 200}.mayHaveGone(),
		"204 without one may be anybody's":     exchange{status: 204}.mayHaveGone(),
		"200 with a page may be a proxy's own": exchange{status: 200, body: "<html>"}.mayHaveGone(),
	})
}

func TestAFieldSaysWhatIsRefused(t *testing.T) {
	t.Parallel()
	refused := func(code string) deliver.Answer { return deliver.Answer{Verdict: deliver.Refused, Code: code} }
	wrong := deliver.Answer{Verdict: deliver.Misconfigured}
	checkAnswers(t, map[string]exchange{
		"the person's address":                 said(400, "personalizations.0.to.0.email").means(refused(deliver.CodeInvalidAddress)),
		"the practice's address":               said(400, "reply_to.email").means(refused("reply_to.email")),
		"the subject":                          said(400, "subject").means(refused("subject")),
		"our own address":                      said(400, "from.email").means(wrong),
		"our own address as a whole":           said(400, "from").means(wrong),
		"no field":                             said(400, "").means(refused("")),
		"a field called null":                  said(400, "null").means(refused("")),
		"a sentence for a field":               said(400, "to "+mailbox).means(refused("")),
		"a field longer than any":              said(400, strings.Repeat("x", 65)).means(refused("")),
		"413: too large":                       said(413, "").means(refused("")),
		"a page":                               {status: 400, header: map[string]string{"Content-Type": "text/html"}, body: "<p>subject</p>", want: refused("")},
		"nothing":                              {status: 400, want: refused("")},
		"a body cut off":                       {status: 400, body: `{"errors":[{"field":"subject"`, want: refused("")},
		"errors that are no list":              {status: 400, body: `{"errors":"subject"}`, want: refused("")},
		"a field that is a number":             {status: 400, body: `{"errors":[{"field":7},{"field":"subject"}]}`, want: refused("subject")},
		"a field behind a body's end":          {status: 400, body: `{"x":"` + strings.Repeat("x", 64<<10) + `","errors":[{"field":"subject"}]}`, want: refused("")},
		"the second of two errors has a field": {status: 400, body: `{"errors":[{"message":"x","field":null},{"field":"subject"}]}`, want: refused("subject")},
	})
}

func TestAStatusSaysWhatItMeans(t *testing.T) {
	t.Parallel()
	html := map[string]string{"Content-Type": "text/html; charset=utf-8"}
	cases := map[string]exchange{
		"429": {status: 429, want: deliver.Answer{Verdict: deliver.Busy}},
		"409": {status: 409, want: deliver.Answer{Verdict: deliver.Later}},
		"425": {status: 425, want: deliver.Answer{Verdict: deliver.Later}},
		"408": exchange{status: 408}.mayHaveGone(),
		"303": exchange{status: 303, header: map[string]string{"Location": "/x"}}.mayHaveGone(),
	}
	for _, status := range []int{400, 402, 406, 410, 411, 413, 414, 415, 422, 431, 451} {
		cases[fmt.Sprint(status)] = exchange{status: status, want: deliver.Answer{Verdict: deliver.Refused}}
	}
	for _, status := range []int{401, 403, 404, 405} {
		cases[fmt.Sprint(status)] = said(status, "").means(deliver.Answer{Verdict: deliver.Misconfigured})
		cases[fmt.Sprint(status, " about the person")] = said(status, "personalizations.0.to.0.email").means(deliver.Answer{Verdict: deliver.Misconfigured})
	}
	cases["503"] = said(503, "").means(deliver.Answer{Verdict: deliver.Later})
	cases["503 as a page"] = exchange{status: 503, header: html, body: "<h1>sorry</h1>", want: deliver.Answer{Verdict: deliver.Later}}
	for _, status := range []int{500, 502, 504, 520} {
		cases[fmt.Sprint(status)] = said(status, "").mayHaveGone()
		cases[fmt.Sprint(status, " as a page")] = exchange{status: status, header: html, body: "<h1>sorry</h1>"}.mayHaveGone()
	}
	for _, status := range []int{301, 302, 307, 308} {
		cases[fmt.Sprint(status, " is not followed")] = exchange{
			status: status, header: map[string]string{"Location": "/v3/elsewhere"}, want: deliver.Answer{Verdict: deliver.Later},
		}
	}
	checkAnswers(t, cases)
}

func TestTheTimeToAskAgainIsKept(t *testing.T) {
	t.Parallel()
	busy := func(d time.Duration) deliver.Answer { return deliver.Answer{Verdict: deliver.Busy, RetryAfter: d} }
	reset := func(d time.Duration) string { return fmt.Sprint(now().Add(d).Unix()) }
	checkAnswers(t, map[string]exchange{
		"seconds":                {status: 429, header: map[string]string{"Retry-After": "90"}, want: busy(90 * time.Second)},
		"a date":                 {status: 429, header: map[string]string{"Retry-After": "Sat, 21 Nov 2026 12:02:00 GMT"}, want: busy(2 * time.Minute)},
		"neither":                {status: 429, header: map[string]string{"Retry-After": "soon"}, want: busy(0)},
		"when the count is anew": {status: 429, header: map[string]string{"X-RateLimit-Reset": reset(40 * time.Second)}, want: busy(40 * time.Second)},
		"anew in the past":       {status: 429, header: map[string]string{"X-RateLimit-Reset": reset(-time.Hour)}, want: busy(0)},
		"anew in another age":    {status: 429, header: map[string]string{"X-RateLimit-Reset": reset(9000 * time.Hour)}, want: busy(24 * time.Hour)},
		"anew at no time":        {status: 429, header: map[string]string{"X-RateLimit-Reset": "99999999999999999999"}, want: busy(0)},
		"Retry-After goes first": {status: 429, header: map[string]string{"Retry-After": "5", "X-RateLimit-Reset": reset(time.Hour)}, want: busy(5 * time.Second)},
		"of SendGrid's outage":   {status: 503, header: map[string]string{"Retry-After": "30"}, want: deliver.Answer{Verdict: deliver.Later, RetryAfter: 30 * time.Second}},
		"of SendGrid's failure":  exchange{status: 500, header: map[string]string{"Retry-After": "30"}}.mayHaveGone(),
		"of a refusal":           {status: 400, header: map[string]string{"Retry-After": "30"}, want: deliver.Answer{Verdict: deliver.Refused}},
	})
}
