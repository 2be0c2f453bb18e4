package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
	"rappel/jobs/plan"
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

// A scene is what is known when something is decided, and when that is.
type scene struct {
	s   *practice.Snapshot
	now time.Time
}

// visit is Ann's, on December 10 at 15:00 in New York, booked on December 1. She
// wants both channels, and her mother is told everything as well.
func visit(t *testing.T) *scene {
	t.Helper()
	c := &scene{
		now: at(t, "2026-12-01T12:00:00-05:00"),
		s: &practice.Snapshot{
			Zones: zoneinfo.Embedded(),
			Practice: practice.Practice{
				ID: "p", Name: "Elm Street", TimeZone: "America/New_York", Country: "US", Active: true,
				SMSWindow: schedule.Window{Opens: &schedule.Clock{Hour: 8}, Closes: &schedule.Clock{Hour: 21}},
			},
			Appointment: &practice.Appointment{ID: "a", Status: schedule.StatusScheduled, Notify: true, Revision: new(int64(3)), ServiceName: "Therapy"},
			Client: recipients.Client{
				ID: "ann", FirstName: "Ann", LastName: "Lee", Email: "ann@example.com", Phone: "(201) 555-0101", Method: "both",
				ReceivesReminders: true, ReceivesConfirmations: true, ReceivesScheduled: true,
			},
			Contacts: []recipients.Contact{{
				ID: "mum", FirstName: "Mary", Email: "mum@example.com",
				ReceivesReminders: true, ReceivesConfirmations: true, ReceivesScheduled: true,
			}},
		},
	}
	c.start(t, "2026-12-10T15:00:00-05:00")
	c.set(t, "2026-12-01T12:00:00-05:00")
	return c
}

// start sets when the visit begins; it lasts 50 minutes.
func (c *scene) start(t *testing.T, s string) {
	t.Helper()
	c.s.Appointment.StartsAt = at(t, s)
	c.s.Appointment.EndsAt = at(t, s).Add(50 * time.Minute)
}

// set sets when the visit was booked.
func (c *scene) set(t *testing.T, s string) {
	t.Helper()
	c.s.Appointment.BookedAt, c.s.Appointment.StartSetAt = at(t, s), at(t, s)
}

// smsOnly leaves Ann alone, who wants SMS.
func (c *scene) smsOnly() {
	c.s.Client.Method, c.s.Contacts = "sms", nil
}

// story writes a decision for people: its outcome, then each candidate, with
// the span in which a message may go, in New York's time.
func story(t *testing.T, d plan.Decision) []string {
	t.Helper()
	zone, ok := zoneinfo.Embedded().Load("America/New_York")
	if !ok {
		t.Fatal("no zone America/New_York")
	}
	const clock = "Jan 2 15:04:05"
	lines := []string{string(d.Outcome)}
	for _, c := range d.Candidates {
		if !c.Send {
			lines = append(lines, fmt.Sprintf("%s by %s: %s", c.ID, c.Channel, join(c.Reasons)))
		}
	}
	for _, n := range d.Notifications {
		who := n.ContactID
		if who == "" {
			who = "client"
		}
		lines = append(lines, fmt.Sprintf("to %s by %s at %s, from %s until %s",
			who, n.Channel, n.Address.Reveal(), n.NotBefore.In(zone).Format(clock), n.NotAfter.In(zone).Format(clock)))
	}
	return lines
}

func join(reasons []recipients.Reason) string {
	var words []string
	for _, r := range reasons {
		words = append(words, string(r))
	}
	return strings.Join(words, " ")
}

// told is one sentence about an event: what is changed in the scene, and what
// is decided. An empty story means that it waits.
type told struct {
	event  plan.Event
	change func(*testing.T, *scene)
	want   []string
}

func event(k kind.Kind) plan.Event { return plan.Event{ID: "e", Kind: k, AppointmentID: "a"} }

func unchanged(*testing.T, *scene) {}

