package templates

import (
	"html"
	"strings"
)

// A letter is an e-mail body in plain text. Its HTML has a paragraph for each
// block of lines, a link for each web address, and a button for one that
// stands alone on its line. Addresses are taken from the template's own words
// and from the link placeholders; in any other value they are words, so that
// no value can change what the page is made of.
type letter struct {
	*Template
	page page
}

func (l letter) uses(name string) bool { return l.Uses(name) }

func (l letter) render(v *Values, subject string) (text, page string) {
	w := writer{keep: true}
	text = string(finish(l.Template.render(&w, make([]byte, 0, l.length(v)), v)))
	s := sheet{text: text, spans: w.spans, page: l.page}
	s.write()
	return text, l.page.card(subject, v.text[practiceName], s.out.String())
}

// A sheet is the inside of a page while it is being written.
type sheet struct {
	text  string
	spans []span // the values in text that are still to come
	page  page
	out   strings.Builder
	open  bool // a paragraph is open
}

func (s *sheet) write() {
	at := 0
	for line := range strings.Lines(s.text) {
		s.line(s.pieces(at, at+len(strings.TrimRight(line, "\n"))))
		at += len(line)
	}
	s.close()
}

// line adds a line to the paragraph, or ends it: with a blank line, or with a
// button.
func (s *sheet) line(pieces []piece) {
	pieces = trim(pieces)
	switch {
	case len(pieces) == 0:
		s.close()
		return
	case len(pieces) == 1 && pieces[0].href != "":
		s.close()
		s.out.WriteString(s.page.button(pieces[0]))
		return
	case s.open:
		s.out.WriteString("<br>\n")
	default:
		s.out.WriteString(paragraphStart)
		s.open = true
	}
	for _, p := range pieces {
		s.out.WriteString(p.html())
	}
}

func (s *sheet) close() {
	if s.open {
		s.out.WriteString("</p>\n")
	}
	s.open = false
}

// A piece is a run of words, or a link.
type piece struct {
	text string
	href string      // empty: words
	name placeholder // which value a link begins with; named: none
}

func (p piece) html() string {
	if p.href == "" {
		return html.EscapeString(p.text)
	}
	return linkStart + html.EscapeString(p.href) + `">` + html.EscapeString(p.text) + "</a>"
}

// trim drops pieces of nothing but blanks at either end.
func trim(pieces []piece) []piece {
	blank := func(p piece) bool { return p.href == "" && strings.Trim(p.text, " ") == "" }
	for len(pieces) > 0 && blank(pieces[0]) {
		pieces = pieces[1:]
	}
	for len(pieces) > 0 && blank(pieces[len(pieces)-1]) {
		pieces = pieces[:len(pieces)-1]
	}
	return pieces
}

// pieces cuts a line into words and links.
func (s *sheet) pieces(at, end int) []piece {
	var out []piece
	for at < end {
		p := s.value(at, end)
		if p.text == "" {
			p = s.words(at, end)
		}
		out = append(out, p)
		at += len(p.text)
	}
	return out
}

// value is the piece that begins with a value, if one stands there.
func (s *sheet) value(at, end int) piece {
	if len(s.spans) == 0 || s.spans[0].start != at {
		return piece{}
	}
	v := s.spans[0]
	if v.end > end { // it goes on in the next line
		s.spans[0].start = end + len("\n")
		return piece{text: s.text[at:end]}
	}
	value := s.text[at:v.end]
	if v.name.isLink() && webLink(value) != "" {
		return s.address(at, end)
	}
	s.spans = s.spans[1:]
	return piece{text: value}
}

// words is the piece that begins with the template's own words: an address, or
// what comes before the next one.
func (s *sheet) words(at, end int) piece {
	own := s.text[at:s.stretch(at, end)]
	switch n := addressIn(own); {
	case n < 0:
		return piece{text: own}
	case n > 0:
		return piece{text: own[:n]}
	}
	return s.address(at, end)
}

// stretch is where the template's own words end that begin at the offset.
func (s *sheet) stretch(at, end int) int {
	if len(s.spans) > 0 {
		return min(end, max(at, s.spans[0].start))
	}
	return end
}
