package templates

import "time"

// Sample returns the facts of a made-up appointment, for a preview or a lint
// where no real one is named: every placeholder has a value, names and links are
// of ordinary length, and every character is in the GSM alphabet.
func Sample() Facts {
	newYork := time.FixedZone("America/New_York", -5*60*60) // as it is in December
	start := time.Date(2026, time.December, 10, 15, 0, 0, 0, newYork)
	sample := Facts{
		Recipient:        Name{First: "Maria", Last: "Miller"},
		Client:           Name{First: "Daniel", Last: "Miller"},
		Relationship:     "Mother",
		Practice:         PracticeFacts{Name: "Elm Street Practice", Phone: "(201) 555-0100", Email: "desk@elm.example.com"},
		PractitionerName: "Dr. Ruth Kim",
		ServiceName:      "Consultation",
		LocationName:     "Elm Street 5",
		LocationAddress:  "5 Elm Street, Hoboken, NJ 07030",
		ManageLink:       "https://elm.example.com/m/7f3a",
		StartsAt:         start,
		EndsAt:           start.Add(50 * time.Minute),
		VisitZone:        newYork,
		PracticeZone:     newYork,
		Data: map[string]string{
			"portal_link": "https://elm.example.com/p/91c2", "form_name": "Intake form",
			"form_link": "https://elm.example.com/f/5b7e", "document_name": "Treatment plan",
			"invoice_number": "2026-0417", "invoice_amount": "$120.00", "invoice_due": "2026-12-31",
		},
	}
	first, second := sample, sample
	second.Client.First = "Sophie"
	second.StartsAt, second.EndsAt = start.Add(time.Hour), start.Add(110*time.Minute)
	sample.Visits = []Facts{first, second}
	return sample
}
