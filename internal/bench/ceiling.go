package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ceiling is the least that the work can cost: no queue, no rules, nothing to
// look at again. Claimers take events by the hundred, senders post, recorders
// write down by the hundred what came of it.
type ceiling struct {
	pool   *pgxpool.Pool
	ledger ledger
	writer *writer
	poster poster
	batch  int // messages in one request; 0: each is a request
}

// A ledger is where messages are written down.
type ledger interface {
	// insert writes what is about to be sent, in the transaction that takes its
	// events.
	insert(ctx context.Context, tx pgx.Tx, messages []sms) error
	// record writes what came of it.
	record(ctx context.Context, pool *pgxpool.Pool, ids, messageIDs []string) error
}

const (
	ceilingBatch = 100
	// claimers and recorders are few: two cores have no use for more.
	claimers  = 2
	recorders = 2
	// ceilingIdle is how long a claimer that finds nothing rests.
	ceilingIdle = 10 * time.Millisecond
)

// A result is what became of a message.
type result struct{ id, messageID string }

func runCeiling(ctx context.Context, o PartOptions, to ledger, start func() bool) error {
	pool, err := openPool(ctx, o)
	if err != nil {
		return err
	}
	defer pool.Close()
	w, err := newWriter()
	if err != nil {
		return err
	}
	if !start() {
		return nil
	}
	return (&ceiling{pool, to, w, newPoster(o), o.Batch}).run(ctx, o.InFlight)
}

// run works until ctx is done, and returns what went wrong until then.
func (c *ceiling) run(ctx context.Context, senders int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	messages, results := make(chan []sms, ceilingBatch), make(chan result, 4*ceilingBatch)
	var all sync.WaitGroup
	several := func(n int, work func() error) {
		for range n {
			all.Go(func() {
				if err := work(); err != nil && ctx.Err() == nil {
					cancel(err)
				}
			})
		}
	}
	several(claimers, func() error { return c.claimAll(ctx, messages) })
	several(senders, func() error { return c.sendAll(ctx, messages, results) })
	several(recorders, func() error { return c.recordAll(ctx, results) })
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (c *ceiling) claimAll(ctx context.Context, messages chan<- []sms) error {
	for ctx.Err() == nil {
		claimed, err := c.claim(ctx)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(claimed, max(c.batch, 1)) {
			select {
			case messages <- some:
			case <-ctx.Done():
				return nil
			}
		}
		if len(claimed) == 0 {
			select {
			case <-time.After(ceilingIdle):
			case <-ctx.Done():
			}
		}
	}
	return nil
}

// claim takes up to a hundred events and writes their messages down, in one
// transaction.
func (c *ceiling) claim(ctx context.Context) (claimed []sms, err error) {
	err = pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			WITH e AS (
				UPDATE rappel.events SET planned_at = now(), decision_id = id
				WHERE id IN (SELECT id FROM rappel.events WHERE planned_at IS NULL ORDER BY look_at LIMIT $1 FOR UPDATE SKIP LOCKED)
				RETURNING id, appointment_id)
			SELECT `+visitColumns+` FROM e `+visitTables, ceilingBatch)
		if err != nil {
			return err
		}
		if claimed, err = pgx.CollectRows(rows, c.writer.read); err != nil || len(claimed) == 0 {
			return err
		}
		return c.ledger.insert(ctx, tx, claimed)
	})
	return claimed, err
}

func (c *ceiling) sendAll(ctx context.Context, messages <-chan []sms, results chan<- result) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case some := <-messages:
			sent, err := c.send(ctx, some)
			if err != nil {
				return err
			}
			for _, r := range sent {
				results <- r
			}
		}
	}
}

// send sends messages in one request; without batches, there is one of them.
func (c *ceiling) send(ctx context.Context, messages []sms) ([]result, error) {
	if c.batch > 0 {
		return c.poster.postAll(ctx, messages)
	}
	id, err := c.poster.post(ctx, messages[0])
	return []result{{messages[0].NotificationID, id}}, err
}

func (c *ceiling) recordAll(ctx context.Context, results <-chan result) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-results:
			if err := c.record(ctx, more(first, results)); err != nil {
				return err
			}
		}
	}
}

// more takes what is there already, up to a hundred.
func more(first result, results <-chan result) []result {
	all := []result{first}
	for len(all) < ceilingBatch {
		select {
		case r := <-results:
			all = append(all, r)
		default:
			return all
		}
	}
	return all
}

func (c *ceiling) record(ctx context.Context, all []result) error {
	var ids, messageIDs []string
	for _, r := range all {
		ids, messageIDs = append(ids, r.id), append(messageIDs, r.messageID)
	}
	return c.ledger.record(ctx, c.pool, ids, messageIDs)
}
