package pages

import (
	"strings"
	"unicode/utf8"

	"rappel/recipients"
)

// A veil covers names, addresses and texts, unless somebody asked for them. It
// remembers what was asked about: ids, never what they stand for.
type veil struct {
	lifted bool
	what   string
	ids    []string
}

// over notes whose data a page shows.
func (v *veil) over(what string, ids ...string) {
	v.what = what
	v.ids = append(v.ids, ids...)
}

const covered = "•••"

// name is a person's name, or its first letters.
func (v *veil) name(p recipients.Person) string {
	if v.lifted {
		return p.Name()
	}
	return strings.TrimSpace(initial(p.FirstName) + " " + initial(p.LastName))
}

// fullName is a name of which the parts are not known.
func (v *veil) fullName(name string) string {
	first, last, _ := strings.Cut(name, " ")
	return v.name(recipients.Person{FirstName: first, LastName: last})
}

func initial(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	if n == 0 {
		return ""
	}
	return string(r) + covered
}

// address is an address, or what may be seen of it.
func (v *veil) address(a recipients.Address) string {
	if v.lifted {
		return a.Reveal()
	}
	return a.String()
}

// text is words that somebody reads or wrote, or none.
func (v *veil) text(s string) string {
	if v.lifted {
		return s
	}
	return ""
}
