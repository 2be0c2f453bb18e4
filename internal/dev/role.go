package dev

import "strings"

// roleOf says what somebody is to the practice, and what of them is easily
// overlooked.
func (v *viewer) roleOf(p personRow, contact bool) string {
	role := clientRole(p.Method)
	if contact {
		role = v.contactRole(p)
	}
	if _, city, ok := strings.Cut(p.TimeZone, "/"); ok {
		role += " · " + strings.ReplaceAll(city, "_", " ") + " time"
	}
	if language := map[string]string{"es": "Spanish", "fr": "French", "de": "German"}[p.Locale]; language != "" {
		role += " · reads " + language
	}
	return role
}

func clientRole(method string) string {
	switch method {
	case "both":
		return "client, wants SMS and e-mail"
	case "sms":
		return "client, wants SMS"
	case "email":
		return "client, wants e-mail"
	}
	return "client"
}

func (v *viewer) contactRole(p personRow) string {
	children := map[string][]string{}
	var relations []string
	for _, l := range v.Links {
		if l.ContactID != p.ID {
			continue
		}
		if len(children[l.Relationship]) == 0 {
			relations = append(relations, l.Relationship)
		}
		client, _ := byID(v.Clients, l.ClientID)
		children[l.Relationship] = append(children[l.Relationship], firstName(client.Name))
	}
	for i, relation := range relations {
		relations[i] = relation + " of " + inWords(children[relation])
	}
	return strings.Join(relations, ", ")
}

// rightsOf says what a contact gets and may do, as far as it holds for all of
// their clients.
func (v *viewer) rightsOf(p personRow) string {
	rights := []struct {
		name string
		has  func(linkRow) bool
	}{
		{"reminders", func(l linkRow) bool { return l.Reminders }},
		{"confirmations", func(l linkRow) bool { return l.Confirmations }},
		{"scheduled messages", func(l linkRow) bool { return l.Scheduled }},
		{"may manage visits", func(l linkRow) bool { return l.Appointments }},
		{"portal", func(l linkRow) bool { return l.Portal }},
		{"documents", func(l linkRow) bool { return l.Documents }},
		{"billing", func(l linkRow) bool { return l.Billing }},
	}
	var names []string
	for _, right := range rights {
		links := 0
		for _, l := range v.Links {
			if l.ContactID == p.ID && right.has(l) {
				links++
			}
		}
		if links > 0 && links == v.linksOf(p) {
			names = append(names, right.name)
		}
	}
	return strings.Join(names, " · ")
}

func (v *viewer) linksOf(p personRow) (n int) {
	for _, l := range v.Links {
		if l.ContactID == p.ID {
			n++
		}
	}
	return n
}
