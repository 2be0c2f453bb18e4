package behaviour_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/internal/config"
)

// scrape is what the first worker's ops server tells Prometheus: each series to
// its value.
func (d *direct) scrape(ctx context.Context) map[string]float64 {
	d.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.opsURL+"/metrics", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		d.t.Fatalf("answered %d: %v", res.StatusCode, err)
	}
	all := map[string]float64{}
	for line := range strings.Lines(string(body)) {
		series, value, ok := cutLast(strings.TrimSpace(line), " ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		if all[series], err = strconv.ParseFloat(value, 64); err != nil {
			d.t.Errorf("%s: %v", line, err)
		}
	}
	return all
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// shows waits until a series has a value.
func (d *direct) shows(series string, want float64) {
	d.t.Helper()
	var got float64
	var there bool
	defer func() {
		if d.t.Failed() {
			d.t.Errorf("%s is %v (there: %t), not %v", series, got, there, want)
		}
	}()
	d.until("the metrics show it", func(ctx context.Context) bool {
		got, there = d.scrape(ctx)[series]
		return there && got == want
	})
}

// explainedMetrics are those of the operations guide's table.
func explainedMetrics(t *testing.T) []string {
	t.Helper()
	guide, err := os.ReadFile("../deploy/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile("(?m)^\\| `((?:rappel|asynq)_[a-z_]+)`").FindAllStringSubmatch(string(guide), -1) {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return all
}

// Each metric has a story at whose end it has moved, and by as much as it names.
func TestEveryMetricIsMovedByWhatItNames(t *testing.T) {
	t.Parallel()
	stories := map[string]struct {
		open  func(*testing.T) *direct
		story func(*direct)
	}{
		"rappel_decisions_total":                {newDirect, decisionsAreCounted},
		"rappel_notifications_total":            {newDirect, notificationsAreCounted},
		"rappel_repeats_total":                  {newDirect, repeatsAreCounted},
		"rappel_notification_lateness_seconds":  {newDirect, latenessIsMeasured},
		"rappel_claims_in_conflict_total":       {newHooked, conflictsAreCounted},
		"rappel_failed_rows_total":              {newDirect, failedRowsAreCounted},
		"rappel_receipts_total":                 {newDirect, receiptsAreCounted},
		"rappel_webhooks_total":                 {newDirect, webhooksAreCounted},
		"rappel_replies_total":                  {newDirect, repliesAreCounted},
		"rappel_replies_passed_total":           {newDirect, passedRepliesAreCounted},
		"rappel_breaker_state":                  {newDirect, aParkedWayShows},
		"rappel_parked_practices":               {newDirect, aParkedPracticeShows},
		"rappel_admin_endpoints_up":             {newAsked(http.StatusOK, config.ViaAdmin), endpointsShow},
		"rappel_ready":                          {newHooked, readinessShows},
		"rappel_unaccounted":                    {newFaulty(loses), whatIsMissingShows},
		"rappel_queue_orphans":                  {newFaulty(orphans), orphansShow},
		"rappel_oldest_due_seconds":             {newFaulty(overdue), theOldestDueShows},
		"rappel_swept_to_timestamp_seconds":     {newFaulty(marks), theMarkShows},
		"rappel_unplanned_events":               {newFaulty(waitingEvent), waitingEventsShow},
		"rappel_oldest_unplanned_event_seconds": {newFaulty(heldEvent), theOldestEventShows},
		"rappel_loop_last_turn_seconds":         {newDirect, turnsShow},
		"asynq_tasks_enqueued_total":            {newHooked, waitingTasksShow},
		"asynq_queue_size":                      {newHooked, waitingTasksShow},
		"asynq_queue_latency_seconds":           {newHooked, waitingTasksShow},
		"asynq_queue_memory_usage_approx_bytes": {newHooked, waitingTasksShow},
		"asynq_queue_paused_total":              {newHooked, aPausedQueueShows},
		"asynq_tasks_processed_total":           {newHooked, workedTasksAreCounted},
		"asynq_tasks_failed_total":              {newHooked, workedTasksAreCounted},
	}
	if diff := cmp.Diff(explainedMetrics(t), slices.Sorted(maps.Keys(stories))); diff != "" {
		t.Errorf("the operations guide against the stories (-guide +stories):\n%s", diff)
	}
	for metric, story := range stories {
		t.Run(metric, func(t *testing.T) {
			t.Parallel()
			story.story(story.open(t))
		})
	}
}

func decisionsAreCounted(d *direct) {
	d.t.Helper()
	visit := d.book(d.ann(), thursday)
	d.expect("sms +12015550101: is booked")
	d.tell("appointment.booked", visit) // again
	d.world.event(row{"kind": "appointment.renamed"})
	d.expect()
	d.shows(`rappel_decisions_total{kind="appointment.booked",outcome="notify"}`, 1)
	d.shows(`rappel_decisions_total{kind="unknown",outcome="skipped"}`, 1)
}

func notificationsAreCounted(d *direct) {
	d.t.Helper()
	ann := d.ann()
	d.carriers.answers(
		answer{status: 429, retryAfter: "60", body: `{"code":20429,"status":429}`},
		answer{status: 400, body: `{"code":21211,"status":400}`},
	)
	d.book(ann, thursday)
	d.settle()
	d.shows(`rappel_notifications_total{channel="sms",kind="appointment.booked",reason="",status="pending"}`, 1)
	d.shows(`rappel_notifications_total{channel="sms",kind="appointment.booked",reason="refused",status="failed"}`, 0)
	d.pass(2 * time.Minute)
	d.expectStands("failed refused 1 twilio invalid_address no id")
	d.shows(`rappel_notifications_total{channel="sms",kind="appointment.booked",reason="refused",status="failed"}`, 1)
	d.book(d.bea(), thursday)
	d.expect("email ann@example.com: Hi Bea")
	d.shows(`rappel_notifications_total{channel="email",kind="appointment.booked",reason="",status="sent"}`, 1)
}

func repeatsAreCounted(d *direct) {
	d.t.Helper()
	d.reminded()
	d.shows(`rappel_notifications_total{channel="sms",kind="appointment.reminder",reason="",status="unknown"}`, 1)
	d.shows(`rappel_repeats_total{channel="sms",kind="appointment.reminder"}`, 0)
	d.pass(5 * time.Minute)
	d.expect("sms +12015550101: in a day")
	d.shows(`rappel_repeats_total{channel="sms",kind="appointment.reminder"}`, 1)
}

// A reminder that a stopped scheduler left lying is as late as it was planned
// early.
func latenessIsMeasured(d *direct) {
	d.t.Helper()
	d.reminds(24*hour, "in a day")
	d.longBooked(d.ann(), thursday)
	d.sweep()
	d.wait(instant(d.t, "2026-12-09T16:00:00-05:00").Sub(d.clock.Now())) // no scheduler ticks, for an hour too long
	d.sweep()
	d.expect("sms +12015550101: in a day")
	const of = `rappel_notification_lateness_seconds_`
	d.shows(of+`count{channel="sms",kind="appointment.reminder"}`, 1)
	d.shows(of+`sum{channel="sms",kind="appointment.reminder"}`, 3600)
	d.shows(of+`bucket{channel="sms",kind="appointment.reminder",le="900"}`, 0)
	d.shows(of+`bucket{channel="sms",kind="appointment.reminder",le="3600"}`, 1)
	// A try that was put off does not begin it anew.
	d.carriers.answers(answer{status: 429, retryAfter: "600", body: `{"code":20429,"status":429}`})
	d.longBooked(d.ann(), friday)
	d.at("2026-12-10T15:00:00-05:00")
	d.expect()
	d.pass(11 * time.Minute)
	d.expect("sms +12015550101: in a day")
	d.shows(of+`sum{channel="sms",kind="appointment.reminder"}`, 3600+11*60)
}

func failedRowsAreCounted(d *direct) {
	d.t.Helper()
	const series = `rappel_failed_rows_total{relation="clients"}`
	d.shows(series, 0)
	ann := d.ann()
	mend := d.spoil(ann)
	d.book(ann, thursday)
	d.untilTrue("it is set aside", `SELECT EXISTS (SELECT FROM rappel.events WHERE planned_at IS NULL AND look_at > now())`)
	d.shows(series, 1)
	mend()
	d.exec(`UPDATE rappel.events SET look_at = now()`)
	d.expect("sms +12015550101: is booked")
}

// Two have a message in hand only where one was held up past its claim and lives.
func conflictsAreCounted(d *direct) {
	d.t.Helper()
	ann := d.ann()
	const series = `rappel_claims_in_conflict_total{of="notification"}`
	// Whoever had it is dead.
	d.inbox.answers(answer{status: 503, retryAfter: "60"})
	d.book(ann, thursday)
	d.settle()
	d.exec(`UPDATE rappel.notifications SET status = 'sending', attempts = 1, claim_id = id, claimed_until = now() - interval '1 s'`)
	d.wait(2 * time.Minute)
	d.expect("sms +12015550101: is booked")
	d.shows(series, 0)
	// Whoever has it hangs, and comes back.
	comesBack, letGo := context.WithCancel(d.t.Context())
	d.t.Cleanup(letGo)
	d.inbox.answers(answer{status: 503, after: comesBack.Done()})
	d.book(ann, friday)
	d.untilTrue("it is being sent", `SELECT EXISTS (SELECT FROM rappel.notifications WHERE status = 'sending')`)
	d.exec(`UPDATE rappel.notifications SET claimed_until = now() - interval '1 s' WHERE status = 'sending'`)
	d.wait(time.Second)
	d.untilTrue("another has sent it", `SELECT NOT EXISTS (SELECT FROM rappel.notifications WHERE status = 'sending')`)
	letGo()
	d.expect("sms +12015550101: is booked")
	d.shows(series, 1)
	d.shows(`rappel_claims_in_conflict_total{of="reply"}`, 0)
}

func TestAReplyThatTwoHaveInHandIsCounted(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	const series = `rappel_claims_in_conflict_total{of="reply"}`
	comesBack, letGo := context.WithCancel(t.Context())
	t.Cleanup(letGo)
	d.inbox.answers(answer{status: 503, after: comesBack.Done()})
	d.writes(annsNumber, "Hello")
	d.untilTrue("it is being passed on", `SELECT EXISTS (SELECT FROM rappel.replies WHERE claim_id IS NOT NULL)`)
	d.shows(series, 0)
	d.exec(`UPDATE rappel.replies SET claimed_until = now() - interval '1 s'`)
	d.startWorker()
	d.untilTrue("another has passed it on", `SELECT coalesce(outcome = 'posted', FALSE) FROM rappel.replies`)
	letGo()
	d.shows(series, 1)
	d.inbox.take()
}

func receiptsAreCounted(d *direct) {
	d.t.Helper()
	d.book(d.ann(), thursday)
	d.expect("sms +12015550101: is booked")
	d.expectStatus(204, d.callback(0, "delivered"))
	d.shows(`rappel_receipts_total{code="",source="twilio",status="delivered"}`, 1)
	const rejected = `rappel_receipts_total{code="30034",source="twilio",status="undelivered"}`
	d.shows(rejected, 0)
	d.expectStatus(204, d.callback(0, "undelivered 30034"))
	d.shows(rejected, 1)
	d.expectStatus(204, d.callback(0, "undelivered 30003"))
	d.shows(`rappel_receipts_total{code="",source="twilio",status="undelivered"}`, 1)
}

func webhooksAreCounted(d *direct) {
	d.t.Helper()
	d.book(d.ann(), thursday)
	d.expect("sms +12015550101: is booked")
	shows := func(hook, outcome string, want float64) {
		d.t.Helper()
		d.shows(`rappel_webhooks_total{hook="`+hook+`",outcome="`+outcome+`"}`, want)
	}
	shows("twilio_status", "signature", 0)
	d.expectStatus(204, d.callback(0, "sent"))
	shows("twilio_status", "ok", 1)
	d.expectStatus(403, d.post("/webhooks/twilio/status", "MessageSid=SM1", nil))
	shows("twilio_status", "signature", 1)
	body, now := []byte("[]"), d.clock.Now().Unix()
	d.expectStatus(403, d.signed(d.key, now-48*3600, body, body))
	shows("sendgrid_events", "timestamp", 1)
	d.expectStatus(400, d.signed(d.key, now, []byte("{}"), []byte("{}")))
	shows("sendgrid_events", "unreadable", 1)
	d.expectStatus(403, d.post("/webhooks/admin/status", "{}", nil))
	shows("admin_status", "signature", 1)
}

// annsNumber is whose replies are counted.
const annsNumber = "+12015550101"

func repliesAreCounted(d *direct) {
	d.t.Helper()
	const id = "SM00000000000000000000000000000001"
	d.writes(annsNumber, "STOP", "MessageSid", id)
	d.writes(annsNumber, "STOP", "MessageSid", id) // told again
	d.writes(annsNumber, "Hello")
	d.shows(`rappel_replies_total{meaning="opt_out"}`, 1)
	d.shows(`rappel_replies_total{meaning="other"}`, 1)
	d.untilTrue("the main app has both", `SELECT count(*) = 2 FROM rappel.replies WHERE outcome = 'posted'`)
	d.inbox.take()
}

func passedRepliesAreCounted(d *direct) {
	d.t.Helper()
	d.inbox.answers(answer{status: 503, retryAfter: "60"}, answer{status: 404})
	d.shows(`rappel_replies_passed_total{outcome="posted"}`, 0)
	d.writes(annsNumber, "Hello")
	d.shows(`rappel_replies_passed_total{outcome=""}`, 1)
	d.clock.set(d.clock.Now().Add(2 * time.Minute))
	d.shows(`rappel_replies_passed_total{outcome="dropped"}`, 1)
	d.writes(annsNumber, "Hello")
	d.shows(`rappel_replies_passed_total{outcome="posted"}`, 1)
	d.inbox.take()
}

func aParkedWayShows(d *direct) {
	d.t.Helper()
	d.shows(`rappel_breaker_state{channel="sms"}`, 0)
	d.carriers.answers(answer{status: 401}, answer{status: 401}, answer{status: 401})
	d.book(d.ann(), thursday)
	d.shows(`rappel_breaker_state{channel="sms"}`, 2)
	d.shows(`rappel_breaker_state{channel="email"}`, 0)
}

func aParkedPracticeShows(d *direct) {
	d.t.Helper()
	d.shows(`rappel_parked_practices{channel="sms"}`, 0)
	d.carriers.answers(answer{status: 429, retryAfter: "600", body: `{"code":20429,"status":429}`})
	d.book(d.ann(), thursday)
	d.shows(`rappel_parked_practices{channel="sms"}`, 1)
}

// newAsked opens a world whose main app says so of its health.
func newAsked(health int, via string) func(*testing.T) *direct {
	return func(t *testing.T) *direct {
		t.Helper()
		main := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(health) }))
		t.Cleanup(main.Close)
		return newFaulty(func(w *world) { w.cfg.AdminURL, w.cfg.SMSVia, w.cfg.EmailVia = main.URL, via, via })(t)
	}
}

