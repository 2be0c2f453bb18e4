package recipients_test

import (
	"testing"

	"rappel/recipients"
)

func TestOneAddressGetsOneMessage(t *testing.T) {
	t.Parallel()
	contacts := func(cs ...recipients.Contact) func(*recipients.Input) {
		return func(in *recipients.Input) { in.Contacts = cs }
	}
	check(t, map[string]rule{
		"a contact wins over the client": {
			contacts(contact("mum", 1, "ana@example.com", "")),
			[]string{"notify", "ana by email: [duplicate]", "mum by email: ana@example.com"},
		},
		"e-mails compare without case": {
			contacts(contact("mum", 1, " ANA@Example.com ", "")),
			[]string{"notify", "ana by email: [duplicate]", "mum by email: ANA@example.com"},
		},
		"phones compare in any spelling": {
			func(in *recipients.Input) {
				in.Client.Method = "sms"
				in.Contacts = []recipients.Contact{contact("mum", 1, "", "+1 201 555 0101")}
			},
			[]string{"notify", "ana by sms: [duplicate]", "mum by sms: +12015550101"},
		},
		"a lower position wins over a higher": {
			contacts(contact("b", 2, "x@example.com", ""), contact("c", 1, "x@example.com", "")),
			[]string{"notify", "ana by email: ana@example.com", "c by email: x@example.com", "b by email: [duplicate]"},
		},
		"a lower id wins at one position": {
			contacts(contact("c", 1, "x@example.com", ""), contact("b", 1, "x@example.com", "")),
			[]string{"notify", "ana by email: ana@example.com", "b by email: x@example.com", "c by email: [duplicate]"},
		},
		"flags come first: who is switched off takes nothing away": {
			contacts(recipients.Contact{ID: "mum", Email: "ana@example.com"}),
			[]string{"notify", "ana by email: ana@example.com", "mum by email: [flag_off]"},
		},
		"who was written nothing takes nothing away": {
			func(in *recipients.Input) {
				in.Contacts = []recipients.Contact{contact("mum", 1, "ana@example.com", ""), contact("dad", 2, "ana@example.com", "")}
				in.Takes = func(_ recipients.Role, id string, _ recipients.Channel) bool { return id != "mum" }
			},
			[]string{"notify", "ana by email: [duplicate]", "mum by email: ana@example.com", "dad by email: ana@example.com"},
		},
		"with both, per channel": {
			func(in *recipients.Input) {
				in.Client.Method = "both"
				in.Contacts = []recipients.Contact{contact("mum", 1, "ana@example.com", "(201) 555-0102")}
			},
			[]string{
				"notify", "ana by email: [duplicate]", "ana by sms: +12015550101",
				"mum by email: ana@example.com", "mum by sms: +12015550102",
			},
		},
	})
}
