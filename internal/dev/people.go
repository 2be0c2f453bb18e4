package dev

import (
	"html"
	"html/template"
	"slices"
	"strings"
	"time"

	"rappel/recipients"
)

// A personView is somebody with what they read messages on.
type personView struct {
	ID, Name, Initials, Role string
	Rights                   string // what a contact gets and may do
	Phone                    *deviceView
	Mail                     *deviceView
	Elsewhere                string // whose mail box they read
}

// A deviceView is a phone or a mail box.
type deviceView struct {
	ID, Address string
	PersonID    string
	Stopped     bool
	Items       []itemView // the newest first
	Earlier     int        // more than are shown
}

// An itemView is a message, or an answer to one.
type itemView struct {
	ID, At, Subject, Text string
	From                  string
	Meaning               string            // what rappel took an answer for
	Frame                 template.HTMLAttr // srcdoc of the frame that shows an e-mail
	Height                int               // that the frame is likely to need, in pixels
	Own                   bool              // written by the person
}

// mostItems is how many messages a phone or a mail box shows.
const mostItems = 12

// people lists contacts and clients who can read something, the contacts first,
// and the names of those who have no address.
func (v *viewer) people() (people []personView, without []string) {
	owners := map[string]string{} // of a mail box: who is shown with it
	for i, p := range append(append([]personRow{}, v.Contacts...), v.Clients...) {
		card := personView{ID: p.ID, Name: p.Name, Initials: initials(p.Name), Role: v.roleOf(p, i < len(v.Contacts)), Rights: v.rightsOf(p)}
		methods := v.methodsFor(p)
		if p.Phone != "" {
			card.Phone = v.device(recipients.SMS, p.ID, normal(recipients.SMS, p.Phone, v.Practice.Country), true)
		}
		if p.Email != "" {
			address := normal(recipients.Email, p.Email, v.Practice.Country)
			if owner, ok := owners[address]; ok {
				card.Elsewhere = owner
			} else if card.Mail = v.device(recipients.Email, p.ID, address, methods[recipients.Email]); card.Mail != nil {
				owners[address] = p.Name
			}
		}
		if p.Phone == "" && p.Email == "" {
			without = append(without, p.Name)
			continue
		}
		people = append(people, card)
	}
	return people, without
}

// methodsFor is on which channels somebody may be written to.
func (v *viewer) methodsFor(p personRow) map[recipients.Channel]bool {
	use := map[recipients.Channel]bool{}
	note := func(method string) {
		for _, c := range []recipients.Channel{recipients.SMS, recipients.Email} {
			use[c] = use[c] || uses(method, c)
		}
	}
	note(p.Method)
	for _, l := range v.Links {
		if client, ok := byID(v.Clients, l.ClientID); ok && l.ContactID == p.ID {
			note(client.Method)
		}
	}
	return use
}

// device is nil where nobody would write to it and nothing has come.
func (v *viewer) device(c recipients.Channel, personID, address string, used bool) *deviceView {
	d := &deviceView{ID: string(c) + "-" + personID, Address: address, PersonID: personID}
	if c == recipients.SMS {
		d.Address = prettyPhone(address)
	}
	for _, s := range v.Stopped {
		if s.Channel == c && normal(c, s.Address, v.Practice.Country) == address {
			d.Stopped = true
		}
	}
	d.Items = v.items(c, address)
	if d.Stopped && c == recipients.SMS && len(d.Items) == 0 {
		d.Items = []itemView{{ID: d.ID + "-stop", Text: "STOP", Own: true, At: "some time ago"}}
	}
	if !used && len(d.Items) == 0 {
		return nil
	}
	if more := len(d.Items) - mostItems; more > 0 {
		d.Items, d.Earlier = d.Items[:mostItems], more
	}
	return d
}

func (v *viewer) items(c recipients.Channel, address string) []itemView {
	type dated struct {
		at time.Time
		itemView
	}
	var all []dated
	for _, m := range v.messages {
		if m.Channel == c && normal(c, m.To, v.Practice.Country) == address {
			all = append(all, dated{m.At, v.item(m)})
		}
	}
	for _, r := range v.replies {
		if c == recipients.SMS && normal(c, r.From, v.Practice.Country) == address {
			all = append(all, dated{r.At, itemView{ID: "m-" + r.ID, Text: r.Text, Own: true, At: v.short(r.At), Meaning: v.meaningOf(r)}})
		}
	}
	slices.SortStableFunc(all, func(a, b dated) int { return a.at.Compare(b.at) })
	items := make([]itemView, len(all))
	for i, d := range all {
		items[len(all)-1-i] = d.itemView
	}
	return items
}

func (v *viewer) item(m Message) itemView {
	return itemView{
		ID: "m-" + m.ID, At: v.short(m.At), From: v.Practice.Name, Subject: m.Subject, Text: m.Text,
		// html/template would take the tags out of it. The frame may do nothing.
		Frame:  template.HTMLAttr(`srcdoc="` + html.EscapeString(m.HTML) + `"`), //nolint:gosec // escaped, and sandboxed
		Height: likelyHeight(m.Text),
	}
}

func (v *viewer) short(t time.Time) string { return dayAndTime(t.In(v.Practice.Zone), v.now) }

// likelyHeight guesses how high a text stands as an e-mail: nobody outside a
// sandboxed frame can measure it.
func likelyHeight(text string) int {
	const around, line, gap, perLine, most = 160, 25, 7, 36, 600
	height := around
	for l := range strings.Lines(text) {
		n := len([]rune(strings.TrimSpace(l)))
		height += gap + line*((n+perLine-1)/perLine)
	}
	return min(height, most)
}

// normal is the spelling that addresses are compared in.
func normal(c recipients.Channel, address, country string) string {
	if a, err := recipients.ParseAddress(c, address, country); err == nil {
		return strings.ToLower(a.Reveal())
	}
	return strings.ToLower(strings.TrimSpace(address))
}

// prettyPhone spaces a number of this country; others stay as they are.
func prettyPhone(s string) string {
	if len(s) != len("+12015550123") || !strings.HasPrefix(s, "+1") {
		return s
	}
	return s[:2] + " " + s[2:5] + " " + s[5:8] + " " + s[8:]
}

func firstName(name string) string {
	first, _, _ := strings.Cut(name, " ")
	return first
}

func initials(name string) string {
	var first []rune
	for part := range strings.FieldsSeq(name) {
		first = append(first, []rune(part)[0])
	}
	return string(first)
}
