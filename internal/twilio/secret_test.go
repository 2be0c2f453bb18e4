package twilio_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rappel/internal/testenv"
	"rappel/internal/twilio"
	"rappel/jobs/reply"
)

// quoted is what an answer may say about a person, on every way it has.
const quoted = "Ann-Lee-" + phone

// TestNoErrorShowsASecretOrAPerson asks what the log would show of each way in
// which a request can fail.
func TestNoErrorShowsASecretOrAPerson(t *testing.T) {
	t.Parallel()
	line := func(s string) func(*testing.T) string {
		return func(t *testing.T) string {
			t.Helper()
			return testenv.Raw(t, testenv.AfterRequest(func(c *net.TCPConn) { _, _ = io.WriteString(c, s) }))
		}
	}
	status := func(code int, header map[string]string, body string) func(*testing.T) string {
		return func(t *testing.T) string {
			t.Helper()
			return newServer(t, exchange{status: code, header: header, body: body}.ServeHTTP)
		}
	}
	cases := map[string]func(*testing.T) string{
		"nobody listens": func(t *testing.T) string {
			t.Helper()
			server := httptest.NewServer(http.NotFoundHandler())
			server.Close()
			return server.URL
		},
		"closed without an answer":      line(""),
		"refused with a body":           status(400, nil, `{"code":21211,"message":"`+quoted+`","more_info":"`+quoted+`"}`),
		"accepted with a body":          status(200, nil, `{"sid":"`+quoted+`","status":"`+quoted+`"}`),
		"refused in HTML":               status(404, map[string]string{"Content-Type": "text/html"}, "<p>"+quoted+"</p>"),
		"a content type that is none":   status(500, map[string]string{"Content-Type": "text/" + quoted}, "x"),
		"a content type with a message": status(500, map[string]string{"Content-Type": "ann/lee-12015550123"}, "x"),
		"misconfigured":                 status(401, map[string]string{"WWW-Authenticate": quoted}, quoted),
		"later":                         status(503, map[string]string{"Retry-After": quoted}, quoted),
		"a redirect":                    status(302, map[string]string{"Location": "https://example.com/" + quoted}, quoted),
		"a redirect to nowhere":         status(307, map[string]string{"Location": "http://[" + quoted}, quoted),
		"a status line that is none":    line(quoted + "\r\n\r\n"),
		"a status that is none":         line("HTTP/1.1 " + quoted + "\r\n\r\n"),
		"a header that is none":         line("HTTP/1.1 201 OK\r\n" + quoted + "\r\n\r\n"),
		"a length that is none":         line("HTTP/1.1 201 OK\r\nContent-Length: " + quoted + "\r\n\r\n"),
		"an encoding that is none":      line("HTTP/1.1 201 OK\r\nTransfer-Encoding: " + quoted + "\r\n\r\n"),
	}
	for name, endpoint := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := client(t, options(strings.Replace(endpoint(t), "http://", "http://user:"+password+"@", 1)))
			a := c.Send(testenv.Within(t), sms(t))
			if a.Err == nil {
				t.Errorf("%+v", a)
			}
			silent(t, a.Err)
			silent(t, fmt.Errorf("code %s, id %s", a.Code, a.MessageID))
		})
	}
	t.Run("stopped", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		silent(t, client(t, options("http://user:"+password+"@127.0.0.1:1")).Send(ctx, sms(t)).Err)
	})
	t.Run("a name that does not resolve", func(t *testing.T) {
		t.Parallel()
		silent(t, client(t, options("http://user:"+password+"@rappel.invalid")).Send(testenv.Within(t), sms(t)).Err)
	})
}

func TestWhatAPersonWroteIsMaskedHoweverItIsPrinted(t *testing.T) {
	t.Parallel()
	in, err := twilio.ParseInbound(inboundForm())
	if err != nil {
		t.Fatal(err)
	}
	within := struct{ hidden reply.Inbound }{in}
	for _, printed := range []string{
		fmt.Sprint(in), fmt.Sprintf("%+v", in), fmt.Sprintf("%#v", in), fmt.Sprintf("%v %+v %#v", within, within, within),
		fmt.Sprintf("%s %q", in.Text, in.Text), asJSON(t, in),
	} {
		silent(t, fmt.Errorf("%s", printed))
	}
}

// silent fails the test once if err shows any of what it must not.
func silent(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{password, token, phone, "12015550123", "Ann", "ann/", "See you"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in: %v", secret, err)
			return
		}
	}
}