func endpointsShow(d *direct) {
	d.t.Helper()
	d.shows("rappel_admin_endpoints_up", 1)
}

func TestEndpointsThatDoNotKnowUsAreDown(t *testing.T) {
	t.Parallel()
	newAsked(http.StatusUnauthorized, config.ViaAdmin)(t).shows("rappel_admin_endpoints_up", 0)
}

func TestOfEndpointsThatNobodyAsksNothingIsTold(t *testing.T) {
	t.Parallel()
	d := newAsked(http.StatusOK, config.ViaTwilio)(t)
	d.shows(`rappel_ready{check="database"}`, 1)
	if _, there := d.scrape(d.t.Context())["rappel_admin_endpoints_up"]; there {
		t.Error("it tells of them all the same")
	}
}

func readinessShows(d *direct) {
	d.t.Helper()
	for _, check := range []string{"database", "schema", "redis"} {
		d.shows(`rappel_ready{check="`+check+`"}`, 1)
	}
	d.exec(`ALTER TABLE rappel.migrations RENAME TO hidden`)
	d.shows(`rappel_ready{check="schema"}`, 0)
	d.shows(`rappel_ready{check="database"}`, 1)
	d.exec(`ALTER TABLE rappel.hidden RENAME TO migrations`)
}

// newFaulty opens worlds in which something is wrong before anything starts.
func newFaulty(fault func(w *world)) func(*testing.T) *direct {
	return func(t *testing.T) *direct {
		t.Helper()
		d := &direct{}
		d.world = openWorld(t, monday, func(w *world) {
			d.listen(w)
			fault(w)
		})
		return d
	}
}

