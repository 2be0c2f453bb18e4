package templates_test

import (
	"regexp"
	"strings"
	"testing"

	"rappel/templates"
)

// fragment is what stands in the body of a page.
func fragment(tb testing.TB, page string) string {
	tb.Helper()
	_, body, ok := strings.Cut(page, "<body")
	_, body, _ = strings.Cut(body, ">\n")
	body, _, end := strings.Cut(body, "\n</body>")
	if !ok || !end {
		tb.Fatalf("no page: %s", page)
	}
	return body
}

func TestHTMLTemplates(t *testing.T) {
	t.Parallel()
	f := online(t)
	f.Recipient.First = `O'Brien & "Zoë" <b>`
	f.LocationName = "javascript:alert(1)"
	f.LocationAddress = "https://x.example/a b"
	v := f.Values("en")
	tests := map[string]struct{ body, want string }{
		"text":                                   {"<p>Hi [RecipientFirstName]</p>", "<p>Hi O&#39;Brien &amp; &#34;Zoë&#34; &lt;b&gt;</p>"},
		"an attribute":                           {`<p title="[RecipientFirstName]">x</p>`, `<p title="O&#39;Brien &amp; &#34;Zoë&#34; &lt;b&gt;">x</p>`},
		"an attribute in single quotes":          {`<p title='[RecipientFirstName]'>x</p>`, `<p title="O&#39;Brien &amp; &#34;Zoë&#34; &lt;b&gt;">x</p>`},
		"an attribute without quotes":            {`<p title=[RecipientFirstName] lang=fr>x</p>`, `<p title="O&#39;Brien &amp; &#34;Zoë&#34; &lt;b&gt;" lang="fr">x</p>`},
		"a link":                                 {`<a href="[TelehealthLink]">x</a>`, `<a href="https://video.example/j/42?a=1&amp;b=2">x</a>`},
		"a value further on in a link":           {`<a href="https://x.example/?n=[RecipientFirstName]">x</a>`, `<a href="https://x.example/?n=O%27Brien%20%26%20%22Zo%C3%AB%22%20%3Cb%3E">x</a>`},
		"a link behind a value in a link":        {`<a href="https://x.example/[ClientName][ManageLink]">x</a>`, `<a href="https://x.example/Mia%20Leehttps%3A%2F%2Fsunrise.example%2Fm%2F7f3a">x</a>`},
		"a link that would run":                  {`<a href="[LocationName]">x</a>`, `x`},
		"a link that the author lets run":        {`<a href="javascript:alert(1)">x</a>`, `x`},
		"a link that the author hides":           {"<a href=\"jav&#x09;ascript:alert(1)\">x</a>", `x`},
		"a scheme before a value":                {`<a href="javascript:[ClientName]">x</a>`, `x`},
		"a scheme in pieces":                     {`<a href="java[LocationName]">x</a>`, `x`},
		"any value that is a web address":        {`<a href="[LocationAddress]">x</a>`, `<a href="https://x.example/a%20b">x</a>`},
		"a link within the page":                 {`<a href="/x">x</a>`, `x`},
		"mail and telephone are not web":         {`<a href="mailto:a@x.example">x</a><a href="tel:1">y</a>`, `xy`},
		"a section around elements":              {"<p>a</p>[If ClientName]<p>b</p>[Else]<p>c</p>[End]", "<p>a</p><p>b</p>"},
		"a section within an attribute":          {`<p title="a[If TelehealthLink] b[End]">x</p>`, `<p title="a b">x</p>`},
		"one link or the other":                  {`<a href="[If PortalLink][PortalLink][Else][ManageLink][End]">x</a>`, `<a href="https://sunrise.example/m/7f3a">x</a>`},
		"words for a missing value":              {"<p>[PortalLink|a &lt; b &amp; <c>]</p>", "<p>a &lt; b &amp; &lt;c&gt;</p>"},
		"a link for a missing value":             {`<a href="[PortalLink|https://x.example/?a=1&amp;b=2]">x</a>`, `<a href="https://x.example/?a=1&amp;b=2">x</a>`},
		"no link that runs for a missing value":  {`<a href="[PortalLink|javascript:alert(1)]">x</a>`, `x`},
		"no words that leave their attribute":    {`<p title="[PortalLink|&quot; onclick=&quot;x]">x</p>`, `<p title="&#34; onclick=&#34;x">x</p>`},
		"scripts, frames, forms and handlers go": {`<div onclick="x">a<script>alert("[x]")</script><iframe src="https://x.example/"></iframe><form><input></form></div>`, `<div>a</div>`},
		"style sheets and comments go":           {"<!--[if mso]><p>old</p><![endif]--><style>a[href] { color: red }</style><p>x</p>", "<p>x</p>"},
		"styles in elements stay":                {`<p style="color: #123456; padding: 4px 8px; background: #fff">x</p>`, `<p style="color: #123456; padding: 4px 8px; background: #fff">x</p>`},
		"styles that load do not":                {`<p style="background: url(https://x.example/a.png); position: fixed">x</p>`, `<p>x</p>`},
		"tables stay":                            {`<table role="presentation" width="100%" cellpadding="0" border="0"><tr><td align="center" bgcolor="#ffffff">x</td></tr></table>`, `<table role="presentation" width="100%" cellpadding="0" border="0"><tr><td align="center" bgcolor="#ffffff">x</td></tr></table>`},
		"pictures stay, with their words":        {`<img src="https://x.example/a.png" alt="Logo of [PracticeName]" width="80">`, `<img src="https://x.example/a.png" alt="Logo of Sunrise Therapy" width="80">`},
		"a whole document is unpacked":           {"<!DOCTYPE html><html><head><title>[ClientName]</title></head><body><p>x</p></body></html>", "<p>x</p>"},
		"what is missing takes its blank along":  {"<p>Hi [PortalLink], come</p>", "<p>Hi, come</p>"},
		"letters of any alphabet stand":          {`<p title="Zoë 👩‍👧">Zoë 👩‍👧</p>`, `<p title="Zoë 👩‍👧">Zoë 👩‍👧</p>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := render(t, tt.body+"<i>.</i>", v)
			if got := regexp.MustCompile(" {2,}").ReplaceAllString(strings.TrimSuffix(fragment(t, m.HTML), "<i>.</i>"), ""); got != tt.want {
				t.Errorf("%s makes\n%s\nwant\n%s", tt.body, got, tt.want)
			}
		})
	}
}

func TestPlacesWhereNoPlaceholderCanStand(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body         string
		line, column int
	}{
		"the name of an element":             {"<p>\n<[ClientName]>x</p>", 2, 2},
		"the name of an attribute":           {"<p [ClientName]=1>x</p>", 1, 4},
		"between attributes":                 {"<p lang=fr [If ClientName]title=x[End]>x</p>", 1, 12},
		"a style":                            {`<p style="color:[ClientName]">x</p>`, 1, 17},
		"an element that is not finished":    {"<p>x</p><p title=[ClientName]", 1, 18},
		"a section out of an attribute":      {`<p title="[If ClientName]a">b[End]</p>`, 1, 30},
		"a section into an attribute":        {`<p>[If ClientName]<a title="[End]">x</a></p>`, 1, 29},
		"a section from one into another":    {`<p title="[If ClientName]" lang="[End]">x</p>`, 1, 34},
		"the other clause in an attribute":   {`<p>[If ClientName]<a title="[Else]">x</a>[End]</p>`, 1, 29},
		"behind an opening sign, in pieces":  {"<p><[If ClientName]b[End]>x</p>", 1, 5},
		"markup inside the brackets":         {"<p>a [Client<b>Name</b>]</p>", 1, 6},
		"a hard blank inside the brackets":   {"<p>[ClientName&nbsp;]</p>", 1, 4},
		"markup inside a default":            {"<p>[<i>ClientName</i>|x]</p>", 1, 4},
		"markup inside a section":            {"<p>[If <i>ClientName</i>]x</p>", 1, 4},
		"a letter after an opening sign too": {"<p>a <[If ClientName][End][ClientName]>x</p>", 1, 7},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := templates.Source{Channel: "email", Body: tt.body}.Compile()
			all := mistakes(err)
			if len(all) == 0 || all[0].Line != tt.line || all[0].Column != tt.column {
				t.Errorf("%s: %v, want a mistake in line %d, column %d", tt.body, err, tt.line, tt.column)
			}
		})
	}
}

func TestTextOfHTML(t *testing.T) {
	t.Parallel()
	v := online(t).Values("en")
	tests := map[string]struct{ body, want string }{
		"paragraphs":                   {"<p>a\n b</p>\n<p>c<br>d</p>", "a b\n\nc\nd"},
		"headings and blocks":          {"<h1>a</h1><div>b</div><div>c</div>", "a\n\nb\nc"},
		"items":                        {"<p>a</p><ul><li>b</li><li>c</li></ul><p>d</p>", "a\n\n- b\n- c\n\nd"},
		"rows":                         {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
		"a link and where it leads":    {`<p><a href="[TelehealthLink]">Join</a>, please</p>`, "Join (https://video.example/j/42?a=1&b=2), please"},
		"a link that says it":          {`<a href="[TelehealthLink]">[TelehealthLink]</a>`, "https://video.example/j/42?a=1&b=2"},
		"a picture says its words":     {`<p>a <img src="https://x.example/" alt="logo"> b</p>`, "a logo b"},
		"a link of a picture":          {`<a href="https://x.example/"><img src="https://x.example/a.png" alt=""></a>x`, "https://x.example/x"},
		"words as they are":            {"<p>a &lt;b&gt; &amp; [ClientName]</p>", "a <b> & Mia Lee"},
		"words without blanks between": {"<b>a</b>b <i>c</i> <u>d</u>", "ab c d"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := render(t, tt.body, v).Text; got != tt.want {
				t.Errorf("%s reads %q, want %q", tt.body, got, tt.want)
			}
		})
	}
}

// Whatever a value is, a page is made of the same elements.
func TestValuesDoNotChangeTheStructure(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"a letter":      "Hi [RecipientFirstName],\n[PracticeName]\n\n[LocationName] https://x.example/?a=[LocationName]&b https://x[LocationName] https://x.example/%[LocationName] https://x.example/%4[LocationName]/ x\n[TelehealthLink]\nhttps://x.example/[ClientName]",
		"an HTML page":  `<p title="[LocationName]" lang=[RecipientFirstName]>[RecipientFirstName] [PracticeName] x</p><a href="https://x.example/[LocationName]">[ClientName]</a><a href="[TelehealthLink]">x</a>`,
		"a bare quote":  `<p title='[RecipientFirstName]'>[LocationName]</p>`,
		"a long letter": strings.Repeat("[RecipientFirstName] [LocationName]\n\n", 20),
	}
	nasty := []string{
		`O'Brien & "Zoë" <b>`, "</p><script>alert(1)</script>", `" onmouseover="x`, "a\n\nb", "https://evil.example/", "&lt;b&gt;", "<!--", "x y=z",
		"javascript:alert(1)", "[ClientName]", "a\x00b", "41", "`", "<", ">", "=", strings.Repeat("w", 3000), "https://x.example/ b",
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := func(value string) string {
				f := online(t)
				f.Recipient.First, f.Client.First, f.Practice.Name, f.LocationName = value, value, value, value
				return render(t, body, f.Values("en")).HTML
			}
			want := structure(t, page("plain"))
			for _, value := range nasty {
				if got := structure(t, page(value)); got != want {
					t.Errorf("with %q the page is\n%s\nwant\n%s", value, got, want)
				}
			}
		})
	}
}
