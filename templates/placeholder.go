package templates

import (
	"strings"
	"unicode"
)

// A placeholder is an index into the values of a rendering.
type placeholder uint8

const (
	recipientFirstName placeholder = iota
	recipientLastName
	recipientName
	clientFirstName
	clientLastName
	clientName
	relationship
	practiceName
	practicePhone
	practiceEmail
	practitionerName
	serviceName
	appointmentDate
	appointmentDay
	appointmentTime
	appointmentEndTime
	appointmentTimeZone
	appointmentDuration
	locationName
	locationAddress
	telehealthLink
	manageLink
	portalLink
	formName
	formLink
	documentName
	invoiceNumber
	invoiceAmount
	invoiceDueDate
	visits

	named // how many have a name that templates can use

	// The times without their zone, for a template that writes the zone itself.
	bareTime
	bareEndTime

	places // how many values there are in all
)

// Names lists every placeholder, in the order of the manual.
func Names() []string {
	all := names()
	return all[:]
}

func names() [named]string {
	return [named]string{
		"RecipientFirstName", "RecipientLastName", "RecipientName",
		"ClientFirstName", "ClientLastName", "ClientName",
		"Relationship",
		"PracticeName", "PracticePhone", "PracticeEmail",
		"PractitionerName", "ServiceName",
		"AppointmentDate", "AppointmentDay", "AppointmentTime", "AppointmentEndTime",
		"AppointmentTimeZone", "AppointmentDuration",
		"LocationName", "LocationAddress", "TelehealthLink", "ManageLink",
		"PortalLink", "FormName", "FormLink", "DocumentName",
		"InvoiceNumber", "InvoiceAmount", "InvoiceDueDate",
		"Visits",
	}
}

// lookup finds a placeholder by its name, in any case.
func lookup(name string) (placeholder, bool) {
	for i, n := range names() {
		if strings.EqualFold(n, name) {
			return placeholder(i), true
		}
	}
	return 0, false
}

// isLink tells whether the value of p is a web address.
func (p placeholder) isLink() bool {
	switch p {
	case telehealthLink, manageLink, portalLink, formLink:
		return true
	default:
		return false
	}
}

// bare is p without its time zone, where p has one.
func (p placeholder) bare() placeholder {
	switch p {
	case appointmentTime:
		return bareTime
	case appointmentEndTime:
		return bareEndTime
	default:
		return p
	}
}

// isName tells whether s has the form of a name: letters and digits, first a
// letter.
func isName(s string) bool {
	for i, r := range s {
		if !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

// nearest is the known name that s was most likely meant to be: one that
// contains it ("FirstName"), else the one the fewest typing mistakes away; or
// the section word that it goes on from ("EndIf").
func nearest(s string) string {
	const longest = 64 // runes that are worth comparing
	given := []rune(strings.ToLower(s))
	given = given[:min(len(given), longest)]
	for _, word := range []string{"Else", "End"} {
		if strings.HasPrefix(string(given), strings.ToLower(word)) {
			return word
		}
	}
	best, least := "", longest+1
	for _, n := range names() {
		d := distance(given, []rune(strings.ToLower(n)))
		if len(given) > 3 && strings.Contains(strings.ToLower(n), string(given)) {
			d = 1
		}
		if d < least {
			best, least = n, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements that turn a into b
// (Levenshtein).
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j]+1, row[j+1]+1, replaced)
		}
	}
	return row[len(b)]
}
