package templates

import "strings"

// visitLines writes a line for each visit: who it is for, and when. A message to a
// family says no more, whoever reads it.
func visitLines(all []Facts, locale string) string {
	var lines []string
	for _, f := range all {
		v := f.Values(locale)
		name := v.text[clientFirstName]
		if name == "" || ambiguous(f, all) {
			name = v.text[clientName]
		}
		when := v.text[appointmentDate] + ", " + v.text[appointmentTime]
		if name != "" {
			when = name + ": " + when
		}
		lines = append(lines, when)
	}
	return strings.Join(lines, "\n")
}

// ambiguous tells whether somebody else in the list has the same first name.
func ambiguous(f Facts, all []Facts) bool {
	for _, other := range all {
		if other.Client != f.Client && strings.EqualFold(clean(other.Client.First), clean(f.Client.First)) {
			return true
		}
	}
	return false
}
