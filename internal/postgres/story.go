package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/lookup"
	"rappel/recipients"
)

// Story returns all that is known of a message, in one moment. Each part is
// found by a primary key, except the replies: their table holds a month and has
// no index on what they answer.
func (s *Store) Story(ctx context.Context, id string) (story lookup.Story, err error) {
	err = s.look(ctx, func(tx pgx.Tx) error {
		t := teller{store: s, tx: tx, story: &story}
		if err := t.message(ctx, id); err != nil {
			return err
		}
		for _, part := range []func(context.Context) error{t.family, t.rule, t.event, t.decision, t.replies, t.people} {
			if err := part(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return lookup.Story{}, fmt.Errorf("message %s: %w", id, err)
	}
	return story, nil
}

// A teller collects the story of one message.
type teller struct {
	store *Store
	tx    pgx.Tx
	story *lookup.Story
}

func (t *teller) message(ctx context.Context, id string) error {
	var starts, repeat, repeated, replayed, held *time.Time
	var history []byte
	m := t.story
	err := scanFound(t.tx.QueryRow(ctx, `
		SELECT `+messageColumns+`, n.template, coalesce(n.template_version, 0), n.attempts, coalesce(n.segments, 0), coalesce(n.via, ''),
			coalesce(n.message_id, ''), coalesce(n.error_code, ''), coalesce(n.subject, ''), coalesce(n.body, ''),
			coalesce(n.sent_with::text, ''), n.starts_at, n.repeat_at, n.repeated_at, n.replayed_at, n.claimed_until, n.history
		FROM rappel.notifications n WHERE n.id = $1`, id), &m.Message,
		&m.Template, &m.Version, &m.Attempts, &m.Segments, &m.Via, &m.MessageID, &m.ErrorCode, &m.Subject, &m.Text,
		&m.SentWith, &starts, &repeat, &repeated, &replayed, &held, &history)
	if errors.Is(err, pgx.ErrNoRows) {
		return lookup.ErrUnknown
	}
	if err != nil {
		return err
	}
	m.StartsAt, m.RepeatAt, m.RepeatedAt, m.ReplayedAt, m.HeldUntil = value(starts), value(repeat), value(repeated), value(replayed), value(held)
	return json.Unmarshal(history, &m.History)
}

// family is what went in the same message: few, by notifications_sent_with.
func (t *teller) family(ctx context.Context) error {
	rows, err := t.tx.Query(ctx, `SELECT id FROM rappel.notifications WHERE sent_with = $1 AND id <> $2 ORDER BY id`,
		null(t.story.SentWith), t.story.ID)
	if err != nil {
		return err
	}
	t.story.Family, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return err
}

func (t *teller) rule(ctx context.Context) error {
	err := t.tx.QueryRow(ctx, `SELECT coalesce(name::text, '') FROM rappel.rules WHERE id = $1`,
		null(t.story.RuleID)).Scan(&t.story.RuleName)
	return unlessMissing(err)
}

// unlessMissing forgives a row that is not there.
func unlessMissing(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

func (t *teller) event(ctx context.Context) error {
	var e lookup.Event
	err := t.tx.QueryRow(ctx, `SELECT `+occurred+`, e.created_at FROM rappel.events e WHERE id = $1`,
		null(t.story.EventID)).Scan(&e.OccurredAt, &e.ReceivedAt)
	if err == nil {
		t.story.Event = &e
	}
	return unlessMissing(err)
}

func (t *teller) decision(ctx context.Context) error {
	var candidates []byte
	d := &t.story.Decision
	err := t.tx.QueryRow(ctx, `SELECT decided_at, outcome, candidates, coalesce(detail, '') FROM rappel.decisions WHERE id = $1`,
		t.story.DecisionID).Scan(&d.At, &d.Outcome, &candidates, &d.Detail)
	if err != nil {
		return err
	}
	return json.Unmarshal(candidates, &d.Candidates)
}

func (t *teller) replies(ctx context.Context) error {
	rows, err := t.tx.Query(ctx, `
		SELECT received_at, meaning, coalesce(outcome, ''), coalesce(body, '')
		FROM rappel.replies WHERE notification_id = $1 ORDER BY received_at, id`, t.story.ID)
	if err != nil {
		return err
	}
	t.story.Replies, err = pgx.CollectRows(rows, pgx.RowToStructByPos[lookup.Reply])
	return err
}

// people are those around the message, as they are called now.
func (t *teller) people(ctx context.Context) error {
	t.story.People = map[recipients.PersonID]recipients.Person{}
	of := subject{appointmentID: t.story.AppointmentID, clientID: t.story.ClientID}.key()
	known, err := t.store.snapshots(ctx, t.tx, []subject{of})
	if err != nil {
		return err
	}
	if s := known[of]; s != nil {
		t.story.People = s.People()
	}
	return nil
}
