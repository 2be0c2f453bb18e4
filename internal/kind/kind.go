// Package kind names the kinds of message that rappel knows, and what sort
// each of them is. It is the one vocabulary that the wire, the rules and the
// store share; it deliberately knows nothing of who is told, when, or what
// they read.
package kind

// Kind is what a message is about, in the words of the contract, such as
// "appointment.booked".
type Kind string

// Events that a main app reports about an appointment.
const (
	Booked         Kind = "appointment.booked"
	Confirmed      Kind = "appointment.confirmed"
	Rescheduled    Kind = "appointment.rescheduled"
	Declined       Kind = "appointment.declined"
	Cancelled      Kind = "appointment.cancelled"
	Missed         Kind = "appointment.missed"
	TelehealthLink Kind = "appointment.telehealth_link"
)

// Messages that the practice's own rules make due.
const (
	Reminder  Kind = "appointment.reminder"
	Scheduled Kind = "appointment.scheduled"
)

// Notices beside appointments, reported by a main app.
const (
	PortalInvited          Kind = "portal.invited"
	PortalMessage          Kind = "portal.message"
	FormSent               Kind = "form.sent"
	FormSignatureRequested Kind = "form.signature_requested"
	DocumentShared         Kind = "document.shared"
	InvoiceIssued          Kind = "invoice.issued"
	EstimateIssued         Kind = "estimate.issued"
)

// Sort groups the kinds by what makes a message of them due.
type Sort int

// The sorts of kind. The zero Sort is that of a kind nobody knows.
const (
	Unknown Sort = iota
	Event        // something happened to an appointment
	Rule         // a practice's rule fell due
	Notice       // something happened beside appointments
)

// All returns every kind: events first, then rules, then notices.
func All() []Kind {
	return []Kind{
		Booked, Confirmed, Rescheduled, Declined, Cancelled, Missed, TelehealthLink,
		Reminder, Scheduled,
		PortalInvited, PortalMessage, FormSent, FormSignatureRequested,
		DocumentShared, InvoiceIssued, EstimateIssued,
	}
}

// Sort tells what makes a message of kind k due.
func (k Kind) Sort() Sort {
	switch k {
	case Booked, Confirmed, Rescheduled, Declined, Cancelled, Missed, TelehealthLink:
		return Event
	case Reminder, Scheduled:
		return Rule
	case PortalInvited, PortalMessage, FormSent, FormSignatureRequested,
		DocumentShared, InvoiceIssued, EstimateIssued:
		return Notice
	}
	return Unknown
}

// Reportable tells whether a main app may report k: events and notices, but
// not what rappel's own rules make.
func (k Kind) Reportable() bool {
	s := k.Sort()
	return s == Event || s == Notice
}
