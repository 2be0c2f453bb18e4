package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rappel/internal/practice"
	"rappel/jobs/deliver"
	"rappel/templates"
)

const textColumns = `id, coalesce(practice_id::text, ''), name::text, channel::text, coalesce(audience::text, ''), coalesce(locale::text, ''),
	coalesce(subject::text, ''), coalesce(body::text, ''), coalesce(version, 0)`

func collectTexts(rows pgx.Rows, err error) ([]templates.Source, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t templates.Source, err error) {
		return t, row.Scan(&t.ID, &t.PracticeID, &t.Name, &t.Channel, &t.Audience, &t.Locale, &t.Subject, &t.Body, &t.Version)
	})
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
		SELECT `+textColumns+` FROM rappel.templates
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

// Texts reads every active text, in the order in which people look for one.
func (s *Store) Texts(ctx context.Context) ([]templates.Source, error) {
	texts, err := collectTexts(s.pool.Query(ctx, `
		SELECT `+textColumns+` FROM rappel.templates WHERE active
		ORDER BY practice_id NULLS FIRST, name, channel, audience, locale, id`))
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
