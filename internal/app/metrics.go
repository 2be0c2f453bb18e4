package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"rappel/internal/kind"
	"rappel/jobs/deliver"
	"rappel/jobs/plan"
	"rappel/recipients"
)

// metrics counts what was decided and delivered. No label names a practice or a
// person.
type metrics struct {
	registry      *prometheus.Registry
	decisions     *prometheus.CounterVec
	notifications *prometheus.CounterVec
	lateness      *prometheus.HistogramVec
	receipts      *prometheus.CounterVec
	replies       *prometheus.CounterVec
	passedOn      *prometheus.CounterVec
	adminUp       prometheus.Gauge
	unaccounted   prometheus.Gauge
	orphans       *prometheus.GaugeVec
	oldestDue     *prometheus.GaugeVec
}

func newMetrics() *metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	factory := promauto.With(r)
	return &metrics{
		registry: r,
		decisions: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_decisions_total", Help: "Decisions about events and due rules.",
		}, []string{"kind", "outcome"}),
		notifications: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_notifications_total", Help: "What became of notifications; pending is a try that is to be repeated.",
		}, []string{"kind", "channel", "status", "reason"}),
		lateness: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rappel_notification_lateness_seconds", Help: "From the time a notification was due to its acceptance.",
			Buckets: []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30, 60, 120, 300, 900, 3600},
		}, []string{"kind", "channel"}),
		receipts: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_receipts_total", Help: "What receivers told of messages afterwards; an empty status speaks of the address alone.",
		}, []string{"source", "status"}),
		replies: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_replies_total", Help: "What people answered.",
		}, []string{"meaning"}),
		passedOn: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_replies_passed_total", Help: "What became of replies on their way to the main app; an empty outcome is a try that is to be repeated.",
		}, []string{"outcome"}),
		adminUp: factory.NewGauge(prometheus.GaugeOpts{
			Name: "rappel_admin_endpoints_up", Help: "1 where the main app's admin endpoints answered when last asked, and knew us.",
		}),
		unaccounted: factory.NewGauge(prometheus.GaugeOpts{
			Name: "rappel_unaccounted", Help: "Messages decided in the last hour that the ledger does not account for; rappel account has the books.",
		}),
		orphans: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rappel_queue_orphans", Help: "Entries of a queue that will never be worked on, since Redis lost a part of them.",
		}, []string{"queue"}),
		oldestDue: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rappel_oldest_due_seconds", Help: "For how long the notification has been due that should have gone out first; 0 where none is.",
		}, []string{"channel"}),
	}
}

// watchGate shows where a channel's gate stands.
func (m *metrics) watchGate(c recipients.Channel, g *deliver.Gate) {
	factory := promauto.With(m.registry)
	labels := prometheus.Labels{"channel": string(c)}
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rappel_breaker_state", Help: "The way out in this process: 0 closed, 1 ramping up after a pause, 2 open, which means parked.", ConstLabels: labels,
	}, func() float64 {
		state, _ := g.State()
		return float64(state)
	})
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rappel_parked_practices", Help: "Practices whose messages are held back in this process.", ConstLabels: labels,
	}, func() float64 {
		_, parked := g.State()
		return float64(parked)
	})
}

func (m *metrics) decided(d plan.Decision) {
	k := d.Kind
	if k.Sort() == kind.Unknown {
		k = "unknown" // what others make up must not become a label
	}
	m.decisions.WithLabelValues(string(k), string(d.Outcome)).Inc()
}

func (m *metrics) delivered(n deliver.Notification, o deliver.Outcome) {
	m.notifications.WithLabelValues(string(n.Kind), string(n.Channel), string(o.Status), string(o.Reason)).Inc()
	if o.Status == deliver.Sent {
		m.lateness.WithLabelValues(string(n.Kind), string(n.Channel)).Observe(max(o.At.Sub(n.NotBefore), time.Duration(0)).Seconds())
	}
}
