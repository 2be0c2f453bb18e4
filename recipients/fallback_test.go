package recipients_test

import (
	"testing"

	"rappel/recipients"
)

func TestFallbackServesWhomThePreferredChannelCannotReach(t *testing.T) {
	t.Parallel()
	fallback := func(change func(*recipients.Input)) func(*recipients.Input) {
		return func(in *recipients.Input) {
			in.Practice.ChannelFallback = true
			in.Client.Method = "sms"
			change(in)
		}
	}
	noPhones := func(in *recipients.Input) {
		m := mum()
		m.Phone, in.Client.Phone = "", ""
		in.Contacts = []recipients.Contact{m}
	}
	check(t, map[string]rule{
		"off by default": {
			func(in *recipients.Input) { in.Client.Method, in.Client.Phone = "sms", "" },
			[]string{"unreachable", "ana by sms: [no_address]"},
		},
		"the preferred channel is enough": {
			fallback(func(*recipients.Input) {}),
			[]string{"notify", "ana by sms: +12015550101"},
		},
		"no phone": {
			fallback(func(in *recipients.Input) { in.Client.Phone = "" }),
			[]string{"notify", "ana by email: ana@example.com"},
		},
		"no e-mail": {
			fallback(func(in *recipients.Input) { in.Client.Method, in.Client.Email = "email", "" }),
			[]string{"notify", "ana by sms: +12015550101"},
		},
		"an invalid phone": {
			fallback(func(in *recipients.Input) { in.Client.Phone = "911" }),
			[]string{"notify", "ana by email: ana@example.com"},
		},
		"an opt-out": {
			fallback(func(in *recipients.Input) { in.OptOuts = []recipients.OptOut{{recipients.SMS, "+12015550101"}} }),
			[]string{"notify", "ana by email: ana@example.com"},
		},
		"never a flag": {
			fallback(func(in *recipients.Input) { in.Client.ReceivesReminders = false }),
			[]string{"silenced", "ana by sms: [flag_off]"},
		},
		"never a flag, also without a phone": {
			fallback(func(in *recipients.Input) { in.Client.ReceivesReminders, in.Client.Phone = false, "" }),
			[]string{"silenced", "ana by sms: [flag_off no_address]"},
		},
		"a skip carries the reasons of both channels": {
			fallback(func(in *recipients.Input) {
				in.Client.Phone, in.Client.Email = "911", ""
			}),
			[]string{"unreachable", "ana by sms: [no_address invalid_address]"},
		},
		"a reason of both channels stands once": {
			fallback(func(in *recipients.Input) { in.Client.Phone, in.Client.Email = "", "" }),
			[]string{"unreachable", "ana by sms: [no_address]"},
		},
		"both has nothing left to fall back to": {
			fallback(func(in *recipients.Input) { in.Client.Method, in.Client.Phone = "both", "" }),
			[]string{"notify", "ana by email: ana@example.com", "ana by sms: [no_address]"},
		},
		"a duplicate does not fall back": {
			fallback(func(in *recipients.Input) {
				m := mum()
				m.Phone = in.Client.Phone
				in.Contacts = []recipients.Contact{m}
			}),
			[]string{"notify", "ana by sms: [duplicate]", "mum by sms: +12015550101"},
		},
		"two who fall back to one address get one message": {
			fallback(func(in *recipients.Input) {
				noPhones(in)
				in.Client.Email = "mum@example.com"
			}),
			[]string{"notify", "ana by sms: [no_address duplicate]", "mum by email: mum@example.com"},
		},
		"each falls back alone": {
			fallback(noPhones),
			[]string{"notify", "ana by email: ana@example.com", "mum by email: mum@example.com"},
		},
	})
}
