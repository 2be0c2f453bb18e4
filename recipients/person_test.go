package recipients_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/recipients"
)

func TestPersonIsWhomTheTemplateNames(t *testing.T) {
	t.Parallel()
	rob := recipients.Client{
		ID: "rob", FirstName: "Robert", LastName: "Day", PreferredName: "Rob", TimeZone: "Europe/Paris", Locale: "fr",
	}
	tests := map[string]struct {
		client   recipients.Client
		contacts []recipients.Contact
		want     recipients.Person
	}{
		"the client": {
			recipients.Client{FirstName: "Ana", LastName: "Lee", TimeZone: "Europe/Berlin", Locale: "de"},
			nil,
			recipients.Person{
				FirstName: "Ana", LastName: "Lee", TimeZone: "Europe/Berlin", Locale: "de",
				CanManageAppointments: true,
			},
		},
		"the client by the preferred name": {
			rob, nil,
			recipients.Person{
				FirstName: "Rob", LastName: "Day", TimeZone: "Europe/Paris", Locale: "fr",
				CanManageAppointments: true,
			},
		},
		"a preferred name of blanks is none": {
			recipients.Client{FirstName: " Ana ", PreferredName: "  "},
			nil,
			recipients.Person{FirstName: "Ana", CanManageAppointments: true},
		},
		"a contact": {
			rob,
			[]recipients.Contact{{
				FirstName: "May", LastName: "Lee", TimeZone: "Europe/Rome", Locale: "it",
				Relationship: "Mother", CanManageAppointments: true,
			}},
			recipients.Person{
				FirstName: "May", LastName: "Lee", TimeZone: "Europe/Rome", Locale: "it",
				Relationship: "Mother", CanManageAppointments: true,
			},
		},
		"a contact has nothing of the client whose contact it is": {
			rob, []recipients.Contact{{FirstName: "May"}}, recipients.Person{FirstName: "May"},
		},
		"a contact takes what it lacks from the client it is": {
			recipients.Client{},
			[]recipients.Contact{{Relationship: "Father", As: &rob}},
			recipients.Person{
				FirstName: "Rob", LastName: "Day", TimeZone: "Europe/Paris", Locale: "fr", Relationship: "Father",
			},
		},
		"a contact keeps what it has, but is called as that client prefers": {
			recipients.Client{},
			[]recipients.Contact{{FirstName: "Robert", LastName: "Night", TimeZone: "Europe/Rome", Locale: "it", As: &rob}},
			recipients.Person{FirstName: "Rob", LastName: "Night", TimeZone: "Europe/Rome", Locale: "it"},
		},
		"a contact's first name comes before that client's": {
			recipients.Client{},
			[]recipients.Contact{{FirstName: "Bobby", As: &recipients.Client{ID: "rob", FirstName: "Robert", LastName: "Day"}}},
			recipients.Person{FirstName: "Bobby", LastName: "Day"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := recipients.Input{Kind: kind.Reminder, Client: test.client, Contacts: test.contacts}
			d := recipients.Decide(in)
			if diff := cmp.Diff(test.want, d.Candidates[len(d.Candidates)-1].Person); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
