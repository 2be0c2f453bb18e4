package pages_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A document is a page as it was read, and what is wrong with it.
type document struct {
	wrong    []string
	open     []string       // elements that are not closed yet
	ids      map[string]int // how often each is there
	labels   []string       // ids that labels are for
	fields   []string       // ids of what needs a label
	refs     []string       // ids that others refer to
	level    int            // of the last heading
	captions int            // tables without one so far
	mains    int
}

// check finds what a browser forgives and a reader's help does not: elements
// that overlap, ids that are there twice or not at all, fields without a label,
// tables without a caption, and headings that skip a level.
func check(t *testing.T, name, page string) {
	t.Helper()
	d := &document{ids: map[string]int{}}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				t.Errorf("%s: %v", name, z.Err())
			}
			for _, w := range d.finish() {
				t.Errorf("%s: %s", name, w)
			}
			return
		case html.StartTagToken:
			d.start(z.Token())
		case html.SelfClosingTagToken:
			d.meet(z.Token())
		case html.EndTagToken:
			d.end(z.Token().Data)
		case html.TextToken, html.CommentToken, html.DoctypeToken:
		}
	}
}

func (d *document) say(format string, args ...any) {
	d.wrong = append(d.wrong, fmt.Sprintf(format, args...))
}

func attribute(token html.Token, name string) (string, bool) {
	for _, a := range token.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func (d *document) start(token html.Token) {
	d.meet(token)
	switch token.Data {
	case "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr":
		return
	}
	d.open = append(d.open, token.Data)
}

func (d *document) end(name string) {
	if n := len(d.open); n == 0 || d.open[n-1] != name {
		d.say("</%s> closes %v", name, d.open)
		return
	}
	d.open = d.open[:len(d.open)-1]
}

// meet looks at one element.
func (d *document) meet(token html.Token) {
	if id, ok := attribute(token, "id"); ok {
		d.ids[id]++
	}
	for _, name := range []string{"aria-labelledby", "aria-describedby"} {
		if refs, ok := attribute(token, name); ok {
			d.refs = append(d.refs, strings.Fields(refs)...)
		}
	}
	if _, ok := attribute(token, "style"); ok {
		d.say("<%s> has an inline style", token.Data)
	}
	within := ""
	if len(d.open) > 0 {
		within = d.open[len(d.open)-1]
	}
	switch token.Data {
	case "script", "style":
		d.say("there is a <%s>", token.Data)
	case "main":
		d.mains++
	case "h1", "h2", "h3":
		level := int(token.Data[1] - '0')
		if level > d.level+1 {
			d.say("<%s> comes after a heading of level %d", token.Data, d.level)
		}
		d.level = level
	case "label":
		id, _ := attribute(token, "for")
		d.labels = append(d.labels, id)
	case "input", "select", "textarea":
		if kind, _ := attribute(token, "type"); kind != "hidden" {
			id, _ := attribute(token, "id")
			d.fields = append(d.fields, id)
		}
	case "table":
		d.captions++
	case "caption":
		d.captions--
	case "th":
		if _, ok := attribute(token, "scope"); !ok {
			d.say("a <th> has no scope")
		}
	case "li":
		if within != "ul" && within != "ol" {
			d.say("<li> in <%s>", within)
		}
	case "div", "p", "ul", "ol", "section":
		if slices.Contains(d.open, "p") {
			d.say("<%s> in a <p>", token.Data)
		}
	}
}

func (d *document) finish() []string {
	if len(d.open) > 0 {
		d.say("never closed: %v", d.open)
	}
	if d.mains != 1 || d.captions != 0 {
		d.say("%d mains, %d tables without a caption", d.mains, d.captions)
	}
	for id, n := range d.ids {
		if n > 1 {
			d.say("the id %s is there %d times", id, n)
		}
	}
	for _, id := range slices.Concat(d.refs, d.labels) {
		if d.ids[id] == 0 {
			d.say("nothing has the id %s", id)
		}
	}
	for _, id := range d.fields {
		if !slices.Contains(d.labels, id) {
			d.say("the field %q has no label", id)
		}
	}
	return d.wrong
}

func TestTheCheckSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]string{
		"overlapping":           `<main><p><b></p></b></main>`,
		"never closed":          `<main><div></main>`,
		"an id twice":           `<main><i id="a"></i><i id="a"></i></main>`,
		"a field without label": `<main><input id="a"></main>`,
		"no caption":            `<main><table></table></main>`,
		"a heading too deep":    `<main><h1></h1><h3></h3></main>`,
		"no main":               `<p></p>`,
		"a list in a paragraph": `<main><p><ul></ul></p></main>`,
		"a script":              `<main><script></script></main>`,
		"an inline style":       `<main><p style="color: red"></p></main>`,
		"a reference to naught": `<main><p aria-labelledby="x"></p></main>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &document{ids: map[string]int{}}
			z := html.NewTokenizer(strings.NewReader(page))
			for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
				if token := z.Token(); kind == html.StartTagToken {
					d.start(token)
				} else if kind == html.EndTagToken {
					d.end(token.Data)
				}
			}
			if got := d.finish(); len(got) == 0 {
				t.Error("nothing was found")
			}
		})
	}
}
