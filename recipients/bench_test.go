package recipients_test

import (
	"testing"

	"rappel/internal/kind"
	"rappel/recipients"
)

func BenchmarkParsePhone(b *testing.B) {
	for name, raw := range map[string]string{"E.164": "+12015550101", "national": "(201) 555-0101"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := recipients.ParsePhone(raw, "US"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseEmail(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := recipients.ParseEmail("ann.lee@example.com"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatchKey(b *testing.B) {
	for name, raw := range map[string]string{"E.164": "+12015550101", "national": "(201) 555-0101 mom"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				recipients.MatchKey(recipients.SMS, raw)
			}
		})
	}
}

// BenchmarkDecide decides about a client alone, and about a child with two
// parents, whose addresses were read before.
func BenchmarkDecide(b *testing.B) {
	client := recipients.Client{ID: "c", FirstName: "Ann", LastName: "Lee", Phone: "+12015550101", Method: "sms", ReceivesConfirmations: true}
	parents := []recipients.Contact{
		{ID: "m", FirstName: "Mia", LastName: "Lee", Phone: "(201) 555-0102", Relationship: "Mother", ReceivesConfirmations: true},
		{ID: "f", FirstName: "Ben", LastName: "Lee", Phone: "(201) 555-0103", Relationship: "Father", Position: 1},
	}
	for name, contacts := range map[string][]recipients.Contact{"client": nil, "family": parents} {
		b.Run(name, func(b *testing.B) {
			in := recipients.Input{
				Kind: kind.Booked, Practice: recipients.Practice{ID: "p", Country: "US", Active: true},
				Client: client, Contacts: contacts, Addresses: &recipients.Addresses{},
			}
			b.ReportAllocs()
			for b.Loop() {
				if d := recipients.Decide(in); d.Outcome != recipients.Notify {
					b.Fatal(d.Outcome)
				}
			}
		})
	}
}
