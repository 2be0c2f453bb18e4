package postgres

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A column is one that rappel reads, as practice_side.sql declares it.
type column struct {
	name, kind string // kind: its type, in SQL's short words
	preset     string // what stands in a row that does not say; empty: NULL
}

// contract reads the practice side's tables, with the columns that rappel
// reads, out of the statements that create them.
func contract() (tables []string, columns map[string][]column) {
	create := regexp.MustCompile(`(?s)CREATE TABLE IF NOT EXISTS rappel\.(\w+) \(\n(.*?)\n\);`)
	declare := regexp.MustCompile(`(?m)^ +([a-z_]+) +([a-z]+)[A-Z ]*?(?: DEFAULT (.+?))?,?$`)
	columns = map[string][]column{}
	for _, table := range create.FindAllStringSubmatch(practiceSide, -1) {
		tables = append(tables, table[1])
		for _, c := range declare.FindAllStringSubmatch(table[2], -1) {
			columns[table[1]] = append(columns[table[1]], column{name: c[1], kind: c[2], preset: c[3]})
		}
	}
	return tables, columns
}

// SourceTables are the names of the practice side's tables.
func SourceTables() []string {
	tables, _ := contract()
	return tables
}

// alike says which types serve as well as the contract's own; enums count as
// text.
func alike(want, got string) bool {
	switch want {
	case "text":
		return slices.Contains([]string{"text", "character varying", "character", "name", "citext"}, got)
	case "integer", "bigint":
		return slices.Contains([]string{"smallint", "integer", "bigint"}, got)
	case "timestamptz":
		return got == "timestamp with time zone"
	case "time":
		return got == "time without time zone"
	}
	return want == got
}

// A relation is a table or a view that is there.
type relation struct {
	kind    string            // pg_class.relkind
	columns map[string]string // types by name, in PostgreSQL's long words
}

// ContractBreaches names tables and columns of the practice side that are
// missing or of a type that cannot be read as the contract's, whether they are
// tables or views, each with the statement that mends it.
func (s *Store) ContractBreaches(ctx context.Context) ([]string, error) {
	there, err := s.relations(ctx)
	if err != nil {
		return nil, err
	}
	var wrong []string
	tables, columns := contract()
	for _, table := range tables {
		r, ok := there[table]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("rappel.%s is missing: run `rappel migrate`, or make it a view", table))
			continue
		}
		wrong = append(wrong, r.breaches(table, columns[table])...)
	}
	return wrong, nil
}

func (r relation) breaches(table string, want []column) []string {
	var wrong []string
	var lacks []column
	for _, c := range want {
		got, ok := r.columns[c.name]
		switch {
		case !ok:
			lacks = append(lacks, c)
		case !alike(c.kind, got):
			wrong = append(wrong, fmt.Sprintf("rappel.%s.%s is %s, not %s: %s", table, c.name, got, c.kind, r.retype(table, c, got)))
		}
	}
	if len(lacks) > 0 {
		var named []string
		for _, c := range lacks {
			named = append(named, fmt.Sprintf("%s (%s)", c.name, c.kind))
		}
		wrong = append(wrong, fmt.Sprintf("rappel.%s lacks column %s: %s", table, strings.Join(named, ", "), r.add(table, lacks)))
	}
	return wrong
}

// add is the statement that adds columns. Of a view its author knows the rest.
func (r relation) add(table string, lacks []column) string {
	var parts []string
	for _, c := range lacks {
		part := "ADD COLUMN " + c.name + " " + c.kind
		switch {
		case r.kind == "v" || r.kind == "m":
			part = fmt.Sprintf("(…)::%s AS %s", c.kind, c.name)
		case c.preset != "":
			part += " NOT NULL DEFAULT " + c.preset
		}
		parts = append(parts, part)
	}
	all := strings.Join(parts, ", ")
	switch r.kind {
	case "v":
		return fmt.Sprintf("CREATE OR REPLACE VIEW rappel.%s AS SELECT …, %s FROM …", table, all)
	case "m":
		return fmt.Sprintf("DROP MATERIALIZED VIEW rappel.%s, and CREATE it with %s", table, all)
	case "f":
		return fmt.Sprintf("ALTER FOREIGN TABLE rappel.%s %s", table, all)
	}
	return fmt.Sprintf("ALTER TABLE rappel.%s %s", table, all)
}

// retype is the statement that gives a column its type. CREATE OR REPLACE
// cannot do that to a view.
func (r relation) retype(table string, c column, got string) string {
	switch r.kind {
	case "v":
		return fmt.Sprintf("DROP VIEW rappel.%s, and CREATE it with (…)::%s AS %s", table, c.kind, c.name)
	case "m":
		return fmt.Sprintf("DROP MATERIALIZED VIEW rappel.%s, and CREATE it with (…)::%s AS %s", table, c.kind, c.name)
	}
	using, note := c.name+"::text::"+c.kind, ""
	switch {
	case c.kind == "text":
		using = c.name + "::text"
	case got == "timestamp without time zone":
		using, note = c.name+" AT TIME ZONE 'UTC'", " (or the zone that it was written in)"
	case c.kind == "boolean" && slices.Contains([]string{"smallint", "integer", "bigint", "numeric"}, got):
		using = c.name + " <> 0"
	}
	return fmt.Sprintf("ALTER TABLE rappel.%s ALTER COLUMN %s DROP DEFAULT, ALTER COLUMN %s TYPE %s USING %s%s",
		table, c.name, c.name, c.kind, using, note)
}

func (s *Store) relations(ctx context.Context) (map[string]relation, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT c.relname::text, c.relkind::text, a.attname::text, CASE WHEN t.typtype = 'e' THEN 'text' ELSE format_type(t.oid, NULL) END
		FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		JOIN pg_catalog.pg_type base ON base.oid = a.atttypid
		JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN base.typtype = 'd' THEN base.typbasetype ELSE base.oid END
		WHERE n.nspname = 'rappel' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`)
	if err != nil {
		return nil, fmt.Errorf("read the columns of schema rappel: %w", redact(err))
	}
	there := map[string]relation{}
	var table, kind, name, dataType string
	_, err = pgx.ForEachRow(rows, []any{&table, &kind, &name, &dataType}, func() error {
		if _, ok := there[table]; !ok {
			there[table] = relation{kind: kind, columns: map[string]string{}}
		}
		there[table].columns[name] = dataType
		return nil
	})
	return there, redact(err)
}
