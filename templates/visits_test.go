package templates_test

import (
	"strings"
	"testing"
	"time"

	"rappel/templates"
)

// family is Mia's visit, and those of others that one message lists with it.
func family(t *testing.T, others ...templates.Name) templates.Facts {
	t.Helper()
	f := visit(t)
	f.TelehealthLink = ""
	all := []templates.Facts{f}
	for i, name := range others {
		g := f
		g.Client = name
		g.StartsAt = f.StartsAt.Add(time.Duration(i+1) * time.Hour)
		all = append(all, g)
	}
	f.Visits = all
	return f
}

func TestVisitsAreListedALineEach(t *testing.T) {
	t.Parallel()
	leo, otherMia := templates.Name{First: "Leo", Last: "Lee"}, templates.Name{First: "mia", Last: "Berg"}
	cases := map[string]struct {
		locale string
		others []templates.Name
		want   string
	}{
		"one": {"en", nil, "Mia: Thursday, December 10, 2026, 3:00 PM"},
		"two": {"en", []templates.Name{leo}, "Mia: Thursday, December 10, 2026, 3:00 PM\nLeo: Thursday, December 10, 2026, 4:00 PM"},
		"in another language": {
			"de",
			[]templates.Name{leo},
			"Mia: Donnerstag, 10. Dezember 2026, 15:00\nLeo: Donnerstag, 10. Dezember 2026, 16:00",
		},
		"two of one first name": {
			"en",
			[]templates.Name{otherMia},
			"Mia Lee: Thursday, December 10, 2026, 3:00 PM\nmia Berg: Thursday, December 10, 2026, 4:00 PM",
		},
		"one person twice": {
			"en",
			[]templates.Name{{First: "Mia", Last: "Lee"}},
			"Mia: Thursday, December 10, 2026, 3:00 PM\nMia: Thursday, December 10, 2026, 4:00 PM",
		},
		"a last name alone": {
			"en",
			[]templates.Name{{Last: "Lee"}},
			"Mia: Thursday, December 10, 2026, 3:00 PM\nLee: Thursday, December 10, 2026, 4:00 PM",
		},
		"no name": {
			"en",
			[]templates.Name{{}},
			"Mia: Thursday, December 10, 2026, 3:00 PM\nThursday, December 10, 2026, 4:00 PM",
		},
		"a name with a line break": {
			"en",
			[]templates.Name{{First: "Le\no"}},
			"Mia: Thursday, December 10, 2026, 3:00 PM\nLe o: Thursday, December 10, 2026, 4:00 PM",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := text(t, "[Visits]", family(t, c.others...).Values(c.locale)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A template that was written as plain text or as HTML keeps the lines, and no
// name becomes a part of the page.
func TestVisitsKeepTheirLinesInHTML(t *testing.T) {
	t.Parallel()
	f := family(t, templates.Name{First: "<b>Leo"})
	const lines = "Mia: Thursday, December 10, 2026, 3:00 PM<br>\n&lt;b&gt;Leo: Thursday, December 10, 2026, 4:00 PM"
	for body, want := range map[string]string{
		"These:\n\n[Visits]\n\nBye":         `color:#1f2933">` + lines + "</p>",
		"These: [Visits]\nBye":              "These: " + lines + "<br>\nBye</p>",
		"<p>These:</p><p>[Visits]</p>":      "<p>" + lines + "</p>",
		"<p title=\"[Visits]\">These:</p>x": "These:",
	} {
		c, err := templates.Source{Channel: "email", Subject: "[Visits]", Body: body}.Compile()
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.Render(f.Values("en"))
		if err != nil || !strings.Contains(m.HTML, want) {
			t.Errorf("%q: %v\n%s", body, err, m.HTML)
		}
		if m.Subject != "Mia: Thursday, December 10, 2026, 3:00 PM <b>Leo: Thursday, December 10, 2026, 4:00 PM" {
			t.Errorf("subject %q", m.Subject)
		}
	}
}
