package templates_test

import (
	"fmt"
	"testing"
	"time"

	"rappel/templates"
)

func ExampleTemplate_Text() {
	t, err := templates.Compile("Hi [RecipientFirstName|there], see you on [AppointmentDay] at [AppointmentTime].[If ManageLink] Change it: [ManageLink][End]")
	if err != nil {
		fmt.Println(err)
		return
	}
	facts := templates.Facts{
		Recipient: templates.Name{First: "Ana", Last: "Lee"},
		StartsAt:  time.Date(2026, 12, 10, 15, 0, 0, 0, time.UTC),
		VisitZone: time.UTC,
	}
	fmt.Println(t.Text(facts.Values("en")))
	// Output: Hi Ana, see you on Thursday at 3:00 PM.
}

// An example, because nothing else runs while it does: allocations of other
// tests would be counted too.
func ExampleTemplate_Text_allocations() {
	v := templates.Facts{Recipient: templates.Name{First: "Ana"}}.Values("en")
	for _, text := range []string{twelve, "a [TelehealthLink], b\n[If TelehealthLink]\nc\n[Else]\n[RecipientName]\n[End]\n\nd"} {
		t, err := templates.Compile(text)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(testing.AllocsPerRun(100, func() { _ = t.Text(v) }))
	}
	// Output:
	// 1
	// 1
}

func ExampleCompile_mistakes() {
	_, err := templates.Compile("Hi [FirstName],\n[If TelehealthLink]Join us online.")
	fmt.Println(err)
	// Output:
	// line 1, column 4: unknown placeholder [FirstName]: did you mean [RecipientFirstName]? For an ordinary bracket write [[
	// line 2, column 1: this section is never closed: write [End] where it stops
}

func ExampleMeasure() {
	fmt.Println(templates.Measure("Your appointment is on Thursday."))
	s := templates.Measure("Votre rendez-vous est le 3 août.")
	fmt.Println(s.Encoding, s.Units, s.Segments, string(s.Forces))
	// Output:
	// {gsm7 32 1 []}
	// ucs2 32 1 û
}
