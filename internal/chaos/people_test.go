package chaos_test

import (
	"bytes"
	"fmt"
	"slices"
	"unicode"

	"github.com/google/uuid"
)

// Words that only the people of a trial bear: no log may hold them.
const (
	rareFirst  = "Quendelin"
	rareLast   = "Xyrophant"
	rareDomain = "people.example.org"
)

// A person is a client or a contact.
type person struct {
	id, practice string

	contact bool
	phones  []string // the last one is the one that counts; none: has none
	emails  []string
}

func (p *person) address(channel string) string {
	of := p.phones
	if channel == "email" {
		of = p.emails
	}
	if len(of) == 0 {
		return ""
	}
	return of[len(of)-1]
}

// flags say what somebody wants to hear of.
type flags struct{ reminders, confirmations bool }

func (f flags) of(kind string) bool {
	if kind == reminder {
		return f.reminders
	}
	return f.confirmations
}

// A link is a contact of a client.
type link struct {
	*person
	flags
}

// A client is somebody who has appointments.
type client struct {
	person
	flags
	method   string
	silent   bool   // do not contact
	contacts []link // by position
}

// people are everybody whom a trial is about.
type people struct {
	practices []string
	clients   []*client
	contacts  []*person
	optedOut  map[string]bool // numbers
	persons   map[string]*person
	dice      *dice
	numbers   int
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// newPeople makes families: two children with a parent in common and another
// contact each has alone, some with a number or an address in common.
func newPeople(d *dice, practices, families int) *people {
	p := &people{dice: d, optedOut: map[string]bool{}, persons: map[string]*person{}}
	for range practices {
		p.practices = append(p.practices, newID())
	}
	for i := range families {
		p.family(p.practices[i%practices])
	}
	return p
}

func (p *people) family(practice string) {
	parent := p.contact(practice, 90, 90)
	if p.dice.chance(5) && len(parent.phones) > 0 {
		p.optedOut[parent.phones[0]] = true
	}
	for range 2 {
		c := &client{
			person: p.person(practice, 60, 60),
			flags:  flags{p.dice.chance(60), p.dice.chance(60)},
			method: one(p.dice, []string{"both", "both", "sms", "sms", "email", "email", "email", "voice"}),
			silent: p.dice.chance(2),
		}
		if p.dice.chance(20) {
			c.phones = append([]string{}, parent.phones...) // the child has the parent's phone
		}
		c.contacts = append(c.contacts, link{parent, flags{p.dice.chance(85), p.dice.chance(85)}})
		if p.dice.chance(40) {
			c.contacts = append(c.contacts, link{p.contact(practice, 80, 80), flags{p.dice.chance(70), p.dice.chance(70)}})
		}
		p.clients = append(p.clients, c)
		p.persons[c.id] = &c.person
	}
}

func (p *people) contact(practice string, phone, email int) *person {
	c := p.person(practice, phone, email)
	c.contact = true
	p.contacts = append(p.contacts, &c)
	p.persons[c.id] = &c
	return &c
}

func (p *people) person(practice string, phone, email int) person {
	who := person{id: newID(), practice: practice}
	if p.dice.chance(phone) {
		who.phones = []string{p.phone()}
	}
	if p.dice.chance(email) {
		who.emails = []string{p.email()}
	}
	return who
}

func (p *people) phone() string {
	p.numbers++
	return fmt.Sprintf("+1917%07d", 2_000_000+p.numbers)
}

func (p *people) email() string {
	p.numbers++
	return fmt.Sprintf("p%d@%s", p.numbers, rareDomain)
}

func (p *people) first() string {
	p.numbers++
	return fmt.Sprintf("%s%d", rareFirst, p.numbers)
}

// A recipient is a person on a channel.
type recipient struct {
	person  string
	channel string
}

// due returns who is to be told of a kind of message about a client, by the
// rules of the product as a practice would read them.
func (p *people) due(c *client, kind string) []recipient {
	var channels []string
	switch {
	case c.silent:
	case c.method == "both":
		channels = []string{"sms", "email"}
	case c.method == "sms", c.method == "email":
		channels = []string{c.method}
	}
	var told []recipient
	for _, channel := range channels {
		addresses := map[string]bool{}
		for _, l := range append(append([]link{}, c.contacts...), link{&c.person, c.flags}) {
			to := l.address(channel)
			if !l.of(kind) || to == "" || addresses[to] || channel == "sms" && p.optedOut[to] {
				continue
			}
			addresses[to] = true
			told = append(told, recipient{l.id, channel})
		}
	}
	return told
}

// betray tells whether a line of a log holds a name, a number or an address.
func (p *people) betray(line []byte) bool {
	for _, word := range []string{rareFirst, rareLast, rareDomain} {
		if bytes.Contains(line, []byte(word)) {
			return true
		}
	}
	digits := bytes.FieldsFunc(line, func(r rune) bool { return !unicode.IsDigit(r) })
	return slices.ContainsFunc(digits, func(number []byte) bool {
		return bytes.HasPrefix(number, []byte("19172")) && len(number) == len("19172000000")
	})
}
