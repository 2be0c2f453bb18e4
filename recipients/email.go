package recipients

import (
	"net/mail"
	"slices"
	"strings"
	"unicode"
)

// maxEmail is the longest address that SMTP carries.
const maxEmail = 254

// ParseEmail reads one bare e-mail address, without a name and of a domain that
// has a dot. Blanks around it go and the domain becomes lower case; the local
// part stays as written, for its owner may mean the case.
func ParseEmail(raw string) (Address, error) {
	s := strings.TrimSpace(raw)
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || len(s) > maxEmail {
		return Address{}, ErrNotEmail
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], strings.ToLower(s[at+1:])
	if strings.ContainsFunc(local, unprintable) || !isDomain(domain) {
		return Address{}, ErrNotEmail
	}
	return newAddress(local + "@" + domain), nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// isDomain tells whether s is a host name of at least two labels, the last of
// which cannot be a number.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	top := []rune(labels[len(labels)-1])
	return len(labels) > 1 && !slices.ContainsFunc(labels, notLabel) &&
		len(top) > 1 && unicode.IsLetter(top[0])
}

func notLabel(s string) bool {
	return len(s) > 63 || strings.Trim(s, "-") != s || strings.ContainsFunc(s, notInLabel)
}

// notInLabel lets the letters of every script pass: domains have them.
func notInLabel(r rune) bool {
	return r != '-' && !unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}
