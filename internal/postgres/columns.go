package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// columns collects rows as one array a column, which is how unnest takes many
// rows in one statement.
type columns struct {
	col [][]any
}

// add adds a row. Every row has the same types in the same places; a pointer
// that is nil is NULL.
func (c *columns) add(row ...any) {
	if c.col == nil {
		c.col = make([][]any, len(row))
	}
	for i, v := range row {
		c.col[i] = append(c.col[i], v)
	}
}

// args returns the columns as a statement's arguments.
func (c *columns) args() []any {
	args := make([]any, len(c.col))
	for i := range c.col {
		args[i] = c.col[i]
	}
	return args
}

// exec runs a statement on the columns, unless there is no row.
func (c *columns) exec(ctx context.Context, tx pgx.Tx, sql string) error {
	if c.col == nil {
		return nil
	}
	_, err := tx.Exec(ctx, sql, c.args()...)
	return err
}

// unique drops repeats and keeps the order.
func unique[T comparable](all []T) []T {
	seen := map[T]bool{}
	var once []T
	for _, v := range all {
		if !seen[v] {
			seen[v] = true
			once = append(once, v)
		}
	}
	return once
}
