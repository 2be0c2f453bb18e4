package bench_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rappel/internal/bench"
	"rappel/internal/services"
)

// start starts the services of a benchmark.
func start(t *testing.T) *bench.Services {
	t.Helper()
	if _, err := services.FindPostgres(os.Getenv("PG_BIN")); err != nil && os.Getenv("CI") == "" {
		t.Skip("skipped: ", err)
	}
	s, err := bench.StartServices(t.Context(), os.Getenv("PG_BIN"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// self starts this binary for each part: see TestMain. The race detector would
// have each of them wait for a second at its end.
func self() bench.Launcher {
	return bench.Launcher{Command: []string{"/usr/bin/env", "GORACE=atexit_sleep_ms=0", os.Args[0], "bench", "part"}}
}

// silent is progress that nobody reads.
func silent(string, ...any) {}

// sane tells whether a figure can be one of something that was done.
func sane(f float64) bool { return f > 0 && !math.IsInf(f, 0) && !math.IsNaN(f) }

// Every design tells of every event, once: else Run fails.
func TestThePipelineComparesDesignsThatDoTheWork(t *testing.T) {
	t.Parallel()
	profiles := t.TempDir()
	designs, err := bench.Pipeline{
		Events: 60, Rounds: 1, Profiles: profiles, Launcher: self(), Progress: silent,
	}.Run(t.Context(), start(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range designs {
		names = append(names, d.Name)
		for what, s := range map[string]bench.Spread{"rate": d.Rate, "of plain": d.OfPlain, "of ceiling": d.OfCeiling, "messages a request": d.Together} {
			if !sane(s.Low) || s.Low > s.Median || s.Median > s.High {
				t.Errorf("%s: %s is %+v", d.Name, what, s)
			}
		}
		if d.Costs.Worker < 0 || d.Costs.Postgres < 0 || d.Costs.Redis < 0 || d.Costs.Sink < 0 {
			t.Errorf("%s: costs are %+v", d.Name, d.Costs)
		}
	}
	if got := strings.Join(names, ", "); got != "plain, rappel, rappel's rows alone, ceiling, rappel, by batches, rappel's rows alone, by batches, ceiling, by batches, POST alone" {
		t.Errorf("designs: %s", got)
	}
	for _, part := range []string{"plain", "rappel", "rows", "ceiling", "rappel-batch", "rows-batch", "ceiling-batch"} {
		text, err := os.ReadFile(filepath.Join(profiles, part+".statements"))
		if err != nil || !strings.HasPrefix(string(text), "60 messages; a message: ") {
			t.Errorf("statements of %s: %v\n%s", part, err, text)
		}
		if info, err := os.Stat(filepath.Join(profiles, part+".pprof")); err != nil || info.Size() == 0 {
			t.Errorf("profile of %s: %v", part, err)
		}
	}
}

func TestALoneEventIsTimedEitherWay(t *testing.T) {
	t.Parallel()
	waits, err := bench.Lone{
		Events: 3, Launcher: self(), Progress: silent,
	}.Run(t.Context(), start(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(waits) != 2 {
		t.Fatalf("%d ways", len(waits))
	}
	for _, w := range waits {
		if !sane(w.Median) || w.Longest < w.Median {
			t.Errorf("%+v", w)
		}
	}
}

func TestTheSweepIsMeasuredInEveryRespect(t *testing.T) {
	t.Parallel()
	figures, err := bench.Sweep{
		Appointments: 500, Practices: 12, Due: 10, Burst: 20, Launcher: self(), Progress: silent,
	}.Run(t.Context(), start(t))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range figures {
		all = append(all, f.What)
		if f.Value < 0 || f.Unit != "" && !sane(f.Value) && !strings.Contains(f.What, "memory") {
			t.Errorf("%s: %s", f.What, f.Figure())
		}
	}
	for _, want := range []string{"a quiet minute, found in", "a minute with 10 due, found in", "sequential scans of appointments", "the burst, planned"} {
		if !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("no figure of %s in %q", want, all)
		}
	}
}

// A part that cannot do its work says why, and the measurement ends with that.
func TestAPartThatFailsIsQuoted(t *testing.T) {
	t.Parallel()
	_, err := bench.Pipeline{
		Events: 1, Rounds: 1, Launcher: bench.Launcher{Command: []string{"/bin/sh", "-c", "echo out of paper >&2; exit 3"}}, Progress: silent,
	}.Run(t.Context(), start(t))
	if err == nil || !strings.Contains(err.Error(), "out of paper") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
}

func TestAProcessIsMeasuredBusyAndAtRest(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("skipped: ", err)
	}
	var steps int
	f := bench.Footprint{
		Burst: 20, Starts: 2, Rest: 100 * time.Millisecond, Launcher: self(), Progress: func(string, ...any) { steps++ },
	}
	figures, err := f.Run(t.Context(), start(t))
	if err != nil {
		t.Fatal(err)
	}
	if steps != bench.FootprintSteps {
		t.Errorf("told of %d steps", steps)
	}
	for _, figure := range figures {
		// In so short a time a process may use less CPU than is counted.
		if !sane(figure.Value) && figure.Unit != "%" || figure.Value < 0 {
			t.Errorf("%s: %s", figure.What, figure.Figure())
		}
	}
	said := f.Table(figures).Markdown()
	for _, want := range []string{
		"all left after | ", "(20)", "most memory", "from start to ready", "CPU of rappel run", "CPU of Redis", "CPU of PostgreSQL", "goroutines", "connections to Redis",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in:\n%s", want, said)
		}
	}
}

// serving serves an endpoint until the test ends, and returns its URL.
func serving(t *testing.T, s *bench.Sink) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	url := make(chan string, 1)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, func(at string) { url <- at }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return <-url
}

// ask sends a request, and returns the status and the body of the answer.
func ask(t *testing.T, method, url, key, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

// counted is what a sink says that it has.
func counted(t *testing.T, at string) bench.Count {
	t.Helper()
	_, said := ask(t, http.MethodGet, at+"/count", "", "")
	var count bench.Count
	if err := json.Unmarshal([]byte(said), &count); err != nil {
		t.Fatal(err)
	}
	return count
}

func TestTheSinkCountsMessagesAndDoubles(t *testing.T) {
	t.Parallel()
	at := serving(t, new(bench.Sink))
	for i, c := range []struct {
		key  string
		want int
	}{{"a", 202}, {"b", 202}, {"a", 202}, {"", 400}} {
		if got, _ := ask(t, http.MethodPost, at+"/messages/sms", c.key, "{}"); got != c.want {
			t.Errorf("request %d: %d, want %d", i, got, c.want)
		}
	}
	if count := counted(t, at); count.Messages != 2 || count.Doubles != 1 || count.Requests != 3 || count.First.IsZero() {
		t.Errorf("%+v", count)
	}
	if _, offers := ask(t, http.MethodGet, at+"/health", "", ""); offers != "{}" {
		t.Errorf("it offers %s", offers)
	}
	if got, _ := ask(t, http.MethodPost, at+"/messages/batch", "", `{"messages":[{"notification_id":"c"}]}`); got != http.StatusNotFound {
		t.Errorf("a batch that is not offered: %d", got)
	}
}

func TestTheSinkAnswersEachMessageOfABatch(t *testing.T) {
	t.Parallel()
	at := serving(t, &bench.Sink{Batch: 3})
	if _, offers := ask(t, http.MethodGet, at+"/health", "", ""); offers != `{"batch_max":3}` {
		t.Errorf("it offers %s", offers)
	}
	item := func(key string) string { return `{"channel":"sms","notification_id":"` + key + `"}` }
	batch := func(items ...string) (int, string) {
		return ask(t, http.MethodPost, at+"/messages/batch", "", `{"messages":[`+strings.Join(items, ",")+`]}`)
	}
	status, said := batch(item("a"), item("b"), item(""))
	const want = `{"results":[{"notification_id":"a","status":202,"message_id":"m1"},{"notification_id":"b","status":202,"message_id":"m2"},` +
		`{"notification_id":"","status":400}]}`
	if status != http.StatusOK || strings.TrimSpace(said) != want {
		t.Errorf("%d %s", status, said)
	}
	for what, items := range map[string][]string{"none": nil, "too many": {item("c"), item("d"), item("e"), item("f")}} {
		if status, _ := batch(items...); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", what, status)
		}
	}
	if status, _ := batch(item("b"), item("c")); status != http.StatusOK {
		t.Errorf("the second batch: %d", status)
	}
	if count := counted(t, at); count.Messages != 3 || count.Doubles != 1 || count.Requests != 2 {
		t.Errorf("%+v", count)
	}
}

// Whoever began a part may be killed: the part ends with its input.
func TestAPartEndsWithItsInput(t *testing.T) {
	t.Parallel()
	in, orders := io.Pipe()
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- bench.RunPart(context.Background(), "rappel", bench.PartOptions{
			In: in, Out: out, Worker: func(stop <-chan struct{}) error {
				<-stop
				return nil
			},
		})
	}()
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := io.WriteString(orders, "start\n"); err != nil {
		t.Fatal(err)
	}
	_ = orders.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := bench.RunPart(t.Context(), "kitchen", bench.PartOptions{In: new(bytes.Buffer), Out: io.Discard}); err == nil {
		t.Error("there is a kitchen")
	}
}
