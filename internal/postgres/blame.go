package postgres

import (
	"context"
	"strings"

	"rappel/jobs/plan"
)

// Blame implements plan.Store. It reads the rows around the subject, a source
// table at a time.
func (s *Store) Blame(ctx context.Context, appointmentID, clientID, practiceID string) plan.Blame {
	if appointmentID != "" {
		clientID = s.key(ctx, "appointments", "client_id", appointmentID)
		practiceID = s.key(ctx, "appointments", "practice_id", appointmentID)
	} else if clientID != "" {
		practiceID = s.key(ctx, "clients", "practice_id", clientID)
	}
	for _, r := range []struct{ table, condition, id string }{
		{"appointments", "x.id = $1", appointmentID},
		{"clients", "x.id = $1", clientID},
		{"practices", "x.id = $1", practiceID},
		{"practitioners", "x.id = (SELECT practitioner_id FROM rappel.appointments WHERE id = $1)", appointmentID},
		{"client_contacts", "x.client_id = $1", clientID},
		{"contacts", "x.id IN (SELECT contact_id FROM rappel.client_contacts WHERE client_id = $1)", clientID},
		{"clients", "x.id IN (SELECT k.client_id FROM rappel.client_contacts l JOIN rappel.contacts k ON k.id = l.contact_id WHERE l.client_id = $1)", clientID},
		{"rules", "x.practice_id = $1", practiceID},
	} {
		if r.id == "" {
			continue
		}
		if b, err := s.badRow(ctx, r.table, r.condition, r.id); err != nil || b.Relation != "" {
			return b
		}
	}
	return plan.Blame{}
}

// key reads a key of a row; empty: it cannot be read.
func (s *Store) key(ctx context.Context, table, column, id string) (key string) {
	if err := s.pool.QueryRow(ctx, `SELECT coalesce(`+column+`::text, '') FROM rappel.`+table+` WHERE id = $1`, id).Scan(&key); err != nil {
		return ""
	}
	return key
}

// badRow names the first row of a source table that cannot be read, among those
// of a condition. The error says that the table could not be searched.
func (s *Store) badRow(ctx context.Context, table, condition string, args ...any) (plan.Blame, error) {
	_, columns := contract()
	var all []string
	for _, c := range columns[table] {
		all = append(all, c.name)
	}
	if s.readable(ctx, table, condition, args, all...) == nil {
		return plan.Blame{}, nil
	}
	for _, c := range all {
		err := s.readable(ctx, table, condition, args, c)
		switch {
		case err == nil:
		case ctx.Err() != nil || temporary(err):
			return plan.Blame{}, err
		default:
			return plan.Blame{Relation: table, Column: c, ID: s.badID(ctx, table, c, condition, args)}, nil
		}
	}
	return plan.Blame{}, nil
}

// readable reads columns of the rows of a condition, and drops them.
func (s *Store) readable(ctx context.Context, table, condition string, args []any, columns ...string) error {
	_, err := s.pool.Exec(ctx, `SELECT count(x.`+strings.Join(columns, `), count(x.`)+`) FROM rappel.`+table+` x WHERE `+condition, args...)
	return redact(err)
}

// badID halves the rows until one is left of which the column cannot be read. It
// is empty if not even the ids can be.
func (s *Store) badID(ctx context.Context, table, column, condition string, args []any) string {
	id := "id"
	if table == "client_contacts" {
		id = "contact_id"
	}
	var ids []string
	if err := s.pool.QueryRow(ctx, `SELECT coalesce(array_agg(x.`+id+`::text), '{}') FROM rappel.`+table+` x WHERE `+condition, args...).Scan(&ids); err != nil {
		return ""
	}
	for len(ids) > 1 {
		half := ids[:len(ids)/2]
		if s.readable(ctx, table, `x.`+id+` = ANY ($1)`, []any{half}, column) == nil {
			half = ids[len(half):]
		}
		ids = half
	}
	if ctx.Err() != nil {
		return "" // there was no time left
	}
	return strings.Join(ids, "")
}

func temporary(err error) bool {
	t, ok := err.(interface{ Temporary() bool })
	return ok && t.Temporary()
}
