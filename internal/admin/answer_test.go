package admin_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rappel/internal/admin"
	"rappel/internal/testenv"
	"rappel/jobs/deliver"
)

// exchange is one answer of the endpoint and what it means.
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

func checkAnswers(t *testing.T, cases map[string]exchange) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, c.ServeHTTP).Send(within(t), sms(t))
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(deliver.Answer{}, "Err")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (got.Err == nil) != (got.Verdict == deliver.Accepted) {
				t.Errorf("verdict %d says %v to ops", got.Verdict, got.Err)
			}
		})
	}
}

func TestTwoHundredsMeanAccepted(t *testing.T) {
	t.Parallel()
	accepted := func(id string) deliver.Answer { return deliver.Answer{Verdict: deliver.Accepted, MessageID: id} }
	long := strings.Repeat("m", 201)
	checkAnswers(t, map[string]exchange{
		"200":                                 {status: 200, body: `{"message_id":"m-1"}`, want: accepted("m-1")},
		"201":                                 {status: 201, body: `{"message_id":"m-1"}`, want: accepted("m-1")},
		"202":                                 {status: 202, body: `{"message_id":"m-1"}`, want: accepted("m-1")},
		"204 has no id to tell":               {status: 204, want: accepted("")},
		"no body":                             {status: 202, want: accepted("")},
		"an empty object":                     {status: 202, body: `{}`, want: accepted("")},
		"a null id":                           {status: 202, body: `{"message_id":null}`, want: accepted("")},
		"a number as id":                      {status: 202, body: `{"message_id":7}`, want: accepted("")},
		"JSON that is labeled text/html":      {status: 200, header: map[string]string{"Content-Type": "text/html"}, body: `{"message_id":"m-1"}`, want: accepted("m-1")},
		"a word that is labeled text/html":    {status: 200, header: map[string]string{"Content-Type": "text/html"}, body: `ok`, want: accepted("")},
		"no body, labeled text/html":          {status: 200, header: map[string]string{"Content-Type": "text/html"}, want: accepted("")},
		"a list":                              {status: 202, body: `["m-1"]`, want: accepted("")},
		"an id of more than 200 bytes":        {status: 202, body: `{"message_id":"` + long + `"}`, want: accepted("")},
		"an id of 200 bytes":                  {status: 202, body: `{"message_id":"` + long[1:] + `"}`, want: accepted(long[1:])},
		"further fields":                      {status: 202, body: `{"queued":true,"message_id":"m-1"}`, want: accepted("m-1")},
		"an id that the ledger cannot keep":   {status: 202, body: `{"message_id":"m\u0000-1"}`, want: accepted("")},
		"a body cut off in the middle":        {status: 202, body: `{"message_id":"m-`, want: accepted("")},
		"Retry-After is no business of a 202": {status: 202, header: map[string]string{"Retry-After": "60"}, body: `{"message_id":"m-1"}`, want: accepted("m-1")},
	})
}

// A page of a login or of maintenance is not the main app's word.
func TestAPageIsNotAnAcceptance(t *testing.T) {
	t.Parallel()
	later := deliver.Answer{Verdict: deliver.Later}
	html := map[string]string{"Content-Type": "text/html; charset=utf-8"}
	checkAnswers(t, map[string]exchange{
		"a login page":                {status: 200, header: html, body: "<html>Please sign in</html>", want: later},
		"with a doctype and blanks":   {status: 200, header: html, body: "\r\n \ufeff<!DOCTYPE html><title>x", want: later},
		"with a comment before it":    {status: 202, header: html, body: "<!-- v1 --><html>", want: later},
		"labeled as JSON":             {status: 200, header: map[string]string{"Content-Type": "application/json"}, body: "<!doctype html>", want: later},
		"XHTML":                       {status: 200, body: `<?xml version="1.0"?><!DOCTYPE html><html lang="en">`, want: later},
		"not labeled":                 {status: 201, body: "<body>Down for maintenance</body>", want: later},
		"a page that refuses refuses": {status: 422, header: html, body: "<html>", want: deliver.Answer{Verdict: deliver.Refused}},
	})
	t.Run("nor is it healthy", func(t *testing.T) {
		t.Parallel()
		c := exchange{status: 200, header: html, body: "<html>Please sign in</html>"}
		if err := serve(t, c.ServeHTTP).Health(within(t)); err == nil || !strings.Contains(err.Error(), "HTML") {
			t.Error(err)
		}
	})
}

