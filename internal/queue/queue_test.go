package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/internal/queue"
	"rappel/internal/testenv"
	"rappel/jobs"
	"rappel/recipients"
)

// where starts a Redis for this test.
func where(t *testing.T) asynq.RedisConnOpt {
	t.Helper()
	opt, err := queue.ParseRedis(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	return opt
}

func connect(t *testing.T) redis.UniversalClient {
	t.Helper()
	return connectTo(t, where(t))
}

func connectTo(t *testing.T, opt asynq.RedisConnOpt) redis.UniversalClient {
	t.Helper()
	client, err := queue.Connect(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func id(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012d", n) }

func ids(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = id(i)
	}
	return all
}

func TestManyNotificationsAreOfferedAHundredATask(t *testing.T) {
	t.Parallel()
	r := connect(t)
	now := time.Now()
	client, inspector := queue.NewClient(r, func() time.Time { return now }), asynq.NewInspectorFromRedisClient(r)
	if err := client.OfferAt(t.Context(), recipients.SMS, ids(250), now); err != nil {
		t.Fatal(err)
	}
	if err := client.OfferAt(t.Context(), recipients.Email, nil, now); err != nil {
		t.Fatal(err)
	}
	tasks, err := inspector.ListPendingTasks("sms")
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	var named []string
	for _, task := range tasks {
		d, err := jobs.DecodeDeliver(asynq.NewTask(task.Type, task.Payload))
		if err != nil || task.MaxRetry == 0 || !task.Deadline.IsZero() {
			t.Errorf("task %+v: %v", task, err)
		}
		sizes, named = append(sizes, len(d.IDs)), append(named, d.IDs...)
	}
	slices.Sort(sizes)
	slices.Sort(named)
	if diff := cmp.Diff([]int{50, 100, 100}, sizes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ids(250), named); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if queues, err := inspector.Queues(); err != nil || slices.Contains(queues, "email") {
		t.Errorf("queues %v, %v", queues, err)
	}
}

func TestWhatMayNotGoYetIsScheduled(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		wait      time.Duration
		scheduled bool
	}{
		"now":          {0, false},
		"a time gone":  {-time.Hour, false},
		"in a moment":  {time.Millisecond, true},
		"in an hour":   {time.Hour, true},
		"in a year":    {365 * 24 * time.Hour, true},
		"in ten years": {3650 * 24 * time.Hour, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := connect(t)
			// The notifications' clock stands at another time than the machine's.
			theirs := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)
			before := time.Now()
			client := queue.NewClient(r, func() time.Time { return theirs })
			if err := client.OfferAt(t.Context(), recipients.SMS, ids(1), theirs.Add(c.wait)); err != nil {
				t.Fatal(err)
			}
			after := time.Now()
			tasks, err := asynq.NewInspectorFromRedisClient(r).ListScheduledTasks("sms")
			if err != nil || (len(tasks) == 1) != c.scheduled {
				t.Fatalf("%d are scheduled, %v", len(tasks), err)
			}
			if !c.scheduled {
				return
			}
			// asynq may hand a task out up to a second before its time.
			if at := tasks[0].NextProcessAt; at.Before(before.Add(c.wait)) || at.After(after.Add(c.wait+3*time.Second)) {
				t.Errorf("to be taken %s after it was offered", at.Sub(before))
			}
		})
	}
}

