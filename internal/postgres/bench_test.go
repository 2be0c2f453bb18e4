package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"rappel/internal/postgres"
	"rappel/internal/practice"
	"rappel/internal/testenv"
	"rappel/jobs/plan"
)

// orNull is the pointer that columns take for a value that may be missing.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// BenchmarkColumns collects and encodes a hundred rows of the ledger's sort.
func BenchmarkColumns(b *testing.B) {
	const rows = 100
	ids := make([]string, rows)
	for i := range ids {
		ids[i] = newID()
	}
	types := []uint32{
		pgtype.UUIDArrayOID, pgtype.UUIDArrayOID, pgtype.UUIDArrayOID, pgtype.TextArrayOID, pgtype.TextArrayOID,
		pgtype.Int8ArrayOID, pgtype.TimestamptzArrayOID, pgtype.TimestamptzArrayOID, pgtype.BoolArrayOID,
	}
	m, at := pgtype.NewMap(), noon()
	postgres.RegisterIDs(m)
	b.ReportAllocs()
	for b.Loop() {
		c := postgres.ColumnsOf(rows)
		for _, id := range ids {
			c.Add(id, orNull(id), orNull(""), "appointment.booked", orNull("+12015550101"), 7, at, (*time.Time)(nil), true)
		}
		if _, err := c.Encode(m, types); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSnapshots reads what bears on a hundred visits, each of a client with
// two contacts: all that planning a rule does before it decides.
func BenchmarkSnapshots(b *testing.B) {
	const visits = 100
	url := testenv.Database(b, migrate)
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	if _, err := conn.Exec(b.Context(), hundreds); err != nil {
		b.Fatal(err)
	}
	rows, _ := conn.Query(b.Context(), `SELECT id FROM rappel.appointments ORDER BY id LIMIT $1`, visits)
	due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d plan.Due, err error) {
		return d, row.Scan(&d.AppointmentID)
	})
	if err != nil {
		b.Fatal(err)
	}
	store, err := postgres.Open(b.Context(), url, 2)
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	b.ReportAllocs()
	for b.Loop() {
		read := 0
		if _, err := store.PlanRules(b.Context(), due, func(plan.Rule, *practice.Snapshot) (plan.Decision, bool) {
			read++
			return plan.Decision{}, false
		}); err != nil || read != visits {
			b.Fatal(read, err)
		}
	}
}

// hundreds writes a practice of a thousand clients with a visit and two
// contacts each.
const hundreds = `
	INSERT INTO rappel.practices (id, name, time_zone) VALUES (rappel.uuid_v7(), 'Elm Street', 'America/New_York');
	CREATE TEMP TABLE people AS
		SELECT n, rappel.uuid_v7() AS id, rappel.uuid_v7() AS mother, rappel.uuid_v7() AS father, p.id AS practice_id
		FROM generate_series(1, 1000) n, rappel.practices p;
	INSERT INTO rappel.clients (id, practice_id, first_name, last_name, phone, email, preferred_method)
		SELECT id, practice_id, 'Ann', 'Lee', '+1201555' || 1000 + n, 'ann' || n || '@example.com', 'sms' FROM people;
	INSERT INTO rappel.contacts (id, practice_id, first_name, last_name, phone)
		SELECT mother, practice_id, 'Mia', 'Lee', '(201) 556-' || 1000 + n FROM people
		UNION ALL SELECT father, practice_id, 'Ben', 'Lee', '+1201557' || 1000 + n FROM people;
	INSERT INTO rappel.client_contacts (client_id, contact_id, relationship)
		SELECT id, mother, 'Mother' FROM people UNION ALL SELECT id, father, 'Father' FROM people;
	INSERT INTO rappel.appointments (id, practice_id, client_id, starts_at, ends_at)
		SELECT rappel.uuid_v7(), practice_id, id, now() + interval '1 week', now() + interval '169 hours' FROM people;
	ANALYZE`