func TestSomeFourHundredsMeanRefusedForGood(t *testing.T) {
	t.Parallel()
	cases := map[string]exchange{}
	for _, status := range []int{400, 404, 410, 413, 415, 422} {
		cases[fmt.Sprint(status)] = exchange{status: status, want: deliver.Answer{Verdict: deliver.Refused}}
		cases[fmt.Sprint(status, " with a code")] = exchange{
			status: status, header: map[string]string{"Content-Type": "application/problem+json"},
			body: `{"type":"about:blank","title":"No","status":422,"code":"opted_out"}`,
			want: deliver.Answer{Verdict: deliver.Refused, Code: deliver.CodeOptedOut},
		}
	}
	// RFC 9110, section 15: one that a client does not know is to it as 400.
	for _, status := range []int{402, 405, 406, 411, 414, 416, 418, 423, 426, 428, 431, 451, 499} {
		cases[fmt.Sprint(status, " is not listed")] = exchange{status: status, want: deliver.Answer{Verdict: deliver.Later}}
	}
	checkAnswers(t, cases)
}

func TestACodeIsAWordAndNotASentence(t *testing.T) {
	t.Parallel()
	code := func(body, want string) exchange {
		return exchange{status: 422, body: body, want: deliver.Answer{Verdict: deliver.Refused, Code: want}}
	}
	checkAnswers(t, map[string]exchange{
		"an address that is none":         code(`{"code":"invalid_address"}`, deliver.CodeInvalidAddress),
		"capitals":                        code(`{"code":"OPTED_OUT"}`, deliver.CodeOptedOut),
		"a landline":                      code(`{"code":"landline"}`, deliver.CodeLandline),
		"a code of the carrier's":         code(`{"code":"30006"}`, "30006"),
		"dots, dashes and capitals":       code(`{"code":"Twilio.Error-30006"}`, "Twilio.Error-30006"),
		"a sentence may hold a name":      code(`{"code":"Ann Lee has opted out"}`, ""),
		"an address is not a code":        code(`{"code":"ann.lee@example.com"}`, ""),
		"a phone number is not a code":    code(`{"code":"+12015550123"}`, ""),
		"64 bytes are enough":             code(`{"code":"`+strings.Repeat("a", 64)+`"}`, strings.Repeat("a", 64)),
		"65 bytes are too many":           code(`{"code":"`+strings.Repeat("a", 65)+`"}`, ""),
		"a blank within":                  code(`{"code":"opted out"}`, ""),
		"a line break within":             code(`{"code":"opted\nout"}`, ""),
		"letters of other alphabets":      code(`{"code":"désinscrit"}`, ""),
		"a number instead of a word":      code(`{"code":21610}`, ""),
		"none":                            code(`{"detail":"ann.lee@example.com"}`, ""),
		"HTML":                            code(`<html>opted_out</html>`, ""),
		"nothing":                         code(``, ""),
		"a code behind a body's end":      code(`{"detail":"`+strings.Repeat("x", 64<<10)+`","code":"opted_out"}`, ""),
		"an object with further members":  code(`{"code":"opted_out","errors":[{"code":"x"}]}`, deliver.CodeOptedOut),
		"the code of a member of another": code(`{"error":{"code":"opted_out"}}`, ""),
	})
}

func TestOurOwnConfigurationIsWrong(t *testing.T) {
	t.Parallel()
	wrong := deliver.Answer{Verdict: deliver.Misconfigured}
	checkAnswers(t, map[string]exchange{
		"401": {status: 401, want: wrong},
		"403": {status: 403, want: wrong},
		"403 with a code is not about the person": {status: 403, body: `{"code":"opted_out"}`, want: wrong},
		"401 with an HTML page":                   {status: 401, header: map[string]string{"Content-Type": "text/html"}, body: "<html>log in</html>", want: wrong},
	})
}

