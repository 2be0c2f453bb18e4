package templates

import (
	"bytes"
	"strings"
)

// Text renders the template as plain text. Values stand as they are.
func (t *Template) Text(v *Values) string {
	var stack [1024]byte // most messages need no other buffer
	buf := stack[:0]
	if n := t.length(v); n > len(stack) {
		buf = make([]byte, 0, n)
	}
	var w writer
	return string(finish(t.render(&w, buf, v)))
}

// length is the most bytes that a rendering can take, before escapes.
func (t *Template) length(v *Values) int {
	n := t.size
	for i := range t.ops {
		if t.ops[i].code == opValue {
			n += len(v.text[t.ops[i].name])
		}
	}
	return n
}

// render takes the steps of the template, in one pass, and returns buf with
// what they write. The buffer goes from hand to hand, and is no field of the
// writer, so that it can stay on the stack.
func (t *Template) render(w *writer, buf []byte, v *Values) []byte {
	for i := 0; i < len(t.ops); i++ {
		o := &t.ops[i]
		switch o.code {
		case opWords:
			buf = w.words(buf, o.text)
		case opValue:
			buf = w.value(buf, o, v.text[o.name])
		case opIf:
			w.ragged = true
			if v.text[o.name] == "" {
				w.gap = w.gap || t.ops[o.target].code == opEnd
				i = o.target - 1
			}
		case opElse:
			i = o.target - 1
		case opEnd:
			w.ragged = true
		}
	}
	return buf
}

// A writer puts a text together and closes the holes that missing values and
// sections leave in it.
type writer struct {
	ragged bool // a section begins or ends, or a value is missing, on the last line so far
	gap    bool // nothing was written since something was missing

	escape bool   // values stand in HTML
	keep   bool   // remember the spans
	spans  []span // where values stand
}

// A span says where in a text a value stands.
type span struct {
	start, end int
	name       placeholder
}

// words writes words of the template.
func (w *writer) words(buf []byte, s string) []byte {
	if w.ragged {
		buf, s = w.mend(buf, s)
	}
	return append(buf, s...)
}

// value writes the value of a placeholder, or the words that stand in for it.
func (w *writer) value(buf []byte, o *op, s string) []byte {
	if s == "" && !w.escape && o.text != "" {
		return w.words(buf, o.text)
	}
	if s == "" {
		s = o.text
	}
	if s == "" {
		w.ragged, w.gap = true, true
		return buf
	}
	if w.escape {
		s = o.place.escape(s)
	}
	w.gap = false
	if w.keep {
		w.spans = append(w.spans, span{len(buf), len(buf) + len(s), o.name})
	}
	return append(buf, s...)
}

// mend writes the rest of a ragged line, closed up, and returns what of s
// comes after it. A line with nothing left on it goes, and with it the blank
// lines after it if there is one before.
func (w *writer) mend(buf []byte, s string) (done []byte, rest string) {
	if w.gap && s != "" {
		buf, s = closeUp(buf, s)
		w.gap = false
	}
	n := strings.IndexByte(s, '\n')
	if n < 0 {
		return buf, s
	}
	buf = append(buf, s[:n]...)
	w.ragged, w.gap = false, false
	start := bytes.LastIndexByte(buf, '\n') + 1
	if len(bytes.Trim(buf[start:], " ")) > 0 {
		return buf, s[n:]
	}
	buf, s = buf[:start], s[n+1:]
	if start == 0 || bytes.HasSuffix(buf, []byte("\n\n")) {
		s = strings.TrimLeft(s, "\n")
	}
	return buf, s
}

// closeUp takes out the blank that a gap leaves too many: one of two, and one
// before punctuation or at either end of a line.
func closeUp(buf []byte, s string) (before []byte, after string) {
	starts := len(buf) == 0 || buf[len(buf)-1] == '\n'
	blank := !starts && buf[len(buf)-1] == ' '
	switch {
	case s[0] == ' ' && (starts || blank):
		return buf, s[1:]
	case blank && strings.IndexAny(s, "\n,.;:!?)…\u00a0\u202f") == 0:
		return buf[:len(buf)-1], s
	}
	return buf, s
}

// finish drops blanks and line breaks from the end.
func finish(buf []byte) []byte {
	return bytes.TrimRight(buf, " \n")
}
