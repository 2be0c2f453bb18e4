package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A News is what the database announces.
type News string

// What the database announces.
const (
	NewEvents  News = "rappel_events"
	NewReplies News = "rappel_replies"
)

// How long a listener waits for an announcement before it asks whether the
// server is still there, and how long it waits for an answer.
const (
	listenFor      = 10 * time.Second
	answeredWithin = 5 * time.Second
)

// Listen calls wake for each announcement, and once on every new connection,
// since what was announced without a listener is not told again. It calls turned
// whenever the server has shown that it is there, every few seconds. It returns
// when ctx is done or the connection fails.
func (s *Store) Listen(ctx context.Context, of News, wake, turned func()) error {
	own, err := s.listen(ctx, of)
	if err != nil {
		return redact(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answeredWithin)
		defer cancel()
		_ = own.Close(ctx)
	}()
	wake()
	for {
		err := waitForNews(ctx, own)
		switch {
		case err == nil:
			wake()
		case ctx.Err() != nil || !pgconn.Timeout(err):
			return redact(err)
		default:
			if err := ping(ctx, own); err != nil {
				return redact(err)
			}
		}
		turned()
	}
}

// listen takes a connection out of the pool: one that listens must not go back.
func (s *Store) listen(ctx context.Context, of News) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answeredWithin)
	defer cancel()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	own := conn.Hijack()
	if _, err := own.Exec(ctx, "LISTEN "+pgx.Identifier{string(of)}.Sanitize()); err != nil {
		_ = own.Close(ctx)
		return nil, err
	}
	return own, nil
}

func waitForNews(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, listenFor)
	defer cancel()
	_, err := conn.WaitForNotification(ctx)
	return err
}

func ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, answeredWithin)
	defer cancel()
	return conn.Ping(ctx)
}
