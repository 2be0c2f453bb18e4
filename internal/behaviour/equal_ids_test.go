package behaviour_test

import (
	"fmt"
	"testing"
)

// Where each table counts its own rows, a client and a contact often have the
// same id.
func TestClientAndContactOfTheSameIDAreTwoPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * 60, "name": "a day"})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.contact(ann, "Maria", row{"id": ann, "phone": "+12015550102"}, nil)
	visit := w.book(ann, "2026-12-10T20:00:00Z")
	w.expect("sms +12015550101: ", "sms +12015550102: ")
	w.at("2026-12-09T20:00:00Z")
	w.expect("sms +12015550101: ", "sms +12015550102: ")
	x, err := w.app.Explain(t.Context(), visit)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range x.Entries {
		for _, l := range e.Lines {
			got = append(got, fmt.Sprintf("%s %s %s %s", e.Kind, l.Recipient, x.People[l.Who()].FirstName, l.Address.Reveal()))
		}
	}
	w.same(
		got,
		"appointment.booked client Ann +12015550101", "appointment.booked contact Maria +12015550102",
		"appointment.reminder client Ann +12015550101", "appointment.reminder contact Maria +12015550102",
	)
}
