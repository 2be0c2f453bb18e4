package dev

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ErrForeign says that a database is somebody's: its practices would be
// reminded through the stand-in, which means not at all.
var ErrForeign = errors.New("DATABASE_URL names a database with practices of its own, whose messages would end here: unset it, or name an empty database")

// RefuseForeign returns ErrForeign unless the database holds no practice but
// the sample's. It changes nothing.
func RefuseForeign(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return errors.New("DATABASE_URL: the database does not answer")
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var there, foreign bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('rappel.practices') IS NOT NULL`).Scan(&there); err != nil {
		return fmt.Errorf("look at the database: %w", err)
	}
	if !there {
		return nil
	}
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM rappel.practices WHERE id <> $1)`, PracticeID).Scan(&foreign); err != nil {
		return fmt.Errorf("look at the practices: %w", err)
	}
	if foreign {
		return ErrForeign
	}
	return nil
}
