package templates

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	xhtml "golang.org/x/net/html"
)

// A place says what a value stands in, and so how it is escaped.
type place uint8

const (
	inText place = iota
	inAttribute
	inLink  // at the start of an attribute that holds an address
	amidURL // further on in one
)

func (p place) escape(s string) string {
	switch p {
	case inText:
		return strings.ReplaceAll(html.EscapeString(s), "\n", "<br>\n") // Visits has lines
	case inAttribute:
		return escapeAttribute(s)
	case inLink:
		return escapeAttribute(webLink(s))
	case amidURL:
		return escapeAttribute(queryEscape(s))
	}
	return ""
}

// escapeAttribute also holds where the template has no quotes around the value.
func escapeAttribute(s string) string {
	var out strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf && !isAlphanumeric(r) {
			out.WriteString("&#" + strconv.Itoa(int(r)) + ";")
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// Two private characters stand around the number of a step while the HTML
// around it is being read.
const markStart, markEnd = "\uE000", "\uE001"

var element = regexp.MustCompile("<[^>]*>")

var mark = regexp.MustCompile(markStart + "([0-9]+)" + markEnd)

// marked is the template with a mark in place of each placeholder.
func (c *compiler) marked() string {
	var out strings.Builder
	own := strings.NewReplacer(markStart, "", markEnd, "")
	for i, o := range c.ops {
		if o.code == opWords {
			out.WriteString(own.Replace(o.text))
			continue
		}
		out.WriteString(markStart + strconv.Itoa(i) + markEnd)
	}
	return out.String()
}

// nowhere is the home of a step that stands where no value can be escaped, such
// as in the name of an element.
const nowhere = -1

// homes reads the HTML and finds out where each step stands: in text (0), or in
// the value of the attribute with that number. It sets the places of values.
func (c *compiler) homes() []int {
	homes := make([]int, len(c.ops))
	for i := range homes {
		homes[i] = nowhere
	}
	attributes := 0
	z := xhtml.NewTokenizer(strings.NewReader(c.marked()))
	for kind := z.Next(); kind != xhtml.ErrorToken; kind = z.Next() {
		switch kind {
		case xhtml.TextToken:
			text(string(z.Raw()), homes)
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
			for _, a := range z.Token().Attr {
				attributes++
				c.attribute(a, attributes, homes)
			}
		default: // the end of an element, a comment: nowhere
		}
	}
	return homes
}

// text settles the steps in a run of text, except behind a "<", where a value
// would become the name of an element.
func text(s string, homes []int) {
	for _, m := range mark.FindAllStringSubmatchIndex(s, -1) {
		if !strings.HasSuffix(s[:m[0]], "<") {
			homes[number(s[m[2]:m[3]])] = 0
		}
	}
}

// attribute settles the steps in the value of an attribute.
func (c *compiler) attribute(a xhtml.Attribute, home int, homes []int) {
	if a.Key == "style" {
		return
	}
	at, first := 0, true
	for _, m := range mark.FindAllStringSubmatchIndex(a.Val, -1) {
		first = first && strings.TrimSpace(a.Val[at:m[0]]) == ""
		at = m[1]
		i := number(a.Val[m[2]:m[3]])
		homes[i] = home
		c.ops[i].place = placeIn(a.Key, first)
	}
}

// placeIn is the place of a value in an attribute, with or without words of the
// template before it.
func placeIn(attribute string, first bool) place {
	switch attribute {
	case "href", "src", "cite", "background", "action", "formaction", "poster":
		if first {
			return inLink
		}
		return amidURL
	}
	return inAttribute
}

// disguised reports a placeholder that an editor put markup into, such as
// "[Client<b>Name</b>]": a person would read it as it stands.
func (c *compiler) disguised(at int, inside string) {
	bare := html.UnescapeString(element.ReplaceAllString(inside, ""))
	name, _, _ := strings.Cut(bare, "|")
	name = strings.TrimSpace(name)
	_, section := condition(name)
	if isName(name) || section {
		c.fail(at, "there is markup or a blank inside the brackets of ["+name+"]")
	}
}

// places reports every step that has no home, and every section whose parts
// do not stand in the same one.
func (c *compiler) places(homes []int) {
	var open []int // the homes of the sections that are open
	for i, o := range c.ops {
		if o.code == opWords {
			continue
		}
		if homes[i] == nowhere {
			c.fail(o.at, "no placeholder can stand here: in HTML it belongs in the text, or in an attribute other than style")
		}
		switch o.code {
		case opIf:
			open = append(open, homes[i])
			continue
		case opElse, opEnd:
			if home := open[len(open)-1]; home != homes[i] && home != nowhere && homes[i] != nowhere {
				c.fail(o.at, "a section that begins in the text, or in an attribute, has to end there")
			}
		default:
			c.ops[i].text = html.UnescapeString(o.text) // it is escaped again like a value
		}
		if o.code == opEnd {
			open = open[:len(open)-1]
		}
	}
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
