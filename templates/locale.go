package templates

import (
	"slices"
	"strings"
)

// Locales lists the locales to look for a text in, the best first and each
// once: the recipient's, its language, the practice's, its language, and
// English. Each is given as BCP 47 writes it ("fr-CA", also for "fr_ca").
func Locales(recipient, practice string) []string {
	return lineage([]string{recipient, practice})
}

// lineage follows each locale by the more general ones, and all by English.
func lineage(locales []string) []string {
	out := make([]string, 0, 2*len(locales)+1)
	for _, l := range locales {
		for l = canonical(l); l != ""; l = general(l) {
			out = appendNew(out, l)
		}
	}
	return appendNew(out, "en")
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// general is a locale without its last part: "fr" for "fr-CA", nothing for "fr".
func general(locale string) string {
	return locale[:max(0, strings.LastIndexByte(locale, '-'))]
}

// canonical writes a locale as BCP 47 recommends: the language in lower case, a
// script with a capital, a region in capitals. It drops the encoding of a
// POSIX name ("fr_CA.UTF-8"), and all from the first part on that BCP 47 does
// not allow.
func canonical(locale string) string {
	if isCanonical(locale) {
		return locale
	}
	locale = strings.TrimSpace(locale)
	if i := strings.IndexAny(locale, ".@"); i >= 0 {
		locale = locale[:i]
	}
	parts := strings.FieldsFunc(locale, func(r rune) bool { return r == '-' || r == '_' })
	for i, p := range parts {
		if !isSubtag(p) {
			parts = parts[:i]
			break
		}
		p = strings.ToLower(p)
		switch {
		case i > 0 && len(p) == 2:
			p = strings.ToUpper(p)
		case i > 0 && len(p) == 4:
			p = strings.ToUpper(p[:1]) + p[1:]
		}
		parts[i] = p
	}
	return strings.Join(parts, "-")
}

// isSubtag reports whether s can be a part of a locale: at most eight ASCII
// letters and digits.
func isSubtag(s string) bool {
	return len(s) <= 8 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// isCanonical tells whether a locale is written as most are: a language of two
// letters, perhaps with a region of two.
func isCanonical(locale string) bool {
	language, region, hasRegion := strings.Cut(locale, "-")
	return isPair(language, 'a', 'z') && (!hasRegion || isPair(region, 'A', 'Z'))
}

func isPair(s string, first, last byte) bool {
	return len(s) == 2 && first <= s[0] && s[0] <= last && first <= s[1] && s[1] <= last
}