func loses(w *world) {
	w.t.Helper()
	w.insert("decisions", row{
		"kind": "appointment.booked", "decided_at": w.clock.Now(), "outcome": "notify",
		"practice_id": newID(), "candidates": `[{"outcome":"send"},{"outcome":"send"},{"outcome":"skip"}]`,
	})
}

func whatIsMissingShows(d *direct) {
	d.t.Helper()
	d.shows("rappel_unaccounted", 2)
}

func orphans(w *world) {
	w.t.Helper()
	r := w.redis.MakeRedisClient().(redis.UniversalClient)
	defer r.Close()
	later := float64(time.Now().Add(time.Hour).Unix())
	if err := r.ZAdd(w.t.Context(), "asynq:{sms}:scheduled", redis.Z{Score: later, Member: "gone"}).Err(); err != nil {
		w.t.Fatal(err)
	}
}

func orphansShow(d *direct) {
	d.t.Helper()
	d.shows(`rappel_queue_orphans{queue="sms"}`, 1)
	d.shows(`rappel_queue_orphans{queue="email"}`, 0)
}

func overdue(w *world) {
	w.t.Helper()
	for _, minutes := range []int{7, 3} {
		w.insert("notifications", row{
			"decision_id": w.insert("decisions", row{"kind": "form.sent", "decided_at": w.clock.Now(), "outcome": "notify"}),
			"practice_id": newID(), "client_id": newID(), "kind": "form.sent", "channel": "sms", "address": "", "template": "form.sent",
			"not_before": w.clock.Now().Add(-time.Duration(minutes) * time.Minute),
			"offered_at": time.Now().Add(time.Hour), // on a desk, as far as anybody knows
		})
	}
}

