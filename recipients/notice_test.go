package recipients_test

import (
	"testing"

	"rappel/internal/kind"
	"rappel/recipients"
)

// notice is k with every receives_ flag off, for contacts with these rights.
func notice(k kind.Kind, addressee string, contacts ...recipients.Contact) func(*recipients.Input) {
	return func(in *recipients.Input) {
		in.Kind, in.Addressee, in.Contacts = k, addressee, contacts
		in.Client.ReceivesReminders = false
		in.Client.ReceivesConfirmations = false
		in.Client.ReceivesScheduled = false
	}
}

// with is a contact without any flag, and with the rights that change gives.
func with(id string, change func(*recipients.Contact)) recipients.Contact {
	c := recipients.Contact{ID: id, Email: id + "@example.com"}
	change(&c)
	return c
}

func TestPortalAndFormNoticesGoToTheOneAddressed(t *testing.T) {
	t.Parallel()
	none := with("mum", func(*recipients.Contact) {})
	portal := with("mum", func(c *recipients.Contact) { c.PortalAccess = true })
	messages := with("mum", func(c *recipients.Contact) { c.CanMessage = true })
	both := with("mum", func(c *recipients.Contact) { c.PortalAccess, c.CanMessage = true, true })
	flags := with("mum", func(c *recipients.Contact) {
		c.ReceivesReminders, c.ReceivesConfirmations, c.ReceivesScheduled = true, true, true
	})
	client := []string{"notify", "ana by email: ana@example.com"}
	told := []string{"notify", "mum by email: mum@example.com"}
	off := []string{"silenced", "mum by email: [flag_off]"}
	check(t, map[string]rule{
		"an invitation to the client":             {notice(kind.PortalInvited, "", both), client},
		"an invitation needs the portal":          {notice(kind.PortalInvited, "mum", portal), told},
		"an invitation without the portal":        {notice(kind.PortalInvited, "mum", messages), off},
		"a message to the client":                 {notice(kind.PortalMessage, "", both), client},
		"a message needs portal and messages":     {notice(kind.PortalMessage, "mum", both), told},
		"a message without the right to messages": {notice(kind.PortalMessage, "mum", portal), off},
		"a message without the portal":            {notice(kind.PortalMessage, "mum", messages), off},
		"flags are no rights":                     {notice(kind.PortalMessage, "mum", flags), off},
		"a form to the client":                    {notice(kind.FormSent, "", both), client},
		"a form needs no right":                   {notice(kind.FormSent, "mum", none), told},
		"a signature asked of the client":         {notice(kind.FormSignatureRequested, "", both), client},
		"a signature needs no right":              {notice(kind.FormSignatureRequested, "mum", none), told},
		"a stranger": {
			notice(kind.FormSent, "stranger", both),
			[]string{"silenced", "stranger by email: [flag_off]"},
		},
		"a stranger to a client who is archived": {
			func(in *recipients.Input) {
				notice(kind.FormSent, "stranger")(in)
				in.Client.Archived = true
			},
			[]string{"skipped", "stranger by email: [flag_off client_archived]"},
		},
		"the one addressed among several": {
			notice(kind.FormSent, "mum", with("dad", func(*recipients.Contact) {}), none),
			told,
		},
	})
}

func TestSharedNoticesGoToWhoHasTheRight(t *testing.T) {
	t.Parallel()
	documents := func(c *recipients.Contact) { c.PortalAccess, c.CanViewDocuments = true, true }
	portal := func(c *recipients.Contact) { c.PortalAccess, c.CanViewForms, c.CanManageBilling = true, true, true }
	noPortal := func(c *recipients.Contact) { c.CanViewDocuments, c.CanMessage = true, true }
	billing := func(c *recipients.Contact) { c.CanManageBilling = true }
	notBilling := func(c *recipients.Contact) {
		documents(c)
		noPortal(c)
		c.CanManageAppointments, c.CanViewForms = true, true
	}
	everything := func(c *recipients.Contact) {
		notBilling(c)
		billing(c)
		c.ReceivesReminders, c.ReceivesConfirmations, c.ReceivesScheduled = true, true, true
	}
	check(t, map[string]rule{
		"a document": {
			notice(kind.DocumentShared, "", with("a", documents), with("b", portal), with("c", noPortal)),
			[]string{
				"notify", "ana by email: ana@example.com",
				"a by email: a@example.com", "b by email: [flag_off]", "c by email: [flag_off]",
			},
		},
		"an invoice": {
			notice(kind.InvoiceIssued, "", with("a", billing), with("b", notBilling)),
			[]string{"notify", "ana by email: ana@example.com", "a by email: a@example.com", "b by email: [flag_off]"},
		},
		"an estimate goes to the client alone": {
			notice(kind.EstimateIssued, "", with("a", everything)),
			[]string{"notify", "ana by email: ana@example.com", "a by email: [flag_off]"},
		},
		"an invoice has no addressee": {
			notice(kind.InvoiceIssued, "a", with("a", billing)),
			[]string{"notify", "ana by email: ana@example.com", "a by email: a@example.com"},
		},
	})
}

func TestNoticesObeyTheOtherRules(t *testing.T) {
	t.Parallel()
	check(t, map[string]rule{
		"do not contact": {
			func(in *recipients.Input) { in.Kind, in.Client.DoNotContact = kind.PortalMessage, true },
			[]string{"skipped", "ana by email: [do_not_contact]"},
		},
		"the method": {
			func(in *recipients.Input) { in.Kind, in.Client.Method = kind.FormSent, "none" },
			[]string{"skipped", "ana by : [method_none]"},
		},
		"opt-outs": {
			func(in *recipients.Input) {
				in.Kind = kind.InvoiceIssued
				in.OptOuts = []recipients.OptOut{{recipients.Email, "ana@example.com"}}
			},
			[]string{"unreachable", "ana by email: [opted_out]"},
		},
		"duplicates": {
			notice(kind.InvoiceIssued, "", with("ana", func(c *recipients.Contact) { c.CanManageBilling = true })),
			[]string{"notify", "ana by email: [duplicate]", "ana by email: ana@example.com"},
		},
	})
}
