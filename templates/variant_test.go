package templates_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/templates"
)

func TestLocales(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		recipient, practice string
		want                []string
	}{
		"a region, then its language":        {"fr-CA", "es-MX", []string{"fr-CA", "fr", "es-MX", "es", "en"}},
		"none twice":                         {"en-GB", "en", []string{"en-GB", "en"}},
		"an unknown recipient":               {"", "de", []string{"de", "en"}},
		"nothing known":                      {"", "", []string{"en"}},
		"the practice's region after":        {"en", "en-GB", []string{"en", "en-GB"}},
		"written as BCP 47 does":             {"FR_ca", " zh_hant_tw.UTF-8", []string{"fr-CA", "fr", "zh-Hant-TW", "zh-Hant", "zh", "en"}},
		"a modifier is dropped":              {"de_DE@euro", "", []string{"de-DE", "de", "en"}},
		"a part that no locale has ends it":  {"en-éé", "de-CH-x€y-1996", []string{"en", "de-CH", "de"}},
		"no locale at all":                   {"éé", "日本", []string{"en"}},
		"dashes without anything are no one": {"-", "--", []string{"en"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, templates.Locales(tt.recipient, tt.practice)); d != "" {
				t.Errorf("Locales(%q, %q) (-want +got):\n%s", tt.recipient, tt.practice, d)
			}
		})
	}
}

// row is a row of the templates table for reminders by SMS. The practice is
// "" for the default rows.
func row(id, practice, audience, locale string) templates.Source {
	return templates.Source{ID: id, PracticeID: practice, Name: "appointment.reminder", Channel: "sms", Audience: audience, Locale: locale, Body: id, Version: 1}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	newer := row("newer", "p", "any", "en")
	newer.Version = 2
	other, email := row("other", "p", "client", "fr"), row("email", "p", "client", "fr")
	other.Name, email.Channel = "appointment.booked", "email"
	tests := map[string]struct {
		rows     []templates.Source
		audience string
		locales  []string
		want     string // an ID, or the locale and audience of a built-in text
	}{
		"the practice before the default": {
			[]templates.Source{row("default", "", "client", "fr"), row("own", "p", "any", "en")}, "client", []string{"fr"}, "own",
		},
		"the audience before any": {
			[]templates.Source{row("any", "p", "any", "fr"), row("client", "p", "client", "en")}, "client", []string{"fr"}, "client",
		},
		"never another audience": {
			[]templates.Source{row("contact", "p", "contact", "en"), row("any", "", "any", "en")}, "client", []string{"en"}, "any",
		},
		"the first locale": {
			[]templates.Source{row("en", "p", "any", "en"), row("es", "p", "any", "es"), row("fr", "p", "any", "fr")}, "client", []string{"fr", "es"}, "fr",
		},
		"the region before the language": {
			[]templates.Source{row("fr", "p", "any", "fr"), row("fr-CA", "p", "any", "fr-CA")}, "client", []string{"fr-CA"}, "fr-CA",
		},
		"the language of a region": {
			[]templates.Source{row("en", "p", "any", "en"), row("fr", "p", "any", "fr")}, "client", []string{"fr-CA"}, "fr",
		},
		"the language of the recipient before the locale of the practice": {
			[]templates.Source{row("de", "p", "any", "de"), row("fr", "p", "any", "fr")}, "client", []string{"fr-CA", "de"}, "fr",
		},
		"English at last": {
			[]templates.Source{row("de", "p", "any", "de"), row("en", "p", "any", "en")}, "client", []string{"fr"}, "en",
		},
		"a default row before a built-in text in a better locale": {
			[]templates.Source{row("default", "", "any", "en")}, "client", []string{"fr"}, "default",
		},
		"a locale in another spelling": {
			[]templates.Source{row("en", "p", "any", "en"), row("gb", "p", "any", "en_gb")}, "client", []string{"EN-GB"}, "gb",
		},
		"a row without audience and locale is for any, in English": {
			[]templates.Source{row("plain", "p", "", "")}, "client", []string{"fr"}, "plain",
		},
		"the newer of two that are alike": {
			[]templates.Source{row("a", "p", "any", "en"), newer, row("b", "p", "any", "en")}, "client", nil, "newer",
		},
		"the lower id of two that are quite alike": {
			[]templates.Source{row("b", "p", "any", "en"), row("a", "p", "any", "en"), row("c", "p", "any", "en")}, "client", nil, "a",
		},
		"not a row of another name or channel":      {[]templates.Source{other, email}, "client", []string{"fr"}, "fr client"},
		"not a row in a locale that was not asked":  {[]templates.Source{row("de", "p", "any", "de")}, "contact", []string{"fr"}, "fr contact"},
		"built in, for the region":                  {nil, "client", []string{"en-GB"}, "en-GB client"},
		"built in, for the language of the region":  {nil, "client", []string{"es-MX"}, "es client"},
		"built in, in English":                      {nil, "contact", []string{"tlh"}, "en contact"},
		"built in, in the locale of the practice":   {nil, "contact", []string{"tlh", "de-AT"}, "de contact"},
		"built in, in English where nothing is set": {nil, "client", nil, "en client"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // the order of the rows does not matter
				got, ok := templates.Choose(tt.rows, "appointment.reminder", "sms", tt.audience, tt.locales)
				if id := orElse(got.ID, got.Locale+" "+got.Audience); !ok || id != tt.want {
					t.Errorf("chose %q, want %q", id, tt.want)
				}
				tt.rows = slices.Clone(tt.rows)
				slices.Reverse(tt.rows)
			}
		})
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func TestChooseFindsNothing(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ name, channel string }{
		"for a name that nobody wrote":            {"follow-up", "sms"},
		"for what a practice schedules itself":    {"appointment.scheduled", "sms"},
		"on a channel that there is not":          {"appointment.reminder", "voice"},
		"for a name that points out of the house": {"../en/appointment.reminder", "sms"},
		"for a name with its audience":            {"appointment.reminder.client", "sms"},
		"for no name":                             {"", "email"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, audience := range []string{"client", "any"} {
				if got, ok := templates.Choose(nil, tt.name, tt.channel, audience, []string{"en"}); ok {
					t.Errorf("chose %+v", got)
				}
			}
		})
	}
}
