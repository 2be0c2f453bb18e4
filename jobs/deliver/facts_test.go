package deliver_test

import (
	"fmt"
	"testing"
	"time"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v.UTC()
}

func address(t *testing.T, c recipients.Channel, raw string) recipients.Address {
	t.Helper()
	a, err := recipients.ParseAddress(c, raw, "US")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A scene is a claimed notification, what is known when it is ruled on, and
// when that is.
type scene struct {
	n    deliver.Notification
	s    *practice.Snapshot
	now  time.Time
	rows []row
}

// reminder is an SMS that reminds Ann, a client in New York who wants SMS, of
// her visit on December 10 at 15:00, a day ahead and at its proper time.
func reminder(t *testing.T) *scene {
	t.Helper()
	starts := at(t, "2026-12-10T15:00:00-05:00")
	return &scene{
		now: starts.Add(-24 * time.Hour),
		n: deliver.Notification{
			ID: "n", PracticeID: "p", ClientID: "ann", AppointmentID: "a", Kind: kind.Reminder, RuleID: "r",
			Rule:    &schedule.Rule{ID: "r", Kind: kind.Reminder, Anchor: schedule.AnchorStart},
			Channel: recipients.SMS, Address: address(t, recipients.SMS, "+12015550101"),
			Template: "appointment.reminder", StartsAt: starts, NotBefore: starts.Add(-24 * time.Hour), NotAfter: starts, Attempts: 1,
		},
		s: &practice.Snapshot{
			Zones: zoneinfo.Embedded(),
			Practice: practice.Practice{
				ID: "p", Name: "Elm Street", TimeZone: "America/New_York", Country: "US", Email: "desk@elm.example.com", Active: true,
				SMSWindow: schedule.Window{Opens: &schedule.Clock{Hour: 8}, Closes: &schedule.Clock{Hour: 21}},
			},
			Appointment: &practice.Appointment{
				ID: "a", StartsAt: starts, EndsAt: starts.Add(50 * time.Minute), Status: schedule.StatusScheduled, Notify: true,
				Revision: new(int64(1)), BookedAt: starts.Add(-240 * time.Hour), StartSetAt: starts.Add(-240 * time.Hour),
				TelehealthURL: "https://meet.example.com/a",
			},
			Client: recipients.Client{
				ID: "ann", FirstName: "Ann", LastName: "Lee", Email: "ann@example.com", Phone: "(201) 555-0101", Method: "sms",
				ReceivesReminders: true, ReceivesConfirmations: true, ReceivesScheduled: true,
			},
			Contacts: []recipients.Contact{{
				ID: "mum", FirstName: "Mary", LastName: "Lee", Email: "mum@example.com", Phone: "+12015550102",
				ReceivesReminders: true, ReceivesConfirmations: true, ReceivesScheduled: true,
			}},
		},
	}
}

// event turns the scene into one of a message about an event.
func (s *scene) event(k kind.Kind) {
	s.n.RuleID, s.n.Rule = "", nil
	s.n.Kind, s.n.Template = k, string(k)
}

// byEmail lets Ann want e-mail, and the message be one.
func (s *scene) byEmail(t *testing.T) {
	t.Helper()
	s.s.Client.Method = "email"
	s.n.Channel, s.n.Address = recipients.Email, address(t, recipients.Email, "ann@example.com")
}

// toMum turns the message into the one to Ann's mother.
func (s *scene) toMum(t *testing.T) {
	t.Helper()
	s.n.ContactID, s.n.Address = "mum", address(t, recipients.SMS, "+12015550102")
}

// start moves start, end and the moment of the ruling, so that the visit
// begins at one time and is ruled on at another.
func (s *scene) start(t *testing.T, starts, now string) {
	t.Helper()
	s.n.StartsAt, s.n.NotAfter = at(t, starts), at(t, starts)
	s.s.Appointment.StartsAt, s.s.Appointment.EndsAt = at(t, starts), at(t, starts).Add(time.Hour)
	s.s.Appointment.BookedAt, s.s.Appointment.StartSetAt = at(t, starts).Add(-240*time.Hour), at(t, starts).Add(-240*time.Hour)
	s.now = at(t, now)
}

// verdict writes a ruling for people.
func verdict(r deliver.Ruling) string {
	switch {
	case r.Send != nil:
		return fmt.Sprintf("send to %s", r.Send.To.Reveal())
	case r.Close != "":
		return fmt.Sprintf("%s: %s", r.Close, r.Reason)
	default:
		return "wait until " + r.Until.UTC().Format(time.RFC3339)
	}
}
