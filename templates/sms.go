package templates

import "slices"

// A Size is what carriers count of an SMS.
type Size struct {
	Encoding string // "gsm7" or "ucs2"
	Units    int    // septets in gsm7, UTF-16 units in ucs2
	Segments int    // messages that are sent and paid for; 0 for an empty text
	Forces   []rune // the characters that force ucs2, each once, in order
}

// Units in a message that goes alone, and in one of several, which begins with
// a header that puts them together again (3GPP TS 23.040, 9.2.3.24.1).
const (
	gsm7Alone, gsm7Joined = 160, 153
	ucs2Alone, ucs2Joined = 70, 67
)

// Measure counts a text as carriers do: in the GSM 7-bit default alphabet and
// its extension table (3GPP TS 23.038, 6.2.1), or as UCS-2 as soon as one
// character is in neither. No character is split across two segments.
func Measure(text string) Size {
	if n := len(text); isPlain(text) {
		return Size{Encoding: "gsm7", Units: n, Segments: segments(n, gsm7Alone, gsm7Joined)}
	}
	var forces []rune
	for _, r := range text {
		if gsm7(r) == 0 && !slices.Contains(forces, r) {
			forces = append(forces, r)
		}
	}
	if len(forces) > 0 {
		s := count(text, utf16, ucs2Alone, ucs2Joined)
		s.Encoding, s.Forces = "ucs2", forces
		return s
	}
	s := count(text, gsm7, gsm7Alone, gsm7Joined)
	s.Encoding = "gsm7"
	return s
}

// isPlain tells whether each character is one septet, as in most texts: to count
// them one by one takes nine times as long.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c != '\n' && !isPlainRune(rune(c)) {
			return false
		}
	}
	return true
}

// segments is how many hold so many units, wherever they are parted.
func segments(units, alone, joined int) int {
	if units <= alone {
		return min(units, 1)
	}
	return (units + joined - 1) / joined
}

// count fills one segment after the other.
func count(text string, units func(rune) int, alone, joined int) Size {
	var s Size
	room := 0
	for _, r := range text {
		n := units(r)
		if n > room {
			s.Segments++
			room = joined
		}
		room -= n
		s.Units += n
	}
	if s.Units <= alone {
		s.Segments = min(s.Segments, 1)
	}
	return s
}

// utf16 is how many UTF-16 units r takes.
func utf16(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// gsm7 is how many septets r takes: one, two in the extension table, and 0
// where the alphabet does not have it.
func gsm7(r rune) int {
	if isPlainRune(r) {
		return 1
	}
	switch r {
	case '\n', '\r', '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', 'Ø', 'ø', 'Å', 'å',
		'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', 'Æ', 'æ', 'ß', 'É', '¤', '¡',
		'Ä', 'Ö', 'Ñ', 'Ü', '§', '¿', 'ä', 'ö', 'ñ', 'ü', 'à':
		return 1
	case '\f', '^', '{', '}', '\\', '[', '~', ']', '|', '€':
		return 2
	}
	return 0
}

func isPlainRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || ' ' <= r && r <= '?'
}
