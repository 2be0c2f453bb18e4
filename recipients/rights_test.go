package recipients_test

import (
	"fmt"
	"slices"
	"testing"

	"rappel/internal/kind"
	"rappel/recipients"
)

// A right is one that a client gives a contact.
type right struct {
	name string
	give func(*recipients.Contact)
}

func rights() []right {
	return []right{
		{"portal", func(c *recipients.Contact) { c.PortalAccess = true }},
		{"messages", func(c *recipients.Contact) { c.CanMessage = true }},
		{"forms", func(c *recipients.Contact) { c.CanViewForms = true }},
		{"documents", func(c *recipients.Contact) { c.CanViewDocuments = true }},
		{"billing", func(c *recipients.Contact) { c.CanManageBilling = true }},
		{"appointments", func(c *recipients.Contact) { c.CanManageAppointments = true }},
	}
}

// Every set of rights there is, for each kind of notice and each addressee: the
// rights that are asked for decide, and no other does.
func TestTheRightsThatANoticeAsksForDecideAlone(t *testing.T) {
	t.Parallel()
	const never = "a right that nobody has"
	needs := map[kind.Kind][]string{
		kind.PortalInvited: {"portal"}, kind.PortalMessage: {"portal", "messages"},
		kind.FormSent: nil, kind.FormSignatureRequested: nil,
		kind.DocumentShared: {"portal", "documents"}, kind.InvoiceIssued: {"billing"}, kind.EstimateIssued: {never},
	}
	for k, needed := range needs {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			toAll := k == kind.DocumentShared || k == kind.InvoiceIssued || k == kind.EstimateIssued
			for set := range 1 << len(rights()) {
				c, has := holder(set)
				told := !slices.ContainsFunc(needed, func(n string) bool { return !slices.Contains(has, n) })
				for _, addressee := range []string{"", "mum", "stranger"} {
					want := []string{verdictOn("ana", true)}
					switch {
					case toAll:
						want = append(want, verdictOn("mum", told))
					case addressee == "mum":
						want = []string{verdictOn("mum", told)}
					case addressee != "":
						want = []string{verdictOn(addressee, false)}
					}
					in := visit()
					notice(k, addressee, c)(&in)
					if got := verdicts(recipients.Decide(in))[1:]; !slices.Equal(got, want) {
						t.Errorf("with %v, addressed to %q: %v, want %v", has, addressee, got, want)
					}
				}
			}
		})
	}
}

// holder is a contact with the rights of a set, and their names.
func holder(set int) (c recipients.Contact, has []string) {
	c = with("mum", func(*recipients.Contact) {})
	for i, r := range rights() {
		if set&(1<<i) != 0 {
			r.give(&c)
			has = append(has, r.name)
		}
	}
	return c, has
}

func verdictOn(id string, told bool) string {
	if told {
		return fmt.Sprintf("%s by email: %[1]s@example.com", id)
	}
	return id + " by email: [flag_off]"
}

// Whatever speaks against the one addressed: nobody else is so much as
// considered.
func TestANoticeNeverGoesToSomebodyElseInstead(t *testing.T) {
	t.Parallel()
	everything := func(id string, change func(*recipients.Contact)) recipients.Contact {
		c := with(id, func(*recipients.Contact) {})
		for _, r := range rights() {
			r.give(&c)
		}
		c.ReceivesReminders, c.ReceivesConfirmations, c.ReceivesScheduled = true, true, true
		change(&c)
		return c
	}
	dad := everything("dad", func(*recipients.Contact) {})
	as := &recipients.Client{ID: "ben", Email: "ben@example.com", DoNotContact: true}
	portal := func(change func(*recipients.Input), mum func(*recipients.Contact)) func(*recipients.Input) {
		return func(in *recipients.Input) {
			in.Kind, in.Addressee, in.Contacts = kind.PortalMessage, "mum", []recipients.Contact{dad, everything("mum", mum)}
			change(in)
		}
	}
	same := func(*recipients.Input) {}
	fallback := func(in *recipients.Input) { in.Practice.ChannelFallback = true }
	check(t, map[string]rule{
		"without an address": {
			portal(same, func(c *recipients.Contact) { c.Email = "" }), []string{"unreachable", "mum by email: [no_address]"},
		},
		"without a right and an address": {
			portal(same, func(c *recipients.Contact) { c.Email, c.CanMessage = "", false }),
			[]string{"silenced", "mum by email: [flag_off no_address]"},
		},
		"without any address where another channel may serve": {
			portal(fallback, func(c *recipients.Contact) { c.Email = "" }), []string{"unreachable", "mum by email: [no_address]"},
		},
		"without a right where another channel may serve": {
			portal(fallback, func(c *recipients.Contact) { c.Phone, c.PortalAccess = "+12015550102", false }),
			[]string{"silenced", "mum by email: [flag_off]"},
		},
		"with an address that nobody can read": {
			portal(same, func(c *recipients.Contact) { c.Email = "mum at home" }), []string{"unreachable", "mum by email: [invalid_address]"},
		},
		"after a wish to hear no more": {
			portal(func(in *recipients.Input) { in.OptOuts = []recipients.OptOut{{recipients.Email, "MUM@example.com"}} }, func(*recipients.Contact) {}),
			[]string{"unreachable", "mum by email: [opted_out]"},
		},
		"where they are a client who may not be contacted": {
			portal(same, func(c *recipients.Contact) { c.As = as }), []string{"skipped", "mum by email: [do_not_contact]"},
		},
		"where the client may not be contacted": {
			portal(func(in *recipients.Input) { in.Client.DoNotContact = true }, func(*recipients.Contact) {}),
			[]string{"skipped", "mum by email: [do_not_contact]"},
		},
		"where the client wants it by telephone": {
			portal(func(in *recipients.Input) { in.Client.Method = "voice" }, func(*recipients.Contact) {}),
			[]string{"skipped", "mum by : [unsupported_method]"},
		},
		"where the client shares the address": {
			portal(func(in *recipients.Input) { in.Client.Email = "mum@example.com" }, func(*recipients.Contact) {}),
			[]string{"notify", "mum by email: mum@example.com"},
		},
	})
}
