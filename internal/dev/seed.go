package dev

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
)

//go:embed people.sql
var people string

// Ids of the sample practice. See people.sql.
const (
	PracticeID = idStem + "001"

	idStem = "0de00000-0000-7000-8000-000000000"

	okafor, whitfield = idStem + "011", idStem + "012"

	leo, mia, rosa     = idStem + "101", idStem + "102", idStem + "103"
	priya, tom, emma   = idStem + "104", idStem + "105", idStem + "106"
	james, noah, ella  = idStem + "107", idStem + "108", idStem + "109"
	firstBooking       = idStem + "901"
	practiceZone       = "America/New_York"
	weekendGroup       = "Weekend group"
	session            = "Session"
	meeting            = "https://meet.example.com/"
	manage             = "https://harborlane.example.com/visits/"
	location, street   = "Harbor Lane Practice", "12 Harbor Lane, Jersey City, NJ 07302"
	visitLasts         = 50 * time.Minute
	quarter            = 15 * time.Minute
	bookedLongAgo      = 10 * 24 * time.Hour
	reminderIsDueAfter = 70 * time.Second
)

// Seed writes the sample practice as it stands at now. It may run again, at any
// time: what is there stays as it is.
func Seed(ctx context.Context, databaseURL string, now time.Time) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("sample practice: %w", err)
	}
	defer conn.Close(ctx)
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, people); err != nil {
			return err
		}
		visits, err := sampleVisits(now)
		if err != nil {
			return err
		}
		for _, v := range visits {
			if _, err := insertVisit(ctx, tx, v); err != nil {
				return err
			}
		}
		return tellFirstBooking(ctx, tx, now)
	})
	if err != nil {
		return fmt.Errorf("sample practice: %w", err)
	}
	return nil
}

// A visit is an appointment to be written.
type visit struct {
	ID, ClientID, PractitionerID string
	Service                      string
	Telehealth                   bool
	StartsAt, BookedAt           time.Time
	Status                       schedule.Status
}

// sampleVisits has some reminders due at once and within two minutes, one visit
// that somebody missed, one that is only requested, one by video in another
// zone, and one after the next change of the clocks.
func sampleVisits(now time.Time) ([]visit, error) {
	zone, ok := zoneinfo.Embedded().Load(practiceZone)
	if !ok {
		return nil, fmt.Errorf("there is no time zone %s", practiceZone)
	}
	recent, long := now.Truncate(quarter), now.Add(-bookedLongAgo)
	soon := now.Add(reminderIsDueAfter).Truncate(time.Minute)
	on := func(days, hour, minute int) time.Time {
		y, m, d := now.In(zone).Date()
		return schedule.Local(y, m, d+days, schedule.Clock{Hour: hour, Minute: minute}, zone)
	}
	return []visit{
		{idStem + "501", james, whitfield, session, false, recent.Add(-75 * time.Minute), long, schedule.StatusScheduled},
		{idStem + "502", emma, okafor, session, true, recent.Add(2 * time.Hour), long, schedule.StatusConfirmed},
		{idStem + "503", priya, whitfield, session, false, soon.Add(2 * time.Hour), long, schedule.StatusConfirmed},
		{idStem + "504", leo, okafor, session, false, recent.Add(24 * time.Hour), long, schedule.StatusScheduled},
		{idStem + "505", tom, whitfield, session, false, recent.Add(25 * time.Hour), long, schedule.StatusScheduled},
		{idStem + "506", mia, okafor, session, false, on(2, 15, 30), now, schedule.StatusScheduled},
		{idStem + "507", rosa, okafor, session, false, on(4, 11, 0), long, schedule.StatusScheduled},
		{idStem + "508", priya, whitfield, session, true, on(6, 14, 0), long, schedule.StatusRequested},
		{idStem + "509", james, okafor, weekendGroup, false, clockChange(now, zone), long, schedule.StatusScheduled},
	}, nil
}

// clockChange returns ten in the morning of the next day on which the clocks of
// the zone change: then 24 hours before and 1 day before are an hour apart.
func clockChange(now time.Time, zone *time.Location) time.Time {
	const ten = 10
	_, changes := now.In(zone).ZoneBounds()
	if changes.IsZero() {
		changes = now.AddDate(0, 1, 0)
	}
	y, m, d := changes.In(zone).Date()
	at := schedule.Local(y, m, d, schedule.Clock{Hour: ten}, zone)
	if at.Before(now) {
		return clockChange(at, zone) // today, and ten has passed
	}
	return at
}

const insertVisitQuery = `
INSERT INTO rappel.appointments (id, practice_id, client_id, practitioner_id, service_name,
	location_name, location_address, telehealth_url, manage_url,
	starts_at, ends_at, status, booked_at, updated_at, start_set_at)
SELECT v.id, '` + PracticeID + `', $2, $3, $4,
	CASE WHEN NOT $5 THEN $6 END, CASE WHEN NOT $5 THEN $7 END, CASE WHEN $5 THEN $8 || right(v.id::text, 6) END, $9 || right(v.id::text, 6),
	$10, $11, $12, $13, $13, $13
FROM (SELECT coalesce($1::uuid, rappel.uuid_v7())) AS v (id)
ON CONFLICT DO NOTHING
RETURNING id`

// insertVisit writes a visit and returns its id: the one it has, or a new one.
// It is empty where a visit of that id is there already.
func insertVisit(ctx context.Context, tx pgx.Tx, v visit) (id string, err error) {
	var given *string
	if v.ID != "" {
		given = &v.ID
	}
	err = tx.QueryRow(ctx, insertVisitQuery, given, v.ClientID, v.PractitionerID, v.Service, v.Telehealth,
		location, street, meeting, manage, v.StartsAt, v.StartsAt.Add(visitLasts), string(v.Status), v.BookedAt).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// tellFirstBooking reports Mia's visit, which was booked just now.
func tellFirstBooking(ctx context.Context, tx pgx.Tx, now time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO rappel.events (id, kind, appointment_id, occurred_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT DO NOTHING`, firstBooking, string(kind.Booked), idStem+"506", now)
	return err
}
