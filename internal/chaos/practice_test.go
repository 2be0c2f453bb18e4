package chaos_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A practice is the main app's side of a trial: it writes its tables, and goes
// on trying where the database is away, as a main app would.
type practice struct {
	db     *pgxpool.Pool
	people *people
	dice   *dice
}

// Before a visit starts, people are reminded by one of two rules.
func leads() []time.Duration { return []time.Duration{24 * time.Hour, 2 * time.Hour} }

// longAgo is when everything that is there at the beginning was written.
func longAgo() time.Time { return time.Now().Add(-72 * time.Hour).Truncate(time.Second) }

// open writes practices and people. SMS may go at any hour: who gets what in
// which window is the business of other tests.
func (p *practice) open(ctx context.Context, t *testing.T) {
	t.Helper()
	zones := []string{"America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney"}
	var b pgx.Batch
	for i, id := range p.people.practices {
		b.Queue(`INSERT INTO rappel.practices (id, name, time_zone, phone, email, sms_opens, sms_closes)
			VALUES ($1, $2, $3, '+12015550100', 'desk@practice.example.com', NULL, NULL)`,
			id, fmt.Sprintf("Practice %d", i+1), zones[i%len(zones)])
		for _, lead := range leads() {
			b.Queue(`INSERT INTO rappel.rules (id, practice_id, kind, name, offset_minutes, template, updated_at)
				VALUES ($1, $2, 'reminder', 'before', $3, 'chaos.reminder', $4)`, newID(), id, -int(lead/time.Minute), longAgo())
		}
	}
	for _, channel := range []string{"sms", "email"} {
		b.Queue(`INSERT INTO rappel.templates (id, name, channel, subject, body) VALUES ($1, 'chaos.reminder', $2, 'A reminder',
			'Dear [RecipientFirstName], [ClientName] is with us on [AppointmentDate] at [AppointmentTime]. [PracticeName]')`, newID(), channel)
	}
	for _, c := range p.people.contacts {
		b.Queue(`INSERT INTO rappel.contacts (id, practice_id, first_name, last_name, phone, email) VALUES ($1, $2, $3, $4, $5, $6)`,
			c.id, c.practice, p.people.first(), rareLast, orNull(c.address("sms")), orNull(c.address("email")))
	}
	for _, c := range p.people.clients {
		b.Queue(`INSERT INTO rappel.clients (id, practice_id, first_name, last_name, phone, email, preferred_method,
			receives_reminders, receives_confirmations, do_not_contact) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			c.id, c.practice, p.people.first(), rareLast, orNull(c.address("sms")), orNull(c.address("email")), c.method,
			c.reminders, c.confirmations, c.silent)
		for i, l := range c.contacts {
			b.Queue(`INSERT INTO rappel.client_contacts (client_id, contact_id, position, receives_reminders, receives_confirmations)
				VALUES ($1, $2, $3, $4, $5)`, c.id, l.id, i, l.reminders, l.confirmations)
		}
	}
	for number := range p.people.optedOut {
		b.Queue(`INSERT INTO rappel.opt_outs (channel, address, source) VALUES ('sms', $1, 'chaos')`, number)
	}
	if err := p.db.SendBatch(ctx, &b).Close(); err != nil {
		t.Fatal(err)
	}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// write runs one transaction until it is known to have been committed. What it
// writes must bear being written twice.
func (p *practice) write(ctx context.Context, do func(ctx context.Context, tx pgx.Tx) error) error {
	for {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := pgx.BeginFunc(try, p.db, func(tx pgx.Tx) error { return do(try, tx) })
		cancel()
		if err == nil {
			return nil
		}
		if !wait(ctx, 100*time.Millisecond) {
			return err
		}
	}
}

// fuss changes what messages are made of: names, texts, an address. Under one
// key people must read the same all the same.
func (p *practice) fuss(ctx context.Context) error {
	client, practice := one(p.dice, p.people.clients), one(p.dice, p.people.practices)
	contact := one(p.dice, p.people.contacts)
	name, label, what := p.people.first(), fmt.Sprintf("Practice %d", p.dice.below(1000)), p.dice.below(4)
	to := p.people.email()
	if what == 3 && len(contact.emails) > 0 {
		contact.emails = append(contact.emails, to) // before the database has it: either will do
	}
	return p.write(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		switch what {
		case 0:
			_, err = tx.Exec(ctx, `UPDATE rappel.clients SET first_name = $2 WHERE id = $1`, client.id, name)
		case 1:
			_, err = tx.Exec(ctx, `UPDATE rappel.practices SET name = $2 WHERE id = $1`, practice, label)
		case 2:
			_, err = tx.Exec(ctx, `UPDATE rappel.templates SET version = version + 1, updated_at = now(),
				body = 'Hello [RecipientFirstName]. '||$1||' expects [ClientName]: [AppointmentDate], [AppointmentTime].'`, label)
		case 3:
			_, err = tx.Exec(ctx, `UPDATE rappel.contacts SET email = $2 WHERE id = $1 AND email IS NOT NULL`, contact.id, to)
		}
		return err
	})
}
