package templates

import (
	"net/url"
	"strings"
	"time"

	"rappel/internal/zoneinfo"
)

// Values are what the placeholders of one message stand for, written for one
// locale. They never change and may be used by any number of goroutines.
type Values struct {
	text [places]string
}

// Get is the value of a placeholder, given by its name in any case, and empty
// for a name that nobody knows.
func (v *Values) Get(name string) string {
	p, ok := lookup(name)
	if !ok {
		return ""
	}
	return v.text[p]
}

// Facts are what is known about one message and its recipient, before any of
// it is written for a locale. An empty string, a zero time and a nil zone mean
// that there is no such thing.
type Facts struct {
	Recipient    Name // the person written to
	Client       Name // the person whose appointment it is
	Relationship string
	Practice     PracticeFacts

	PractitionerName, ServiceName, LocationName, LocationAddress string

	TelehealthLink string // with one, times are the recipient's own
	ManageLink     string // empty for a contact without the right

	StartsAt, EndsAt time.Time // zero: no appointment

	VisitZone     *time.Location // where the visit takes place; set where StartsAt is
	RecipientZone *time.Location // nil: unknown
	PracticeZone  *time.Location
	Zones         *zoneinfo.Data // set where StartsAt is

	// Visits are those that one message to a family lists, in its order. The
	// facts around them are those of the first.
	Visits []Facts

	// Data is what came with a notice: portal_link, form_name, form_link,
	// document_name, invoice_number, invoice_amount and invoice_due. Other keys
	// are ignored.
	Data map[string]string
}

// A Name is a person's name, the preferred first name already in its place.
type Name struct {
	First, Last string
}

// PracticeFacts say who sends the message.
type PracticeFacts struct {
	Name, Phone, Email string
}

// Values writes the facts for a locale such as "fr-CA": in its own way, else
// in that of its language, else in English.
func (f Facts) Values(locale string) *Values {
	v := &Values{}
	f.names(v)
	f.places(v)
	f.notice(v, formatOf(locale))
	f.times(v, formatOf(locale))
	v.text[visits] = visitLines(f.Visits, locale)
	return v
}

func (f Facts) names(v *Values) {
	v.text[recipientFirstName] = clean(f.Recipient.First)
	v.text[recipientLastName] = clean(f.Recipient.Last)
	v.text[recipientName] = f.Recipient.full()
	v.text[clientFirstName] = clean(f.Client.First)
	v.text[clientLastName] = clean(f.Client.Last)
	v.text[clientName] = f.Client.full()
	v.text[relationship] = clean(f.Relationship)
	v.text[practiceName] = clean(f.Practice.Name)
	v.text[practicePhone] = clean(f.Practice.Phone)
	v.text[practiceEmail] = clean(f.Practice.Email)
	v.text[practitionerName] = clean(f.PractitionerName)
	v.text[serviceName] = clean(f.ServiceName)
}

func (f Facts) places(v *Values) {
	v.text[locationName] = clean(f.LocationName)
	v.text[locationAddress] = address(f.LocationAddress)
	v.text[telehealthLink] = link(f.TelehealthLink)
	v.text[manageLink] = link(f.ManageLink)
}

// notice takes what it knows from the data of a notice.
func (f Facts) notice(v *Values, w format) {
	v.text[portalLink] = link(f.Data["portal_link"])
	v.text[formName] = clean(f.Data["form_name"])
	v.text[formLink] = link(f.Data["form_link"])
	v.text[documentName] = clean(f.Data["document_name"])
	v.text[invoiceNumber] = clean(f.Data["invoice_number"])
	v.text[invoiceAmount] = clean(f.Data["invoice_amount"])
	v.text[invoiceDueDate] = w.isoDate(clean(f.Data["invoice_due"]))
}

// times writes the dates and times of the appointment, if there is one.
func (f Facts) times(v *Values, w format) {
	if f.StartsAt.IsZero() {
		return
	}
	start := f.StartsAt.In(f.zone(v))
	v.text[appointmentDate] = w.date(start)
	v.text[appointmentDay] = w.weekday(start.Weekday())
	v.text[appointmentTimeZone] = w.zoneName(start, f.Zones)
	v.text[bareTime] = w.clock(start)
	v.text[appointmentTime] = f.zoned(v.text[bareTime], start, w)
	if f.EndsAt.After(f.StartsAt) {
		end := f.EndsAt.In(start.Location())
		v.text[bareEndTime] = w.clock(end)
		v.text[appointmentEndTime] = f.zoned(v.text[bareEndTime], end, w)
		v.text[appointmentDuration] = w.duration(end.Sub(start))
	}
}

// zone is where the clock hangs that the times are read from: that of the
// visit for a visit in person, that of the recipient for one by telehealth, or
// the practice's where the recipient's is unknown.
func (f Facts) zone(v *Values) *time.Location {
	order := []*time.Location{f.VisitZone, f.PracticeZone}
	if v.text[telehealthLink] != "" {
		order = []*time.Location{f.RecipientZone, f.PracticeZone, f.VisitZone}
	}
	for _, z := range order {
		if z != nil {
			return z
		}
	}
	return time.UTC
}

// zoned appends the zone to a clock time where the recipient's own clock shows
// another one at that instant.
func (f Facts) zoned(clock string, t time.Time, w format) string {
	if f.RecipientZone == nil {
		return clock
	}
	_, theirs := t.In(f.RecipientZone).Zone()
	if _, shown := t.Zone(); shown == theirs {
		return clock
	}
	return clock + " " + w.zoneName(t, f.Zones)
}

// full is both parts of a name, or the one there is.
func (n Name) full() string {
	return strings.TrimSpace(clean(n.First) + " " + clean(n.Last))
}

// address writes an address of several lines in one.
func address(s string) string {
	var lines []string
	for line := range strings.Lines(tidy(s)) {
		if line = strings.TrimRight(clean(line), ", "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, ", ")
}

// link is a web address to be shown. One that would run when followed is none.
func link(s string) string {
	s = clean(s)
	scheme, _, _ := strings.Cut(s, ":")
	switch strings.ToLower(strings.TrimSpace(scheme)) {
	case "javascript", "vbscript", "data":
		return ""
	}
	return s
}

// webLink is s in the form in which a page may lead there, or empty if s is
// not an http or https address.
func webLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.String()
}
