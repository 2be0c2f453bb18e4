package ops_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"rappel/internal/ops"
	"rappel/internal/testenv"
)

const token = "the-ops-token"

// start runs a server for this test and returns its URL.
func start(t *testing.T, o ops.Options) string {
	t.Helper()
	o.Addr, o.Log = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Redis == nil {
		o.Redis = asynq.RedisClientOpt{Addr: "127.0.0.1:1"} // nobody asks it
	}
	s := ops.New(o)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return "http://" + s.Addr()
}

// somePages are pages that can be read.
func somePages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a page") })
	return mux
}

// An answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request; change may add to it.
func ask(t *testing.T, method, url string, body io.Reader, change func(*http.Request)) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	client := &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(said)}
}

func get(t *testing.T, url string) answer {
	t.Helper()
	return ask(t, http.MethodGet, url, nil, nil)
}

func bearer(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }

func TestOnlyTheHealthChecksAreOpen(t *testing.T) {
	t.Parallel()
	redis, err := asynq.ParseRedisURI(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	url := start(t, ops.Options{Token: token, Redis: redis, Pages: somePages()})
	cases := map[string]struct{ without, with int }{
		"/healthz":          {200, 200},
		"/readyz":           {200, 200},
		"/metrics":          {401, 200},
		"/":                 {401, 200},
		"/tasks/":           {401, 200},
		"/tasks/api/queues": {401, 200},
		"/nowhere":          {401, 404},
		"/debug/pprof/":     {401, 404},
	}
	for path, c := range cases {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			without := get(t, url+path)
			if without.status != c.without {
				t.Errorf("%d without the token, want %d", without.status, c.without)
			}
			if challenge := without.header.Get("WWW-Authenticate"); (challenge != "") != (c.without == 401) {
				t.Errorf("WWW-Authenticate: %q", challenge)
			}
			if got := ask(t, http.MethodGet, url+path, nil, bearer); got.status != c.with {
				t.Errorf("%d with the token, want %d", got.status, c.with)
			}
		})
	}
}

func TestTheTokenComesByBearerOrAsThePasswordOfBasic(t *testing.T) {
	t.Parallel()
	url := start(t, ops.Options{Token: token}) + "/metrics"
	header := func(v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", v) }
	}
	cases := map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"a bearer token":                   {bearer, 200},
		"the password of any user":         {func(r *http.Request) { r.SetBasicAuth("anybody", token) }, 200},
		"the password of nobody":           {func(r *http.Request) { r.SetBasicAuth("", token) }, 200},
		"nothing":                          {nil, 401},
		"another token":                    {header("Bearer another"), 401},
		"no token":                         {header("Bearer "), 401},
		"a part of it":                     {header("Bearer " + token[:5]), 401},
		"more than it":                     {header("Bearer " + token + "x"), 401},
		"the user instead of the password": {func(r *http.Request) { r.SetBasicAuth(token, "") }, 401},
		"another scheme":                   {header("Token " + token), 401},
		"the bare token":                   {header(token), 401},
		"in the query":                     {func(r *http.Request) { r.URL.RawQuery = "token=" + token }, 401},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, http.MethodGet, url, nil, c.change)
			if got.status != c.want || strings.Contains(got.body, token) {
				t.Errorf("%d %q, want %d", got.status, got.body, c.want)
			}
		})
	}
}

func TestWithoutATokenAllIsOpen(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "rappel_tests_total", Help: "Tests."})
	registry.MustRegister(counter)
	counter.Inc()
	url := start(t, ops.Options{Registry: registry, Pages: somePages()})
	if got := get(t, url+"/metrics"); got.status != 200 || !strings.Contains(got.body, "rappel_tests_total 1") {
		t.Errorf("%d\n%s", got.status, got.body)
	}
	if got := get(t, url+"/"); got.status != 200 || got.body != "a page" {
		t.Errorf("%d\n%s", got.status, got.body)
	}
	if got := get(t, url+"/healthz"); got.body != "ok\n" {
		t.Errorf("%q", got.body)
	}
}

