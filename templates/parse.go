package templates

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Compile reads a template. Its error joins one *[SyntaxError] for each
// mistake, in the order of the text, up to a hundred.
func Compile(text string) (*Template, error) {
	c := compiler{text: tidy(text)}
	return c.compile()
}

func (c *compiler) compile() (*Template, error) {
	c.scan()
	for _, s := range c.open {
		c.fail(s.at, "this section is never closed: write [End] where it stops")
	}
	if len(c.errs) > 0 {
		return nil, c.err()
	}
	c.flush()
	c.bareTimes()
	return c.template(), nil
}

// A compiler collects the steps of one template.
type compiler struct {
	text    string // the whole template
	html    bool   // the template is HTML
	words   strings.Builder
	ops     []op
	open    []section
	parents []int // the branch around each branch but the outermost, number 0
	branch  int
	errs    []*SyntaxError
}

// scan goes through the text, from bracket to bracket.
func (c *compiler) scan() {
	for at := 0; at < len(c.text); {
		rest := c.text[at:]
		n := strings.IndexByte(rest, '[')
		if n < 0 {
			n = len(rest)
		}
		if n > 0 {
			c.words.WriteString(rest[:n])
			at += n
			continue
		}
		at += c.bracket(at)
	}
}

// bracket reads the bracket that opens at the offset, and returns how many
// bytes that took.
func (c *compiler) bracket(at int) int {
	rest := c.text[at:]
	if strings.HasPrefix(rest, "[[") {
		c.words.WriteByte('[')
		return 2
	}
	end := closing(rest)
	switch {
	case end < 0:
		c.nested(at, rest)
	case c.meaning(at, rest[1:end]):
		return end + 1
	case c.html:
		c.disguised(at, rest[1:end])
	}
	c.words.WriteByte('[')
	return 1
}

// closing is the offset of the bracket that closes the one s begins with, or
// -1 where another opens first or none does.
func closing(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == ']':
			return i
		case strings.HasPrefix(s[i:], "[["):
			i++
		case s[i] == '[':
			return -1
		}
	}
	return -1
}

// nested reports words for a missing value that hold a placeholder themselves:
// read as text, the whole bracket would reach a person.
func (c *compiler) nested(at int, s string) {
	before, _, found := strings.Cut(s[1:], "[")
	name, _, words := strings.Cut(before, "|")
	if _, known := lookup(name); found && words && known {
		c.fail(at, "the words after | cannot hold a placeholder: write [If "+name+"]…[Else]…[End]")
	}
}

// meaning acts on what stands between two brackets, and tells whether it meant
// anything: otherwise it is plain text.
func (c *compiler) meaning(at int, inside string) bool {
	if name, ok := condition(inside); ok {
		c.openSection(at, name)
		return true
	}
	name, words, _ := strings.Cut(inside, "|")
	switch {
	case !isName(name):
		return false
	case strings.EqualFold(inside, "if"):
		c.fail(at, "[If] needs the name of a placeholder, as in [If ManageLink]")
	case strings.EqualFold(inside, "else"):
		c.elseSection(at)
	case strings.EqualFold(inside, "end"):
		c.endSection(at)
	default:
		c.value(at, name, strings.ReplaceAll(words, "[[", "["))
	}
	return true
}

// condition is the name in "If Name".
func condition(inside string) (name string, ok bool) {
	f := strings.Fields(inside)
	ok = len(f) == 2 && strings.EqualFold(f[0], "if") && strings.HasPrefix(inside, f[0]) && isName(f[1])
	if !ok {
		return "", false
	}
	return f[1], true
}

func (c *compiler) value(at int, name, words string) {
	if p, ok := c.known(at, name); ok {
		c.add(op{code: opValue, name: p, at: at, text: words})
	}
}

// add appends a step after the words collected so far, and returns its index.
func (c *compiler) add(o op) int {
	c.flush()
	o.branch = c.branch
	c.ops = append(c.ops, o)
	return len(c.ops) - 1
}

// flush makes the words collected so far a step.
func (c *compiler) flush() {
	if c.words.Len() == 0 {
		return
	}
	c.ops = append(c.ops, op{code: opWords, branch: c.branch, text: c.words.String()})
	c.words.Reset()
}

// known looks a name up and reports it where nobody knows it.
func (c *compiler) known(at int, name string) (placeholder, bool) {
	p, ok := lookup(name)
	if ok {
		return p, true
	}
	if len(c.errs) < mostMistakes {
		near := nearest(name)
		message := fmt.Sprintf("unknown placeholder [%s]: did you mean [%s]? For an ordinary bracket write [[", name, near)
		c.report(at, SyntaxError{Message: message, Name: name, Nearest: near})
	}
	return 0, false
}

// mostMistakes are reported: after a hundred nobody reads on.
const mostMistakes = 100

// fail reports a mistake at the offset.
func (c *compiler) fail(at int, message string) {
	c.report(at, SyntaxError{Message: message})
}

func (c *compiler) report(at int, e SyntaxError) {
	if len(c.errs) >= mostMistakes {
		return
	}
	before := c.text[:at]
	e.Line = 1 + strings.Count(before, "\n")
	e.Column = 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	c.errs = append(c.errs, &e)
}

// err joins the mistakes in the order of the text: unclosed sections are only
// known at its end.
func (c *compiler) err() error {
	slices.SortStableFunc(c.errs, func(a, b *SyntaxError) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	all := make([]error, len(c.errs))
	for i, e := range c.errs {
		all[i] = e
	}
	return errors.Join(all...)
}