func TestAskAgainLater(t *testing.T) {
	t.Parallel()
	cases := map[string]exchange{
		"429 takes no attempt":          {status: 429, want: deliver.Answer{Verdict: deliver.Busy}},
		"429 with a time":               {status: 429, header: map[string]string{"Retry-After": "90"}, want: deliver.Answer{Verdict: deliver.Busy, RetryAfter: 90 * time.Second}},
		"503 with a time":               {status: 503, header: map[string]string{"Retry-After": "90"}, want: deliver.Answer{Verdict: deliver.Later, RetryAfter: 90 * time.Second}},
		"409 with a time":               {status: 409, header: map[string]string{"Retry-After": "1"}, want: deliver.Answer{Verdict: deliver.Later, RetryAfter: time.Second}},
		"a 502 of a proxy is HTML":      {status: 502, header: map[string]string{"Content-Type": "text/html; charset=utf-8"}, body: "<html>bad gateway</html>", want: deliver.Answer{Verdict: deliver.Later}},
		"a 500 with a code of refusals": {status: 500, body: `{"code":"opted_out"}`, want: deliver.Answer{Verdict: deliver.Later}},
	}
	for _, status := range []int{408, 409, 425, 500, 501, 502, 503, 504, 507, 520, 599, 999} {
		cases[fmt.Sprint(status)] = exchange{status: status, want: deliver.Answer{Verdict: deliver.Later}}
	}
	for _, status := range []int{300, 304} {
		cases[fmt.Sprint(status, " is treated like 5xx")] = exchange{status: status, want: deliver.Answer{Verdict: deliver.Later}}
	}
	checkAnswers(t, cases)
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	t.Parallel()
	wait := func(v string, want time.Duration) exchange {
		return exchange{status: 503, header: map[string]string{"Retry-After": v}, want: deliver.Answer{Verdict: deliver.Later, RetryAfter: want}}
	}
	checkAnswers(t, map[string]exchange{
		"seconds":                        wait("120", 2*time.Minute),
		"no seconds":                     wait("0", 0),
		"a negative number":              wait("-5", 0),
		"the date to come":               wait(now().Add(7*time.Minute).Format(http.TimeFormat), 7*time.Minute),
		"the date in RFC 850's form":     wait(now().Add(time.Minute).Format("Monday, 02-Jan-06 15:04:05 GMT"), time.Minute),
		"the date in C's form":           wait(now().Add(time.Minute).Format(time.ANSIC), time.Minute),
		"a date gone by":                 wait(now().Add(-time.Hour).Format(http.TimeFormat), 0),
		"a fraction":                     wait("1.5", 0),
		"a unit":                         wait("5s", 0),
		"words":                          wait("in a while", 0),
		"nothing":                        wait("", 0),
		"a date without a day of a week": wait("21 Nov 2026 12:05:00 GMT", 0),
	})
}

func TestAnAbsurdRetryAfterIsNeverObeyedForMoreThanAnHour(t *testing.T) {
	t.Parallel()
	for _, v := range []string{
		"3601", "1000000000", "9223372036854775807", "99999999999999999999", "-99999999999999999999",
		"Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT",
	} {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			c := exchange{status: 503, header: map[string]string{"Retry-After": v}}
			got := serve(t, c.ServeHTTP).Send(within(t), sms(t)).RetryAfter
			if wait := deliver.Delay(1, got); got < 0 || wait <= 0 || wait > time.Hour {
				t.Errorf("RetryAfter %s makes us wait %s", got, wait)
			}
		})
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			var followed atomic.Bool
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Store(true) }))
			t.Cleanup(elsewhere.Close)
			c := exchange{status: status, header: map[string]string{"Location": elsewhere.URL}}
			here := serve(t, c.ServeHTTP)
			if got := here.Send(within(t), sms(t)); got.Verdict != deliver.Later {
				t.Errorf("verdict %d, want %d", got.Verdict, deliver.Later)
			}
			if here.Health(within(t)) == nil {
				t.Error("healthy")
			}
			if followed.Load() {
				t.Error("the message went to where nobody configured")
			}
		})
	}
}

