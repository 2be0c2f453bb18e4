package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// A News is what the database announces.
type News string

// What the database announces.
const (
	NewEvents  News = "rappel_events"
	NewReplies News = "rappel_replies"
)

// Listen calls wake for each announcement, and once on every new connection,
// since what was announced without a listener is not told again. It returns
// when ctx is done or the connection fails.
func (s *Store) Listen(ctx context.Context, of News, wake func()) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return redact(err)
	}
	own := conn.Hijack() // a connection that listens must not go back to the pool
	defer func() { _ = own.Close(context.WithoutCancel(ctx)) }()
	if _, err := own.Exec(ctx, "LISTEN "+pgx.Identifier{string(of)}.Sanitize()); err != nil {
		return redact(err)
	}
	for {
		wake()
		if _, err := own.WaitForNotification(ctx); err != nil {
			return redact(err)
		}
	}
}
