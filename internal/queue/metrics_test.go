package queue_test

import (
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"rappel/internal/queue"
	"rappel/internal/testenv"
)

// gathered are the metrics of all queues: "name label=value …" to their value.
func gathered(t *testing.T, r redis.UniversalClient) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(queue.NewMetrics(r)); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetName() + "=" + label.GetValue()
			}
			all[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return all
}

// The names are those that asynq's dashboard asks Prometheus for.
func TestAQueueShowsWhatWaitsInItByTheDashboardsNames(t *testing.T) {
	t.Parallel()
	r := connect(t)
	if none := gathered(t, r); len(none) > 0 {
		t.Errorf("of an empty Redis there is %v", none)
	}
	put(t, r, asynq.NewTask("a:b", nil, asynq.TaskID("waits"), asynq.Queue("sms")))
	put(t, r, asynq.NewTask("a:b", nil, asynq.TaskID("later"), asynq.Queue("sms"), asynq.ProcessIn(time.Hour)))
	got := gathered(t, r)
	for name, want := range map[string]float64{
		"asynq_queue_size queue=sms":                           2,
		"asynq_queue_paused_total queue=sms":                   0,
		"asynq_tasks_processed_total queue=sms":                0,
		"asynq_tasks_failed_total queue=sms":                   0,
		"asynq_tasks_enqueued_total queue=sms state=pending":   1,
		"asynq_tasks_enqueued_total queue=sms state=scheduled": 1,
		"asynq_tasks_enqueued_total queue=sms state=active":    0,
		"asynq_tasks_enqueued_total queue=sms state=retry":     0,
		"asynq_tasks_enqueued_total queue=sms state=archived":  0,
		"asynq_tasks_enqueued_total queue=sms state=completed": 0,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s is %v, want %v", name, value, want)
		}
		delete(got, name)
	}
	left := []string{"asynq_queue_latency_seconds queue=sms", "asynq_queue_memory_usage_approx_bytes queue=sms"}
	if diff := cmp.Diff(left, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("the others (-want +got):\n%s", diff)
	}
}

func TestAnArchivedTaskIsSeenInItsQueue(t *testing.T) {
	t.Parallel()
	r := connect(t)
	put(t, r, asynq.NewTask("a:b", nil, asynq.TaskID("one")))
	if err := asynq.NewInspectorFromRedisClient(r).ArchiveTask("default", "one"); err != nil {
		t.Fatal(err)
	}
	if n := gathered(t, r)["asynq_tasks_enqueued_total queue=default state=archived"]; n != 1 {
		t.Errorf("%v are archived", n)
	}
}

func TestAScrapeDoesNotWaitForARedisThatIsAway(t *testing.T) {
	t.Parallel()
	hangs := strings.TrimPrefix(testenv.Raw(t, func(*net.TCPConn) { <-t.Context().Done() }), "http://")
	for what, addr := range map[string]string{"nobody": "127.0.0.1:1", "somebody who never answers": hangs} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			if got := gathered(t, connectTo(t, asynq.RedisClientOpt{Addr: addr})); len(got) > 0 {
				t.Errorf("there is %v", got)
			}
			if took := time.Since(began); took > 8*time.Second { // Prometheus gives up after ten
				t.Errorf("it took %s", took)
			}
		})
	}
}
