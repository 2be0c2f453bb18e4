package dev

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/jobs"
)

// A Reporter tells rappel of events by task; *jobs.Client is one.
type Reporter interface {
	ReportEvent(ctx context.Context, e jobs.Event) error
}

// A way is how an event was told: both that a main app can choose are shown.
type way string

const (
	byRow  way = "INSERT INTO rappel.events"
	byTask way = "task " + jobs.TypeEvent
)

// A desk does what people at the practice do, as a main app does it: what
// changes and the event about it are written in one transaction, or the event
// is told by task after it.
type desk struct {
	db       *pgxpool.Pool
	reporter Reporter
	now      func() time.Time

	mu   sync.Mutex
	ways map[string]way // by event id, of this run; guarded by mu
}

// A mistake is one of whoever sits at the page, in words for them.
type mistake string

func (m mistake) Error() string { return string(m) }

const (
	errGone = mistake("That visit is no longer what it was: somebody was quicker.")
	errPast = mistake("That time has passed. Choose one that lies ahead of the demo's clock.")
	errWhom = mistake("Choose whom the visit is for.")
)

// book writes new visits, each with the event about it.
func (d *desk) book(ctx context.Context, visits ...visit) error {
	for _, v := range visits {
		if err := d.bookOne(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

func (d *desk) bookOne(ctx context.Context, v visit) error {
	v.BookedAt, v.Status = d.now(), schedule.StatusScheduled
	if !v.StartsAt.After(v.BookedAt) {
		return errPast
	}
	return d.within(ctx, kind.Booked, byRow, func(tx pgx.Tx) (id string, err error) {
		var known bool
		err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM rappel.clients WHERE id = $1 AND practice_id = $2)`,
			v.ClientID, PracticeID).Scan(&known)
		if err != nil {
			return "", err
		}
		if !known {
			return "", errWhom
		}
		return insertVisit(ctx, tx, v)
	})
}

// move sets another start.
func (d *desk) move(ctx context.Context, id string, startsAt time.Time) error {
	now := d.now()
	if !startsAt.After(now) {
		return errPast
	}
	return d.within(ctx, kind.Rescheduled, byRow, func(tx pgx.Tx) (string, error) {
		return changed(ctx, tx, `
			UPDATE rappel.appointments SET starts_at = $3, ends_at = $3 + (ends_at - starts_at),
				revision = revision + 1, updated_at = $4, start_set_at = $4
			WHERE id = $1 AND practice_id = $2 AND status IN ('requested', 'scheduled', 'confirmed') AND starts_at <> $3
			RETURNING id`, id, PracticeID, startsAt, now)
	})
}

// turn gives a visit another status.
func (d *desk) turn(ctx context.Context, id string, k kind.Kind, to schedule.Status, w way) error {
	return d.within(ctx, k, w, func(tx pgx.Tx) (string, error) {
		return changed(ctx, tx, `
			UPDATE rappel.appointments SET status = $3, revision = revision + 1, updated_at = $4
			WHERE id = $1 AND practice_id = $2 AND status IN ('requested', 'scheduled', 'confirmed') AND status <> $3
			RETURNING id`, id, PracticeID, string(to), d.now())
	})
}

func changed(ctx context.Context, tx pgx.Tx, sql string, args ...any) (id string, err error) {
	err = tx.QueryRow(ctx, sql, args...).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errGone
	}
	return id, err
}

// within makes a change and tells of it: by a row in the same transaction, or
// by a task when that has committed.
func (d *desk) within(ctx context.Context, k kind.Kind, w way, change func(pgx.Tx) (id string, err error)) error {
	var event jobs.Event
	err := pgx.BeginFunc(ctx, d.db, func(tx pgx.Tx) error {
		id, err := change(tx)
		if err != nil {
			return err
		}
		if event, err = jobs.NewEvent(k, id, d.now()); err != nil {
			return err
		}
		d.note(event.ID, w)
		if w == byTask {
			return nil
		}
		_, err = tx.Exec(ctx, `INSERT INTO rappel.events (id, kind, appointment_id, occurred_at) VALUES ($1, $2, $3, $4)`,
			event.ID, string(event.Kind), event.AppointmentID, event.OccurredAt)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", k, err)
	}
	if w == byTask {
		return d.reporter.ReportEvent(ctx, event)
	}
	return nil
}

func (d *desk) note(eventID string, w way) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ways[eventID] = w
}

func (d *desk) wayOf(eventID string) way {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ways[eventID]
}