func theOldestDueShows(d *direct) {
	d.t.Helper()
	d.shows(`rappel_oldest_due_seconds{channel="sms"}`, 7*60)
	d.shows(`rappel_oldest_due_seconds{channel="email"}`, 0)
	d.exec(`DELETE FROM rappel.notifications`)
}

// waitingEvent is one that is not to be decided yet.
func waitingEvent(w *world) {
	w.t.Helper()
	w.insert("events", row{"kind": "appointment.booked", "appointment_id": newID(), "look_at": time.Now().Add(time.Hour)})
}

func waitingEventsShow(d *direct) {
	d.t.Helper()
	d.shows("rappel_unplanned_events", 1)
	d.shows("rappel_oldest_unplanned_event_seconds", 0)
}

// heldEvent has been due for seven minutes, and somebody holds its row until the
// test ends.
func heldEvent(w *world) {
	w.t.Helper()
	id := w.insert("events", row{"kind": "appointment.booked", "appointment_id": newID(), "look_at": time.Now().Add(-7 * time.Minute)})
	tx, err := w.db.Begin(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(w.t.Context())) })
	if _, err := tx.Exec(w.t.Context(), `SELECT FROM rappel.events WHERE id = $1 FOR UPDATE`, id); err != nil {
		w.t.Fatal(err)
	}
}