func TestTheZeroTimeMeansNow(t *testing.T) {
	t.Parallel()
	r := connect(t)
	if err := queue.NewClient(r, time.Now).OfferAt(t.Context(), recipients.SMS, ids(1), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if tasks, err := asynq.NewInspectorFromRedisClient(r).ListPendingTasks("sms"); len(tasks) != 1 || err != nil {
		t.Errorf("%d wait, %v", len(tasks), err)
	}
}

func TestAnIdThatIsNoneIsNotOffered(t *testing.T) {
	t.Parallel()
	err := queue.NewClient(connect(t), time.Now).OfferAt(t.Context(), recipients.SMS, []string{"Ann Lee"}, time.Now())
	if err == nil || strings.Contains(err.Error(), "Ann") {
		t.Errorf("error %v", err)
	}
}

func TestOneTaskOfAKindIsEnough(t *testing.T) {
	t.Parallel()
	r := connect(t)
	client := queue.NewClient(r, time.Now)
	unique := func() *asynq.Task { return asynq.NewTask("a:b", nil, asynq.Unique(time.Minute)) }
	named := func() *asynq.Task { return asynq.NewTask("a:c", nil, asynq.TaskID("c")) }
	for range 2 {
		for _, task := range []*asynq.Task{unique(), named()} {
			if err := client.Put(t.Context(), task); err != nil {
				t.Error(err)
			}
		}
	}
	if tasks, err := asynq.NewInspectorFromRedisClient(r).ListPendingTasks("default"); len(tasks) != 2 || err != nil {
		t.Errorf("%d wait, %v", len(tasks), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Put(ctx, named()); err == nil {
		t.Error("put, though Redis was not asked")
	}
}

func TestTheBacklogOfAQueueThatIsNotThereIsNothing(t *testing.T) {
	t.Parallel()
	r := connect(t)
	backlog := queue.NewBacklog(r)
	for _, c := range []recipients.Channel{recipients.SMS, recipients.Email} {
		if age, err := backlog.Age(c); age != 0 || err != nil {
			t.Errorf("%s: %s, %v", c, age, err)
		}
	}
	if err := queue.NewClient(r, time.Now).OfferAt(t.Context(), recipients.SMS, ids(1), time.Now()); err != nil {
		t.Fatal(err)
	}
	if age, err := backlog.Age(recipients.SMS); age <= 0 || age > time.Minute || err != nil {
		t.Errorf("sms: %s, %v", age, err)
	}
	if age, err := backlog.Age(recipients.Email); age != 0 || err != nil {
		t.Errorf("email: %s, %v", age, err)
	}
}

func TestATaskThatFailedComesAgainSoon(t *testing.T) {
	t.Parallel()
	last := time.Duration(0)
	for n := range 100 {
		d := queue.RetryDelay(n)
		if d < time.Second || d > time.Minute || d < last {
			t.Errorf("after %d retries: %s", n, d)
		}
		last = d
	}
	if last != time.Minute || queue.RetryDelay(-1) != time.Second || queue.RetryDelay(0) != time.Second {
		t.Errorf("from %s to %s", queue.RetryDelay(0), last)
	}
}

// serve runs handlers for the default queue until the test ends.
func serve(t *testing.T, r redis.UniversalClient, handlers map[string]asynq.Handler) (*queue.Servers, *testenv.Speech) {
	t.Helper()
	return serveAt(t, queue.UsualPace(), the(r), handlers)
}

func serveAt(t *testing.T, p queue.Pace, opt asynq.RedisConnOpt, handlers map[string]asynq.Handler) (*queue.Servers, *testenv.Speech) {
	t.Helper()
	return serveDesk(t, p, opt, queue.Desk{Queue: "default", Concurrency: 2, Handlers: handlers})
}

func serveDesk(t *testing.T, p queue.Pace, opt asynq.RedisConnOpt, desk queue.Desk) (*queue.Servers, *testenv.Speech) {
	t.Helper()
	log := &testenv.Speech{}
	s, err := queue.NewServersAt(p, opt, slog.New(slog.NewJSONHandler(log, nil)), desk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s, log
}

func stop(t *testing.T, s *queue.Servers) {
	t.Helper()
	if err := s.Shutdown(); err != nil {
		t.Error(err)
	}
}

// the returns the server that a client talks to.
func the(r redis.UniversalClient) asynq.RedisConnOpt {
	o := r.(*redis.Client).Options()
	return asynq.RedisClientOpt{Network: o.Network, Addr: o.Addr}
}

func put(t *testing.T, r redis.UniversalClient, task *asynq.Task) {
	t.Helper()
	if err := queue.NewClient(r, time.Now).Put(t.Context(), task); err != nil {
		t.Fatal(err)
	}
}

// eventually asks until there is an answer.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	tick, end := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for !ask() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("never: %s", what)
		}
	}
}

// state is where a task of the default queue is.
func state(t *testing.T, r redis.UniversalClient, id string) func() string {
	t.Helper()
	inspector := asynq.NewInspectorFromRedisClient(r)
	return func() string {
		info, err := inspector.GetTaskInfo("default", id)
		if errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound) {
			return "gone"
		}
		if err != nil {
			t.Error(err)
			return ""
		}
		return info.State.String()
	}
}

