package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"rappel/internal/heartbeat"
)

// The loops of a process, by the names under which metrics, /readyz and the log
// know them. Those with a bound run in each process that has the part; a turn of
// the others is a task, which any worker may take.
const (
	loopPlanner       = "planner"
	loopEventListener = "event_listener"
	loopReplyPoster   = "reply_poster"
	loopReplyListener = "reply_listener"
	loopHealth        = "health"
	loopMetrics       = "metrics"
	loopSweep         = "sweep"
	loopReconciler    = "reconciler"
)

// The bounds of a turn. The steps of each turn have deadlines whose sum is not
// larger.
const (
	planTurn    = 45 * time.Second
	listenTurn  = 30 * time.Second
	postTurn    = 60 * time.Second
	metricsTurn = 2 * time.Minute
	healthTurn  = healthEvery + time.Minute
)

// A loop that hangs for this many times its bound ends the process, so that the
// supervisor starts a new one.
const mostBounds = 3

const watchLoopsEvery = 5 * time.Second

// watchLoops logs each loop that hangs, once, and returns an error when one hangs
// for mostBounds. It returns nil when ctx is done.
func (a *App) watchLoops(ctx context.Context) error {
	tick := time.NewTicker(watchLoopsEvery)
	defer tick.Stop()
	var told []string
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		hanging := a.loops.Hanging(1)
		for _, name := range hanging {
			if !slices.Contains(told, name) {
				a.log.ErrorContext(ctx, "a loop hangs: it has not completed a turn in time", "loop", name, "age", a.loops.Ages()[name].Round(time.Second))
			}
		}
		told = hanging
		if lost := a.loops.Hanging(mostBounds); len(lost) > 0 {
			return fmt.Errorf("the process ends, since loops hang: %s: start it again", strings.Join(lost, ", "))
		}
	}
}

// counted is a task's handler whose success counts as a turn of a loop: a task that
// fails is tried again.
func (a *App) counted(loop string, handle func(context.Context, *asynq.Task) error) asynq.Handler {
	turned := a.loops.Start(loop, 0)
	return asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		err := handle(ctx, task)
		if err == nil {
			turned()
		}
		return err
	})
}

// loopAges is the metric of how long ago each loop completed a turn, at the
// moment of the scrape.
type loopAges struct {
	*prometheus.GaugeVec

	loops *heartbeat.Loops
}

func newLoopAges(loops *heartbeat.Loops) loopAges {
	return loopAges{prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "rappel_loop_last_turn_seconds", Help: "How long ago a loop of this process last completed a turn; before the first turn, how long ago it began.",
	}, []string{"loop"}), loops}
}

// Collect implements prometheus.Collector.
func (l loopAges) Collect(to chan<- prometheus.Metric) {
	l.Reset()
	for name, age := range l.loops.Ages() {
		l.WithLabelValues(name).Set(age.Seconds())
	}
	l.GaugeVec.Collect(to)
}