func theOldestEventShows(d *direct) {
	d.t.Helper()
	d.until("the metrics show it", func(ctx context.Context) bool {
		age := d.scrape(ctx)["rappel_oldest_unplanned_event_seconds"]
		return age >= 7*60 && age < 8*60
	})
	d.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`)
	d.exec(`DELETE FROM rappel.events`)
}

func turnsShow(d *direct) {
	d.t.Helper()
	d.until("the planner and the listener turn", func(ctx context.Context) bool {
		found := d.scrape(ctx)
		planner, planned := found[`rappel_loop_last_turn_seconds{loop="planner"}`]
		listener, listened := found[`rappel_loop_last_turn_seconds{loop="event_listener"}`]
		return planned && listened && planner < 30 && listener < 30
	})
}

func marks(w *world) {
	w.t.Helper()
	w.put("sweeps", row{"name": "reminders", "swept_to": w.clock.Now()})
}

func theMarkShows(d *direct) {
	d.t.Helper()
	d.shows("rappel_swept_to_timestamp_seconds", float64(d.clock.Now().Unix()))
}

func waitingTasksShow(d *direct) {
	d.t.Helper()
	d.enqueue(asynq.NewTask("notifications:deliver", []byte(`{}`)), asynq.Queue("sms"), asynq.ProcessIn(time.Hour))
	d.shows(`asynq_queue_size{queue="sms"}`, 1)
	d.shows(`asynq_tasks_enqueued_total{queue="sms",state="scheduled"}`, 1)
	d.shows(`asynq_tasks_enqueued_total{queue="sms",state="pending"}`, 0)
	d.shows(`asynq_queue_latency_seconds{queue="sms"}`, 0)
	if used := d.scrape(d.t.Context())[`asynq_queue_memory_usage_approx_bytes{queue="sms"}`]; used <= 0 {
		d.t.Errorf("the queue takes %v bytes", used)
	}
}

func aPausedQueueShows(d *direct) {
	d.t.Helper()
	d.enqueue(asynq.NewTask("notifications:deliver", []byte(`{}`)), asynq.Queue("email"), asynq.ProcessIn(time.Hour))
	d.shows(`asynq_queue_paused_total{queue="email"}`, 0)
	if err := d.tasks.PauseQueue("email"); err != nil {
		d.t.Fatal(err)
	}
	d.shows(`asynq_queue_paused_total{queue="email"}`, 1)
}

func workedTasksAreCounted(d *direct) {
	d.t.Helper()
	d.enqueue(asynq.NewTask("notifications:deliver", []byte(`no JSON`)), asynq.Queue("sms"))
	d.shows(`asynq_tasks_processed_total{queue="sms"}`, 1)
	d.shows(`asynq_tasks_failed_total{queue="sms"}`, 1)
	d.shows(`asynq_tasks_enqueued_total{queue="sms",state="archived"}`, 1)
}
