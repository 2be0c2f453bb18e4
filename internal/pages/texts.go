package pages

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rappel/internal/kind"
	"rappel/templates"
)

// A textsView is the page of all texts, by their names.
type textsView struct {
	Names     []nameRow
	MoreNames bool
	Findings  []findingView
	Unlisted  int // findings that are not shown
	Unread    int // texts that were not looked at: there are too many for a page
}

// A nameRow is a text in all its variants.
type nameRow struct {
	Name, Words, Link string
	BuiltIn, Own      int
	Segments          int // of the longest SMS
	Wrong, Costs      int
}

// A findingView is what lint says of a text.
type findingView struct {
	Name, Link, Variant, Message string
	Wrong                        bool
}

// A textView is the page of one text.
type textView struct {
	Name, Words string
	Variants    []variantView
	Unread      bool // there are more variants
}

// A variantView is one text as people get it.
type variantView struct {
	Key                       string
	Channel, Audience, Locale string
	Origin                    string
	Version                   int
	SMS                       bool
	Subject, Text             string
	Mail                      string // link to the e-mail as HTML
	Size                      templates.Size
	Wrong                     string
	Findings                  []findingView
	Source                    string
}

// A page looks at no more texts than it can in a moment; rappel lint looks at all.
const (
	mostNames    = 1000
	mostTexts    = 100
	mostFindings = 200
	mostVariants = 60
)

func textLink(name string) string {
	if name == "" {
		return ""
	}
	return "/templates/" + url.PathEscape(name)
}

func (p *Pages) texts(ctx context.Context, _ *request) (view, error) {
	named, err := p.Texts.TextNames(ctx, mostNames+1)
	if err != nil {
		return view{}, err
	}
	v := &textsView{MoreNames: len(named) > mostNames}
	rows := map[string]*nameRow{}
	row := func(name string) *nameRow {
		if rows[name] == nil {
			rows[name] = &nameRow{Name: name, Words: wordsOf(name), Link: textLink(name)}
		}
		return rows[name]
	}
	for _, n := range named[:min(len(named), mostNames)] {
		row(n.Name).Own = n.N
		v.Unread += n.N
	}
	for _, s := range templates.BuiltIn() {
		row(s.Name).BuiltIn++
		v.add(row(s.Name), s)
	}
	err = p.Texts.EachText(ctx, mostTexts, func(s templates.Source) {
		if rows[s.Name] != nil {
			v.add(rows[s.Name], s)
			v.Unread--
		}
	})
	if err != nil {
		return view{}, err
	}
	for _, row := range rows {
		v.Names = append(v.Names, *row)
	}
	slices.SortFunc(v.Names, func(a, b nameRow) int { return cmp.Compare(a.Name, b.Name) })
	return view{Name: "texts", Title: "Templates", Here: "templates", Data: v}, nil
}

// add looks at a variant, and keeps what people must know of it: a built-in SMS
// that takes two segments with a long name is no news.
func (v *textsView) add(n *nameRow, s templates.Source) {
	shown := outlineOf(s)
	if shown.SMS {
		if m, err := rendered(s); err == nil {
			n.Segments = max(n.Segments, templates.Measure(m.Text).Segments)
		}
	}
	for _, f := range shown.Findings {
		if f.Wrong {
			n.Wrong++
		} else {
			n.Costs++
		}
		switch {
		case s.ID == "" && !f.Wrong:
		case len(v.Findings) == mostFindings:
			v.Unlisted++
		default:
			v.Findings = append(v.Findings, f)
		}
	}
}

// wordsOf says what a text is for, where its name is that of a kind.
func wordsOf(name string) string {
	if kind.Kind(name).Sort() == kind.Unknown {
		return ""
	}
	return kindName(kind.Kind(name))
}

