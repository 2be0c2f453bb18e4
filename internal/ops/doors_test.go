package ops_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"rappel/internal/ops"
	"rappel/internal/testenv"
)

// writable is a page that takes forms.
func writable(asked chan<- string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "too much", http.StatusRequestEntityTooLarge)
			return
		}
		if asked != nil {
			asked <- string(body)
		}
	})
}

func TestNoOtherSiteSendsAForm(t *testing.T) {
	t.Parallel()
	header := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			bearer(r)
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Set(pairs[i], pairs[i+1])
			}
		}
	}
	url := start(t, ops.Options{Token: token, Pages: writable(nil), TasksWritable: true})
	cases := map[string]struct {
		method string
		change func(*http.Request)
		want   int
	}{
		"a form of ours":                        {http.MethodPost, header("Sec-Fetch-Site", "same-origin"), 200},
		"typed by the person":                   {http.MethodPost, header("Sec-Fetch-Site", "none"), 200},
		"a program":                             {http.MethodPost, bearer, 200},
		"another site's form":                   {http.MethodPost, header("Sec-Fetch-Site", "cross-site"), 403},
		"another port's form":                   {http.MethodPost, header("Sec-Fetch-Site", "same-site"), 403},
		"another site's form, an old browser's": {http.MethodPost, header("Origin", "https://evil.example.com"), 403},
		"a form from nowhere":                   {http.MethodPost, header("Origin", "null"), 403},
		"another site's request to delete":      {http.MethodDelete, header("Sec-Fetch-Site", "cross-site"), 403},
		"another site's link":                   {http.MethodGet, header("Sec-Fetch-Site", "cross-site"), 200},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ask(t, c.method, url+"/messages", strings.NewReader("a=b"), c.change); got.status != c.want {
				t.Errorf("%d %s, want %d", got.status, got.body, c.want)
			}
			if c.want == http.StatusForbidden {
				if got := ask(t, c.method, url+"/tasks/api/queues/sms:pause", nil, c.change); got.status != c.want {
					t.Errorf("the dashboard: %d %s, want %d", got.status, got.body, c.want)
				}
			}
		})
	}
}

func TestWithoutATokenOnlyThisMachineIsAnswered(t *testing.T) {
	t.Parallel()
	hook := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	o := ops.Options{Pages: somePages(), Webhooks: map[string]http.Handler{"POST /webhooks/admin/status": hook}}
	open := start(t, o)
	o.Token = token
	closed := start(t, o)
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name; bearer(r) } }
	for name, ours := range map[string]bool{
		"127.0.0.1": true, "127.0.0.1:8080": true, "127.9.9.9": true, "localhost": true, "LocalHost:8080": true, "[::1]": true, "[::1]:8080": true,
		"rebound.example.com": false, "rebound.example.com:8080": false, "localhost.example.com": false, "127.0.0.1.example.com": false,
		"10.0.0.1": false, "[2001:db8::1]:80": false, "notlocalhost": false,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := http.StatusMisdirectedRequest
			if ours {
				want = http.StatusOK
			}
			for _, path := range []string{"/", "/metrics", "/tasks/"} {
				if got := ask(t, http.MethodGet, open+path, nil, host(name)); got.status != want {
					t.Errorf("%s without a token: %d, want %d", path, got.status, want)
				}
				if got := ask(t, http.MethodGet, closed+path, nil, host(name)); got.status != http.StatusOK {
					t.Errorf("%s with the token: %d", path, got.status)
				}
			}
			for _, path := range []string{"/healthz", "/readyz"} {
				if got := ask(t, http.MethodGet, open+path, nil, host(name)); got.status != http.StatusOK {
					t.Errorf("%s: %d", path, got.status)
				}
			}
			if got := ask(t, http.MethodPost, open+"/webhooks/admin/status", nil, host(name)); got.status != http.StatusAccepted {
				t.Errorf("a webhook: %d", got.status)
			}
		})
	}
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	url := start(t, ops.Options{Pages: writable(nil)})
	for name, c := range map[string]struct{ body, header, want int }{
		"a body of 1 MiB":         {1 << 20, 0, 200},
		"a body over 1 MiB":       {1<<20 + 1, 0, 413},
		"a header of 32 KiB":      {0, 32 << 10, 200},
		"a header of 256 KiB":     {0, 256 << 10, 431},
		"a small body and header": {10, 10, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, http.MethodPost, url+"/", strings.NewReader(strings.Repeat("x", c.body)), func(r *http.Request) {
				r.Header.Set("X-Filler", strings.Repeat("y", c.header))
			})
			if got.status != c.want {
				t.Errorf("%d, want %d", got.status, c.want)
			}
		})
	}
}

// A handler is told to stop before the server stops writing to whoever asked:
// they are told why, and its query ends.
func TestEveryHandlerHasADeadline(t *testing.T) {
	t.Parallel()
	seen := make(chan time.Duration, 2)
	tells := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		end, ok := r.Context().Deadline()
		if !ok {
			end = time.Now().Add(time.Hour)
		}
		seen <- time.Until(end)
	})
	url := start(t, ops.Options{Pages: tells, Webhooks: map[string]http.Handler{"POST /webhooks/x": tells}})
	ask(t, http.MethodGet, url+"/", nil, nil)
	ask(t, http.MethodPost, url+"/webhooks/x", nil, nil)
	for range 2 {
		if left := <-seen; left > time.Minute {
			t.Errorf("it may take %s", left)
		}
	}
}

func TestWhoNeverEndsTheirHeaderIsCutOff(t *testing.T) {
	t.Parallel()
	addr := strings.TrimPrefix(start(t, ops.Options{Pages: somePages()}), "http://")
	var d net.Dialer
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(conn).ReadByte(); err == nil {
		t.Error("it was answered")
	} else if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Error("it was not cut off")
	}
}

func TestTheDashboardWritesWhereItMay(t *testing.T) {
	t.Parallel()
	redis, err := asynq.ParseRedisURI(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	client, inspector := asynq.NewClient(redis), asynq.NewInspector(redis)
	t.Cleanup(func() { client.Close(); inspector.Close() })
	if _, err := client.EnqueueContext(t.Context(), asynq.NewTask("a:b", []byte(`{}`), asynq.Queue("sms"))); err != nil {
		t.Fatal(err)
	}
	url := start(t, ops.Options{Token: token, Redis: redis, TasksWritable: true}) + "/tasks/api/queues/sms:pause"
	paused := func() bool {
		t.Helper()
		info, err := inspector.GetQueueInfo("sms")
		if err != nil {
			t.Fatal(err)
		}
		return info.Paused
	}
	if got := ask(t, http.MethodPost, url, nil, nil); got.status != http.StatusUnauthorized || paused() {
		t.Errorf("without the token: %d", got.status)
	}
	if got := ask(t, http.MethodPost, url, nil, func(r *http.Request) { bearer(r); r.Header.Set("Sec-Fetch-Site", "cross-site") }); got.status != http.StatusForbidden || paused() {
		t.Errorf("from another site: %d", got.status)
	}
	if got := ask(t, http.MethodPost, url, nil, func(r *http.Request) { bearer(r); r.Header.Set("Sec-Fetch-Site", "same-origin") }); got.status/100 != 2 || !paused() {
		t.Errorf("from its own page: %d %s", got.status, got.body)
	}
}
