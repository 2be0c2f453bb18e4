package chaos_test

import (
	"context"
	"time"

	"rappel/internal/services"
	"rappel/internal/testenv"
)

// A fault breaks things until ctx is done, and leaves them whole.
type fault func(ctx context.Context, w *world, d *dice)

// every breaks something again and again, with a pause between.
func every(least, most time.Duration, do fault) fault {
	return func(ctx context.Context, w *world, d *dice) {
		for wait(ctx, d.between(least, most)) {
			do(ctx, w, d)
		}
	}
}

// within has a fault go on for some time only.
func within(span time.Duration, do fault) fault {
	return func(ctx context.Context, w *world, d *dice) {
		ctx, cancel := context.WithTimeout(ctx, span)
		defer cancel()
		do(ctx, w, d)
	}
}

// anyOf is one of some.
func anyOf(some ...fault) fault {
	return func(ctx context.Context, w *world, d *dice) { one(d, some)(ctx, w, d) }
}

// inTurn is all of some, one after the other.
func inTurn(some ...fault) fault {
	return func(ctx context.Context, w *world, d *dice) {
		for _, f := range some {
			f(ctx, w, d)
		}
	}
}

func killWorker(ctx context.Context, w *world, d *dice) {
	one(d, w.fleet.workers).kill()
	w.watch.died(ctx)
}

func killScheduler(_ context.Context, w *world, d *dice) { one(d, w.fleet.schedulers).kill() }

func killAll(_ context.Context, w *world, _ *dice) {
	for _, p := range w.fleet.all() {
		p.kill()
	}
}

// freezeWorker stops a worker in the middle of whatever it does, often for so
// long that its claims run out and others send what it holds.
func freezeWorker(least, most time.Duration) fault {
	return func(ctx context.Context, w *world, d *dice) {
		one(d, w.fleet.workers).freeze(ctx, d.between(least, most))
	}
}

func freezeScheduler(least, most time.Duration) fault {
	return func(ctx context.Context, w *world, d *dice) {
		one(d, w.fleet.schedulers).freeze(ctx, d.between(least, most))
	}
}

// renewWorker is one step of a rolling restart.
func renewWorker(ctx context.Context, w *world, d *dice) { one(d, w.fleet.workers).renew(ctx) }

// roll renews one process after the other.
func roll(ctx context.Context, w *world, _ *dice) {
	for _, p := range w.fleet.all() {
		if ctx.Err() == nil {
			p.renew(ctx)
		}
	}
}

func emptyRedis(ctx context.Context, w *world, _ *dice) { _ = w.store.empty(ctx) }

// restartRedis has Redis gone for some time, and empty afterwards.
func restartRedis(least, most time.Duration) fault {
	return func(ctx context.Context, w *world, d *dice) {
		w.check("stop Redis: ", w.store.alone.Halt())
		wait(ctx, d.between(least, most))
		w.check("", w.store.alone.Resume(context.WithoutCancel(ctx)))
	}
}

// restartPostgres ends PostgreSQL as a loss of power would.
func restartPostgres(least, most time.Duration) fault {
	return func(ctx context.Context, w *world, d *dice) {
		w.check("stop PostgreSQL: ", w.postgres.Halt(services.Immediate))
		wait(ctx, d.between(least, most))
		w.check("", w.postgres.Resume(context.WithoutCancel(ctx)))
	}
}

// feel has the endpoint in a mood.
func feel(m func() mood) fault {
	return func(ctx context.Context, w *world, _ *dice) {
		w.endpoint.set(m())
		<-ctx.Done()
		w.endpoint.set(w.scenario.mood())
	}
}

// A stretch of network.
type stretch func(w *world) *testenv.Proxy

func toDatabase(w *world) *testenv.Proxy { return w.database }
func toRedis(w *world) *testenv.Proxy    { return w.store.proxy }
func toEndpoint(w *world) *testenv.Proxy { return w.network }

// disturb has one stretch of network in trouble for some time.
func disturb(least, most time.Duration, of ...stretch) fault {
	return func(ctx context.Context, w *world, d *dice) {
		p := one(d, of)(w)
		switch d.below(4) {
		case 0:
			p.Cut()
			return
		case 1:
			p.Shut()
		case 2:
			p.Slow(d.between(20*time.Millisecond, 300*time.Millisecond))
		case 3:
			p.Silence()
		}
		wait(ctx, d.between(least, most))
		p.Heal()
	}
}

// sweepByHand is what a cron job calls.
func sweepByHand(ctx context.Context, w *world, _ *dice) { _, _ = w.fleet.run(ctx, "sweep") }

// sweepAt sweeps as of another time, past or to come.
func sweepAt(ctx context.Context, w *world, d *dice) {
	at := time.Now().Add(d.between(-2*time.Hour, w.scenario.skew))
	_, _ = w.fleet.run(ctx, "sweep", "--at", at.UTC().Format(time.RFC3339))
}

// skewClock sets the clock of one process off.
func skewClock(_ context.Context, w *world, d *dice) {
	w.check("set a clock: ", w.fleet.setClock(one(d, w.fleet.all()), d.between(-w.scenario.skew, w.scenario.skew)))
}

// mendClocks sets all clocks right in the end.
func mendClocks(ctx context.Context, w *world, _ *dice) {
	<-ctx.Done()
	for _, p := range w.fleet.all() {
		w.check("set a clock: ", w.fleet.setClock(p, 0))
	}
}

// failOver kills the master, and has it come back after another is in its place.
func failOver(away time.Duration) fault {
	return func(ctx context.Context, w *world, _ *dice) {
		whole := context.WithoutCancel(ctx)
		master, err := w.store.sentinel.Master(whole)
		w.check("", err)
		if err != nil {
			return
		}
		w.check("stop the master: ", master.Halt())
		w.say("the master was killed")
		wait(whole, away)
		w.check("", master.Resume(whole))
		w.check("the replica: ", w.store.sentinel.Ready(whole))
	}
}

// restartNode has a node of the cluster gone for some time, and empty afterwards.
func restartNode(least, most time.Duration) fault {
	return func(ctx context.Context, w *world, d *dice) {
		whole := context.WithoutCancel(ctx)
		node := one(d, w.store.cluster.Nodes)
		w.check("stop a node: ", node.Halt())
		wait(ctx, d.between(least, most))
		w.check("", node.Resume(whole))
		w.check("the cluster: ", w.store.cluster.Ready(whole))
	}
}

// once breaks something after some time.
func once(after time.Duration, do fault) fault {
	return func(ctx context.Context, w *world, d *dice) {
		if wait(ctx, after) {
			do(ctx, w, d)
		}
	}
}
