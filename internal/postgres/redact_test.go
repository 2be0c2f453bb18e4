package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rappel/internal/kind"
	"rappel/internal/postgres"
	"rappel/internal/practice"
	"rappel/jobs/deliver"
	"rappel/jobs/plan"
	"rappel/jobs/reply"
	"rappel/recipients"
	"rappel/templates"
)

// TestNoErrorShowsAValueOfARow provokes what PostgreSQL quotes rows for.
func TestNoErrorShowsAValueOfARow(t *testing.T) {
	t.Parallel()
	planning := func(change func(*plan.Decision)) func(*world) error {
		return func(w *world) error {
			w.event("appointment.booked", w.visit(w.client(), noon().AddDate(0, 0, 7), nil))
			_, _, err := w.PlanEvents(w.t.Context(), 10, func(e plan.Event, s *practice.Snapshot) (plan.Decision, bool) {
				d, ok := decide(e, s)
				change(&d)
				return d, ok
			})
			return err
		}
	}
	claiming := func(body string) func(*world) error {
		return func(w *world) error {
			_, err := w.Claim(w.t.Context(), w.notifications(1), deliver.Terms{Now: noon(), Lease: time.Minute}, func(n deliver.Notification, s *practice.Snapshot, rows []templates.Source) deliver.Ruling {
				r := send(n, s, rows)
				r.Send.Text.Body = body
				return r
			})
			return err
		}
	}
	view := func(columns string) func(*world) error {
		return func(w *world) error {
			w.event("appointment.booked", w.visit(w.client(), noon().AddDate(0, 0, 7), nil))
			w.exec(`ALTER TABLE rappel.clients RENAME TO people`)
			w.exec(`CREATE FUNCTION rappel.complain(who text) RETURNS text LANGUAGE plpgsql AS
				$$ BEGIN RAISE EXCEPTION '% has no phone', who USING DETAIL = who, HINT = who; END $$`)
			w.exec(`CREATE VIEW rappel.clients AS SELECT id, practice_id, first_name, last_name, preferred_name, email, ` + columns + `,
				preferred_method, time_zone, locale, receives_reminders, receives_confirmations, receives_scheduled, do_not_contact, archived_at
				FROM rappel.people`)
			_, _, err := w.PlanEvents(w.t.Context(), 10, decide)
			return err
		}
	}
	lying := func(w *world) error {
		w.event("appointment.booked", w.visit(w.client(), noon().AddDate(0, 0, 7), nil))
		w.exec(`CREATE FUNCTION rappel.lie() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'no good: %', NEW USING ERRCODE = 'check_violation'; END $$`)
		w.exec(`CREATE TRIGGER lie BEFORE INSERT ON rappel.notifications FOR EACH ROW EXECUTE FUNCTION rappel.lie()`)
		_, _, err := w.PlanEvents(w.t.Context(), 10, decide)
		return err
	}
	cases := map[string]func(*world) error{
		"a trigger that raises another's code": lying,
		"a check of the ledger":                planning(func(d *plan.Decision) { d.Notifications[0].Channel = "Ann" }),
		"a row told twice":                     planning(func(d *plan.Decision) { d.Notifications = append(d.Notifications, d.Notifications[0]) }),
		"an outcome that is none": planning(func(d *plan.Decision) {
			d.Outcome = "Ann"
		}),
		"a text that no database can hold": claiming("Dear Ann\x00"),
		"bytes that are no text":           claiming("Dear Ann\xff"),
		"a number that is none":            view(`(first_name::int)::text AS phone`),
		"a time that is none":              view(`(email::timestamptz)::text AS phone`),
		"an id that is none":               view(`(first_name::uuid)::text AS phone`),
		"a JSON that is none":              view(`(first_name::json)::text AS phone`),
		"a view that complains":            view(`rappel.complain(first_name || ' ' || email) AS phone`),
		"an id of an event that is none": func(w *world) error {
			_, err := w.AddEvents(w.t.Context(), []plan.Event{{ID: "Ann Lee", Kind: kind.Booked, OccurredAt: noon()}})
			return err
		},
		"an id that is as long as a URN": func(w *world) error {
			_, err := w.AddEvents(w.t.Context(), []plan.Event{{ID: "Ann Lee, the mother of two, of 12 Elm Street.", Kind: kind.Booked, OccurredAt: noon()}})
			return err
		},
		"an id of a notification that is none": func(w *world) error {
			_, err := w.Claim(w.t.Context(), []string{"Ann Lee"}, deliver.Terms{Now: noon(), Lease: time.Minute}, send)
			return err
		},
		"a reply that is none": func(w *world) error {
			in := reply.Inbound{CarrierID: "Ann", From: numberOf(w.t, mobile), Text: reply.WordsOf("Lee, ann@example.com")}
			_, _, err := w.KeepReply(w.t.Context(), in, noon(), func(in reply.Inbound, _ []reply.Sent) reply.Reply {
				return reply.Reply{Inbound: in, Meaning: "Ann"}
			})
			return err
		},
		"a scope that is none": func(w *world) error {
			in := reply.Inbound{CarrierID: "Ann", From: numberOf(w.t, mobile), Text: reply.WordsOf("Lee, ann@example.com")}
			_, _, err := w.KeepReply(w.t.Context(), in, noon(), func(in reply.Inbound, _ []reply.Sent) reply.Reply {
				return reply.Reply{Inbound: in, Meaning: reply.OptOut, Scope: []string{"Ann Lee"}}
			})
			return err
		},
		"an id of a reply that is none": func(w *world) error {
			_, err := w.RecordReply(w.t.Context(), newID(), reply.Outcome{ReplyID: "Ann Lee", Result: reply.Posted})
			return err
		},
		"an id of a claim that is none": func(w *world) error {
			_, err := w.Record(w.t.Context(), "Ann Lee", []deliver.Outcome{{ID: newID(), Status: deliver.Sent, At: noon()}})
			return err
		},
	}
	for name, provoke := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := provoke(newWorld(t))
			if err == nil {
				t.Fatal("no error")
			}
			for _, private := range []string{"Ann", "Lee", "ann@", "5550101"} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("shows %q: %v", private, err)
				}
			}
		})
	}
}

func TestAnErrorOfTheServerSaysWhereItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.event("appointment.booked", w.visit(w.client(), noon().AddDate(0, 0, 7), nil))
	_, _, err := w.PlanEvents(t.Context(), 10, func(e plan.Event, s *practice.Snapshot) (plan.Decision, bool) {
		d, ok := decide(e, s)
		d.Notifications[0].Channel = "pigeon"
		return d, ok
	})
	server, ok := errors.AsType[*postgres.ServerError](err)
	if !ok || server.Code != "23514" || server.Table != "notifications" || !strings.Contains(err.Error(), "SQLSTATE 23514, table notifications") {
		t.Errorf("error %v", err)
	}
}

// TestAnAddressThatSomebodyWroteByHandIsNoError has the ledger hold what no
// planner puts there.
func TestAnAddressThatSomebodyWroteByHandIsNoError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.notifications(1)
	w.exec(`UPDATE rappel.notifications SET address = 'ask Ann'`)
	c, err := w.Claim(t.Context(), ids, deliver.Terms{Now: noon(), Lease: time.Minute}, func(n deliver.Notification, _ *practice.Snapshot, _ []templates.Source) deliver.Ruling {
		if n.Address != (recipients.Address{}) {
			t.Errorf("address %s", n.Address)
		}
		return deliver.Ruling{Until: noon()}
	})
	if err != nil || len(c.Waiting) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}
