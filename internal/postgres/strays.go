package postgres

import (
	"context"
	"fmt"
)

// StrayLinks counts the links that lead from one practice to another, by what
// is made of them: nothing, see contactQuery. It reads three tables once.
func (s *Store) StrayLinks(ctx context.Context) ([]string, error) {
	var contacts, clients int
	err := s.pool.QueryRow(ctx, `
		SELECT
			(SELECT count(*) FROM rappel.client_contacts l JOIN rappel.clients c ON c.id = l.client_id
				JOIN rappel.contacts k ON k.id = l.contact_id WHERE k.practice_id <> c.practice_id),
			(SELECT count(*) FROM rappel.contacts k JOIN rappel.clients c ON c.id = k.client_id
				WHERE k.practice_id <> c.practice_id)`).Scan(&contacts, &clients)
	if err != nil {
		return nil, fmt.Errorf("count the links between practices: %w", redact(err))
	}
	var stray []string
	if contacts > 0 {
		stray = append(stray, fmt.Sprintf("client_contacts that name a contact of another practice, who is told nothing: %d", contacts))
	}
	if clients > 0 {
		stray = append(stray, fmt.Sprintf("contacts whose client_id is a client of another practice, from whom nothing is taken: %d", clients))
	}
	return stray, nil
}
