package templates

import (
	"strings"
	"unicode"
)

// tidy gives the words of a template one kind of line break and no control
// characters. Positions do not change, apart from those characters.
func tidy(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case isBreak(r):
			return '\n'
		case r == '\t':
			return ' '
		case isControl(r):
			return -1
		}
		return r
	}, text)
}

// clean makes a value fit to stand in a line: line breaks and tabs become
// blanks, control characters go, and so do blanks around it. Blanks inside
// stand, and joiners, which names and emoji are written with.
func clean(value string) string {
	if strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return strings.TrimSpace(value)
	}
	value = strings.ReplaceAll(value, "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case isBreak(r), r == '\t':
			return ' '
		case isControl(r):
			return -1
		}
		return r
	}, value))
}

// isBreak tells whether r ends a line (Unicode Standard Annex #14, mandatory
// breaks).
func isBreak(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// isControl tells whether r is a control character, or one that turns the
// direction of all text after it or marks a byte order: in a value it would
// act on the words around it.
func isControl(r rune) bool {
	switch {
	case r == '\uFEFF', '\u202A' <= r && r <= '\u202E', '\u2066' <= r && r <= '\u2069':
		return true
	}
	return unicode.IsControl(r)
}

// isBlank tells whether nothing in s can be seen.
func isBlank(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r)
	}) < 0
}

// oneLine makes line breaks blanks.
func oneLine(s string) string {
	return strings.ReplaceAll(tidy(s), "\n", " ")
}
