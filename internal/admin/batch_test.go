package admin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rappel/internal/admin"
	"rappel/jobs/deliver"
)

// ids that differ in case where case can differ.
const (
	one = "01900000-0000-7000-8000-00000000000a"
	two = "01900000-0000-7000-8000-00000000000b"
)

// pair is two SMS.
func pair(t *testing.T) []deliver.Message {
	t.Helper()
	first, second := sms(t), sms(t)
	first.NotificationID, second.NotificationID = one, two
	return []deliver.Message{first, second}
}

func TestTheResultsOfABatchCount(t *testing.T) {
	t.Parallel()
	accepted := deliver.Answer{Verdict: deliver.Accepted}
	later := deliver.Answer{Verdict: deliver.Later}
	optedOut := deliver.Answer{Verdict: deliver.Refused, Code: deliver.CodeOptedOut}
	mixed := `{"results":[{"notification_id":"` + one + `","status":422,"code":"opted_out"},{"notification_id":"` + two + `","status":503,"retry_after":7}]}`
	of := func(results string) string { return `{"results":[` + results + `]}` }
	first := func(rest string) string { return `{"notification_id":"` + one + `",` + rest + `}` }
	asMixed := []deliver.Answer{optedOut, {Verdict: deliver.Later, RetryAfter: 7 * time.Second}}
	cases := map[string]struct {
		status int
		body   string
		want   []deliver.Answer
	}{
		"200":                           {200, mixed, asMixed},
		"202":                           {202, mixed, asMixed},
		"207":                           {207, mixed, asMixed},
		"299":                           {299, mixed, asMixed},
		"no body":                       {202, "", []deliver.Answer{later, later}},
		"207 without results":           {207, `{}`, []deliver.Answer{later, later}},
		"a page":                        {200, `<html>Please sign in</html>`, []deliver.Answer{later, later}},
		"cut off":                       {207, mixed[:60], []deliver.Answer{later, later}},
		"one is missing":                {200, of(first(`"status":202`)), []deliver.Answer{accepted, later}},
		"a status as text":              {200, of(first(`"status":"202"`)), []deliver.Answer{accepted, later}},
		"a status that is a word":       {200, of(first(`"status":"ok"`)), []deliver.Answer{later, later}},
		"no status":                     {200, of(first(`"message_id":"m"`)), []deliver.Answer{later, later}},
		"a number as message_id":        {200, of(first(`"status":202,"message_id":7`)), []deliver.Answer{accepted, later}},
		"a code in capitals":            {200, of(first(`"status":422,"code":"OPTED_OUT"`)), []deliver.Answer{optedOut, later}},
		"accepted, then refused":        {200, of(first(`"status":202`) + "," + first(`"status":422`)), []deliver.Answer{accepted, later}},
		"refused, then accepted":        {200, of(first(`"status":409`) + "," + first(`"status":202`)), []deliver.Answer{accepted, later}},
		"a wait that is text":           {200, of(first(`"status":429,"retry_after":"9"`)), []deliver.Answer{{Verdict: deliver.Busy, RetryAfter: 9 * time.Second}, later}},
		"503 to the whole is for each":  {503, mixed, []deliver.Answer{later, later}},
		"the ids of both, in capitals":  {207, strings.ReplaceAll(strings.ReplaceAll(mixed, one, strings.ToUpper(one)), two, strings.ToUpper(two)), asMixed},
		"an id that is somebody else's": {200, of(`{"notification_id":"` + two + `x","status":202}`), []deliver.Answer{later, later}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, exchange{status: c.status, body: c.body}.ServeHTTP).SendAll(within(t), pair(t))
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(deliver.Answer{}, "Err")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestARefusedBatchKeepsToTheConcurrency pins that messages which go one by one
// after a refused batch are no more at once than the client was given.
func TestARefusedBatchKeepsToTheConcurrency(t *testing.T) {
	t.Parallel()
	const most, batches, each = 3, 4, 25
	var now, peak, singles atomic.Int64
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n := now.Add(1)
		defer now.Add(-1)
		for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
		}
		if strings.HasSuffix(r.URL.Path, "/batch") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		singles.Add(1)
		select {
		case <-time.After(time.Millisecond):
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusAccepted)
	})
	c, err := admin.New(admin.Options{URL: server, Token: token, Connections: most, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	var sending sync.WaitGroup
	for range batches {
		sending.Go(func() {
			var messages []deliver.Message
			for range each {
				messages = append(messages, sms(t))
			}
			for _, a := range c.SendAll(within(t), messages) {
				if a.Verdict != deliver.Accepted {
					t.Errorf("%+v", a)
				}
			}
		})
	}
	sending.Wait()
	if peak.Load() > most || singles.Load() != batches*each {
		t.Errorf("%d requests at once, want at most %d; %d messages", peak.Load(), most, singles.Load())
	}
}

func TestAnOptionalFieldIsSentIfItIsOffered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		health string
		want   any // expires_at; nil: it is not sent
	}{
		"offered":            {`{"features":["calendar","expires_at"]}`, "2026-12-10T20:00:00Z"},
		"with batches":       {`{"batch_max":100,"features":["expires_at"]}`, "2026-12-10T20:00:00Z"},
		"another":            {`{"features":["calendar"]}`, nil},
		"none":               {`{"batch_max":100}`, nil},
		"no body":            {``, nil},
		"not a list":         {`{"features":"expires_at"}`, nil},
		"a list of numbers":  {`{"features":[1]}`, nil},
		"null":               {`{"features":null}`, nil},
		"a health not asked": {"-", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bodies := make(chan map[string]any, 2)
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					_, _ = io.WriteString(w, c.health)
					return
				}
				var body map[string]any
				_ = json.NewDecoder(r.Body).Decode(&body)
				bodies <- body
			})
			if c.health != "-" {
				if err := client.Health(within(t)); err != nil {
					t.Fatal(err)
				}
			}
			m := sms(t)
			m.ExpiresAt = time.Date(2026, 12, 10, 15, 0, 0, 999999, time.FixedZone("", -5*3600))
			client.Send(within(t), m)
			if got := (<-bodies)["expires_at"]; got != c.want {
				t.Errorf("a message has %v, want %v", got, c.want)
			}
			client.SendAll(within(t), []deliver.Message{m})
			got := (<-bodies)["messages"].([]any)[0].(map[string]any)["expires_at"]
			if got != c.want {
				t.Errorf("a message of a batch has %v, want %v", got, c.want)
			}
			if client.Offers(admin.FeatureExpiresAt) != (c.want != nil) {
				t.Error("it is offered, or not")
			}
		})
	}
}

func TestAFeatureThatIsOfferedNoMoreIsNotUsed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			_, _ = io.WriteString(w, `{"features":["expires_at"]}`)
		}
	})
	for _, want := range []bool{true, false} {
		if err := c.Health(within(t)); err != nil || c.Offers(admin.FeatureExpiresAt) != want {
			t.Errorf("offered: %v, want %v (%v)", !want, want, err)
		}
	}
}