func TestEveryAnswerSaysWhatABrowserMayDo(t *testing.T) {
	t.Parallel()
	url := start(t, ops.Options{Token: token, Pages: somePages()})
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/", "/tasks/", "/nowhere"} {
		for who, change := range map[string]func(*http.Request){"a stranger": nil, "ops": bearer} {
			t.Run(path+" to "+who, func(t *testing.T) {
				t.Parallel()
				h := ask(t, http.MethodGet, url+path, nil, change).header
				got := map[string]string{}
				for _, name := range []string{
					"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy",
				} {
					got[name] = strings.Join(h.Values(name), ", ")
				}
				want := map[string]string{
					"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
					"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				csp := h.Values("Content-Security-Policy")
				scripted := path == "/tasks/" && change != nil
				if len(csp) != 1 || strings.Contains(csp[0], "unsafe") != scripted || strings.Contains(csp[0], "script-src") != scripted {
					t.Errorf("Content-Security-Policy: %q", csp)
				}
				for _, part := range []string{"default-src '", "base-uri 'none'", "frame-ancestors 'none'"} {
					if !strings.Contains(csp[0], part) {
						t.Errorf("%s is not in %q", part, csp)
					}
				}
			})
		}
	}
}

func TestTheDashboardOnlyShows(t *testing.T) {
	t.Parallel()
	redis, err := asynq.ParseRedisURI(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	client, inspector := asynq.NewClient(redis), asynq.NewInspector(redis)
	t.Cleanup(func() { client.Close(); inspector.Close() })
	if _, err := client.EnqueueContext(t.Context(), asynq.NewTask("a:b", []byte(`{}`), asynq.Queue("sms"), asynq.TaskID("one"))); err != nil {
		t.Fatal(err)
	}
	url := start(t, ops.Options{Token: token, Redis: redis}) + "/tasks/api/queues/sms"
	for _, change := range []string{
		"DELETE ", "POST :pause", "POST :resume", "DELETE /pending_tasks/one", "POST /pending_tasks/one:archive",
		"DELETE /pending_tasks:delete_all", "POST /pending_tasks:archive_all", "POST /archived_tasks:run_all", "PUT ", "PATCH ",
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			method, path, _ := strings.Cut(change, " ")
			if got := ask(t, method, url+path, strings.NewReader("{}"), bearer); got.status != http.StatusMethodNotAllowed {
				t.Errorf("%d %s", got.status, got.body)
			}
			info, err := inspector.GetQueueInfo("sms")
			if err != nil || info.Paused || info.Pending != 1 {
				t.Errorf("%+v, %v", info, err)
			}
		})
	}
	t.Run("GET", func(t *testing.T) {
		t.Parallel()
		if got := ask(t, http.MethodGet, url, nil, bearer); got.status != 200 || !strings.Contains(got.body, `"pending":1`) {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

func TestNoOtherOriginMayReadTheDashboard(t *testing.T) {
	t.Parallel()
	redis, err := asynq.ParseRedisURI(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	url := start(t, ops.Options{Redis: redis, Pages: somePages()})
	for _, method := range []string{http.MethodGet, http.MethodOptions, http.MethodPost} {
		for _, path := range []string{"/tasks/", "/tasks/api/queues", "/metrics", "/"} {
			t.Run(method+" "+path, func(t *testing.T) {
				t.Parallel()
				got := ask(t, method, url+path, nil, func(r *http.Request) {
					r.Header.Set("Origin", "https://evil.example.com")
					r.Header.Set("Access-Control-Request-Method", "GET")
				})
				for name, values := range got.header {
					if strings.HasPrefix(name, "Access-Control-") {
						t.Errorf("%s: %s", name, values)
					}
				}
			})
		}
	}
}

// A switchable check fails while it holds an error, and counts how often it is
// asked.
type switchable struct {
	mu    sync.Mutex
	err   error
	asked atomic.Int32
}

func (s *switchable) ask(context.Context) error {
	s.asked.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *switchable) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func TestReadinessTurnsAndTurnsBack(t *testing.T) {
	t.Parallel()
	var database, redis switchable
	url := start(t, ops.Options{Token: token, Ready: []ops.Check{{Name: "database", Ask: database.ask}, {Name: "redis", Ask: redis.ask}}})
	turns := func(status int, body string) {
		t.Helper()
		tick, end := time.NewTicker(20*time.Millisecond), time.After(20*time.Second)
		defer tick.Stop()
		for {
			got := get(t, url+"/readyz")
			if got.status == status && got.body == body {
				return
			}
			select {
			case <-tick.C:
			case <-end:
				t.Fatalf("%d %q, want %d %q", got.status, got.body, status, body)
			}
		}
	}
	turns(200, "database: ok\nredis: ok\n")
	redis.set(errors.New("away"))
	turns(503, "database: ok\nredis: not usable\n")
	database.set(errors.New("gone"))
	turns(503, "database: not usable\nredis: not usable\n")
	if got := get(t, url+"/healthz"); got.status != 200 {
		t.Errorf("the process does not live: %d", got.status)
	}
	redis.set(nil)
	database.set(nil)
	turns(200, "database: ok\nredis: ok\n")
}

func TestReadinessIsAskedOnceASecondHoweverManyAsk(t *testing.T) {
	t.Parallel()
	began := time.Now()
	var check switchable
	url := start(t, ops.Options{Ready: []ops.Check{{Name: "database", Ask: check.ask}}}) + "/readyz"
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() { get(t, url) })
	}
	wait.Wait()
	if got, most := check.asked.Load(), int32(time.Since(began)/time.Second)+1; got > most {
		t.Errorf("asked %d times, want %d at most", got, most)
	}
}

func TestACheckThatHangsFails(t *testing.T) {
	t.Parallel()
	url := start(t, ops.Options{Ready: []ops.Check{{Name: "database", Ask: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}}})
	if got := get(t, url+"/readyz"); got.status != 503 || !strings.HasPrefix(got.body, "database: ") {
		t.Errorf("%d %q", got.status, got.body)
	}
}

func TestNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	url := start(t, ops.Options{Pages: somePages()})
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
			if got := ask(t, method, url+path, strings.NewReader("{}"), nil); got.status/100 != 4 {
				t.Errorf("%s %s: %d", method, path, got.status)
			}
		}
		if got := ask(t, http.MethodHead, url+path, nil, nil); got.status != 200 || got.body != "" {
			t.Errorf("HEAD %s: %d", path, got.status)
		}
	}
}

func TestAnAddressThatIsTakenIsAnError(t *testing.T) {
	t.Parallel()
	addr := strings.TrimPrefix(start(t, ops.Options{}), "http://")
	s := ops.New(ops.Options{Addr: addr, Registry: prometheus.NewRegistry(), Redis: asynq.RedisClientOpt{Addr: "127.0.0.1:1"}})
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "ops server") {
		t.Errorf("error %v", err)
	}
}

func TestAShutdownWaitsForTheRequestsInHand(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	s := ops.New(ops.Options{
		Addr: "127.0.0.1:0", Registry: prometheus.NewRegistry(), Redis: asynq.RedisClientOpt{Addr: "127.0.0.1:1"}, Log: slog.New(slog.DiscardHandler),
		Ready: []ops.Check{{Name: "database", Ask: func(context.Context) error {
			close(asked)
			<-release
			return nil
		}}},
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	answered := make(chan answer, 1)
	go func() { answered <- get(t, "http://"+s.Addr()+"/readyz") }()
	<-asked
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(context.WithoutCancel(t.Context())) }()
	select {
	case err := <-stopped:
		t.Errorf("stopped with a request in hand: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	if got := <-answered; got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
