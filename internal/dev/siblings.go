package dev

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"rappel/internal/schedule"
)

const (
	errBothAhead = mistake("Noah or Ella has a visit ahead already: cancel it first, or let its time pass.")

	apart    = 30 * time.Minute
	opensAt  = 9  // o'clock: first visits
	closesAt = 16 // o'clock: no first visits from then on
)

// bookBoth books a visit for each of two children of one mother within one hour
// of the clock: their reminders are open at the same time, and a practice that
// wants one message for a family sends one.
func (p *Page) bookBoth(ctx context.Context, _ *http.Request) (string, error) {
	zone, err := p.zone(ctx)
	if err != nil {
		return "", err
	}
	now := p.options.Clock.Now()
	var ahead bool
	err = p.db.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM rappel.appointments
			WHERE client_id IN ($1, $2) AND starts_at > $3 AND status IN ('requested', 'scheduled', 'confirmed'))`, noah, ella, now).Scan(&ahead)
	if err != nil {
		return "", fmt.Errorf("look for visits ahead: %w", err)
	}
	if ahead {
		return "", errBothAhead
	}
	first := nextOpening(now.Add(24*time.Hour+quarter), zone)
	err = p.desk.book(ctx,
		visit{ClientID: noah, PractitionerID: okafor, Service: session, StartsAt: first},
		visit{ClientID: ella, PractitionerID: whitfield, Service: session, StartsAt: first.Add(apart)})
	return "Booked both, and told rappel in the same transactions. Their reminders come 24 hours before: let time pass, then answer C.", err
}

// nextOpening returns the first full hour from t on at which the practice sees
// people.
func nextOpening(t time.Time, zone *time.Location) time.Time {
	local := t.Add(time.Hour - 1).In(zone)
	y, m, d := local.Date()
	hour := max(local.Hour(), opensAt)
	if hour >= closesAt {
		d, hour = d+1, opensAt
	}
	return schedule.Local(y, m, d, schedule.Clock{Hour: hour}, zone)
}