func (p *Pages) text(ctx context.Context, r *request) (view, error) {
	name := r.PathValue("name")
	// What a practice wrote comes before what is built in.
	all, err := p.Texts.TextsNamed(ctx, name, "", mostVariants+1)
	if err != nil {
		return view{}, err
	}
	all = slices.Concat(all, builtInNamed(name))
	v := &textView{Name: name, Words: wordsOf(name), Unread: len(all) > mostVariants}
	for _, s := range all[:min(len(all), mostVariants)] {
		v.Variants = append(v.Variants, variantOf(s))
	}
	if len(v.Variants) == 0 {
		return view{}, missingError{What: "template", ID: name}
	}
	return view{Name: "text", Title: "Template " + name, Here: "templates", Data: v}, nil
}

func builtInNamed(name string) []templates.Source {
	return slices.DeleteFunc(templates.BuiltIn(), func(s templates.Source) bool { return s.Name != name })
}

const builtIn = "built in"

// keyOf tells a variant from the others of its name.
func keyOf(s templates.Source) string {
	if s.ID != "" {
		return s.ID
	}
	return s.Channel + "." + s.Audience + "." + s.Locale
}

// outlineOf is a text and what lint says of it.
func outlineOf(s templates.Source) variantView {
	v := variantView{
		Key: keyOf(s), Channel: s.Channel, Audience: audienceWords(s.Audience), Locale: cmp.Or(s.Locale, "en"), Version: s.Version,
		SMS: s.Channel == templates.SMS, Origin: builtIn, Source: s.Body,
	}
	if s.Subject != "" {
		v.Source = "Subject: " + s.Subject + "\n\n" + s.Body
	}
	switch {
	case s.PracticeID != "":
		v.Origin = "of practice " + s.PracticeID
	case s.ID != "":
		v.Origin = "for all practices"
	}
	for _, f := range templates.Lint(s) {
		v.Findings = append(v.Findings, findingView{
			Name: s.Name, Link: textLink(s.Name) + "#" + v.Key, Variant: v.variant(), Message: f.Message, Wrong: f.Wrong,
		})
	}
	return v
}

// variantOf shows a text as a made-up person would read it.
func variantOf(s templates.Source) variantView {
	v := outlineOf(s)
	m, err := rendered(s)
	if err != nil {
		return v // lint says why
	}
	v.Subject, v.Text = m.Subject, m.Text
	if v.SMS {
		v.Size = templates.Measure(m.Text)
	} else {
		v.Mail = textLink(s.Name) + "/mail/" + url.PathEscape(v.Key)
	}
	return v
}

func (v variantView) variant() string {
	return fmt.Sprintf("%s, %s, %s, %s", v.Channel, v.Audience, v.Locale, v.Origin)
}

func audienceWords(a string) string {
	switch a {
	case templates.ForClient:
		return "to the client"
	case templates.ForContact:
		return "to a contact"
	}
	return "to anybody"
}

func rendered(s templates.Source) (templates.Message, error) {
	compiled, err := s.Compile()
	if err != nil {
		return templates.Message{}, err
	}
	return compiled.Render(templates.Sample().Values(s.Locale))
}

// mail answers with an e-mail as it would arrive, as a document of its own: its
// inline styles are its writer's, and its rights are none. Only our pages may
// frame it.
func (p *Pages) mail(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Cache-Control", "no-store")
	name, key := r.PathValue("name"), r.PathValue("variant")
	all, err := p.Texts.TextsNamed(r.Context(), name, key, 1)
	if err != nil {
		id := p.failed(r.Context(), &request{r, &veil{}}, err)
		http.Error(w, "The e-mail cannot be shown; the log has the reason under request_id "+id, http.StatusInternalServerError)
		return
	}
	for _, s := range slices.Concat(all, builtInNamed(name)) {
		if keyOf(s) != key || s.Channel != templates.Email {
			continue
		}
		if m, err := rendered(s); err == nil {
			h.Set("Content-Type", "text/html; charset=utf-8")
			_, _ = strings.NewReader(m.HTML).WriteTo(w)
			return
		}
	}
	http.Error(w, "There is no such e-mail.", http.StatusNotFound)
}
