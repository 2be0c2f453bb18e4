package recipients

import (
	"cmp"
	"strings"
)

// Client is whom an appointment or a notice is about.
type Client struct {
	ID, FirstName, LastName, PreferredName string
	Email, Phone                           string // as stored, in any spelling
	Method                                 string // preferred_method as stored; "" is null
	TimeZone, Locale                       string

	ReceivesReminders, ReceivesConfirmations, ReceivesScheduled bool
	DoNotContact, Archived                                      bool
}

// Contact is somebody whom a client has named, with what the client lets them
// have.
type Contact struct {
	ID, FirstName, LastName string
	Email, Phone            string // as stored, in any spelling
	TimeZone, Locale        string
	Relationship            string // to the client, such as "Mother"
	Position                int

	ReceivesReminders, ReceivesConfirmations, ReceivesScheduled bool
	CanManageAppointments, PortalAccess, CanMessage             bool
	CanViewForms, CanViewDocuments, CanManageBilling            bool

	As *Client // the client that this person also is, if any
}

// Person is who reads a message, as a template names them: the preferred name
// stands in FirstName, and what a contact lacks is that of the client they are.
type Person struct {
	FirstName, LastName, TimeZone, Locale, Relationship string
	CanManageAppointments                               bool
}

// A party is one to judge: a client or a contact, resolved.
type party struct {
	Person

	role     Role
	id       string
	email    string
	phone    string
	stranger bool     // not linked to the client: nothing is known of them
	against  []Reason // what speaks against them on every channel
}

func (c Client) party() party {
	return party{
		Person: Person{
			FirstName:             first(c.PreferredName, c.FirstName),
			LastName:              first(c.LastName),
			TimeZone:              first(c.TimeZone),
			Locale:                first(c.Locale),
			CanManageAppointments: true,
		},
		role:  RoleClient,
		id:    c.ID,
		email: first(c.Email),
		phone: first(c.Phone),
	}
}

// party leaves aside the contact's archive, method and flags as a client: only
// their own wish not to be contacted goes with them.
func (c Contact) party() party {
	as := *cmp.Or(c.As, &Client{})
	return party{
		Person: Person{
			FirstName:             first(as.PreferredName, c.FirstName, as.FirstName),
			LastName:              first(c.LastName, as.LastName),
			TimeZone:              first(c.TimeZone, as.TimeZone),
			Locale:                first(c.Locale, as.Locale),
			Relationship:          first(c.Relationship),
			CanManageAppointments: c.CanManageAppointments,
		},
		role:    RoleContact,
		id:      c.ID,
		email:   first(c.Email, as.Email),
		phone:   first(c.Phone, as.Phone),
		against: when(as.DoNotContact, DoNotContact),
	}
}

func (p party) address(c Channel) string {
	if c == SMS {
		return p.phone
	}
	return p.email
}

// first is the first value that is more than blanks, without those around it.
func first(values ...string) string {
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	return ""
}
