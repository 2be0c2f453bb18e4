package queue

import (
	"context"
	"time"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynq/x/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// collectWithin bounds how long a scrape waits for Redis. Without it the metrics
// of everything else would be gone when Redis is, and somebody needs them.
const collectWithin = 2 * time.Second

// Metrics are asynq's own of each queue, by the names that its dashboard knows:
// asynq_queue_size and so on. A queue has none before its first task, and while
// Redis is away there are none at all.
type Metrics struct {
	redis  redis.UniversalClient
	queues prometheus.Collector
}

// NewMetrics returns a collector. It asks Redis at each scrape, and not before.
func NewMetrics(r redis.UniversalClient) *Metrics {
	return &Metrics{redis: r, queues: metrics.NewQueueMetricsCollector(asynq.NewInspectorFromRedisClient(r))}
}

// Describe implements prometheus.Collector. It describes nothing: asynq's own
// would ask Redis, which need not be there when a process starts.
func (m *Metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	found := make(chan []prometheus.Metric, 1)
	go func() { found <- m.collect() }()
	select {
	case all := <-found:
		for _, metric := range all {
			out <- metric
		}
	case <-time.After(collectWithin):
	}
}

// collect asks asynq only where Redis answers: asynq waits for it without an
// end, and says so on standard error.
func (m *Metrics) collect() (all []prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectWithin)
	defer cancel()
	if m.redis.Ping(ctx).Err() != nil {
		return nil
	}
	found := make(chan prometheus.Metric)
	go func() {
		defer close(found)
		m.queues.Collect(found)
	}()
	for metric := range found {
		all = append(all, metric)
	}
	return all
}
