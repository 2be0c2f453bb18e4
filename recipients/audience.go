package recipients

import (
	"cmp"
	"slices"

	"rappel/internal/kind"
)

// wants tells whether the client's flag for k is on. Notices ignore the flags.
func (c Client) wants(k kind.Kind) bool {
	switch k {
	case kind.Reminder, kind.TelehealthLink:
		return c.ReceivesReminders
	case kind.Booked, kind.Confirmed, kind.Rescheduled, kind.Declined, kind.Cancelled, kind.Missed:
		return c.ReceivesConfirmations
	case kind.Scheduled:
		return c.ReceivesScheduled
	case kind.PortalInvited, kind.PortalMessage, kind.FormSent, kind.FormSignatureRequested,
		kind.DocumentShared, kind.InvoiceIssued, kind.EstimateIssued:
		return true
	}
	return false
}

// wants tells whether the contact's flag for k, or for a notice their right,
// is on. An estimate is between the practice and the client alone.
func (c Contact) wants(k kind.Kind) bool {
	switch k {
	case kind.Reminder, kind.TelehealthLink:
		return c.ReceivesReminders
	case kind.Booked, kind.Confirmed, kind.Rescheduled, kind.Declined, kind.Cancelled, kind.Missed:
		return c.ReceivesConfirmations
	case kind.Scheduled:
		return c.ReceivesScheduled
	case kind.PortalInvited:
		return c.PortalAccess
	case kind.PortalMessage:
		return c.PortalAccess && c.CanMessage
	case kind.FormSent, kind.FormSignatureRequested:
		return true
	case kind.DocumentShared:
		return c.PortalAccess && c.CanViewDocuments
	case kind.InvoiceIssued:
		return c.CanManageBilling
	case kind.EstimateIssued:
		return false
	}
	return false
}

// toOne tells whether a notice of kind k goes to the person addressed alone.
func toOne(k kind.Kind) bool {
	return k == kind.PortalInvited || k == kind.PortalMessage ||
		k == kind.FormSent || k == kind.FormSignatureRequested
}

// isConfirmation tells whether an appointment's notify switch covers k.
func isConfirmation(k kind.Kind) bool {
	return k.Sort() == kind.Event && k != kind.TelehealthLink
}

// parties lists whom to judge. Of two with one address the earlier is told:
// contacts go by position, then id, and before the client.
func (in Input) parties() []party {
	if toOne(in.Kind) {
		return []party{in.addressee()}
	}
	contacts := slices.SortedFunc(slices.Values(in.Contacts), func(a, b Contact) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.ID, b.ID))
	})
	var all []party
	for _, c := range contacts {
		all = append(all, in.contact(c))
	}
	return append(all, in.client())
}

func (in Input) addressee() party {
	if in.Addressee == "" {
		return in.client()
	}
	for _, c := range in.Contacts {
		if c.ID == in.Addressee {
			return in.contact(c)
		}
	}
	return party{role: RoleContact, id: in.Addressee, stranger: true, against: []Reason{FlagOff}}
}

func (in Input) client() party {
	p := in.Client.party()
	p.against = when(!in.Client.wants(in.Kind), FlagOff)
	return p
}

// contact is c, who manages as the client does where they are the client.
func (in Input) contact(c Contact) party {
	p := c.party()
	p.CanManageAppointments = p.CanManageAppointments || (c.As != nil && c.As.ID == in.Client.ID)
	p.against = append(p.against, when(!c.wants(in.Kind), FlagOff)...)
	return p
}
