package bench

import (
	"context"
	_ "embed"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed growth.sql
var growthSQL string

// A Ledger is one that has been at work for long: growth.sql says what is in it.
type Ledger struct {
	Rows, Day int       // messages in all, and of each day
	Now       time.Time // the end of the last day
	Progress  func(done int)
}

// Fill writes it into an empty ledger, which stands without its indexes
// meanwhile: in one transaction, so that PostgreSQL need not log it where it logs
// the least.
func (l Ledger) Fill(ctx context.Context, conn *pgx.Conn) error {
	err := script(ctx, conn, growthSQL, map[string]string{
		"growth.rows": strconv.Itoa(l.Rows), "growth.day": strconv.Itoa(l.Day), "growth.now": strconv.FormatInt(l.Now.Unix(), 10),
	})
	if err != nil {
		return err
	}
	err = bare(ctx, conn, func() error { return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return l.write(ctx, tx) }) })
	if err != nil {
		return err
	}
	return each(ctx, conn, []string{"CALL growth.decide()", "VACUUM (ANALYZE)"})
}

func (l Ledger) write(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "TRUNCATE rappel.notifications"); err != nil {
		return err
	}
	const atOnce = 250_000
	for first := 0; first < l.Rows; first += atOnce {
		last := min(first+atOnce, l.Rows)
		if _, err := tx.Exec(ctx, "CALL growth.write($1, $2)", first, last); err != nil {
			return err
		}
		l.Progress(last)
	}
	return nil
}

// bare has work done on a ledger without indexes, nor a look at each decision,
// and puts them back. That each message has its decision holds from then on.
func bare(ctx context.Context, conn *pgx.Conn, work func() error) error {
	rows, err := conn.Query(ctx, `
		SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
			format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
				pg_get_constraintdef(oid) || CASE contype WHEN 'f' THEN ' NOT VALID' ELSE '' END)
		FROM pg_constraint WHERE conrelid = 'rappel.notifications'::regclass AND contype IN ('p', 'f')
		UNION ALL
		SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
		FROM pg_index WHERE indrelid = 'rappel.notifications'::regclass AND NOT indisprimary`)
	if err != nil {
		return err
	}
	type part struct{ Drop, Make string }
	parts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[part])
	if err != nil {
		return err
	}
	var drops, makes []string
	for _, p := range parts {
		drops, makes = append(drops, p.Drop), append(makes, p.Make)
	}
	if err := each(ctx, conn, drops); err != nil {
		return err
	}
	return errors.Join(work(), each(ctx, conn, makes))
}