func TestNoAnswerMeansLater(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*net.TCPConn){
		"closed without an answer": func(*net.TCPConn) {},
		"reset":                    func(c *net.TCPConn) { _ = c.SetLinger(0) },
		"half a status line":       func(c *net.TCPConn) { _, _ = io.WriteString(c, "HTTP/1.1 2") },
		"headers without an end":   func(c *net.TCPConn) { _, _ = io.WriteString(c, "HTTP/1.1 202 Accepted\r\nContent-Le") },
		"another protocol":         func(c *net.TCPConn) { _, _ = io.WriteString(c, "220 mail.example.com ESMTP\r\n") },
		"headers that are no end of them": func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 202 Accepted\r\n")
			for range 2 << 20 / 100 {
				if _, err := io.WriteString(c, "X-Filler: "+strings.Repeat("x", 88)+"\r\n"); err != nil {
					return
				}
			}
		},
	}
	for name, talk := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := client(t, raw(t, talk)).Send(within(t), sms(t))
			if got.Verdict != deliver.Later || got.Err == nil {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		if got := client(t, server.URL).Send(within(t), sms(t)); got.Verdict != deliver.Later || got.Err == nil {
			t.Errorf("got %+v", got)
		}
	})
}

func TestAnAnswerThatNeverComesEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(within(t))
	release := make(chan struct{})
	c := serve(t, func(http.ResponseWriter, *http.Request) {
		cancel() // it is there, and hangs
		<-release
	})
	t.Cleanup(func() { close(release) }) // before the server waits for its handlers
	if got := c.Send(ctx, sms(t)); got.Verdict != deliver.Later {
		t.Errorf("verdict %d, want %d", got.Verdict, deliver.Later)
	}
}

func TestAStatusCountsThoughItsBodyNeverEnds(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status int
		want   deliver.Verdict
	}{
		"accepted": {202, deliver.Accepted},
		"refused":  {422, deliver.Refused},
		"later":    {503, deliver.Later},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endless := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				for {
					if _, err := io.WriteString(w, strings.Repeat("text ", 1<<12)); err != nil {
						return
					}
				}
			})
			if got := endless.Send(within(t), sms(t)); got.Verdict != c.want {
				t.Errorf("verdict %d, want %d", got.Verdict, c.want)
			}
		})
	}
}

func TestAStatusCountsThoughItsBodyNeverComes(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	testenv.UntilInTime(t, func(ctx context.Context) bool {
		return c.Send(ctx, sms(t)).Verdict == deliver.Accepted // the receiver has it
	})
}

func TestHealthIsA200AndNothingElse(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status int
		want   string // in the error; empty: none
	}{
		"200":                        {200, ""},
		"401 is about the token":     {401, "RAPPEL_ADMIN_TOKEN"},
		"403 is about the token":     {403, "RAPPEL_ADMIN_TOKEN"},
		"404 is about the URL":       {404, "RAPPEL_ADMIN_URL"},
		"302 is about the URL":       {302, "RAPPEL_ADMIN_URL"},
		"202 is not what was agreed": {202, "202"},
		"500":                        {500, "500"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked http.Request
			endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked = *r
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, `{"batch_max":100}`)
			})
			err := endpoint.Health(within(t))
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if asked.Method != http.MethodGet || asked.URL.Path != "/health" {
				t.Errorf("asked %s %s", asked.Method, asked.URL.Path)
			}
			if got := asked.Header.Get("Authorization"); got != "Bearer "+token {
				t.Errorf("Authorization: %q", got)
			}
		})
	}
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		if client(t, raw(t, func(*net.TCPConn) {})).Health(within(t)) == nil {
			t.Error("healthy")
		}
	})
}

func TestAURLThatNobodyCanPostToIsRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "example.com", "/messages", "ftp://example.com", "http://", "://" + password, "postgres://u:" + password + "@db/x"} {
		_, err := admin.New(admin.Options{URL: url, Now: now})
		if err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%q: error %v", url, err)
		}
	}
}

// net/http repeats a request with an idempotency key by itself, on another
// connection, and its answer would hide that the first one had none.
func TestARequestWithoutAnAnswerIsNotRepeatedBehindOurBack(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch requests.Add(1) {
		case 1: // the connection is kept, and is one that net/http trusts to break
			w.WriteHeader(http.StatusAccepted)
		case 2:
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	c.Send(within(t), sms(t))
	if a := c.Send(within(t), sms(t)); a.Verdict != deliver.Later || requests.Load() != 2 {
		t.Errorf("%d requests, answer %+v", requests.Load(), a)
	}
}