func TestAShutdownWaitsForWhatIsInHandOnEveryDesk(t *testing.T) {
	t.Parallel()
	r := connect(t)
	begun, release := make(chan struct{}), make(chan struct{})
	s, _ := serve(t, r, map[string]asynq.Handler{"a:b": asynq.HandlerFunc(func(ctx context.Context, _ *asynq.Task) error {
		close(begun)
		<-release
		return ctx.Err()
	})})
	put(t, r, asynq.NewTask("a:b", nil, asynq.TaskID("one")))
	<-begun
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop(t, s)
	}()
	// It tells Redis, every few seconds, how it stands: closed is who takes no more.
	inspector := asynq.NewInspectorFromRedisClient(r)
	eventually(t, "it has stopped taking", func() bool {
		servers, err := inspector.Servers()
		return err == nil && len(servers) == 1 && servers[0].Status == "closed"
	})
	select {
	case <-stopped:
		t.Error("stopped with work in hand")
	default:
	}
	put(t, r, asynq.NewTask("a:b", nil, asynq.TaskID("two")))
	select {
	case <-stopped:
		t.Error("stopped with work in hand")
	case <-time.After(200 * time.Millisecond): // long enough to have taken it
	}
	close(release)
	<-stopped
	if got := state(t, r, "one")(); got != "gone" {
		t.Errorf("what was in hand is %s", got)
	}
	if got := state(t, r, "two")(); got != "pending" {
		t.Errorf("what came later is %s", got)
	}
}

func TestAShutdownTellsWhatItHasLeft(t *testing.T) {
	t.Parallel()
	r := connect(t)
	begun, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	s, err := queue.NewServers(the(r), slog.New(slog.NewTextHandler(&testenv.Speech{}, nil)), 100*time.Millisecond, queue.Desk{
		Queue: "default", Concurrency: 2, Handlers: map[string]asynq.Handler{
			"a:hangs": asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
				close(begun)
				<-release
				return nil
			}),
			"a:ends": asynq.HandlerFunc(func(context.Context, *asynq.Task) error { return nil }),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	put(t, r, asynq.NewTask("a:ends", nil, asynq.TaskID("one")))
	put(t, r, asynq.NewTask("a:hangs", nil, asynq.TaskID("two")))
	<-begun
	eventually(t, "the other has ended", func() bool { return state(t, r, "one")() == "gone" })
	if err := s.Shutdown(); err == nil || !strings.Contains(err.Error(), "within 100ms: 1;") {
		t.Errorf("it says %v", err)
	}
	if got := state(t, r, "two")(); got != "pending" {
		t.Errorf("what was left is %s", got)
	}
}

func TestAFailureIsLoggedWithoutItsPayload(t *testing.T) {
	t.Parallel()
	r := connect(t)
	_, log := serve(t, r, map[string]asynq.Handler{
		"a:fails": asynq.HandlerFunc(func(context.Context, *asynq.Task) error { return errors.New("the reason") }),
		"a:stops": asynq.HandlerFunc(func(context.Context, *asynq.Task) error { return context.Canceled }),
	})
	put(t, r, asynq.NewTask("a:stops", []byte("Ann Lee"), asynq.TaskID("stops")))
	put(t, r, asynq.NewTask("a:fails", []byte("Ann Lee"), asynq.TaskID("fails")))
	eventually(t, "the failure is logged", func() bool { return strings.Contains(log.String(), "the reason") })
	eventually(t, "the other is put back", func() bool { return state(t, r, "stops")() == "retry" })
	for _, want := range []string{`"task":"fails"`, `"type":"a:fails"`, `"again":true`, `"level":"ERROR"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s is not in the log:\n%s", want, log)
		}
	}
	for _, not := range []string{"Ann", `"task":"stops"`} {
		if strings.Contains(log.String(), not) {
			t.Errorf("%s is in the log:\n%s", not, log)
		}
	}
}

func TestASchedulerSweepsLooksForTheForgottenAndRemovesTheOld(t *testing.T) {
	t.Parallel()
	opt := where(t)
	s, err := queue.NewScheduler(opt, slog.New(slog.NewTextHandler(&testenv.Speech{}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	inspector := asynq.NewInspectorFromRedisClient(connectTo(t, opt))
	got := map[string]string{}
	eventually(t, "the entries are there", func() bool {
		entries, err := inspector.SchedulerEntries()
		for _, e := range entries {
			got[e.Task.Type()] = e.Spec
			if e.Next.Location() != time.UTC && e.Next.UTC().Second() != 0 && e.Spec == "* * * * *" {
				t.Errorf("%s ticks at %s", e.Task.Type(), e.Next)
			}
		}
		return err == nil && len(entries) == 3
	})
	want := map[string]string{jobs.TypeSweep: "* * * * *", jobs.TypeReconcile: "@every 5s", jobs.TypeRetention: "17 3 * * *"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
