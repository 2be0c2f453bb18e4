package templates_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is the file that shows what a built-in text looks like.
func golden(s templates.Source) string {
	return filepath.Join("testdata", "builtin", s.Locale, fmt.Sprintf("%s.%s.%s.golden", s.Name, s.Audience, s.Channel))
}

func TestBuiltInTextsLookLikeTheirGoldenFiles(t *testing.T) {
	t.Parallel()
	for _, s := range templates.BuiltIn() {
		t.Run(golden(s), func(t *testing.T) {
			t.Parallel()
			got := specimen(t, s)
			if *update {
				write(t, golden(s), got)
			}
			want, err := os.ReadFile(golden(s))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("(-golden +now):\n%s", d)
			}
		})
	}
}

// No golden file outlives its text, and no text goes without.
func TestGoldenFilesAreThoseOfTheBuiltInTexts(t *testing.T) {
	t.Parallel()
	if *update {
		t.Skip("the files are being written")
	}
	want := map[string]bool{filepath.Join("testdata", "builtin", "page.golden"): true}
	for _, s := range templates.BuiltIn() {
		want[golden(s)] = true
	}
	got := map[string]bool{}
	err := filepath.WalkDir(filepath.Join("testdata", "builtin"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got[path] = true
		}
		return err
	})
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v; golden files (-want +got):\n%s", err, d)
	}
}

