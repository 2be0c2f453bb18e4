package practice_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
	"rappel/recipients"
	"rappel/templates"
)

// snapshot is Ann's visit in New York, by telehealth, to a practice there.
func snapshot() *practice.Snapshot {
	starts := time.Date(2026, time.December, 10, 20, 0, 0, 0, time.UTC)
	return &practice.Snapshot{
		Zones: zoneinfo.Embedded(),
		Practice: practice.Practice{
			ID: "p", Name: "Elm Street", TimeZone: "America/New_York", Country: "US", Phone: "+12015550100", Email: "desk@elm.example.com",
			Locale: "en-GB", Active: true,
		},
		Appointment: &practice.Appointment{
			ID: "a", PractitionerName: "Dr. Rivera", ServiceName: "Therapy", LocationName: "Room 5", LocationAddress: "5 Elm Street",
			TelehealthURL: "https://meet.example.com/a", ManageURL: "https://app.example.com/a", StartsAt: starts, EndsAt: starts.Add(time.Hour),
			Status: schedule.StatusScheduled, Notify: true, Revision: new(int64(1)), BookedAt: starts.AddDate(0, -1, 0), StartSetAt: starts.AddDate(0, 0, -7),
		},
		Client: recipients.Client{
			ID: "ann", FirstName: "Annabel", PreferredName: "Ann", LastName: "Lee", Email: "ann@example.com", Method: "email",
			ReceivesReminders: true, ReceivesConfirmations: true, ReceivesScheduled: true,
		},
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, ok := zoneinfo.Embedded().Load(name)
	if !ok {
		t.Fatalf("no zone %s", name)
	}
	return z
}

func TestTheZoneIsTheVisitsOwnOrThePractices(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ visit, practice, want string }{
		"its own":                          {"Asia/Tokyo", "America/New_York", "Asia/Tokyo"},
		"none of its own":                  {"", "America/New_York", "America/New_York"},
		"one that does not exist":          {"Mars/Olympus", "America/New_York", "America/New_York"},
		"its own, the practice's does not": {"Asia/Tokyo", "Mars/Olympus", "Asia/Tokyo"},
		"neither exists":                   {"Mars/Olympus", "Moon/Mare", ""},
		"never the machine's":              {"Local", "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := snapshot()
			s.Appointment.TimeZone, s.Practice.TimeZone = c.visit, c.practice
			visit, ok := s.Visit()
			if ok != (c.want != "") || (ok && visit.Zone.String() != c.want) {
				t.Errorf("%v, %t", visit.Zone, ok)
			}
			against := s.EventAgainst(kind.Booked, visit.StartsAt.Add(-time.Hour))
			if (len(against) == 0) != ok || (!ok && !slices.Equal(against, []schedule.Reason{schedule.BadZone})) {
				t.Errorf("against a message: %v", against)
			}
		})
	}
	t.Run("a notice has the practice's", func(t *testing.T) {
		t.Parallel()
		s := snapshot()
		s.Appointment = nil
		if z, ok := s.Zone(); !ok || z.String() != "America/New_York" {
			t.Errorf("%v, %t", z, ok)
		}
	})
}

