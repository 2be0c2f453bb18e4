package recipients

import (
	"errors"
	"strings"
	"unicode/utf8"
	"unique"
)

// What is wrong with an address. The texts never contain it.
var (
	ErrNotPhone   = errors.New("not a phone number that can be written to")
	ErrNotEmail   = errors.New("not an e-mail address that can be written to")
	ErrNotChannel = errors.New("not a channel")
)

// Address is a phone number or an e-mail address that a message can go to.
// It is personal data and masked by type: however it is printed, logged or
// marshalled, the one way out is [Address.Reveal]. Addresses that were written
// alike are ==; [Address.Same] also sees through the case of e-mails.
//
// It holds a handle rather than a string, because fmt prints the strings of
// unexported fields without asking any method.
type Address struct {
	handle unique.Handle[string]
}

func newAddress(s string) Address { return Address{unique.Make(s)} }

// ParseAddress reads an address of channel c; region is for phone numbers, as
// in [ParsePhone].
func ParseAddress(c Channel, raw, region string) (Address, error) {
	switch c {
	case SMS:
		return ParsePhone(raw, region)
	case Email:
		return ParseEmail(raw)
	default:
		return Address{}, ErrNotChannel
	}
}

// Reveal returns the address itself: what a sender needs and no log may have.
func (a Address) Reveal() string {
	if a == (Address{}) {
		return ""
	}
	return a.handle.Value()
}

// Same tells whether a and b reach the same mailbox or the same phone.
func (a Address) Same(b Address) bool { return a.key() == b.key() }

// key is what two spellings of one address have in common.
func (a Address) key() string { return strings.ToLower(a.Reveal()) }

// String masks the address: +1•••0123, a•••@example.com.
func (a Address) String() string {
	local, domain, isEmail := strings.Cut(a.Reveal(), "@")
	switch {
	case isEmail:
		return maskLocal(local) + "@" + domain
	case local != "":
		return maskPhone(local)
	default:
		return ""
	}
}

// GoString masks the address.
func (a Address) GoString() string { return a.String() }

// MarshalText masks the address. There is no way back: what was marshalled
// cannot be written to.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

const hidden = "•••"

// maskLocal shows the first letter, unless that were the whole.
func maskLocal(local string) string {
	_, first := utf8.DecodeRuneInString(local)
	if first == len(local) {
		return hidden
	}
	return local[:first] + hidden
}

// maskPhone shows up to four digits at the end, but hides at least six.
func maskPhone(e164 string) string {
	shown := max(0, min(4, len(e164)-len("+1")-6))
	return e164[:2] + hidden + e164[len(e164)-shown:]
}
