package templates

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// newPolicy says what an e-mail written as HTML may hold: text, lists, tables,
// pictures and links over http and https, with styles in the elements. Nothing
// that runs, and nothing that loads another page.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.RequireParseableURLs(true)
	p.AllowURLSchemes("http", "https") // and none without a scheme, which is the default
	p.AllowElements("p", "br", "hr", "div", "span", "center", "font", "pre", "blockquote", "address",
		"h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "i", "em", "u", "s", "small", "big", "sub", "sup", "code", "abbr",
		"article", "section", "header", "footer", "main", "figure", "figcaption")
	p.AllowLists()
	p.AllowTables()
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("border", "cellpadding", "cellspacing", "width", "height").Matching(length()).OnElements("table", "td", "th", "tr", "img")
	p.AllowAttrs("align", "valign", "bgcolor", "color", "role").Matching(word()).Globally()
	p.AllowAttrs("aria-label", "title", "lang", "dir").Globally()
	allowStyles(p)
	return p
}

// allowStyles allows what shapes text and boxes, and no property that places
// one over another or loads something.
func allowStyles(p *bluemonday.Policy) {
	p.AllowStyles("background").Matching(paint()).Globally()
	p.AllowStyles("background-color", "color", "border", "border-top", "border-right", "border-bottom", "border-left",
		"border-color", "border-radius", "border-collapse", "border-spacing", "border-style", "border-width",
		"display", "font", "font-family", "font-size", "font-style", "font-weight", "height", "letter-spacing",
		"line-height", "list-style-type", "margin", "margin-top", "margin-right", "margin-bottom", "margin-left",
		"max-width", "min-width", "padding", "padding-top", "padding-right", "padding-bottom", "padding-left",
		"text-align", "text-decoration", "text-transform", "vertical-align", "white-space", "width",
		"word-break", "word-wrap", "overflow-wrap").Globally()
}

func length() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{1,4}(px|%)?$`) }
func word() *regexp.Regexp   { return regexp.MustCompile(`^#?[a-zA-Z0-9]+$`) }

// paint is a colour: with no colon and no slash it cannot be an address.
func paint() *regexp.Regexp { return regexp.MustCompile(`^[-#a-zA-Z0-9(),.%\s]+$`) }
