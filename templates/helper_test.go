package templates_test

import (
	"errors"
	"testing"
	"time"

	"rappel/internal/zoneinfo"
	"rappel/templates"
)

// zone loads a time zone of the tz database.
func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	z, ok := zoneinfo.Embedded().Load(name)
	if !ok {
		tb.Fatalf("no zone %s", name)
	}
	return z
}

// visit is an hour with Ana at the practice, on a Thursday in New York.
func visit(tb testing.TB) templates.Facts {
	tb.Helper()
	newYork := zone(tb, "America/New_York")
	start := time.Date(2026, 12, 10, 15, 0, 0, 0, newYork)
	return templates.Facts{
		Recipient:        templates.Name{First: "Ana", Last: "Lee"},
		Client:           templates.Name{First: "Mia", Last: "Lee"},
		Relationship:     "Mother",
		Practice:         templates.PracticeFacts{Name: "Sunrise Therapy", Phone: "(201) 555-0199", Email: "desk@sunrise.example"},
		PractitionerName: "Dr. Ruth Kim",
		ServiceName:      "Initial assessment",
		LocationName:     "Main Street office",
		LocationAddress:  "12 Main Street\nHoboken, NJ 07030",
		ManageLink:       "https://sunrise.example/m/7f3a",
		StartsAt:         start,
		EndsAt:           start.Add(50 * time.Minute),
		VisitZone:        newYork,
		RecipientZone:    newYork,
		PracticeZone:     newYork,
		Zones:            zoneinfo.Embedded(),
	}
}

// online is the same hour by telehealth.
func online(tb testing.TB) templates.Facts {
	tb.Helper()
	f := visit(tb)
	f.LocationName, f.LocationAddress = "", ""
	f.TelehealthLink = "https://video.example/j/42?a=1&b=2"
	return f
}

// text renders a template that has to compile.
func text(tb testing.TB, template string, v *templates.Values) string {
	tb.Helper()
	c, err := templates.Compile(template)
	if err != nil {
		tb.Fatalf("Compile(%q): %v", template, err)
	}
	return c.Text(v)
}

// render renders an e-mail in English that has to compile.
func render(tb testing.TB, body string, v *templates.Values) templates.Message {
	tb.Helper()
	c, err := templates.Source{Channel: templates.Email, Locale: "en", Subject: "Hello", Body: body}.Compile()
	if err != nil {
		tb.Fatalf("Compile(%q): %v", body, err)
	}
	m, err := c.Render(v)
	if err != nil {
		tb.Fatalf("Render(%q): %v", body, err)
	}
	return m
}

// mistakes takes a joined error apart.
func mistakes(err error) []*templates.SyntaxError {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*templates.SyntaxError
		for _, e := range many.Unwrap() {
			all = append(all, mistakes(e)...)
		}
		return all
	}
	if one, ok := errors.AsType[*templates.SyntaxError](err); ok {
		return []*templates.SyntaxError{one}
	}
	return nil
}
