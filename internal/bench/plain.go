package bench

import (
	"context"
	"fmt"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/queue"
)

// plainTask is the type of the tasks of the plain design, each of which has an
// event's id as its payload.
const plainTask = "bench:event"

// connections is how many a design opens to PostgreSQL at most. More were no
// faster on two cores.
const connections = 32

// plain is the design that one would write first: a task an event, and for each
// of them a read, a row, a request and the outcome, each with a commit of its
// own.
type plain struct {
	pool   *pgxpool.Pool
	writer *writer
	poster poster
}

func runPlain(ctx context.Context, o PartOptions, start func() bool) error {
	pool, err := openPool(ctx, o)
	if err != nil {
		return err
	}
	defer pool.Close()
	opt, err := queue.ParseRedis(o.RedisURL)
	if err != nil {
		return err
	}
	w, err := newWriter()
	if err != nil {
		return err
	}
	if !start() {
		return nil
	}
	server := asynq.NewServer(opt, asynq.Config{Concurrency: o.InFlight, LogLevel: asynq.WarnLevel})
	mux := asynq.NewServeMux()
	mux.Handle(plainTask, &plain{pool, w, newPoster(o)})
	if err := server.Start(mux); err != nil {
		return fmt.Errorf("start the plain design: %w", err)
	}
	<-ctx.Done()
	server.Shutdown()
	return nil
}

func openPool(ctx context.Context, o PartOptions) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(o.DatabaseURL)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = connections
	return pgxpool.NewWithConfig(ctx, cfg)
}

// ProcessTask tells of one event. A message that was sent before, by a run that
// could not say so, goes out under the same key.
func (p *plain) ProcessTask(ctx context.Context, t *asynq.Task) error {
	rows, err := p.pool.Query(ctx, `SELECT `+visitColumns+` FROM rappel.events e `+visitTables+` WHERE e.id = $1`, string(t.Payload()))
	if err != nil {
		return err
	}
	m, err := pgx.CollectExactlyOneRow(rows, p.writer.read)
	if err != nil {
		return err
	}
	_, err = p.pool.Exec(ctx, `
		INSERT INTO bench.messages (id, appointment_id, client_id, practice_id, channel, address, body)
		VALUES ($1, $2, $3, $4, 'sms', $5, $6) ON CONFLICT (id) DO NOTHING`,
		m.NotificationID, m.AppointmentID, m.ClientID, m.PracticeID, m.To, m.Body)
	if err != nil {
		return err
	}
	id, err := p.poster.post(ctx, m)
	if err != nil {
		return err
	}
	_, err = p.pool.Exec(ctx, `UPDATE bench.messages SET status = 'sent', message_id = $2, sent_at = now() WHERE id = $1`, m.NotificationID, id)
	return err
}
