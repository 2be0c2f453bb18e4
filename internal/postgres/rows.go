package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"rappel/internal/kind"
)

// coming are the appointments that rules may still be about.
const coming = `x.starts_at > now() - interval '2 days' AND x.starts_at < now() + interval '400 days'`

// UnreadableRows names the columns of the source tables that cannot be read,
// with the id of a row, of appointments in the coming 400 days. Those that are
// missing or may not be read at all are for others to name.
func (s *Store) UnreadableRows(ctx context.Context) ([]string, error) {
	there, err := s.relations(ctx)
	if err != nil {
		return nil, err
	}
	var bad []string
	tables, columns := contract()
	for _, table := range tables {
		columns[table] = slices.DeleteFunc(columns[table], func(c column) bool {
			return there[table].columns[c.name] == "" // ContractBreaches names it
		})
		if len(columns[table]) == 0 {
			continue
		}
		condition := `true`
		if table == "appointments" && s.readable(ctx, table, coming, nil, "id") == nil {
			condition = coming
		}
		found, err := s.badColumns(ctx, table, condition, columns[table])
		if err != nil {
			return nil, err
		}
		bad = append(bad, found...)
	}
	return bad, nil
}

func (s *Store) badColumns(ctx context.Context, table, condition string, columns []column) ([]string, error) {
	var all, bad []string
	for _, c := range columns {
		all = append(all, c.name)
	}
	err := s.readable(ctx, table, condition, nil, all...)
	if err == nil || declared(err) {
		return nil, nil
	}
	for _, c := range columns {
		err := s.readable(ctx, table, condition, nil, c.name)
		switch {
		case ctx.Err() != nil || temporary(err):
			return nil, fmt.Errorf("read rappel.%s: %w", table, err)
		case err != nil:
			bad = append(bad, fmt.Sprintf("rappel.%s.%s cannot be read, id %s: %s: correct the row, or have the view show NULL for it: CASE WHEN … THEN … END AS %s",
				table, c.name, s.badID(ctx, table, c.name, condition, nil), err, c.name))
		}
	}
	if len(bad) == 0 {
		return nil, fmt.Errorf("read rappel.%s: %w", table, err)
	}
	return bad, nil
}

// declared reports whether an error is of what is declared or permitted, and not
// of a row.
func declared(err error) bool {
	server, ok := errors.AsType[*ServerError](err)
	return ok && strings.HasPrefix(server.Code, "42")
}

// UnknownWords counts statuses, methods and kinds that rappel does not know, and
// coming appointments whose client or practice is not there.
func (s *Store) UnknownWords(ctx context.Context) ([]string, error) {
	var kinds []string
	for _, k := range kind.All() {
		kinds = append(kinds, string(k))
	}
	rows, err := s.pool.Query(ctx, `
		SELECT format('%s of the coming appointments have status %s, which rappel does not know: nobody is notified; it knows requested, scheduled, confirmed, declined, cancelled, missed, arrived and completed',
			count(*), coalesce(quote_literal(left(x.status::text, 40)), 'NULL'))
		FROM rappel.appointments x WHERE `+coming+` AND coalesce(x.status::text, '') NOT IN ('requested', 'scheduled', 'confirmed', 'declined', 'cancelled', 'missed', 'arrived', 'completed')
		GROUP BY x.status::text
		UNION ALL
		SELECT format('%s clients have preferred_method %s, which rappel does not know: nobody is notified for them; it knows email, sms, both, voice and none',
			count(*), coalesce(quote_literal(left(c.preferred_method::text, 40)), 'NULL'))
		FROM rappel.clients c WHERE c.archived_at IS NULL AND coalesce(lower(c.preferred_method::text), '') NOT IN ('email', 'sms', 'both', 'voice', 'none')
		GROUP BY c.preferred_method::text
		UNION ALL
		SELECT format('%s events of the last day have kind %s, which rappel does not know: nobody is notified', count(*), quote_literal(left(e.kind, 40)))
		FROM rappel.events e WHERE e.created_at > now() - interval '1 day' AND e.kind <> ALL ($1)
		GROUP BY left(e.kind, 40)
		UNION ALL
		SELECT format('%s of the coming appointments have a practice_id or client_id that is not there, or a client of another practice: nobody is notified; the first are %s',
			count(*), string_agg(m.id, ', ' ORDER BY m.id) FILTER (WHERE m.n <= 5))
		FROM (
			SELECT x.id::text, row_number() OVER (ORDER BY x.id) AS n
			FROM rappel.appointments x
			LEFT JOIN rappel.practices p ON p.id = x.practice_id
			LEFT JOIN rappel.clients c ON c.id = x.client_id AND coalesce(c.practice_id, x.practice_id) = x.practice_id
			WHERE `+coming+` AND (p.id IS NULL OR c.id IS NULL)) m
		HAVING count(*) > 0`, kinds)
	if err := redact(err); err != nil {
		if declared(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("look for unknown words: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err := redact(err); err != nil && !declared(err) {
		return nil, fmt.Errorf("look for unknown words: %w", err)
	}
	return found, nil
}
