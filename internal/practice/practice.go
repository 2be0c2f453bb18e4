// Package practice holds the practice side as it was read in one moment: an
// appointment with its practice, its client, the client's contacts and what
// silences their addresses. It hands each rule package (recipients, schedule,
// templates) the part that it decides on, so that planning, sending and
// forecasting all ask the same questions of the same facts.
//
// It deliberately knows neither where the facts come from nor what is done
// with the answers.
package practice

import (
	"time"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
	"rappel/recipients"
	"rappel/templates"
)

// A Practice is one customer of the main app: a therapist or a clinic.
type Practice struct {
	ID, Name        string
	TimeZone        string // IANA
	Country         string // ISO 3166, the region of its phone numbers
	Phone, Email    string
	Locale          string // BCP 47
	SMSWindow       schedule.Window
	LateBooking     string // "skip" or "grace"
	ChannelFallback bool
	FamilyDigest    bool          // reminders of one hour to one address go in one message
	Settle          time.Duration // how long events wait for corrections; zero: not at all
	Active          bool
}

// An Appointment is one visit as the main app keeps it.
type Appointment struct {
	ID                            string
	PractitionerName              string
	ServiceName                   string
	LocationName, LocationAddress string
	TelehealthURL, ManageURL      string
	StartsAt, EndsAt              time.Time
	TimeZone                      string // IANA; empty: the practice's
	Status                        schedule.Status
	Notify                        bool
	Revision                      *int64 // nil: the main app keeps none
	BookedAt, UpdatedAt           time.Time
	StartSetAt                    time.Time // when StartsAt was last set; never zero
	ToldStart                     time.Time // of one that is off: the start that people know; zero: the same, or none
}

// A Snapshot is all that bears on one message, as read in one moment.
type Snapshot struct {
	Practice    Practice
	Appointment *Appointment // nil: a notice beside appointments
	Client      recipients.Client
	Contacts    []recipients.Contact
	OptOuts     []recipients.OptOut
	Unusable    []recipients.Unusable
	Zones       *zoneinfo.Data // never nil
	Addresses   *recipients.Addresses
}

// Recipients decides who is told about k. Addressee is the contact to whom a
// notice is addressed, or empty; against is what the appointment or the moment
// says against telling anybody.
func (s *Snapshot) Recipients(k kind.Kind, addressee string, against []schedule.Reason, takes recipients.Takes) recipients.Decision {
	in := recipients.Input{
		Kind:      k,
		Addressee: addressee,
		Practice: recipients.Practice{
			ID:              s.Practice.ID,
			Country:         s.Practice.Country,
			Active:          s.Practice.Active,
			ChannelFallback: s.Practice.ChannelFallback,
		},
		Client:    s.Client,
		Contacts:  s.Contacts,
		OptOuts:   s.OptOuts,
		Unusable:  s.Unusable,
		NotifyOff: s.Appointment != nil && !s.Appointment.Notify,
		Takes:     takes,
		Addresses: s.Addresses,
	}
	for _, r := range against {
		in.Against = append(in.Against, recipients.Reason(r))
	}
	return recipients.Decide(in)
}

// People are those whom a message might go to.
func (s *Snapshot) People() map[recipients.PersonID]recipients.Person {
	all := map[recipients.PersonID]recipients.Person{}
	for _, c := range s.Recipients(kind.Reminder, "", nil, nil).Candidates {
		all[c.Who()] = c.Person
	}
	return all
}

// Bars returns why nothing may go to an address any more, whoever has it now.
func (s *Snapshot) Bars(c recipients.Channel, a recipients.Address) []recipients.Reason {
	return recipients.Bars(c, a, s.OptOuts, s.Unusable, s.Practice.Country)
}

// Zone returns the zone in which the visit takes place, else the practice's;
// false where neither exists.
func (s *Snapshot) Zone() (*time.Location, bool) {
	if s.Appointment == nil {
		return s.Zones.Load(s.Practice.TimeZone)
	}
	return s.Zones.Of(s.Appointment.TimeZone, s.Practice.TimeZone)
}

// Visit returns what the rules about time need to know of the appointment. It
// is false where the zone does not exist: then nothing timed may go out. It
// must not be asked of a notice.
func (s *Snapshot) Visit() (schedule.Visit, bool) {
	zone, ok := s.Zone()
	a := s.Appointment
	return schedule.Visit{
		StartsAt:    a.StartsAt,
		EndsAt:      a.EndsAt,
		BookedAt:    a.BookedAt,
		SetAt:       a.StartSetAt,
		Zone:        zone,
		ServiceName: a.ServiceName,
		Status:      a.Status,
	}, ok
}

// EventAgainst returns what the appointment says at now against a message about
// event kind k: at planning, and again just before sending.
func (s *Snapshot) EventAgainst(k kind.Kind, now time.Time) []schedule.Reason {
	visit, ok := s.Visit()
	if !ok {
		return []schedule.Reason{schedule.BadZone}
	}
	against := schedule.Against(k, visit, now)
	if k == kind.TelehealthLink && s.Appointment.TelehealthURL == "" {
		against = append(against, schedule.BadStatus)
	}
	return against
}

// RecipientZone returns the zone of the person written to, else the practice's.
func (s *Snapshot) RecipientZone(p recipients.Person) *time.Location {
	zone, ok := s.Zones.Of(p.TimeZone, s.Practice.TimeZone)
	if !ok {
		return nil
	}
	return zone
}

// Locales lists the locales to look for a text in, the best first.
func (s *Snapshot) Locales(p recipients.Person) []string {
	return templates.Locales(p.Locale, s.Practice.Locale)
}

// Facts returns what a template may say to the person written to; data is that
// of a notice.
func (s *Snapshot) Facts(p recipients.Person, data map[string]string) templates.Facts {
	client := s.Client.Person()
	practiceZone, _ := s.Zones.Load(s.Practice.TimeZone)
	f := templates.Facts{
		Recipient:    templates.Name{First: p.FirstName, Last: p.LastName},
		Client:       templates.Name{First: client.FirstName, Last: client.LastName},
		Relationship: p.Relationship,
		Practice:     templates.PracticeFacts{Name: s.Practice.Name, Phone: s.Practice.Phone, Email: s.Practice.Email},
		PracticeZone: practiceZone,
		Zones:        s.Zones,
		Data:         data,
	}
	if p.TimeZone != "" {
		f.RecipientZone = s.RecipientZone(p)
	}
	a := s.Appointment
	if a == nil {
		return f
	}
	f.PractitionerName = a.PractitionerName
	f.ServiceName = a.ServiceName
	f.LocationName, f.LocationAddress = a.LocationName, a.LocationAddress
	f.TelehealthLink = a.TelehealthURL
	f.StartsAt, f.EndsAt = a.StartsAt, a.EndsAt
	if !a.ToldStart.IsZero() { // who hears that a visit is off must know which
		f.StartsAt, f.EndsAt = a.ToldStart, a.EndsAt.Add(a.ToldStart.Sub(a.StartsAt))
	}
	f.VisitZone, _ = s.Zone()
	if p.CanManageAppointments {
		f.ManageLink = a.ManageURL
	}
	return f
}
