package templates

import (
	"strings"

	"golang.org/x/net/html"
)

// plainText is what a page says, for readers of plain text: a line for each
// block, a dash for each item, and the address behind each link.
func plainText(page string) string {
	var r reader
	z := html.NewTokenizer(strings.NewReader(page))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		r.read(kind, z.Token())
	}
	return strings.TrimSpace(r.out.String())
}

// A reader writes down what it reads.
type reader struct {
	out   strings.Builder
	blank bool // a blank is due before the next word
	lines int  // line breaks at the end of out
	links []anchor
}

// An anchor is a link that is being read.
type anchor struct {
	href  string
	start int // of its words in out
}

func (r *reader) read(kind html.TokenType, t html.Token) {
	switch kind {
	case html.TextToken:
		r.words(t.Data)
	case html.StartTagToken, html.SelfClosingTagToken:
		r.begin(t)
	case html.EndTagToken:
		r.end(t.Data)
	default: // comments say nothing
	}
}

// words writes text with its runs of blanks made one.
func (r *reader) words(s string) {
	for len(s) > 0 {
		n := strings.IndexFunc(s, isHTMLBlank)
		switch {
		case n == 0:
			r.blank = true
			s = strings.TrimLeftFunc(s, isHTMLBlank)
		case n < 0:
			r.word(s)
			s = ""
		default:
			r.word(s[:n])
			s = s[n:]
		}
	}
}

func (r *reader) word(s string) {
	if r.blank && r.lines == 0 && r.out.Len() > 0 {
		r.out.WriteByte(' ')
	}
	r.out.WriteString(s)
	r.blank, r.lines = false, 0
}

func (r *reader) begin(t html.Token) {
	switch t.Data {
	case "br":
		r.newline()
	case "a":
		r.links = append(r.links, anchor{attribute(t, "href"), r.out.Len()})
	case "img":
		r.words(attribute(t, "alt"))
	case "li":
		r.breakTo(1)
		r.word("- ")
	default:
		r.breakTo(around(t.Data))
	}
}

func (r *reader) end(name string) {
	switch name {
	case "a":
		r.leave()
	case "td", "th":
		r.blank = true
	default:
		r.breakTo(around(name))
	}
}

// leave writes the address of the link that ends here, unless its words say it.
func (r *reader) leave() {
	if len(r.links) == 0 {
		return
	}
	a := r.links[len(r.links)-1]
	r.links = r.links[:len(r.links)-1]
	said := strings.TrimSpace(r.out.String()[a.start:])
	switch {
	case a.href == "" || said == a.href:
	case said == "":
		r.words(" " + a.href)
	default:
		r.words(" (" + a.href + ")")
	}
}

// around is how many line breaks stand around an element.
func around(name string) int {
	switch name {
	case "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "hr",
		"article", "section", "header", "footer", "main", "figure":
		return 2
	case "div", "tr", "li", "dt", "dd", "center", "address", "caption", "figcaption":
		return 1
	}
	return 0
}

// breakTo makes sure that the text ends with n line breaks.
func (r *reader) breakTo(n int) {
	for r.out.Len() > 0 && r.lines < n {
		r.newline()
	}
}

func (r *reader) newline() {
	r.out.WriteByte('\n')
	r.lines++
	r.blank = false
}

func attribute(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// isHTMLBlank tells whether HTML takes r for a blank between words.
func isHTMLBlank(r rune) bool {
	return r == ' ' || r == '\n' || r == '\t' || r == '\f' || r == '\r'
}
