package queue

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// A pace is how a server asks for work.
type pace struct {
	look  time.Duration // how often one asks that cannot wait
	wait  time.Duration // how long one waits that found nothing, in whole seconds
	again time.Duration // after a wait that failed: how long one asks instead
	away  time.Duration // after Redis did not answer: how long one leaves it alone
}

// usual is the pace of the product. A task is leased for 30 seconds from before
// the wait that found it, so the wait is a small part of that.
func usual() pace {
	return pace{look: 50 * time.Millisecond, wait: 5 * time.Second, again: 10 * time.Second, away: 500 * time.Millisecond}
}

// A waiter has idle servers wait in Redis for a task. asynq knows only to ask,
// again and again, which costs 2 to 3 % of a core at rest and is half of what a
// lone event takes. Where asynq's script that takes a task finds none, the same
// call waits until the queue has one, and runs the script once more. Who always
// finds one never waits.
type waiter struct {
	client redis.UniversalClient // its own: who waits holds a connection
	log    *slog.Logger
	pace   pace
	lines  []*line
	closed chan struct{}
	said   sync.Once
}

// A line is what is waited for by one server. Only the goroutine that takes that
// server's tasks uses it.
type line struct {
	queue  string
	keys   []any     // of the script that takes a task
	failed int       // waits, one after the other
	again  time.Time // no wait before then
}

// newLine returns the line of a queue. The names of the keys, and their order,
// are asynq's own; a test pins them.
func newLine(queue string) *line {
	of := func(part string) string { return "asynq:{" + queue + "}:" + part }
	return &line{queue: queue, keys: []any{of("pending"), of("paused"), of("active"), of("lease")}}
}

// DialHook changes nothing.
func (*waiter) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return next(ctx, network, address)
	}
}

// ProcessPipelineHook changes nothing.
func (*waiter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error { return next(ctx, commands) }
}

// ProcessHook waits where a server found nothing, and rests where it had no
// answer: asynq would ask again without a pause.
func (w *waiter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		err := next(ctx, command)
		if err == nil {
			return nil
		}
		l := w.taking(command)
		switch {
		case l == nil, redis.HasErrorPrefix(err, "NOSCRIPT"): // asynq sends the script itself then
		case !errors.Is(err, redis.Nil):
			w.rest()
		case w.wait(ctx, l):
			command.SetErr(nil)
			return next(ctx, command)
		}
		return err
	}
}

// taking returns the line from which a command takes a task, nil where it does
// something else.
func (w *waiter) taking(command redis.Cmder) *line {
	const number, first = 2, 3 // of the keys of a script
	args := command.Args()
	if name := command.Name(); name != "evalsha" && name != "eval" {
		return nil
	}
	for _, l := range w.lines {
		if end := first + len(l.keys); len(args) >= end && args[number] == len(l.keys) && slices.Equal(args[first:end], l.keys) {
			return l
		}
	}
	return nil
}

// wait returns true once the queue has a task. It moves the next one from the
// end of its list to that same end: nothing changes but that we know of it.
func (w *waiter) wait(ctx context.Context, l *line) bool {
	if time.Now().Before(l.again) {
		return false
	}
	list, _ := l.keys[0].(string)
	err := w.client.BLMove(ctx, list, list, "RIGHT", "RIGHT", w.pace.wait).Err()
	if err == nil || errors.Is(err, redis.Nil) {
		l.failed = 0
		return err == nil
	}
	w.fail(ctx, l, err)
	return false
}

// fail has a server ask for a while. Once is what happens when Redis goes away;
// twice, where it answers whatever else it is asked, is a Redis that does not
// let anybody wait.
func (w *waiter) fail(ctx context.Context, l *line, err error) {
	l.failed++
	l.again = time.Now().Add(w.pace.again)
	if l.failed == 2 && !w.isClosed() {
		w.said.Do(func() {
			w.log.WarnContext(ctx, "this Redis does not let an idle worker wait for a task (BLMOVE): it asks instead, which costs more",
				"queue", l.queue, "every", w.pace.look, "error", err)
		})
	}
}

// rest leaves Redis alone for a while.
func (w *waiter) rest() {
	select {
	case <-w.closed:
	case <-time.After(w.pace.away):
	}
}

func (w *waiter) isClosed() bool {
	select {
	case <-w.closed:
		return true
	default:
		return false
	}
}

// close ends all waits, and lets nobody wait any more.
func (w *waiter) close() {
	close(w.closed)
	_ = w.client.Close() // what it says is that somebody waited
}
