package outbound_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rappel/internal/outbound"
)

func TestWhyQuotesNothing(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	cases := map[string]struct {
		err  error
		want string
	}{
		"out of time":       {context.DeadlineExceeded, "the time for it ran out"},
		"stopped":           {context.Canceled, "the time for it ran out"},
		"closed":            {io.ErrUnexpectedEOF, "the connection was closed without one"},
		"nobody there":      {refused, refused.Error()},
		"not written":       {outbound.ErrUnwritten, outbound.ErrUnwritten.Error()},
		"anything at all":   {errors.New(`malformed HTTP response "Ann Lee"`), "what came is not an answer of HTTP"},
		"a header of names": {errors.New(`net/http: invalid header "Ann: Lee"`), "what came is not an answer of HTTP"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := outbound.Why(c.err).Error(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestARequestMayHaveArrivedOnceItHadAConnection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hijacker, ok := w.(http.Hijacker)
		if !ok {
			t.Error("no way to close the connection")
			return
		}
		conn, _, err := hijacker.Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	}))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		url  string
		want bool
	}{
		"taken and not answered": {server.URL, true},
		"nobody there":           {"http://127.0.0.1:1", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var j outbound.Journey
			req, err := http.NewRequestWithContext(j.Trace(t.Context()), http.MethodPost, c.url, strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			transport := &http.Transport{}
			t.Cleanup(transport.CloseIdleConnections)
			res, err := transport.RoundTrip(req)
			if err == nil {
				_ = res.Body.Close()
				t.Fatal("an answer")
			}
			if got := j.MayHaveArrived(); got != c.want {
				t.Errorf("may have arrived: %v, want %v (%v)", got, c.want, err)
			}
		})
	}
}
