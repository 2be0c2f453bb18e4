package dev

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// turn lets time pass, as a button says.
func (p *Page) turn(ctx context.Context, r *http.Request) (string, error) {
	p.passing.Lock()
	defer p.passing.Unlock()
	now := p.options.Clock.Now()
	records, err := read(ctx, p.db, p.options.Zones, now)
	if err != nil {
		return "", err
	}
	var until time.Time
	switch r.PostFormValue("by") {
	case "hour":
		until = now.Add(time.Hour)
	case "day":
		until = now.Add(24 * time.Hour)
	case "next":
		next := records.upcoming(now)
		if len(next) == 0 {
			return "", mistake("No reminder lies ahead. Book a visit first.")
		}
		until = next[0].At.Add(beyond)
	default:
		return "", errButton
	}
	if err := p.pass(ctx, until); err != nil {
		return "", err
	}
	return "It is now " + p.options.Clock.Now().In(records.Practice.Zone).Format("Monday, January 2, 3:04 PM") + ".", nil
}

// beyond is how far past a due time the clock is turned.
const beyond = time.Second

// pass turns the clock to until, and stops wherever something falls due on the
// way: else reminders would be as late as after an outage of that length. What
// is on its way before that arrives first.
func (p *Page) pass(ctx context.Context, until time.Time) error {
	if err := p.settle(ctx); err != nil {
		return err
	}
	for {
		now := p.options.Clock.Now()
		stop, err := p.nextStop(ctx, now, until)
		if err != nil {
			return err
		}
		if !stop.After(now) {
			return nil
		}
		if err := p.options.Clock.Advance(ctx, stop.Sub(now)); err != nil {
			return err
		}
		if err := p.settle(ctx); err != nil || stop.Equal(until) {
			return err
		}
	}
}

// nextStop is just past the moment at which a rule falls due, or a message that
// waits may go, and until at the latest.
func (p *Page) nextStop(ctx context.Context, now, until time.Time) (time.Time, error) {
	records, err := read(ctx, p.db, p.options.Zones, now)
	if err != nil {
		return until, err
	}
	var waiting *time.Time
	err = p.db.QueryRow(ctx, `
		SELECT min(not_before) FROM rappel.notifications WHERE practice_id = $1 AND status = 'pending' AND not_before > $2`,
		PracticeID, now).Scan(&waiting)
	if err != nil {
		return until, fmt.Errorf("look for messages that wait: %w", err)
	}
	stop := until
	if next := records.upcoming(now); len(next) > 0 && next[0].At.Add(beyond).Before(stop) {
		stop = next[0].At.Add(beyond)
	}
	if waiting != nil && waiting.Add(beyond).Before(stop) {
		stop = waiting.Add(beyond)
	}
	return stop, nil
}

const (
	settleWithin = 3 * time.Second
	settleLook   = 20 * time.Millisecond
)

// settle waits until all that is due has gone out, but not for long: what
// cannot go, or waits for corrections, shows as waiting.
func (p *Page) settle(ctx context.Context) error {
	deadline := time.NewTimer(settleWithin)
	defer deadline.Stop()
	look := time.NewTicker(settleLook)
	defer look.Stop()
	for {
		var busy bool
		err := p.db.QueryRow(ctx, `
			SELECT EXISTS (SELECT 1 FROM rappel.notifications WHERE practice_id = $1 AND status IN ('pending', 'sending') AND not_before <= $2)
				OR EXISTS (SELECT 1 FROM rappel.events e
					LEFT JOIN rappel.appointments a ON a.id = e.appointment_id
					LEFT JOIN rappel.clients c ON c.id = e.client_id
					WHERE coalesce(a.practice_id, c.practice_id) = $1 AND e.planned_at IS NULL AND e.look_at <= now())`, PracticeID, p.options.Clock.Now()).Scan(&busy)
		if err != nil {
			return fmt.Errorf("wait for messages: %w", err)
		}
		if !busy {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return nil
		case <-look.C:
		}
	}
}
