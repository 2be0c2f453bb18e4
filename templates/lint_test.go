package templates_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/templates"
)

func TestLintSaysWhatIsWrongAndWhatItCosts(t *testing.T) {
	t.Parallel()
	sms := func(body string) templates.Source {
		return templates.Source{Channel: templates.SMS, Locale: "en", Body: body}
	}
	cases := map[string]struct {
		source templates.Source
		want   []string
	}{
		"a short text has nothing to say": {sms("See you [AppointmentDay]."), nil},
		"an unknown placeholder is wrong, with the nearest name": {
			sms("Hi [ClientNmae]"), []string{"wrong: line 1, column 4: unknown placeholder [ClientNmae]: did you mean [ClientName]?"},
		},
		"each mistake is named": {
			sms("[Foo]\n[Bar]"), []string{"wrong: line 1", "wrong: line 2"},
		},
		"a section left open is wrong": {sms("a\n[If ManageLink]b"), []string{"wrong: line 2, column 1"}},
		"nothing to read is wrong":     {sms(" "), []string{"wrong: the message is empty"}},
		"an audience that nobody is": {
			templates.Source{Channel: "sms", Locale: "en", Audience: "parents", Body: "See you"}, []string{`wrong: audience "parents" is none of`},
		},
		"an unknown channel is wrong": {templates.Source{Channel: "fax", Body: "x"}, []string{"wrong: channel \"fax\""}},
		"a mistake in a subject is wrong": {
			templates.Source{Channel: templates.Email, Subject: "[Foo]", Body: "x"}, []string{"wrong: subject: line 1"},
		},
		"a character beyond GSM is named":      {sms("Ž"), []string{"costs: 'Ž' (U+017D)"}},
		"more than one segment is told":        {sms(strings.Repeat("x", 161)), []string{"costs: 2 segments (161 units, gsm7)"}},
		"an e-mail may be as long as it likes": {templates.Source{Channel: templates.Email, Subject: "s", Body: strings.Repeat("Ž", 500)}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := templates.Lint(c.source)
			if len(got) != len(c.want) {
				t.Fatalf("%d findings, want %d: %+v", len(got), len(c.want), got)
			}
			for i, f := range got {
				level := "costs: "
				if f.Wrong {
					level = "wrong: "
				}
				if !strings.HasPrefix(level+f.Message, c.want[i]) {
					t.Errorf("got %q, want it to begin with %q", level+f.Message, c.want[i])
				}
			}
		})
	}
}

func TestEveryBuiltInTextPassesLint(t *testing.T) {
	t.Parallel()
	for _, s := range templates.BuiltIn() {
		for _, f := range templates.Lint(s) {
			if f.Wrong {
				t.Errorf("%s %s %s %s: %s", s.Name, s.Channel, s.Audience, s.Locale, f.Message)
			}
		}
	}
}

func TestASampleHasAValueForEveryPlaceholder(t *testing.T) {
	t.Parallel()
	values := templates.Sample().Values("en")
	for _, name := range templates.Names() {
		if values.Get(name) == "" && name != "TelehealthLink" { // the visit is in person
			t.Errorf("[%s] is empty", name)
		}
	}
}

func TestWhatNobodyCouldBeWrittenWithIsMissing(t *testing.T) {
	t.Parallel()
	rows := []templates.Source{
		{ID: "1", Name: "intake", Channel: templates.SMS, Audience: templates.ForAny, Locale: "en", Body: "x"},
		{ID: "2", Name: "intake", Channel: templates.Email, Audience: templates.ForClient, Locale: "es", Subject: "x", Body: "x"},
	}
	text := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	for name, c := range map[string]struct{ name, locale, want string }{
		"a built-in text serves all":       {"appointment.reminder", "en", ""},
		"a name that nobody knows":         {"intakes", "en", "no sms for a client\nno sms for a contact\nno email for a client\nno email for a contact"},
		"a channel in another locale only": {"intake", "en", "no email for a client\nno email for a contact"},
		"an audience left out":             {"intake", "es-MX", "no email for a contact"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, text(templates.Missing(rows, c.name, c.locale))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
