package reply

// Words are what a person wrote. They are masked by type, however they are
// printed, logged or marshalled; the one way out is [Words.Reveal].
type Words struct {
	text *string // fmt prints strings of unexported fields without asking any method, but not what pointers within point to
}

// WordsOf returns s as words.
func WordsOf(s string) Words { return Words{&s} }

// Reveal returns the words themselves, which no log may have.
func (w Words) Reveal() string {
	if w.text == nil {
		return ""
	}
	return *w.text
}

const hidden = "•••"

// String masks the words.
func (w Words) String() string { return hidden }

// GoString masks the words.
func (w Words) GoString() string { return hidden }

// MarshalText masks the words.
func (w Words) MarshalText() ([]byte, error) { return []byte(hidden), nil }