func TestAVisitIsWhatTheRulesAboutTimeNeed(t *testing.T) {
	t.Parallel()
	s := snapshot()
	a := s.Appointment
	got, _ := s.Visit()
	got.Zone = nil
	want := schedule.Visit{StartsAt: a.StartsAt, EndsAt: a.EndsAt, BookedAt: a.BookedAt, SetAt: a.StartSetAt, ServiceName: "Therapy", Status: schedule.StatusScheduled}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestATelehealthLinkNeedsAURL(t *testing.T) {
	t.Parallel()
	s := snapshot()
	before := s.Appointment.StartsAt.Add(-time.Hour)
	if against := s.EventAgainst(kind.TelehealthLink, before); len(against) > 0 {
		t.Errorf("%v", against)
	}
	s.Appointment.TelehealthURL, s.Appointment.Status = "", schedule.StatusCancelled
	want := []schedule.Reason{schedule.Cancelled, schedule.BadStatus}
	if diff := cmp.Diff(want, s.EventAgainst(kind.TelehealthLink, before)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFactsAreThoseOfThePersonWrittenTo(t *testing.T) {
	t.Parallel()
	newYork, tokyo := zone(t, "America/New_York"), zone(t, "Asia/Tokyo")
	facts := func(change func(*templates.Facts)) templates.Facts {
		a := snapshot().Appointment
		f := templates.Facts{
			Recipient: templates.Name{First: "Mary", Last: "Lee"}, Client: templates.Name{First: "Ann", Last: "Lee"}, Relationship: "Mother",
			Practice:         templates.PracticeFacts{Name: "Elm Street", Phone: "+12015550100", Email: "desk@elm.example.com"},
			PractitionerName: "Dr. Rivera", ServiceName: "Therapy", LocationName: "Room 5", LocationAddress: "5 Elm Street",
			TelehealthLink: "https://meet.example.com/a", StartsAt: a.StartsAt, EndsAt: a.EndsAt, VisitZone: newYork, PracticeZone: newYork,
		}
		change(&f)
		return f
	}
	mary := recipients.Person{FirstName: "Mary", LastName: "Lee", Relationship: "Mother"}
	cases := map[string]struct {
		person func(*recipients.Person)
		change func(*practice.Snapshot)
		want   templates.Facts
	}{
		"a contact":               {func(*recipients.Person) {}, func(*practice.Snapshot) {}, facts(func(*templates.Facts) {})},
		"one who may manage":      {func(p *recipients.Person) { p.CanManageAppointments = true }, func(*practice.Snapshot) {}, facts(func(f *templates.Facts) { f.ManageLink = "https://app.example.com/a" })},
		"one who lives elsewhere": {func(p *recipients.Person) { p.TimeZone = "Asia/Tokyo" }, func(*practice.Snapshot) {}, facts(func(f *templates.Facts) { f.RecipientZone = tokyo })},
		"a zone of theirs that does not exist": {func(p *recipients.Person) { p.TimeZone = "Mars/Olympus" }, func(*practice.Snapshot) {}, facts(func(f *templates.Facts) {
			f.RecipientZone = newYork
		})},
		"a visit elsewhere": {func(*recipients.Person) {}, func(s *practice.Snapshot) { s.Appointment.TimeZone = "Asia/Tokyo" }, facts(func(f *templates.Facts) { f.VisitZone = tokyo })},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := snapshot(), mary
			c.person(&p)
			c.change(s)
			sameZone := cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() && (a == nil) == (b == nil) })
			if diff := cmp.Diff(c.want, s.Facts(p, nil), sameZone, cmpopts.IgnoreFields(templates.Facts{}, "Zones")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a notice has its data and no visit", func(t *testing.T) {
		t.Parallel()
		s := snapshot()
		s.Appointment = nil
		f := s.Facts(mary, map[string]string{"form_name": "Intake"})
		if f.Data["form_name"] != "Intake" || !f.StartsAt.IsZero() || f.ServiceName != "" || f.TelehealthLink != "" {
			t.Errorf("%+v", f)
		}
	})
}

func TestWhatSpeaksAgainstTellingAnybodyIsOnEverybody(t *testing.T) {
	t.Parallel()
	s := snapshot()
	s.Contacts = []recipients.Contact{{ID: "mum", Email: "mum@example.com", ReceivesConfirmations: true}}
	d := s.Recipients(kind.Booked, "", []schedule.Reason{schedule.Cancelled, schedule.Past}, nil)
	if d.Outcome != recipients.Skipped || len(d.Candidates) != 2 {
		t.Fatalf("%+v", d)
	}
	for _, c := range d.Candidates {
		if diff := cmp.Diff([]recipients.Reason{recipients.Cancelled, recipients.Past}, c.Reasons); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.ID, diff)
		}
	}
}

func TestLocalesAreThePersonsThenThePractices(t *testing.T) {
	t.Parallel()
	got := snapshot().Locales(recipients.Person{Locale: "fr-CA"})
	if want := []string{"fr-CA", "fr", "en-GB", "en"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
