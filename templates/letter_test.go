package templates_test

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"rappel/templates"
)

// inside is what stands on the card of a page, without styles.
func inside(tb testing.TB, page string) string {
	tb.Helper()
	_, card, ok := strings.Cut(page, `class="card"`)
	if !ok {
		return page
	}
	_, card, _ = strings.Cut(card, ">\n")
	card, _, _ = strings.Cut(card, "</td></tr>\n</table>\n</td></tr></table>\n</body>")
	card = regexp.MustCompile(` (style|class|role|cellpadding|cellspacing|border|bgcolor)="[^"]*"`).ReplaceAllString(card, "")
	return strings.TrimSpace(card)
}

func TestLetterAsHTML(t *testing.T) {
	t.Parallel()
	f := online(t)
	f.Recipient.First = `O'Brien & "Zoë" <b>`
	f.PractitionerName = "see https://evil.example/ now"
	f.LocationName = "video.example/room"
	v := f.Values("en")
	button := func(href, label string) string {
		return `<table><tr><td><a href="` + href + `">` + label + `</a></td></tr></table>`
	}
	tests := map[string]struct{ body, want string }{
		"values and words are escaped":                   {"Hi [RecipientFirstName] & <i>", "<p>Hi O&#39;Brien &amp; &#34;Zoë&#34; &lt;b&gt; &amp; &lt;i&gt;</p>"},
		"blank lines part paragraphs":                    {"a\nb\n\n\nc", "<p>a<br>\nb</p>\n<p>c</p>"},
		"an address in a line is a link":                 {"See https://x.example/a?b=1&c=2.", `<p>See <a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>.</p>`},
		"so is one without TLS":                          {"http://x.example, yes", `<p><a href="http://x.example">http://x.example</a>, yes</p>`},
		"so is one in capitals":                          {"(HTTPS://X.example)", `<p>(<a href="https://X.example">HTTPS://X.example</a>)</p>`},
		"brackets of the address belong to it":           {"a https://x.example/a_(b) c", `<p>a <a href="https://x.example/a_(b)">https://x.example/a_(b)</a> c</p>`},
		"a quote ends an address":                        {`"https://x.example/"`, `<p>&#34;<a href="https://x.example/">https://x.example/</a>&#34;</p>`},
		"other schemes are words":                        {"javascript:alert(1) ftp://x.example mailto:a@x.example", "<p>javascript:alert(1) ftp://x.example mailto:a@x.example</p>"},
		"a scheme alone is words":                        {"https:// and https://.", "<p>https:// and https://.</p>"},
		"an address inside a word is words":              {"xhttps://x.example", "<p>xhttps://x.example</p>"},
		"a link placeholder in a line is a link":         {"Join: [TelehealthLink].", `<p>Join: <a href="https://video.example/j/42?a=1&amp;b=2">https://video.example/j/42?a=1&amp;b=2</a>.</p>`},
		"alone on its line it is a button":               {"Join:\n [TelehealthLink] \nnow", "<p>Join:</p>\n" + button("https://video.example/j/42?a=1&amp;b=2", "Join the visit") + "\n<p>now</p>"},
		"each button says where it leads":                {"[ManageLink]", button("https://sunrise.example/m/7f3a", "Manage the appointment")},
		"an address alone on its line is a button":       {"https://x.example/map/", button("https://x.example/map/", "x.example/map")},
		"another value is never a link":                  {"[PractitionerName]", "<p>see https://evil.example/ now</p>"},
		"a value goes into an address as one word":       {"https://x.example/?n=[RecipientFirstName]&p=1", button("https://x.example/?n=O%27Brien%20%26%20%22Zo%C3%AB%22%20%3Cb%3E&amp;p=1", "x.example/?n=O&#39;Brien &amp; &#34;Zoë&#34; &lt;b&gt;&amp;p=1")},
		"a value is not the host of an address":          {"https://[LocationName]", "<p>https://video.example/room</p>"},
		"nor part of one":                                {"https://x[LocationName]/ a", "<p>https://xvideo.example/room/ a</p>"},
		"nor part of an escape":                          {"https://x.example/%4[LocationName] a", "<p>https://x.example/%4video.example/room a</p>"},
		"words for a missing value are the template's":   {"a [PortalLink|https://x.example/] b", `<p>a <a href="https://x.example/">https://x.example/</a> b</p>`},
		"what stands behind a link placeholder is in it": {"a [ManageLink]?x=1 b", `<p>a <a href="https://sunrise.example/m/7f3a?x=1">https://sunrise.example/m/7f3a?x=1</a> b</p>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := inside(t, render(t, tt.body, v).HTML); got != tt.want {
				t.Errorf("%q makes\n%s\nwant\n%s", tt.body, got, tt.want)
			}
		})
	}
}

// What stands behind it may still be one.
func TestAnAddressBehindALinkThatIsNone(t *testing.T) {
	t.Parallel()
	f := online(t)
	f.TelehealthLink = "tel:1"
	got := inside(t, render(t, "a [TelehealthLink]https://x.example/", f.Values("en")).HTML)
	if want := `<p>a tel:1<a href="https://x.example/">https://x.example/</a></p>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A link that is no web address is shown, and leads nowhere.
func TestALinkWithoutASchemeIsWords(t *testing.T) {
	t.Parallel()
	f := online(t)
	for _, link := range []string{"video.example/j/42", "tel:+12015550199", "//video.example/", "https:///x", "https://x.example:y/"} {
		f.TelehealthLink = link
		m := render(t, "Join:\n[TelehealthLink]", f.Values("en"))
		if want := "<p>Join:<br>\n" + link + "</p>"; inside(t, m.HTML) != want {
			t.Errorf("%s makes\n%s\nwant\n%s", link, inside(t, m.HTML), want)
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ locale, want string }{
		"the language of the text":    {"fr-CA", `<html lang="fr-CA" dir="ltr">`},
		"one written from the right":  {"ar", `<html lang="ar" dir="rtl">`},
		"English where there is none": {"", `<html lang="en" dir="ltr">`},
		"nothing but a language":      {`fr" onload="x`, `<html lang="en" dir="ltr">`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := templates.Source{Channel: "email", Locale: tt.locale, Subject: "<b>", Body: "x"}.Compile()
			if err != nil {
				t.Fatal(err)
			}
			m, err := c.Render(visit(t).Values("en"))
			if err != nil || !strings.Contains(strings.ToLower(m.HTML), strings.ToLower(tt.want)) || !strings.Contains(m.HTML, "<title>&lt;b&gt;</title>") {
				t.Errorf("%v; the page begins with %.200s, want %s", err, m.HTML, tt.want)
			}
		})
	}
}

func TestButtonsSpeakTheLanguageOfTheText(t *testing.T) {
	t.Parallel()
	f := online(t)
	f.Data = map[string]string{"portal_link": "https://p.example/", "form_link": "https://f.example/"}
	for locale, want := range map[string]string{
		"en":    "Join the visit Manage the appointment Open the portal Open the form",
		"en-GB": "Join the visit Manage the appointment Open the portal Open the form",
		"es":    "Unirse a la consulta Gestionar la cita Abrir el portal Abrir el formulario",
		"fr-CA": "Rejoindre la consultation Gérer le rendez-vous Ouvrir le portail Ouvrir le formulaire",
		"de":    "Zum Online-Termin Termin verwalten Zum Portal Formular öffnen",
	} {
		c, err := templates.Source{Channel: "email", Locale: locale, Body: "[TelehealthLink]\n[ManageLink]\n[PortalLink]\n[FormLink]"}.Compile()
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.Render(f.Values(locale))
		if got := strings.Join(strings.Fields(words(t, inside(t, m.HTML))), " "); err != nil || got != want {
			t.Errorf("in %s the buttons say %q (%v), want %q", locale, got, err, want)
		}
	}
}

// words is the text of a page, element by element.
func words(tb testing.TB, page string) string {
	tb.Helper()
	var out strings.Builder
	for n := range parsed(tb, page).Descendants() {
		if n.Type == html.TextNode {
			out.WriteString(n.Data + " ")
		}
	}
	return out.String()
}

func parsed(tb testing.TB, page string) *html.Node {
	tb.Helper()
	n, err := html.Parse(strings.NewReader(page))
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// structure is a page without its words: elements and the names of attributes.
func structure(tb testing.TB, page string) string {
	tb.Helper()
	var out strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			out.WriteString("<" + n.Data)
			for _, a := range n.Attr {
				out.WriteString(" " + a.Key)
			}
			out.WriteString(">")
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
		if n.Type == html.ElementNode {
			out.WriteString("</>")
		}
	}
	walk(parsed(tb, page))
	return out.String()
}
