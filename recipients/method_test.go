package recipients_test

import (
	"testing"

	"rappel/recipients"
)

func TestTheClientsMethodGoesForEverybody(t *testing.T) {
	t.Parallel()
	method := func(m string) func(*recipients.Input) {
		return func(in *recipients.Input) {
			in.Client.Method = m
			in.Contacts = []recipients.Contact{mum()}
		}
	}
	check(t, map[string]rule{
		"email": {method("email"), []string{"notify", "ana by email: ana@example.com", "mum by email: mum@example.com"}},
		"sms":   {method("sms"), []string{"notify", "ana by sms: +12015550101", "mum by sms: +12015550102"}},
		"both gives one message on each, e-mail first": {
			method("both"),
			[]string{
				"notify", "ana by email: ana@example.com", "ana by sms: +12015550101",
				"mum by email: mum@example.com", "mum by sms: +12015550102",
			},
		},
		"case does not matter": {method("SMS"), []string{"notify", "ana by sms: +12015550101", "mum by sms: +12015550102"}},
		"none":                 {method("none"), []string{"skipped", "ana by : [method_none]", "mum by : [method_none]"}},
		"voice":                {method("voice"), []string{"skipped", "ana by : [unsupported_method]", "mum by : [unsupported_method]"}},
		"anything else":        {method("fax"), []string{"skipped", "ana by : [bad_method]", "mum by : [bad_method]"}},
		"null":                 {method(""), []string{"skipped", "ana by : [bad_method]", "mum by : [bad_method]"}},
		"null with a fallback": {
			func(in *recipients.Input) { in.Client.Method, in.Practice.ChannelFallback = "", true },
			[]string{"skipped", "ana by : [bad_method]"},
		},
		"without a method addresses are not judged": {
			func(in *recipients.Input) { in.Client.Method, in.Client.Email, in.Client.Phone = "none", "", "" },
			[]string{"skipped", "ana by : [method_none]"},
		},
		"nor with a fallback, whatever the moment says": {
			func(in *recipients.Input) {
				in.Client.Method, in.Client.Email, in.Client.Phone = "none", "", ""
				in.Practice.ChannelFallback, in.Against = true, []recipients.Reason{recipients.OptedOut}
			},
			[]string{"skipped", "ana by : [opted_out method_none]"},
		},
		"a contact's own method as a client does not count": {
			func(in *recipients.Input) {
				m := mum()
				m.As = &recipients.Client{Method: "sms"}
				in.Contacts = []recipients.Contact{m}
			},
			[]string{"notify", "ana by email: ana@example.com", "mum by email: mum@example.com"},
		},
	})
}
