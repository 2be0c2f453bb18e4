package app

import (
	"cmp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"rappel/internal/kind"
	"rappel/internal/postgres"
	"rappel/internal/twilio"
	"rappel/jobs/deliver"
	"rappel/jobs/plan"
	"rappel/jobs/reply"
	"rappel/recipients"
)

// metrics counts what happens in this process. No label names a practice or a
// person, and each has few values, all of them our own words.
type metrics struct {
	registry      *prometheus.Registry
	decisions     *prometheus.CounterVec
	notifications *prometheus.CounterVec
	repeats       *prometheus.CounterVec
	failedRows    *prometheus.CounterVec
	lateness      *prometheus.HistogramVec
	conflicts     *prometheus.CounterVec
	receipts      *prometheus.CounterVec
	webhooks      *prometheus.CounterVec
	replies       *prometheus.CounterVec
	passedOn      *prometheus.CounterVec
	adminUp       prometheus.Gauge
	books         books
}

func newMetrics() *metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	factory := promauto.With(r)
	m := &metrics{
		registry: r,
		decisions: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_decisions_total", Help: "Decisions about events and due rules.",
		}, []string{"kind", "outcome"}),
		notifications: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_notifications_total", Help: "What became of notifications; pending is a try that is to be repeated.",
		}, []string{"kind", "channel", "status", "reason"}),
		repeats: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_repeats_total", Help: "Messages that may have gone and were asked for once more: the person may have them twice.",
		}, []string{"kind", "channel"}),
		failedRows: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_failed_rows_total", Help: "Failures to decide about an event or a due rule, by the source table whose row cannot be read.",
		}, []string{"relation"}),
		lateness: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rappel_notification_lateness_seconds", Help: "From the time a notification was planned for to its acceptance.",
			Buckets: []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30, 60, 120, 300, 900, 3600, 14400, 86400},
		}, []string{"kind", "channel"}),
		conflicts: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_claims_in_conflict_total", Help: "Outcomes that came to be recorded after their claim had gone to somebody else: two had it in hand.",
		}, []string{"of"}),
		receipts: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_receipts_total", Help: "Delivery statuses by source. An empty status is about the address alone; a code is about our account.",
		}, []string{"source", "status", "code"}),
		webhooks: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_webhooks_total", Help: "Requests to the webhooks, by outcome.",
		}, []string{"hook", "outcome"}),
		replies: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_replies_total", Help: "What people answered.",
		}, []string{"meaning"}),
		passedOn: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rappel_replies_passed_total", Help: "What became of replies on their way to the main app; an empty outcome is a try that is to be repeated.",
		}, []string{"outcome"}),
		adminUp: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rappel_admin_endpoints_up", Help: "1 where the main app's admin endpoints answered when last asked, and knew us.",
		}),
		books: newBooks(factory),
	}
	m.beginAtZero()
	return m
}

// beginAtZero shows what ought not to happen before it does: of a counter that
// begins with its first event, Prometheus does not see that one as an increase.
func (m *metrics) beginAtZero() {
	for _, k := range kind.All() {
		for _, c := range []recipients.Channel{recipients.SMS, recipients.Email} {
			of := m.notifications.MustCurryWith(prometheus.Labels{"kind": string(k), "channel": string(c)})
			of.WithLabelValues(string(deliver.Failed), string(recipients.Refused))
			of.WithLabelValues(string(deliver.Expired), string(recipients.AttemptsExhausted))
			of.WithLabelValues(string(deliver.Expired), string(recipients.Past))
			of.WithLabelValues(string(deliver.Unknown), "")
			m.repeats.WithLabelValues(string(k), string(c))
		}
	}
	for _, relation := range append(postgres.SourceTables(), unknownRelation) {
		m.failedRows.WithLabelValues(relation)
	}
	for _, of := range []string{ofNotifications, ofReplies} {
		m.conflicts.WithLabelValues(of)
	}
	for _, result := range []reply.Result{"", reply.Posted, reply.Dropped, reply.Expired} {
		m.passedOn.WithLabelValues(string(result))
	}
	for _, by := range []deliver.Way{deliver.ByAdmin, deliver.ByTwilio, deliver.BySendGrid} {
		of := m.receipts.MustCurryWith(prometheus.Labels{"source": string(by)})
		of.WithLabelValues(string(deliver.Delivered), "")
		of.WithLabelValues(string(deliver.Undelivered), "")
		if by == deliver.BySendGrid {
			continue
		}
		for _, code := range twilio.AccountCodes() {
			of.WithLabelValues(string(deliver.Undelivered), code)
		}
	}
	for _, path := range hooks() {
		for _, outcome := range webhookOutcomes() {
			m.webhooks.WithLabelValues(hookName(path), outcome)
		}
	}
}

// unknownRelation is the label of failures that no row explains.
const unknownRelation = "unknown"

func (m *metrics) rowFailed(relation string) {
	m.failedRows.WithLabelValues(cmp.Or(relation, unknownRelation)).Inc()
}

// receipt counts a receipt. Its code is a label only if it is about our own account
// with the provider, and not about one message.
func (m *metrics) receipt(r deliver.Receipt) {
	code := ""
	if twilio.IsAccountCode(r.ErrorCode) {
		code = r.ErrorCode
	}
	m.receipts.WithLabelValues(r.Source, string(r.Status), code).Inc()
}

// watchGate shows where a channel's gate stands.
func (m *metrics) watchGate(c recipients.Channel, g *deliver.Gate) {
	factory := promauto.With(m.registry)
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rappel_breaker_state", Help: "The way out in this process: 0 closed, 1 ramping up after a pause, 2 open, which means parked.",
		ConstLabels: prometheus.Labels{"channel": string(c)},
	}, func() float64 {
		state, _ := g.State()
		return float64(state)
	})
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rappel_parked_practices", Help: "Practices whose messages are held back in this process.",
		ConstLabels: prometheus.Labels{"channel": string(c)},
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
	if n.Repeat && !o.Refund {
		m.repeats.WithLabelValues(string(n.Kind), string(n.Channel)).Inc()
	}
	if o.Status == deliver.Sent {
		m.lateness.WithLabelValues(string(n.Kind), string(n.Channel)).Observe(max(o.At.Sub(n.PlannedFor), time.Duration(0)).Seconds())
	}
}