func checkEvents(t *testing.T, cases map[string]told) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := visit(t)
			c.change(t, s)
			c.event.OccurredAt = s.now.Add(-time.Minute)
			var got []string
			if d, ok := plan.DecideEvent(c.event, s.s, s.now); ok {
				got = story(t, d)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnEventIsToldAtOnceAndUntilTheStart(t *testing.T) {
	t.Parallel()
	status := func(s schedule.Status) func(*testing.T, *scene) {
		return func(_ *testing.T, c *scene) { c.s.Appointment.Status = s }
	}
	all := []string{
		"notify",
		"to client by email at ann@example.com, from Dec 1 12:00:00 until Dec 10 15:00:00",
		"to client by sms at +12015550101, from Dec 1 12:00:00 until Dec 10 15:00:00",
		"to mum by email at mum@example.com, from Dec 1 12:00:00 until Dec 10 15:00:00",
	}
	// The contact has no phone: the story tells those who are not told first.
	mumHasNoPhone := func(lines []string) []string {
		return append([]string{lines[0], "mum by sms: no_address"}, lines[1:]...)
	}
	nobody := func(reason string) []string {
		return []string{
			"skipped", "ann by email: " + reason, "ann by sms: " + reason, "mum by email: " + reason,
			"mum by sms: no_address " + reason,
		}
	}
	checkEvents(t, map[string]told{
		"booked":                            {event(kind.Booked), unchanged, mumHasNoPhone(all)},
		"confirmed":                         {event(kind.Confirmed), status(schedule.StatusConfirmed), mumHasNoPhone(all)},
		"rescheduled":                       {event(kind.Rescheduled), unchanged, mumHasNoPhone(all)},
		"cancelled":                         {event(kind.Cancelled), status(schedule.StatusCancelled), mumHasNoPhone(all)},
		"declined":                          {event(kind.Declined), status(schedule.StatusDeclined), mumHasNoPhone(all)},
		"booked, but only requested so far": {event(kind.Booked), status(schedule.StatusRequested), nobody("not_confirmed")},
		"booked, and cancelled by now":      {event(kind.Booked), status(schedule.StatusCancelled), nobody("cancelled")},
		"cancelled, and taken back by now":  {event(kind.Cancelled), status(schedule.StatusScheduled), nobody("superseded")},
		"a telehealth link without one":     {event(kind.TelehealthLink), unchanged, nobody("status")},
		"a telehealth link": {event(kind.TelehealthLink), func(_ *testing.T, c *scene) {
			c.s.Appointment.TelehealthURL = "https://meet.example.com/a"
		}, mumHasNoPhone(all)},
		"the visit began a second ago": {event(kind.Booked), func(_ *testing.T, c *scene) {
			c.now = c.s.Appointment.StartsAt.Add(time.Second)
		}, nobody("past")},
		"a cancellation of what is over tells nobody": {event(kind.Cancelled), func(_ *testing.T, c *scene) {
			c.s.Appointment.Status, c.now = schedule.StatusCancelled, c.s.Appointment.EndsAt
		}, nobody("past")},
		"the practice's zone does not exist": {event(kind.Booked), func(_ *testing.T, c *scene) { c.s.Practice.TimeZone = "" }, nobody("bad_zone")},
		"the appointment's switch is off":    {event(kind.Booked), func(_ *testing.T, c *scene) { c.s.Appointment.Notify = false }, nobody("notify_off")},
		"at night as well: the window is for reminders": {event(kind.Booked), func(t *testing.T, c *scene) {
			t.Helper()
			c.smsOnly()
			c.now = at(t, "2026-12-02T03:00:00-05:00")
		}, []string{"notify", "to client by sms at +12015550101, from Dec 2 03:00:00 until Dec 10 15:00:00"}},
		"every flag is off": {event(kind.Booked), func(_ *testing.T, c *scene) {
			c.s.Client.ReceivesConfirmations, c.s.Contacts[0].ReceivesConfirmations = false, false
		}, []string{"silenced", "ann by email: flag_off", "ann by sms: flag_off", "mum by email: flag_off", "mum by sms: flag_off no_address"}},
		"nobody can be reached": {event(kind.Booked), func(_ *testing.T, c *scene) {
			c.s.Client.Method, c.s.Client.Phone = "sms", "555"
		}, []string{"unreachable", "ann by sms: invalid_address", "mum by sms: no_address"}},
		"missed, for a day after it happened": {event(kind.Missed), func(t *testing.T, c *scene) {
			t.Helper()
			c.smsOnly()
			c.s.Appointment.Status, c.now = schedule.StatusMissed, at(t, "2026-12-10T16:00:00-05:00")
		}, []string{"notify", "to client by sms at +12015550101, from Dec 10 16:00:00 until Dec 11 15:59:00"}},
	})
}

func TestANoticeGoesToThePersonAddressed(t *testing.T) {
	t.Parallel()
	notice := func(k kind.Kind, contact string) plan.Event {
		return plan.Event{ID: "e", Kind: k, ClientID: "ann", ContactID: contact}
	}
	beside := func(change func(*scene)) func(*testing.T, *scene) {
		return func(_ *testing.T, c *scene) {
			c.s.Appointment, c.s.Client.Method = nil, "email"
			change(c)
		}
	}
	const toMum = "to mum by email at mum@example.com, from Dec 1 12:00:00 until Dec 2 11:59:00"
	const toAnn = "to client by email at ann@example.com, from Dec 1 12:00:00 until Dec 2 11:59:00"
	checkEvents(t, map[string]told{
		"a form to a contact":             {notice(kind.FormSent, "mum"), beside(func(*scene) {}), []string{"notify", toMum}},
		"a form to the client":            {notice(kind.FormSent, ""), beside(func(*scene) {}), []string{"notify", toAnn}},
		"a message without the right":     {notice(kind.PortalMessage, "mum"), beside(func(*scene) {}), []string{"silenced", "mum by email: flag_off"}},
		"a contact who is not linked":     {notice(kind.FormSent, "dad"), beside(func(*scene) {}), []string{"silenced", "dad by email: flag_off"}},
		"an estimate is for the client":   {notice(kind.EstimateIssued, ""), beside(func(*scene) {}), []string{"notify", "mum by email: flag_off", toAnn}},
		"an invoice to who pays":          {notice(kind.InvoiceIssued, ""), beside(func(c *scene) { c.s.Contacts[0].CanManageBilling = true }), []string{"notify", toAnn, toMum}},
		"an unknown zone is no obstacle":  {notice(kind.FormSent, ""), beside(func(c *scene) { c.s.Practice.TimeZone = "" }), []string{"notify", toAnn}},
		"none for a client in an archive": {notice(kind.FormSent, ""), beside(func(c *scene) { c.s.Client.Archived = true }), []string{"skipped", "ann by email: client_archived"}},
	})
}

func TestAnEventThatCannotBeAnsweredIsKeptWithItsReason(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		event  plan.Event
		there  bool
		waits  bool
		detail string
	}{
		"a kind that nobody knows":        {plan.Event{Kind: "appointment.eaten", AppointmentID: "a"}, true, false, "unknown kind"},
		"no kind":                         {plan.Event{AppointmentID: "a"}, true, false, "unknown kind"},
		"a kind that rules make":          {plan.Event{Kind: kind.Reminder, AppointmentID: "a"}, true, false, "made by rules"},
		"no appointment":                  {plan.Event{Kind: kind.Booked, ClientID: "ann"}, true, false, "appointment_id is missing"},
		"a notice without a client":       {plan.Event{Kind: kind.FormSent, AppointmentID: "a"}, true, false, "client_id is missing"},
		"an appointment not there yet":    {plan.Event{Kind: kind.Booked, AppointmentID: "a"}, false, true, ""},
		"an appointment that never comes": {plan.Event{Kind: kind.Booked, AppointmentID: "a", Stale: true}, false, false, "status"},
		"a client that never comes":       {plan.Event{Kind: kind.FormSent, ClientID: "ann", Stale: true}, false, false, "status"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := visit(t)
			if !c.there {
				s.s = nil
			}
			d, ok := plan.DecideEvent(c.event, s.s, s.now)
			if ok == c.waits {
				t.Errorf("waits: %t", !ok)
			}
			if !c.waits && (d.Outcome != recipients.Skipped || !strings.Contains(d.Detail, c.detail) || len(d.Notifications) > 0) {
				t.Errorf("%s (%q) and %d notifications", d.Outcome, d.Detail, len(d.Notifications))
			}
		})
	}
}

