package admin_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rappel/internal/admin"
	"rappel/jobs/deliver"
)

// newServer runs the endpoints for this test and returns their URL.
func newServer(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

// quoted is what an endpoint may say about a person, on every way it has.
const quoted = "Ann-Lee-" + mailbox

// TestNoErrorShowsASecretOrAPerson asks what the log would show of each way in
// which a request can fail.
func TestNoErrorShowsASecretOrAPerson(t *testing.T) {
	t.Parallel()
	line := func(s string) func(*testing.T) string {
		return func(t *testing.T) string {
			t.Helper()
			return raw(t, func(c *net.TCPConn) { _, _ = io.WriteString(c, s) })
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
		"closed without an answer": line(""),
		"refused with a body":      status(422, nil, `{"code":"`+quoted+`","detail":"`+quoted+` is unknown"}`),
		"refused in HTML":          status(404, map[string]string{"Content-Type": "text/html"}, "<p>"+quoted+"</p>"),
		"a content type that is none": status(500, map[string]string{"Content-Type": "text/" + quoted},
			"x"),
		"misconfigured":              status(401, map[string]string{"WWW-Authenticate": quoted}, quoted),
		"later":                      status(503, map[string]string{"Retry-After": quoted}, quoted),
		"a redirect":                 status(302, map[string]string{"Location": "https://example.com/" + quoted}, quoted),
		"a redirect to nowhere":      status(307, map[string]string{"Location": "http://[" + quoted}, quoted),
		"a status line that is none": line(quoted + "\r\n\r\n"),
		"a status that is none":      line("HTTP/1.1 " + quoted + "\r\n\r\n"),
		"a header that is none":      line("HTTP/1.1 200 OK\r\n" + quoted + "\r\n\r\n"),
		"a length that is none":      line("HTTP/1.1 200 OK\r\nContent-Length: " + quoted + "\r\n\r\n"),
		"an encoding that is none":   line("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + quoted + "\r\n\r\n"),
	}
	for name, endpoint := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := strings.Replace(endpoint(t), "http://", "http://user:"+password+"@", 1)
			c := client(t, url)
			for _, m := range []deliver.Message{sms(t), email(t)} {
				a := c.Send(within(t), m)
				silent(t, a.Err)
				silent(t, fmt.Errorf("code %s, id %s", a.Code, a.MessageID))
			}
			silent(t, c.PostReply(within(t), replies(t)["words about one of two"]).Err)
			silent(t, c.Health(within(t)))
		})
	}
	t.Run("stopped", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c := client(t, "http://user:"+password+"@127.0.0.1:1")
		silent(t, c.Send(ctx, email(t)).Err)
		silent(t, c.Health(ctx))
	})
	t.Run("a name that does not resolve", func(t *testing.T) {
		t.Parallel()
		c := client(t, "http://user:"+password+"@rappel.invalid")
		silent(t, c.Send(within(t), email(t)).Err)
		silent(t, c.Health(within(t)))
	})
	t.Run("a URL that cannot be used", func(t *testing.T) {
		t.Parallel()
		_, err := admin.New(admin.Options{URL: "http://user:" + password + "@host:port", Token: token, Now: now})
		if err == nil {
			t.Error("no error")
		}
		silent(t, err)
	})
}

// silent fails the test once if err shows any of what it must not.
func silent(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{password, token, phone, mailbox, "Ann", "See you", "Booked"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in: %v", secret, err)
			return
		}
	}
}
