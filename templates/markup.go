package templates

import (
	"strings"

	"github.com/microcosm-cc/bluemonday"
	xhtml "golang.org/x/net/html"
)

// A markup is an e-mail body in HTML. Values are escaped for the place they
// stand in, and the whole is sanitised after rendering: what a message may
// hold does not depend on how well it was escaped.
type markup struct {
	*Template
	policy *bluemonday.Policy
	page   page
}

func (m markup) uses(name string) bool { return m.Uses(name) }

func (m markup) render(v *Values, subject string) (text, page string) {
	w := writer{escape: true}
	written := m.Template.render(&w, make([]byte, 0, 2*m.length(v)), v)
	inside := string(m.policy.SanitizeBytes(finish(written)))
	return plainText(inside), m.page.plain(subject, inside)
}

// compileMarkup reads a template, and then the HTML around its placeholders.
func compileMarkup(body string, p page) (markup, error) {
	c := compiler{text: withoutAsides(tidy(body)), html: true}
	t, err := c.compile()
	if err != nil {
		return markup{}, err
	}
	c.places(c.homes())
	if len(c.errs) > 0 {
		return markup{}, c.err()
	}
	return markup{t, newPolicy(), p}, nil
}

// withoutAsides blanks out what no reader sees and what the policy would drop:
// comments, style sheets and scripts. Brackets mean something else there. What
// remains keeps its position.
func withoutAsides(body string) string {
	var out strings.Builder
	inside := "" // the element whose text is to be dropped
	z := xhtml.NewTokenizer(strings.NewReader(body))
	for {
		kind := z.Next()
		raw := string(z.Raw())
		if kind == xhtml.ErrorToken {
			out.WriteString(raw)
			return out.String()
		}
		name, _ := z.TagName()
		switch {
		case kind == xhtml.CommentToken, kind == xhtml.TextToken && inside != "":
			raw = blanked(raw)
		case kind == xhtml.StartTagToken && (string(name) == "style" || string(name) == "script"):
			inside, raw = string(name), blanked(raw)
		case kind == xhtml.EndTagToken && string(name) == inside:
			inside, raw = "", blanked(raw)
		}
		out.WriteString(raw)
	}
}

// blanked is as many blanks on as many lines.
func blanked(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return ' '
	}, s)
}
