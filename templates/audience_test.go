package templates_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"rappel/internal/kind"
	"rappel/templates"
)

// eachBuiltIn renders every built-in text that readers of an audience get, for
// all kinds, channels and locales.
func eachBuiltIn(t *testing.T, audience string, see func(t *testing.T, k kind.Kind, s templates.Source)) {
	t.Helper()
	for _, k := range kind.All() {
		for _, channel := range []string{templates.SMS, templates.Email} {
			for _, locale := range []string{"en", "en-GB", "es", "fr", "de"} {
				s, ok := templates.Choose(nil, string(k), channel, audience, []string{locale})
				if !ok {
					continue // what a practice schedules itself
				}
				t.Run(strings.Join([]string{string(k), channel, locale}, " "), func(t *testing.T) {
					t.Parallel()
					see(t, k, s)
				})
			}
		}
	}
}

// whole is all that a person sees of a message.
func whole(m templates.Message) string { return m.Subject + "\n" + m.Text + "\n" + m.HTML }

// full are the facts of a visit and of a notice in one, with every value there.
func full(t *testing.T) templates.Facts {
	t.Helper()
	f := visit(t)
	f.Data = map[string]string{
		"portal_link": "https://sunrise.example/portal", "form_name": "PHQ-9", "form_link": "https://sunrise.example/f/19",
		"document_name": "Diagnosis", "invoice_number": "INV-7", "invoice_amount": "$80.00", "invoice_due": "2027-01-05",
	}
	return f
}

// What a contact reads is the same whatever the visit is for, with whom, where
// and how long: the text has room for the client and the time and nothing else.
func TestAContactsTextSaysNothingElseOfTheVisit(t *testing.T) {
	t.Parallel()
	changes := map[string]func(*templates.Facts){
		"the service":           func(f *templates.Facts) { f.ServiceName = "Detox" },
		"the practitioner":      func(f *templates.Facts) { f.PractitionerName = "Dr. Ng, oncology" },
		"the place":             func(f *templates.Facts) { f.LocationName, f.LocationAddress = "Ward 3", "1 Other Road" },
		"no place":              func(f *templates.Facts) { f.LocationName, f.LocationAddress = "", "" },
		"the length":            func(f *templates.Facts) { f.EndsAt = f.StartsAt.Add(2 * time.Hour) },
		"the relationship":      func(f *templates.Facts) { f.Relationship = "Stepfather" },
		"the form's name":       func(f *templates.Facts) { f.Data["form_name"] = "Suicide risk" },
		"the document's name":   func(f *templates.Facts) { f.Data["document_name"] = "HIV result" },
		"what nobody asked for": func(f *templates.Facts) { f.Data["body"], f.Data["ServiceName"] = "Detox", "Detox" },
	}
	eachBuiltIn(t, templates.ForContact, func(t *testing.T, k kind.Kind, s templates.Source) {
		t.Helper()
		said := whole(compiled(t, s).render(t, full(t).Values(s.Locale)))
		for what, change := range changes {
			f := full(t)
			change(&f)
			if now := whole(compiled(t, s).render(t, f.Values(s.Locale))); now != said {
				t.Errorf("%s shows in\n%s", what, now)
			}
		}
		online := full(t)
		online.TelehealthLink = "https://video.example/j/42"
		now := whole(compiled(t, s).render(t, online.Values(s.Locale)))
		if shows := strings.Contains(now, "video.example"); shows != (k == kind.TelehealthLink) || !shows && now != said {
			t.Errorf("by telehealth it reads\n%s", now)
		}
	})
}

// What a contact reads about a visit names the client and says when.
func TestAContactsTextNamesTheClientAndTheTime(t *testing.T) {
	t.Parallel()
	eachBuiltIn(t, templates.ForContact, func(t *testing.T, k kind.Kind, s templates.Source) {
		t.Helper()
		f := full(t)
		v := f.Values(s.Locale)
		m := compiled(t, s).render(t, v)
		if k.Sort() != kind.Notice {
			for _, name := range []string{"ClientFirstName", "AppointmentDate", "AppointmentTime", "PracticeName"} {
				if !strings.Contains(m.Text, v.Get(name)) {
					t.Errorf("does not say [%s]: %s", name, m.Text)
				}
			}
		}
		if names := s.Audience == templates.ForContact; names != strings.Contains(m.Text, "Mia") {
			t.Errorf("for %s, names the client: %t: %s", s.Audience, !names, m.Text)
		}
	})
}

// No text leaves a placeholder, a section or a hole behind, whoever reads it and
// however little is known.
func TestNoBuiltInTextLeavesABracketOrAHole(t *testing.T) {
	t.Parallel()
	bare := func(f *templates.Facts) {
		f.Recipient, f.Practice = templates.Name{}, templates.PracticeFacts{Name: f.Practice.Name}
		f.LocationName, f.LocationAddress, f.ManageLink, f.PractitionerName, f.ServiceName = "", "", "", "", ""
		f.EndsAt, f.Data = time.Time{}, nil
	}
	hostile := func(f *templates.Facts) {
		f.TelehealthLink, f.ManageLink = "javascript:alert(1)", "JavaScript:alert(1)"
		f.Data = map[string]string{"portal_link": "javascript:alert(1)", "form_link": " data:text/html,x", "invoice_due": "\n"}
	}
	hole := regexp.MustCompile(`[\[\]]|  | [.,](\s|$)|\n\n\n|\n$`)
	for _, audience := range []string{templates.ForClient, templates.ForContact} {
		t.Run(audience, func(t *testing.T) {
			t.Parallel()
			eachBuiltIn(t, audience, func(t *testing.T, _ kind.Kind, s templates.Source) {
				t.Helper()
				for _, change := range []func(*templates.Facts){func(*templates.Facts) {}, bare, hostile} {
					f := full(t)
					change(&f)
					m := compiled(t, s).render(t, f.Values(s.Locale))
					if strings.Contains(strings.ToLower(whole(m)), "alert") {
						t.Errorf("shows a link that would run:\n%s", whole(m))
					}
					for _, part := range []string{m.Subject, m.Text} {
						if found := hole.FindString(part); found != "" {
							t.Errorf("%q in:\n%s", found, part)
						}
					}
				}
			})
		})
	}
}
