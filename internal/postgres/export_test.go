package postgres

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Columns collects rows for unnest.
type Columns struct{ columns }

// ColumnsOf has room for so many rows.
func ColumnsOf(rows int) Columns { return Columns{columns{rows: rows}} }

// Add adds a row.
func (c *Columns) Add(row ...any) { c.add(row...) }

// Args returns the columns as a statement's arguments.
func (c *Columns) Args() []any { return c.args() }

// Encode writes the columns as a statement's parameters of these types, and
// returns how many bytes they are.
func (c *Columns) Encode(m *pgtype.Map, types []uint32) (int, error) {
	var b pgx.ExtendedQueryBuilder
	if err := b.Build(m, &pgconn.StatementDescription{ParamOIDs: types}, c.args()); err != nil {
		return 0, err
	}
	size := 0
	for _, v := range b.ParamValues {
		size += len(v)
	}
	return size, nil
}

// RegisterIDs has a map take ids as texts.
func RegisterIDs(m *pgtype.Map) { registerIDs(m) }
