package reply

import (
	"strings"
	"unicode"
)

// A Meaning is what a reply is taken for, in the words of the contract.
type Meaning string

// The meanings.
const (
	Confirm Meaning = "confirm"
	OptOut  Meaning = "opt_out"
	OptIn   Meaning = "opt_in"
	Other   Meaning = "other" // for people to read
)

// MeaningOf returns what a text says by itself. Only a text that is one of the
// words and nothing else has a meaning: sentences are for people. Whether there
// is anything that a [Confirm] can confirm, [Understand] knows.
//
// The words of OptOut and OptIn are those at which carriers stop and resume by
// themselves; CANCEL is one of them and never cancels an appointment.
func MeaningOf(text string) Meaning {
	switch word(text) {
	case "stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout", "opt out":
		return OptOut
	case "start", "unstop":
		return OptIn
	case "c", "confirm", "1":
		return Confirm
	}
	return Other
}

// word is a text in lower case, with single blanks, and without the punctuation
// at its end.
func word(text string) string {
	atEnd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) }
	return strings.Join(strings.Fields(strings.ToLower(strings.TrimRightFunc(text, atEnd))), " ")
}