func TestADecisionNotesWhatItIsAbout(t *testing.T) {
	t.Parallel()
	s := visit(t)
	d, _ := plan.DecideEvent(event(kind.Booked), s.s, s.now)
	d.Candidates, d.Notifications = nil, nil
	want := plan.Decision{
		PracticeID: "p", ClientID: "ann", AppointmentID: "a", EventID: "e", Kind: kind.Booked, Revision: new(int64(3)),
		StartsAt: s.s.Appointment.StartsAt, DecidedAt: s.now, Outcome: recipients.Notify,
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	candidates, err := d.CandidatesJSON()
	if string(candidates) != "[]" || err != nil {
		t.Errorf("no candidates are %s, %v", candidates, err)
	}
}

func TestCandidatesAreKeptWithoutAddressOrName(t *testing.T) {
	t.Parallel()
	s := visit(t)
	d, _ := plan.DecideEvent(event(kind.Booked), s.s, s.now)
	got, err := d.CandidatesJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"recipient":"client","id":"ann","channel":"email","outcome":"send","reasons":[]},` +
		`{"recipient":"client","id":"ann","channel":"sms","outcome":"send","reasons":[]},` +
		`{"recipient":"contact","id":"mum","channel":"email","outcome":"send","reasons":[]},` +
		`{"recipient":"contact","id":"mum","channel":"sms","outcome":"skip","reasons":["no_address"]}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
