package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rappel/internal/lookup"
	"rappel/internal/practice"
	"rappel/jobs/deliver"
	"rappel/templates"
)

// textColumns are those of a text. Of one that is too large only as much is read
// as shows that it is: see templates.MaxSize.
func textColumns() string {
	return fmt.Sprintf(`id, coalesce(practice_id::text, ''), name::text, channel::text, coalesce(audience::text, ''), coalesce(locale::text, ''),
	left(coalesce(subject::text, ''), %[1]d), left(coalesce(body::text, ''), %[1]d), coalesce(version, 0)`, templates.MaxSize+1)
}

func collectTexts(rows pgx.Rows, err error) ([]templates.Source, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanText)
}

func scanText(row pgx.CollectableRow) (t templates.Source, err error) {
	return t, row.Scan(&t.ID, &t.PracticeID, &t.Name, &t.Channel, &t.Audience, &t.Locale, &t.Subject, &t.Body, &t.Version)
}

// textsFor reads the texts that the notifications name, by practice: its own
// and those for all.
func textsFor(ctx context.Context, tx pgx.Tx, claimed []deliver.Notification) (map[string][]templates.Source, error) {
	of, names := map[string][]templates.Source{}, map[string]bool{}
	for _, n := range claimed {
		of[n.PracticeID], names[n.Template] = nil, true
		if n.Family != "" {
			names[templates.Family] = true
		}
	}
	texts, err := collectTexts(tx.Query(ctx, `
		SELECT `+textColumns()+` FROM rappel.templates
		WHERE active AND name::text = ANY ($1) AND (practice_id IS NULL OR practice_id = ANY ($2))
		ORDER BY id`, keys(names), keys(of)))
	for _, t := range texts {
		for practiceID := range of {
			if t.PracticeID == "" || t.PracticeID == practiceID {
				of[practiceID] = append(of[practiceID], t)
			}
		}
	}
	return of, err
}

// EachText calls yield for the first active texts, up to limit, in the order in
// which people look for one; 0: for all. It holds one text at a time.
func (s *Store) EachText(ctx context.Context, limit int, yield func(templates.Source)) error {
	rows, err := s.pool.Query(ctx, `
		SELECT `+textColumns()+` FROM rappel.templates WHERE active
		ORDER BY practice_id NULLS FIRST, name, channel, audience, locale, id LIMIT $1`, null(limit))
	if err != nil {
		return fmt.Errorf("read the templates: %w", redact(err))
	}
	defer rows.Close()
	for rows.Next() {
		t, err := scanText(rows)
		if err != nil {
			return fmt.Errorf("read the templates: %w", redact(err))
		}
		yield(t)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the templates: %w", redact(err))
	}
	return nil
}

// TextNames returns up to limit names that active texts have, with the number
// of texts of each.
func (s *Store) TextNames(ctx context.Context, limit int) ([]lookup.TextName, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT name::text, count(*) FROM rappel.templates WHERE active GROUP BY 1 ORDER BY 1 LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("read the names of the templates: %w", redact(err))
	}
	names, err := pgx.CollectRows(rows, pgx.RowToStructByPos[lookup.TextName])
	return names, redact(err)
}

// TextsNamed reads up to limit active texts of a name; of one id only, unless
// that is empty.
func (s *Store) TextsNamed(ctx context.Context, name, id string, limit int) ([]templates.Source, error) {
	texts, err := collectTexts(s.pool.Query(ctx, `
		SELECT `+textColumns()+` FROM rappel.templates WHERE active AND name::text = $1 AND ($2 = '' OR id::text = $2)
		ORDER BY practice_id NULLS FIRST, channel, audience, locale, id LIMIT $3`, name, id, limit))
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", redact(err))
	}
	return texts, nil
}

// TextsFor reads the active texts of a name for a practice: its own and those
// for all.
func (s *Store) TextsFor(ctx context.Context, name, practiceID string) ([]templates.Source, error) {
	texts, err := collectTexts(s.pool.Query(ctx, `
		SELECT `+textColumns()+` FROM rappel.templates
		WHERE active AND name::text = $1 AND (practice_id IS NULL OR practice_id::text = $2) ORDER BY id`, name, practiceID))
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", redact(err))
	}
	return texts, nil
}

// A Usage is an active rule that names a text.
type Usage struct {
	RuleID, PracticeID, Locale, Template string
}

// Usages reads which texts the active rules name, with the practice's locale.
func (s *Store) Usages(ctx context.Context) ([]Usage, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT r.id, r.practice_id, coalesce(p.locale::text, ''), coalesce(r.template::text, '')
		FROM rappel.rules r JOIN rappel.practices p ON p.id = r.practice_id
		WHERE r.active AND p.active ORDER BY r.practice_id, r.id`)
	if err != nil {
		return nil, fmt.Errorf("read the rules: %w", redact(err))
	}
	used, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Usage])
	return used, redact(err)
}

// Snapshot reads all that bears on an appointment at this moment; nil: it, its
// client or its practice is not there.
func (s *Store) Snapshot(ctx context.Context, appointmentID string) (snapshot *practice.Snapshot, err error) {
	of := subject{appointmentID: appointmentID}
	err = s.look(ctx, func(tx pgx.Tx) error {
		known, err := s.snapshots(ctx, tx, []subject{of})
		snapshot = known[of]
		return err
	})
	return snapshot, err
}
