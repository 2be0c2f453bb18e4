package templates

import (
	"errors"
	"fmt"
	"strings"
)

// A Finding is one thing that lint has to say about a text.
type Finding struct {
	Source  Source
	Wrong   bool   // people would not get the message; otherwise it only costs more
	Message string // for whoever wrote the text
}

// Lint looks at one text: what does not compile or leaves nothing to read is
// wrong, an SMS of more than one segment is worth knowing.
func Lint(s Source) []Finding {
	switch orElse(s.Audience, ForAny) {
	case ForAny, ForClient, ForContact:
	default:
		return []Finding{{s, true, fmt.Sprintf("audience %q is none of %s, %s and %s: nobody is written to with it", s.Audience, ForAny, ForClient, ForContact)}}
	}
	compiled, err := s.Compile()
	if err != nil {
		return wrong(s, err)
	}
	m, err := compiled.Render(Sample().Values(s.Locale))
	if err != nil {
		return []Finding{{s, true, err.Error()}}
	}
	if s.Channel != SMS {
		return nil
	}
	return cost(s, Measure(m.Text))
}

// wrong is a finding for each mistake in err.
func wrong(s Source, err error) []Finding {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Finding
		for _, e := range several.Unwrap() {
			all = append(all, wrong(s, e)...)
		}
		return all
	}
	return []Finding{{s, true, err.Error()}}
}

// cost says what an SMS of ordinary names costs beyond one segment, and which
// characters are to blame for it.
func cost(s Source, size Size) []Finding {
	var all []Finding
	if len(size.Forces) > 0 {
		var named []string
		for _, r := range size.Forces {
			named = append(named, fmt.Sprintf("%q (U+%04X)", r, r))
		}
		all = append(all, Finding{s, false, strings.Join(named, ", ") +
			" is not in the GSM alphabet: a segment holds 70 characters instead of 160"})
	}
	if size.Segments > 1 {
		all = append(all, Finding{s, false, fmt.Sprintf("%d segments (%d units, %s) with names of ordinary length",
			size.Segments, size.Units, size.Encoding)})
	}
	return all
}

// Missing returns an error for each channel on which nobody could be written to
// by the name: neither a row nor a built-in text is there in English or in the
// practice's locale. The rows are those of one practice and the default ones.
func Missing(rows []Source, name, locale string) error {
	var errs []error
	for _, channel := range []string{SMS, Email} {
		for _, audience := range []string{ForClient, ForContact} {
			if _, ok := Choose(rows, name, channel, audience, Locales("", locale)); !ok {
				errs = append(errs, fmt.Errorf("no %s for a %s", channel, audience))
			}
		}
	}
	return errors.Join(errs...)
}
