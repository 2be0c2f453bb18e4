package recipients_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rappel/recipients"
)

func TestOptOutsBindTheAddressOnItsChannel(t *testing.T) {
	t.Parallel()
	optOut := func(c recipients.Channel, addresses ...string) func(*recipients.Input) {
		return func(in *recipients.Input) {
			in.Client.Method = "both"
			for _, a := range addresses {
				in.OptOuts = append(in.OptOuts, recipients.OptOut{Channel: c, Address: a})
			}
		}
	}
	noText := []string{"notify", "ana by email: ana@example.com", "ana by sms: [opted_out]"}
	noEmail := []string{"notify", "ana by email: [opted_out]", "ana by sms: +12015550101"}
	neither := []string{"notify", "ana by email: ana@example.com", "ana by sms: +12015550101"}
	check(t, map[string]rule{
		"a number":                             {optOut(recipients.SMS, "+12015550101"), noText},
		"a number in another spelling":         {optOut(recipients.SMS, "1-201-555-0101"), noText},
		"a number among others":                {optOut(recipients.SMS, "+12015550199", "+12015550101", "nonsense"), noText},
		"a number that cannot be read exactly": {optOut(recipients.SMS, "0001 201 555 0101"), noText},
		"an e-mail":                            {optOut(recipients.Email, "ana@example.com"), noEmail},
		"an e-mail in another case":            {optOut(recipients.Email, " Ana@Example.com"), noEmail},
		"another number":                       {optOut(recipients.SMS, "+12015550102"), neither},
		"another number with the same ending":  {optOut(recipients.SMS, "+13015550101"), neither},
		"a number of which too little is left": {optOut(recipients.SMS, "0101"), neither},
		"a number on the other channel":        {optOut(recipients.Email, "+12015550101"), neither},
		"an e-mail on the other channel":       {optOut(recipients.SMS, "ana@example.com"), neither},
		"nothing on no channel":                {optOut("", ""), neither},
	})
}

func TestWhoeverHasTheAddressIsBound(t *testing.T) {
	t.Parallel()
	check(t, map[string]rule{
		"all who share a number": {
			func(in *recipients.Input) {
				in.Client.Method = "sms"
				in.Contacts = []recipients.Contact{contact("mum", 1, "", in.Client.Phone), dad()}
				in.OptOuts = []recipients.OptOut{{recipients.SMS, in.Client.Phone}}
			},
			[]string{"notify", "ana by sms: [opted_out]", "mum by sms: [opted_out]", "dad by sms: +12015550103"},
		},
		"a contact by the number of the client they are": {
			func(in *recipients.Input) {
				in.Client.Method = "sms"
				in.Contacts = []recipients.Contact{contact("mum", 1, "", "")}
				in.Contacts[0].As = &recipients.Client{Phone: "(201) 555-0199"}
				in.OptOuts = []recipients.OptOut{{recipients.SMS, "+12015550199"}}
			},
			[]string{"notify", "ana by sms: +12015550101", "mum by sms: [opted_out]"},
		},
	})
}

func TestAnAddressIsBarredWhoeverHasIt(t *testing.T) {
	t.Parallel()
	number, err := recipients.ParsePhone("+12015550101", "US")
	if err != nil {
		t.Fatal(err)
	}
	said := []recipients.OptOut{{Channel: recipients.SMS, Address: "(201) 555-0101"}}
	refused := []recipients.Unusable{{Channel: recipients.SMS, Address: "+12015550101"}}
	cases := map[string]struct {
		optOuts  []recipients.OptOut
		unusable []recipients.Unusable
		channel  recipients.Channel
		want     []recipients.Reason
	}{
		"by nothing":                  {channel: recipients.SMS},
		"by STOP":                     {optOuts: said, channel: recipients.SMS, want: []recipients.Reason{recipients.OptedOut}},
		"by its receiver":             {unusable: refused, channel: recipients.SMS, want: []recipients.Reason{recipients.InvalidAddress}},
		"not on the other channel":    {optOuts: said, unusable: refused, channel: recipients.Email},
		"by both, the receiver first": {said, refused, recipients.SMS, []recipients.Reason{recipients.InvalidAddress, recipients.OptedOut}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := recipients.Bars(c.channel, number, c.optOuts, c.unusable, "US")
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
