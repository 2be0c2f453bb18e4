package recipients

import (
	"strings"
	"unicode"
)

// keyDigits is how many digits at the end every spelling of a phone number
// shares, whatever it has of country code and area code.
const keyDigits = 6

// MatchKey is a coarse key under which a store finds the opt-outs that might
// bind an address, before [Decide] compares exactly. It is equal for every
// spelling that [ParseAddress] takes for one address, and empty for what cannot
// be one. In SQL, over the opt-outs stored:
//
//	sms    right(regexp_replace(address, '\D', '', 'g'), 6)
//	email  the address in lower case, without any blank (Unicode: White_Space)
func MatchKey(c Channel, raw string) string {
	switch c {
	case SMS:
		if last := raw[max(0, len(raw)-keyDigits):]; len(last) == keyDigits && strings.IndexFunc(last, notDigit) < 0 {
			return last // as most are written: no copy
		}
		digits := strings.Map(digitsOnly, raw)
		if len(digits) < keyDigits {
			return ""
		}
		return digits[len(digits)-keyDigits:]
	case Email:
		return strings.ToLower(strings.Map(unlessBlank, raw))
	default:
		return ""
	}
}

func unlessBlank(r rune) rune {
	if unicode.IsSpace(r) {
		return -1
	}
	return r
}

func digitsOnly(r rune) rune {
	if notDigit(r) {
		return -1
	}
	return r
}

func notDigit(r rune) bool { return r < '0' || r > '9' }
