package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed grants.sql
var grants string

// denied is PostgreSQL's code for a right that is missing.
const denied = "42501"

// MissingRights names what the role that is logged in may not do and must, each
// with the statement that mends it. What it must is what grants.sql gives a
// worker, whatever the role is called.
func (s *Store) MissingRights(ctx context.Context) ([]string, error) {
	var role string
	var enters bool
	err := s.pool.QueryRow(ctx, `
		SELECT quote_ident(current_user), coalesce((
			SELECT has_schema_privilege(n.oid, 'USAGE') FROM pg_catalog.pg_namespace n WHERE n.nspname = 'rappel'), true)`,
	).Scan(&role, &enters)
	if err != nil {
		return nil, fmt.Errorf("ask for our rights: %w", redact(err))
	}
	if !enters {
		return []string{fmt.Sprintf("%s may not use schema rappel: GRANT USAGE ON SCHEMA rappel TO %s", role, role)}, nil
	}
	unread, err := s.unreadable(ctx, role)
	if err != nil {
		return nil, err
	}
	unwritten, err := s.ungranted(ctx, role)
	return append(unread, unwritten...), err
}

// unreadable reads no row of each table of the practice side: a right to a view
// is not yet one to all that its owner put behind it.
func (s *Store) unreadable(ctx context.Context, role string) ([]string, error) {
	there, err := s.relations(ctx)
	if err != nil {
		return nil, err
	}
	var wrong []string
	tables, columns := contract()
	for _, table := range tables {
		var names []string
		for _, c := range columns[table] {
			if _, ok := there[table].columns[c.name]; ok {
				names = append(names, c.name)
			}
		}
		if len(names) == 0 {
			continue // which is a breach of the contract, and told as one
		}
		_, err := s.pool.Exec(ctx, `SELECT `+strings.Join(names, ", ")+` FROM rappel.`+table+` LIMIT 0`)
		refused, ok := errors.AsType[*ServerError](redact(err))
		switch {
		case ok && refused.Code == denied:
			wrong = append(wrong, fmt.Sprintf("%s cannot read rappel.%s: %s: GRANT SELECT ON rappel.%s TO %s%s",
				role, table, refused.Message, table, role, behind(there[table])))
		case ok:
			wrong = append(wrong, fmt.Sprintf("rappel.%s cannot be read: %v", table, refused))
		case err != nil:
			return nil, fmt.Errorf("read rappel.%s: %w", table, err)
		}
	}
	return wrong, nil
}

func behind(r relation) string {
	if r.kind == "v" {
		return ", and what it reads to the view's owner"
	}
	return ""
}

// ungranted asks for each right to rappel's own tables that there are.
func (s *Store) ungranted(ctx context.Context, role string) ([]string, error) {
	var tables, rights []string
	for _, g := range regexp.MustCompile(`\('(\w+)', +'rappel_worker', +'([A-Z, ]+)'\)`).FindAllStringSubmatch(grants, -1) {
		for right := range strings.SplitSeq(g[2], ", ") {
			tables, rights = append(tables, g[1]), append(rights, right)
		}
	}
	rows, err := s.pool.Query(ctx, `
		SELECT c.relname::text, string_agg(g.kind, ', ' ORDER BY g.kind)
		FROM unnest($1::text[], $2::text[]) AS g (tab, kind)
		JOIN pg_catalog.pg_class c ON c.relname = g.tab AND c.relkind = 'r'
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'rappel'
		WHERE NOT has_table_privilege(c.oid, g.kind) AND NOT c.relname = ANY ($3)
		GROUP BY 1 ORDER BY 1`, tables, rights, practiceTables())
	if err != nil {
		return nil, fmt.Errorf("ask for our rights: %w", redact(err))
	}
	var wrong []string
	var table, lacks string
	_, err = pgx.ForEachRow(rows, []any{&table, &lacks}, func() error {
		wrong = append(wrong, fmt.Sprintf("%s lacks %s on rappel.%s: GRANT %s ON rappel.%s TO %s", role, lacks, table, lacks, table, role))
		return nil
	})
	return wrong, redact(err)
}

func practiceTables() []string {
	tables, _ := contract()
	return tables
}
