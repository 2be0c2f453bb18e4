package dev

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"rappel/internal/kind"
	"rappel/internal/schedule"
)

// book books a visit, as the form says.
func (p *Page) book(ctx context.Context, r *http.Request) (string, error) {
	startsAt, err := p.formTime(ctx, r.PostFormValue("starts"))
	if err != nil {
		return "", err
	}
	clientID := r.PostFormValue("client")
	if !isUUID(clientID) {
		return "", errWhom
	}
	err = p.desk.book(ctx, visit{
		ClientID: clientID, PractitionerID: okafor, Service: session,
		Telehealth: r.PostFormValue("place") == "video", StartsAt: startsAt,
	})
	return "Booked, and told rappel in the same transaction.", err
}

const (
	errWhen   = mistake("Choose a date and a time.")
	errButton = mistake("There is no such button.")
)

// formTime reads a time of a form, which is in the practice's zone.
func (p *Page) formTime(ctx context.Context, s string) (time.Time, error) {
	at, err := time.Parse(formTime, s)
	if err != nil {
		return time.Time{}, errWhen
	}
	zone, err := p.zone(ctx)
	if err != nil {
		return time.Time{}, err
	}
	y, m, d := at.Date()
	return schedule.Local(y, m, d, schedule.Clock{Hour: at.Hour(), Minute: at.Minute()}, zone), nil
}

// zone is the practice's.
func (p *Page) zone(ctx context.Context) (*time.Location, error) {
	var name string
	if err := p.db.QueryRow(ctx, `SELECT time_zone FROM rappel.practices WHERE id = $1`, PracticeID).Scan(&name); err != nil {
		return nil, fmt.Errorf("the practice's time zone: %w", err)
	}
	zone, ok := p.options.Zones.Load(name)
	if !ok {
		return nil, mistake("The practice's time zone does not exist.")
	}
	return zone, nil
}

// change moves a visit, or gives it another status.
func (p *Page) change(ctx context.Context, r *http.Request) (string, error) {
	id := r.PostFormValue("visit")
	if !isUUID(id) {
		return "", errGone
	}
	switch r.PostFormValue("do") {
	case "move":
		startsAt, err := p.formTime(ctx, r.PostFormValue("starts"))
		if err != nil {
			return "", err
		}
		return "Moved, and told rappel in the same transaction.", p.desk.move(ctx, id, startsAt)
	case "missed":
		return "Marked missed, and told rappel in the same transaction.",
			p.desk.turn(ctx, id, kind.Missed, schedule.StatusMissed, byRow)
	case "confirm":
		return "Confirmed, and told rappel by a task.", p.desk.turn(ctx, id, kind.Confirmed, schedule.StatusConfirmed, byTask)
	case "cancel":
		return "Cancelled, and told rappel by a task.", p.desk.turn(ctx, id, kind.Cancelled, schedule.StatusCancelled, byTask)
	}
	return "", errButton
}