// One page in full; the other golden files show the card alone.
func TestPageLooksLikeItsGoldenFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "builtin", "page.golden")
	got := builtIn(t, "appointment.booked", "email", "client", "en").HTML
	if *update {
		write(t, path, got)
	}
	want, err := os.ReadFile(path)
	if d := cmp.Diff(string(want), got); err != nil || d != "" {
		t.Errorf("%v (-golden +now):\n%s", err, d)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// specimen shows a text as people of four kinds read it.
func specimen(t *testing.T, s templates.Source) string {
	t.Helper()
	var out strings.Builder
	for _, who := range readers(t) {
		m := compiled(t, s).render(t, who.facts.Values(s.Locale))
		fmt.Fprintf(&out, "===== %s\n", who.name)
		if s.Channel == templates.SMS {
			size := templates.Measure(m.Text)
			fmt.Fprintf(&out, "%s\n----- %s, %d units, %d segments %s\n\n", m.Text, size.Encoding, size.Units, size.Segments, string(size.Forces))
			continue
		}
		fmt.Fprintf(&out, "Subject: %s\n\n%s\n----- html\n%s\n\n", m.Subject, m.Text, inside(t, m.HTML))
	}
	return out.String()
}

type reader struct {
	name  string
	facts templates.Facts
}

func readers(t *testing.T) []reader {
	t.Helper()
	notice := map[string]string{
		"portal_link": "https://sunrise.example/portal", "form_name": "PHQ-9", "form_link": "https://sunrise.example/f/19", "document_name": "Diagnosis",
		"invoice_number": "INV-7", "invoice_amount": "$80.00", "invoice_due": "2027-01-05",
	}
	person, escaped, long, bare := visit(t), online(t), visit(t), visit(t)
	person.Data, escaped.Data, long.Data = notice, notice, notice
	escaped.Recipient = templates.Name{First: "O'Brien &", Last: `"Zoë" <b>`}
	escaped.Client = templates.Name{First: `"Zoë" <b>`, Last: "O'Brien &"}
	escaped.Practice.Name, escaped.Data = `<i>Sun & "Rise"</i>`, notice
	long.Recipient = templates.Name{First: "Maximiliana Wilhelmine Theodora", Last: "von Hohenstaufen-Wittelsbach zu Schwarzenberg"}
	long.Client, long.RecipientZone = long.Recipient, zone(t, "America/Los_Angeles")
	bare.Recipient, bare.LocationName, bare.LocationAddress, bare.ManageLink, bare.Practice.Phone = templates.Name{}, "", "", "", ""
	bare.Data = map[string]string{}
	for _, f := range []*templates.Facts{&person, &escaped, &long, &bare} {
		sibling := *f
		sibling.Client.First, sibling.StartsAt = "Leo", f.StartsAt.Add(time.Hour)
		f.Visits = []templates.Facts{*f, sibling}
	}
	return []reader{{"a visit in person", person}, {"by telehealth, names to be escaped", escaped}, {"long names, another zone", long}, {"little is known", bare}}
}

type compiledText struct{ *templates.Compiled }

func compiled(tb testing.TB, s templates.Source) compiledText {
	tb.Helper()
	c, err := s.Compile()
	if err != nil {
		tb.Fatalf("%s: %v", golden(s), err)
	}
	return compiledText{c}
}

func (c compiledText) render(tb testing.TB, v *templates.Values) templates.Message {
	tb.Helper()
	m, err := c.Render(v)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// builtIn renders a built-in text for a visit in person.
func builtIn(t *testing.T, name, channel, audience, locale string) templates.Message {
	t.Helper()
	s, ok := templates.Choose(nil, name, channel, audience, []string{locale})
	if !ok {
		t.Fatalf("no built-in text for %s by %s in %s", name, channel, locale)
	}
	return compiled(t, s).render(t, visit(t).Values(locale))
}

func TestEveryKindHasABuiltInTextForEveryReader(t *testing.T) {
	t.Parallel()
	for _, k := range kind.All() {
		for _, channel := range []string{templates.SMS, templates.Email} {
			for _, audience := range []string{templates.ForClient, templates.ForContact} {
				for _, locale := range []string{"en", "en-GB", "es", "fr", "de"} {
					s, ok := templates.Choose(nil, string(k), channel, audience, []string{locale})
					if want := k != kind.Scheduled; ok != want || want && s.Locale != locale {
						t.Errorf("%s by %s for %s in %s: found %t, in %q", k, channel, audience, locale, ok, s.Locale)
					}
				}
			}
		}
	}
}

// What a built-in text must not say, whoever reads it.
func TestBuiltInTextsKeepToThemselves(t *testing.T) {
	t.Parallel()
	for _, s := range templates.BuiltIn() {
		t.Run(golden(s), func(t *testing.T) {
			t.Parallel()
			c := compiled(t, s)
			never := []string{"ServiceName", "FormName", "DocumentName", "PractitionerName", "Relationship"}
			if s.Audience == templates.ForContact {
				never = append(never, "LocationName", "LocationAddress", "AppointmentDuration")
				if s.Name != string(kind.TelehealthLink) {
					never = append(never, "TelehealthLink")
				}
			}
			for _, name := range never {
				if c.Uses(name) {
					t.Errorf("shows [%s]", name)
				}
			}
			if s.Audience == templates.ForContact && !c.Uses("ClientName") {
				t.Error("does not say who it is about")
			}
		})
	}
}

// A built-in SMS costs one message as long as names and links are short, and
// never forces the dear alphabet by its own words.
func TestBuiltInSMSAreCheap(t *testing.T) {
	t.Parallel()
	f := visit(t)
	f.Data = map[string]string{"portal_link": "https://s.example/p", "form_link": "https://s.example/f"}
	f.ManageLink, f.LocationName, f.Practice.Phone = "", "", ""
	for _, s := range templates.BuiltIn() {
		if s.Channel != templates.SMS {
			continue
		}
		got := templates.Measure(compiled(t, s).render(t, f.Values(s.Locale)).Text)
		if got.Encoding != "gsm7" || got.Segments != 1 {
			t.Errorf("%s takes %+v", golden(s), got)
		}
		if own := templates.Measure(s.Body); own.Encoding != "gsm7" {
			t.Errorf("%s forces ucs2 by its own %q", golden(s), string(own.Forces))
		}
	}
}

func TestBuiltInTextsAreListedOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range templates.BuiltIn() {
		if seen[golden(s)] || s.ID != "" || s.PracticeID != "" || s.Version != 1 || (s.Subject != "") != (s.Channel == templates.Email) {
			t.Errorf("%s: %+v", golden(s), s)
		}
		seen[golden(s)] = true
	}
	if len(seen) < 250 {
		t.Errorf("only %d built-in texts", len(seen))
	}
}

// Every file is a built-in text: none is misnamed.
func TestEveryFileIsABuiltInText(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, s := range templates.BuiltIn() {
		names[filepath.Join("builtin", s.Locale, strings.ReplaceAll(fmt.Sprintf("%s.%s.%s.txt", s.Name, s.Audience, s.Channel), ".any.", "."))] = true
	}
	err := filepath.WalkDir("builtin", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !names[path] {
			t.Errorf("%s is never read", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
