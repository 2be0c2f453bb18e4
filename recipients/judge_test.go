package recipients_test

import (
	"testing"

	"rappel/internal/kind"
	"rappel/recipients"
)

func TestWhatStopsEverybody(t *testing.T) {
	t.Parallel()
	with := func(change func(*recipients.Input)) func(*recipients.Input) {
		return func(in *recipients.Input) {
			in.Kind = kind.Booked
			in.Contacts = []recipients.Contact{mum()}
			change(in)
		}
	}
	all := func(reasons string) []string {
		return []string{"skipped", "ana by email: [" + reasons + "]", "mum by email: [" + reasons + "]"}
	}
	check(t, map[string]rule{
		"do not contact":    {with(func(in *recipients.Input) { in.Client.DoNotContact = true }), all("do_not_contact")},
		"an archive":        {with(func(in *recipients.Input) { in.Client.Archived = true }), all("client_archived")},
		"a closed practice": {with(func(in *recipients.Input) { in.Practice.Active = false }), all("practice_inactive")},
		"notify off":        {with(func(in *recipients.Input) { in.NotifyOff = true }), all("notify_off")},
		"what the moment says": {
			with(func(in *recipients.Input) { in.Against = []recipients.Reason{recipients.QuietHours} }),
			all("quiet_hours"),
		},
		"what the moment says, even in the words of an address": {
			with(func(in *recipients.Input) { in.Against = []recipients.Reason{recipients.InvalidAddress} }),
			all("invalid_address"),
		},
		"all of it, in the contract's order": {
			with(func(in *recipients.Input) {
				in.Client.DoNotContact, in.Client.Archived = true, true
				in.Practice.Active, in.NotifyOff = false, true
				in.Against = []recipients.Reason{recipients.Status, recipients.Past, recipients.Past}
			}),
			all("do_not_contact client_archived practice_inactive notify_off past status"),
		},
	})
}

func TestReasonsAccumulate(t *testing.T) {
	t.Parallel()
	check(t, map[string]rule{
		"flag and address": {
			func(in *recipients.Input) { in.Client.ReceivesReminders, in.Client.Email = false, "" },
			[]string{"silenced", "ana by email: [flag_off no_address]"},
		},
		"flag, receiver and opt-out": {
			func(in *recipients.Input) {
				in.Client.ReceivesReminders = false
				in.Unusable = []recipients.Unusable{{recipients.Email, "ana@example.com"}}
				in.OptOuts = []recipients.OptOut{{recipients.Email, "ana@example.com"}}
			},
			[]string{"silenced", "ana by email: [flag_off invalid_address opted_out]"},
		},
		"flag and method": {
			func(in *recipients.Input) { in.Client.ReceivesReminders, in.Client.Method = false, "none" },
			[]string{"skipped", "ana by : [flag_off method_none]"},
		},
		"a contact's flag, wish and address": {
			func(in *recipients.Input) {
				in.Contacts = []recipients.Contact{{ID: "mum", As: &recipients.Client{DoNotContact: true}}}
			},
			[]string{"notify", "ana by email: ana@example.com", "mum by email: [flag_off no_address do_not_contact]"},
		},
		"what stops everybody comes on top of one's own": {
			func(in *recipients.Input) {
				in.Client.Email = ""
				in.Contacts = []recipients.Contact{{ID: "mum", Email: "mum@example.com"}}
				in.Against = []recipients.Reason{recipients.LateBooking}
			},
			[]string{"skipped", "ana by email: [no_address late_booking]", "mum by email: [flag_off late_booking]"},
		},
	})
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	check(t, map[string]rule{
		"notify if anyone is told": {
			func(in *recipients.Input) {
				in.Client.Email = ""
				in.Contacts = []recipients.Contact{mum()}
			},
			[]string{"notify", "ana by email: [no_address]", "mum by email: mum@example.com"},
		},
		"unreachable if one flag is on and that one cannot be reached": {
			func(in *recipients.Input) {
				in.Client.Email = ""
				in.Contacts = []recipients.Contact{{ID: "mum", Email: "mum@example.com"}}
			},
			[]string{"unreachable", "ana by email: [no_address]", "mum by email: [flag_off]"},
		},
		"silenced if every flag is off": {
			func(in *recipients.Input) {
				in.Client.ReceivesReminders = false
				in.Contacts = []recipients.Contact{{ID: "mum", Email: "mum@example.com"}}
			},
			[]string{"silenced", "ana by email: [flag_off]", "mum by email: [flag_off]"},
		},
		"skipped wins over silenced": {
			func(in *recipients.Input) { in.Client.ReceivesReminders, in.Client.Archived = false, true },
			[]string{"skipped", "ana by email: [flag_off client_archived]"},
		},
		"skipped wins over unreachable": {
			func(in *recipients.Input) { in.Client.Email, in.Client.Archived = "", true },
			[]string{"skipped", "ana by email: [no_address client_archived]"},
		},
		"one contact's wish does not hide that an address is missing": {
			func(in *recipients.Input) {
				in.Client.Email = ""
				m := mum()
				m.As = &recipients.Client{DoNotContact: true}
				in.Contacts = []recipients.Contact{m}
			},
			[]string{"unreachable", "ana by email: [no_address]", "mum by email: [do_not_contact]"},
		},
	})
}
