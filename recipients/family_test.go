package recipients_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/recipients"
)

// The family: tim and zoe, minors without addresses, whose parents are
// contacts of both. dad wants no reminders.
func family(child string) recipients.Input {
	father := dad()
	father.ReceivesReminders = false
	return recipients.Input{
		Kind:     kind.Reminder,
		Practice: recipients.Practice{ID: "practice", Country: "US", Active: true},
		Client: recipients.Client{
			ID: child, FirstName: child, Method: "both",
			ReceivesReminders: true, ReceivesConfirmations: true, ReceivesScheduled: true,
		},
		Contacts: []recipients.Contact{mum(), father},
	}
}

func TestAFamily(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		child  string
		change func(*recipients.Input)
		want   []string
	}{
		"a child needs no address as long as mum has one, and dad is left in peace": {
			"tim", func(*recipients.Input) {},
			[]string{
				"notify", "tim by email: [no_address]", "tim by sms: [no_address]",
				"mum by email: mum@example.com", "mum by sms: +12015550102",
				"dad by email: [flag_off]", "dad by sms: [flag_off]",
			},
		},
		"dad hears of the booking all the same": {
			"tim", func(in *recipients.Input) { in.Kind = kind.Booked },
			[]string{
				"notify", "tim by email: [no_address]", "tim by sms: [no_address]",
				"mum by email: mum@example.com", "mum by sms: +12015550102",
				"dad by email: dad@example.com", "dad by sms: +12015550103",
			},
		},
		"zoe has mum's e-mail in her file, and mum gets it once": {
			"zoe", func(in *recipients.Input) { in.Client.Email = "Mum@example.com" },
			[]string{
				"notify", "zoe by email: [duplicate]", "zoe by sms: [no_address]",
				"mum by email: mum@example.com", "mum by sms: +12015550102",
				"dad by email: [flag_off]", "dad by sms: [flag_off]",
			},
		},
		"mum wrote STOP: her number is silent for tim": {"tim", stopped, silentMum("tim")},
		"mum wrote STOP: her number is silent for zoe": {"zoe", stopped, silentMum("zoe")},
		"mum wrote STOP, and dad hears of the booking by text": {
			"tim", func(in *recipients.Input) { stopped(in); in.Kind = kind.Booked },
			[]string{
				"notify", "tim by email: [no_address]", "tim by sms: [no_address]",
				"mum by email: mum@example.com", "mum by sms: [opted_out]",
				"dad by email: dad@example.com", "dad by sms: +12015550103",
			},
		},
		"mum is away: nobody who wants it can be reached": {
			"tim", func(in *recipients.Input) { in.Contacts = in.Contacts[1:] },
			[]string{
				"unreachable", "tim by email: [no_address]", "tim by sms: [no_address]",
				"dad by email: [flag_off]", "dad by sms: [flag_off]",
			},
		},
		"mum is a client herself and asked not to be contacted": {
			"tim", func(in *recipients.Input) {
				in.Kind = kind.Booked
				in.Contacts[0].As = &recipients.Client{ID: "mary", DoNotContact: true}
			},
			[]string{
				"notify", "tim by email: [no_address]", "tim by sms: [no_address]",
				"mum by email: [do_not_contact]", "mum by sms: [do_not_contact]",
				"dad by email: dad@example.com", "dad by sms: +12015550103",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := family(test.child)
			test.change(&in)
			if diff := cmp.Diff(test.want, verdicts(recipients.Decide(in))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func stopped(in *recipients.Input) {
	in.OptOuts = []recipients.OptOut{{Channel: recipients.SMS, Address: "+12015550102"}}
}

func silentMum(child string) []string {
	return []string{
		"notify", child + " by email: [no_address]", child + " by sms: [no_address]",
		"mum by email: mum@example.com", "mum by sms: [opted_out]",
		"dad by email: [flag_off]", "dad by sms: [flag_off]",
	}
}
