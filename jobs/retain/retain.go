// Package retain removes what rappel no longer needs of people, each kind of
// trace after a term of its own. SECURITY.md tells operators the same terms.
//
// It works in small batches and short turns: no batch holds locks for long, and
// no turn holds up a shutdown. What is left over is the next turn's. The package
// deliberately does not know where the traces are kept, and nothing that is
// still open or still binds somebody ever goes.
package retain

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"

	"rappel/jobs"
)

// A Trace is a kind of what is kept of people.
type Trace string

// The traces that have a term.
const (
	Replies   Trace = "replies"            // what people answered, since the main app has it
	Unusable  Trace = "unusable_addresses" // they no longer count by then
	Events    Trace = "events"             // planned, and about a start gone by
	Addresses Trace = "addresses"          // of notifications that have ended, about a start gone by
	Decisions Trace = "decisions"          // with their notifications, about a start gone by
)

// A Term is how long traces of a kind are kept.
type Term struct {
	Trace Trace
	Keep  time.Duration
}

const day = 24 * time.Hour

// Terms returns the terms of all traces. Decisions stay longest: they are what
// keeps a rule from being decided twice, and a rule may look back a year.
func Terms() []Term {
	return []Term{
		{Replies, 30 * day},
		{Unusable, 30 * day},
		{Events, 90 * day},
		{Addresses, 90 * day},
		{Decisions, 400 * day},
	}
}

// A Store holds the traces.
type Store interface {
	// Retain looks at no more than limit traces of a kind that are older than
	// before, and removes them unless something else still rests on them. More
	// tells that there may be others.
	Retain(ctx context.Context, t Trace, before time.Time, limit int) (removed int, more bool, err error)
}

// A Queue puts a task where a worker finds it.
type Queue interface {
	Put(ctx context.Context, t *asynq.Task) error
}

// batch is how many traces go in one transaction.
const batch = 500

// turn is how long one task works: well within the shortest shutdown.
const turn = 3 * time.Second

// A Keeper removes what is past its term.
type Keeper struct {
	Store Store
	Queue Queue
	Now   func() time.Time
	Log   *slog.Logger
}

// Handle runs one turn for a task. Where that was not enough it asks for
// another.
func (k *Keeper) Handle(ctx context.Context, _ *asynq.Task) error {
	over, cancel := context.WithTimeout(ctx, turn)
	defer cancel()
	for _, t := range Terms() {
		if err := k.remove(ctx, over, t); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case over.Err() != nil:
		return k.Queue.Put(ctx, jobs.NewRetention())
	}
	return nil
}

// remove goes on batch by batch until nothing is left or the turn is over, and
// says once how far it came: a large table is a line every turn.
func (k *Keeper) remove(ctx, over context.Context, t Term) error {
	before, removed, left := k.Now().Add(-t.Keep), 0, true
	defer func() {
		if removed > 0 {
			k.Log.InfoContext(ctx, "past its term, removed", "what", t.Trace, "count", removed, "before", before, "goes_on", left)
		}
	}()
	for left && over.Err() == nil {
		n, more, err := k.Store.Retain(ctx, t.Trace, before, batch)
		if err != nil {
			return fmt.Errorf("remove old %s: %w", t.Trace, err)
		}
		removed, left = removed+n, more
	}
	return nil
}
