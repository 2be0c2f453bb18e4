package templates

import "slices"

// Choose picks the text for a reader: the practice's own before the default
// rows before the built-in ones, then one for this audience before one for any,
// then the locale that comes first in [Locales]'s order (each locale is also
// looked for by its language, and all end in English).
//
// The rows are those of the practice and the default ones, of any name; of two
// that are alike the higher version wins, then the lower ID. The built-in texts
// are called after their kind of message. Dates belong in the locale of the
// text that was chosen: see [Facts.Values].
func Choose(rows []Source, name, channel, audience string, locales []string) (Source, bool) {
	order := lineage(locales)
	best, at := Source{}, rank{}
	for _, r := range rows {
		k, ok := rankOf(r, audience, order)
		if ok && r.Name == name && r.Channel == channel && (at == rank{} || k.before(at, r, best)) {
			best, at = r, k
		}
	}
	if at != (rank{}) {
		return best, true
	}
	return builtIn(name, channel, audience, order)
}

// A rank is how well a row fits: origin, audience, locale, less being better.
// The zero rank is that of no row.
type rank [3]int

// rankOf ranks a row, or tells that it is not for this reader.
func rankOf(r Source, audience string, order []string) (rank, bool) {
	k := rank{1, 1, 1 + slices.Index(order, canonical(orElse(r.Locale, "en")))}
	if r.PracticeID == "" {
		k[0] = 2
	}
	if r.Audience != audience {
		k[1] = 2
	}
	return k, k[2] > 0 && (k[1] == 1 || orElse(r.Audience, ForAny) == ForAny)
}

// before tells whether row r of rank k goes before row s of rank l.
func (k rank) before(l rank, r, s Source) bool {
	if c := slices.Compare(k[:], l[:]); c != 0 {
		return c < 0
	}
	if r.Version != s.Version {
		return r.Version > s.Version
	}
	return r.ID < s.ID
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
