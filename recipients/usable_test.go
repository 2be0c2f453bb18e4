package recipients_test

import (
	"testing"

	"rappel/recipients"
)

func TestWithoutAUsableAddressNothingIsSent(t *testing.T) {
	t.Parallel()
	check(t, map[string]rule{
		"no address on that channel": {
			func(in *recipients.Input) { in.Client.Email = "" },
			[]string{"unreachable", "ana by email: [no_address]"},
		},
		"blanks are no address": {
			func(in *recipients.Input) { in.Client.Email = " \t" },
			[]string{"unreachable", "ana by email: [no_address]"},
		},
		"what does not parse is invalid": {
			func(in *recipients.Input) { in.Client.Email = "ana@b" },
			[]string{"unreachable", "ana by email: [invalid_address]"},
		},
		"phones are read as in the practice's country": {
			func(in *recipients.Input) {
				in.Client.Method, in.Practice.Country, in.Client.Phone = "sms", "GB", "07400 123456"
			},
			[]string{"notify", "ana by sms: +447400123456"},
		},
		"an unknown country is the US": {
			func(in *recipients.Input) { in.Client.Method, in.Practice.Country = "sms", "" },
			[]string{"notify", "ana by sms: +12015550101"},
		},
		"an address that the receiver called invalid": {
			func(in *recipients.Input) { in.Unusable = []recipients.Unusable{{recipients.Email, "ANA@example.com"}} },
			[]string{"unreachable", "ana by email: [invalid_address]"},
		},
		"a landline is invalid for texts only": {
			func(in *recipients.Input) {
				in.Client.Method = "both"
				in.Unusable = []recipients.Unusable{{recipients.SMS, "+12015550101"}}
			},
			[]string{"notify", "ana by email: ana@example.com", "ana by sms: [invalid_address]"},
		},
		"a new address is free of what the old one did": {
			func(in *recipients.Input) { in.Unusable = []recipients.Unusable{{recipients.Email, "old@example.com"}} },
			[]string{"notify", "ana by email: ana@example.com"},
		},
		"with both, one channel serves where the other cannot": {
			func(in *recipients.Input) { in.Client.Method, in.Client.Phone = "both", "" },
			[]string{"notify", "ana by email: ana@example.com", "ana by sms: [no_address]"},
		},
	})
}

func TestAContactTakesWhatItLacksFromTheClientItIs(t *testing.T) {
	t.Parallel()
	as := func(change func(*recipients.Contact)) func(*recipients.Input) {
		return func(in *recipients.Input) {
			in.Client.ReceivesReminders = false
			m := mum()
			m.As = &recipients.Client{ID: "mary", Email: "mary@example.com", Phone: "+12015550199"}
			change(&m)
			in.Contacts = []recipients.Contact{m}
		}
	}
	check(t, map[string]rule{
		"its own address comes first": {
			as(func(*recipients.Contact) {}),
			[]string{"notify", "ana by email: [flag_off]", "mum by email: mum@example.com"},
		},
		"an address it lacks": {
			as(func(m *recipients.Contact) { m.Email = "" }),
			[]string{"notify", "ana by email: [flag_off]", "mum by email: mary@example.com"},
		},
		"blanks are lacking": {
			as(func(m *recipients.Contact) { m.Email = "  " }),
			[]string{"notify", "ana by email: [flag_off]", "mum by email: mary@example.com"},
		},
		"an invalid address is not lacking": {
			as(func(m *recipients.Contact) { m.Email = "mum@" }),
			[]string{"unreachable", "ana by email: [flag_off]", "mum by email: [invalid_address]"},
		},
		"its archive is of no concern": {
			as(func(m *recipients.Contact) { m.As.Archived = true }),
			[]string{"notify", "ana by email: [flag_off]", "mum by email: mum@example.com"},
		},
		"its own do-not-contact counts": {
			as(func(m *recipients.Contact) { m.As.DoNotContact = true }),
			[]string{"skipped", "ana by email: [flag_off]", "mum by email: [do_not_contact]"},
		},
	})
}
