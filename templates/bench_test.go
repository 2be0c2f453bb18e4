package templates_test

import (
	"strings"
	"testing"

	"rappel/templates"
)

// twelve is a message of about 630 bytes with twelve placeholders.
const twelve = `Hi [RecipientFirstName|there],

This is a friendly reminder that [ClientName] has an appointment with [PractitionerName] at [PracticeName] on [AppointmentDate] at [AppointmentTime]. It takes about [AppointmentDuration], so please arrive five minutes early and bring your insurance card, a list of questions that you would like to ask, and something to drink.

You will find us at [LocationName], [LocationAddress]. There is parking behind the house and the entrance is on the left.

If the time does not suit you any more, please change it or cancel at least a day before: [ManageLink]

Questions? Call [PracticePhone] or write to [PracticeEmail].
`

func BenchmarkText(b *testing.B) {
	c, err := templates.Compile(twelve)
	if err != nil {
		b.Fatal(err)
	}
	v := visit(b).Values("en")
	b.SetBytes(int64(len(c.Text(v))))
	b.ReportAllocs()
	for b.Loop() {
		_ = c.Text(v)
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := templates.Compile(twelve); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValues(b *testing.B) {
	f := visit(b)
	b.ReportAllocs()
	for b.Loop() {
		_ = f.Values("fr")
	}
}

func BenchmarkChooseBuiltIn(b *testing.B) {
	locales := templates.Locales("fr-CA", "en")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := templates.Choose(nil, "appointment.reminder", "sms", "client", locales); !ok {
			b.Fatal("none")
		}
	}
}

func BenchmarkCache(b *testing.B) {
	var c templates.Cache
	s := templates.Source{Channel: "sms", Locale: "en", Body: twelve}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Compile(s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEmail(b *testing.B) {
	for name, body := range map[string]string{"letter": twelve, "html": "<p>" + strings.ReplaceAll(twelve, "\n\n", "</p><p>") + "</p>"} {
		b.Run(name, func(b *testing.B) {
			c := compiled(b, templates.Source{Channel: "email", Locale: "en", Subject: "[ClientName]", Body: body})
			v := visit(b).Values("en")
			b.ReportAllocs()
			for b.Loop() {
				_ = c.render(b, v)
			}
		})
	}
}

func BenchmarkMeasure(b *testing.B) {
	text := strings.Repeat("Your appointment is on Thursday. ", 10)
	b.ReportAllocs()
	for b.Loop() {
		_ = templates.Measure(text)
	}
}
