package templates_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"rappel/templates"
)

// seeds are templates of every form.
func seeds() []string {
	out := []string{
		"", "[", "[[", "[]", "[ClientName", "[ClientName]", "[ClientName|x]", "[If ClientName]a[Else]b[End]", "[End]", "[[ClientName]",
		"[a [ClientName]]", "[ClientName|a[b]c]", "\r\n[TelehealthLink]\n\n[ManageLink] x", "[AppointmentTime] [AppointmentTimeZone]",
		"<p>[ClientName]</p>", "<p title=[ClientName]>x", `<a href="[ManageLink]">x</a>`, `<a href="javascript:[ClientName]">x</a>`,
		"<[ClientName]>", "<!-- [ClientName] -->", "<script>[ClientName]</script>", "[Client<b>Name</b>]", "https://x.example/[ClientName]. b",
		"é [Größe] \u2028 \xff \x00", "<p>[If ClientName]<b>[Else]</b>[End]",
	}
	for _, s := range templates.BuiltIn() {
		if s.Locale == "en" {
			out = append(out, s.Body)
		}
	}
	return out
}

// unresolved is a placeholder as a template writes it.
func unresolved() *regexp.Regexp { return regexp.MustCompile(`\[\pL[\pL\p{Nd}]*(\|[^\]]*)?\]`) }

// writesBrackets tells whether a template writes brackets on purpose, or leaves
// one open before another, so that what they add up to is its author's doing.
func writesBrackets(template string) bool {
	open := 0
	for _, r := range template {
		switch r {
		case '[':
			open++
		case ']':
			open = 0
		}
		if open > 1 {
			return true
		}
	}
	return false
}

func FuzzText(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, "Ana")
		f.Add(s, "")
		f.Add(s, "[ClientName] <b>\n\n")
	}
	f.Fuzz(func(t *testing.T, template, name string) {
		c, err := templates.Compile(template)
		if (c == nil) != (err != nil) {
			t.Fatalf("compiled %v, %v", c, err)
		}
		if err != nil {
			checkMistakes(t, template, err)
			return
		}
		facts := visit(t)
		facts.Recipient.First, facts.Client.First, facts.LocationName = name, name, name
		got := c.Text(facts.Values("en"))
		if i := strings.IndexFunc(got, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
			t.Errorf("%q holds a control character", got)
		}
		if strings.Trim(got, " \n") != got {
			t.Errorf("%q has blanks around it", got)
		}
		if left := unresolved().FindString(got); left != "" && !strings.Contains(name, "[") && !strings.Contains(name, "]") && !writesBrackets(template) {
			t.Errorf("%q is left of %q in %q", left, template, got)
		}
	})
}

// checkMistakes holds that every mistake is somewhere in the template.
func checkMistakes(t *testing.T, template string, err error) {
	t.Helper()
	all := mistakes(err)
	if len(all) == 0 {
		t.Errorf("%v is no SyntaxError", err)
	}
	lines := 1 + strings.Count(template, "\n") + strings.Count(template, "\r") + len(template)
	for _, e := range all {
		if e.Line < 1 || e.Line > lines || e.Column < 1 || e.Column > len(template) || e.Message == "" {
			t.Errorf("a mistake at %d:%d of %q", e.Line, e.Column, template)
		}
	}
}

func FuzzEmail(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, "Ana", "https://x.example/")
		f.Add(s, `"><script>alert(1)</script>`, "javascript:alert(1)")
	}
	f.Fuzz(func(t *testing.T, body, name, link string) {
		c, err := templates.Source{Channel: "email", Subject: "[ClientName]", Locale: "en", Body: body}.Compile()
		if err != nil {
			return
		}
		page := func(name, link string) (string, bool) {
			facts := online(t)
			facts.Client.First, facts.Client.Last, facts.LocationName, facts.Practice.Name = name, "x", name, "x"+name
			facts.TelehealthLink, facts.ManageLink = link, link
			m, err := c.Render(facts.Values("en"))
			return m.HTML, err == nil
		}
		got, ok := page(name, link)
		if !ok {
			return
		}
		checkSafe(t, got)
		if strings.HasPrefix(strings.TrimSpace(body), "<") {
			return // an author may put a value where the policy judges it
		}
		same, _ := page(name, "https://x.example/")
		plain, ok := page("y", "https://x.example/")
		if ok && hasValue(name) && structure(t, same) != structure(t, plain) {
			t.Errorf("with %q the page is\n%s\nwant\n%s", name, structure(t, same), structure(t, plain))
		}
	})
}

// hasValue tells whether a name is one once it is cleaned.
func hasValue(name string) bool {
	f := templates.Facts{Client: templates.Name{First: name}}
	return f.Values("en").Get("ClientFirstName") != ""
}

// checkSafe holds what is true of every page: nothing runs, and every address
// is one of the web.
func checkSafe(t *testing.T, page string) {
	t.Helper()
	for n := range parsed(t, page).Descendants() {
		switch n.Data {
		case "script", "iframe", "object", "embed", "form", "input", "link", "base", "svg", "math":
			if n.Type == 3 {
				t.Errorf("the page holds <%s>: %s", n.Data, page)
			}
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("the page holds %s: %s", a.Key, page)
			}
			if (a.Key == "href" || a.Key == "src") && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "http://") {
				t.Errorf("the page leads to %q", a.Val)
			}
		}
	}
}

func FuzzMeasure(f *testing.F) {
	f.Add(strings.Repeat("a", 161))
	f.Add(strings.Repeat("€", 80) + "a")
	f.Add(strings.Repeat("😀", 36))
	f.Fuzz(func(t *testing.T, text string) {
		s := templates.Measure(text)
		alone, joined := 160, 153
		if s.Encoding == "ucs2" {
			alone, joined = 70, 67
		}
		switch {
		case s.Units == 0 && s.Segments != 0, s.Units > 0 && s.Units <= alone && s.Segments != 1:
			t.Errorf("%q: %+v", text, s)
		case s.Units > alone && (s.Segments < (s.Units+joined-1)/joined || s.Segments > (s.Units+joined-2)/(joined-1)):
			t.Errorf("%q: %+v is out of bounds", text, s)
		}
		if (s.Encoding == "ucs2") != (len(s.Forces) > 0) {
			t.Errorf("%q: %+v", text, s)
		}
	})
}

func FuzzLocales(f *testing.F) {
	f.Add("fr-CA", "en_GB.UTF-8")
	f.Add("en-éé", "")
	f.Fuzz(func(t *testing.T, recipient, practice string) {
		all := templates.Locales(recipient, practice)
		seen := map[string]bool{}
		for _, l := range all {
			if l == "" || seen[l] || !utf8.ValidString(l) {
				t.Errorf("%q in %q", l, all)
			}
			seen[l] = true
		}
		if !seen["en"] {
			t.Errorf("no English in %q", all)
		}
		if got := visit(t).Values(recipient).Get("AppointmentDate"); got == "" {
			t.Errorf("no date in %q", recipient)
		}
	})
}
