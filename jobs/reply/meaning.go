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
	Help    Meaning = "help"  // for people to answer: most carriers answer it by themselves
	Other   Meaning = "other" // for people to read
)

// MeaningOf returns what a text says by itself. Only a text that is one of the
// words and nothing else has a meaning: sentences are for people. Whether there
// is anything that a [Confirm] can confirm, [Understand] knows.
//
// Among the words of OptOut and OptIn are those at which carriers stop and resume
// by themselves; CANCEL is one of them and never cancels an appointment. The words
// are those of the languages that the built-in texts have.
func MeaningOf(text string) Meaning {
	switch word(text) {
	case "stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout", "opt out",
		"stop all", "opt-out", "remove", "arret", "arrêt", "alto", "baja", "stopp", "abmelden":
		return OptOut
	case "start", "unstop":
		return OptIn
	case "c", "confirm", "1", "y", "yes", "si", "sí", "oui", "ja", "ok":
		return Confirm
	case "help", "info", "aide", "ayuda", "hilfe":
		return Help
	}
	return Other
}

// resumes tells whether a text asks for messages again where the number had
// stopped them: carriers take YES for START, and tell the person so.
func resumes(text string) bool { return word(text) == "yes" }

// word is a text in lower case, with single blanks, and without the punctuation
// at its end.
func word(text string) string {
	atEnd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) }
	return strings.Join(strings.Fields(strings.ToLower(strings.TrimRightFunc(text, atEnd))), " ")
}
