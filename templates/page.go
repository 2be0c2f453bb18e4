package templates

import (
	"html"
	"strings"
)

// A page is what surrounds the words of an e-mail, in the language of its
// locale. It is made to be read in a phone as on a desk, in light and in dark,
// with images switched off and by a screen reader: styles stand in the
// elements, the width follows the window, and the one style sheet only turns
// the colours for readers who prefer a dark screen.
type page struct {
	lang   string
	labels labels
}

func newPage(locale string) page {
	lang := canonical(locale)
	if lang == "" {
		lang = "en"
	}
	return page{lang: lang, labels: formatOf(lang).labels()}
}

// labels are the words on the buttons.
type labels struct {
	telehealth, manage, portal, form string
}

func (w format) labels() labels {
	switch w {
	case american, british:
		return labels{"Join the visit", "Manage the appointment", "Open the portal", "Open the form"}
	case spanish:
		return labels{"Unirse a la consulta", "Gestionar la cita", "Abrir el portal", "Abrir el formulario"}
	case french:
		return labels{"Rejoindre la consultation", "Gérer le rendez-vous", "Ouvrir le portail", "Ouvrir le formulaire"}
	case german:
		return labels{"Zum Online-Termin", "Termin verwalten", "Zum Portal", "Formular öffnen"}
	}
	return labels{}
}

// of is the label for a link: what it leads to, or its address.
func (l labels) of(p piece) string {
	switch p.name {
	case telehealthLink:
		return l.telehealth
	case manageLink:
		return l.manage
	case portalLink:
		return l.portal
	case formLink:
		return l.form
	default:
		_, address, _ := strings.Cut(p.text, "://")
		return strings.TrimSuffix(address, "/")
	}
}

const (
	fonts = `-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif`

	paragraphStart = `<p class="ink" style="margin:0 0 18px;color:#1f2933">`
	linkStart      = `<a class="link" style="color:#0b5c7a;text-decoration:underline;word-break:break-word" href="`

	buttonStart = `<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:2px 0 20px">` +
		`<tr><td class="button" bgcolor="#0b5c7a" style="border-radius:8px;background-color:#0b5c7a">` +
		`<a class="label" style="display:inline-block;padding:12px 22px;color:#ffffff;font-weight:600;` +
		`text-decoration:none;word-break:break-word" href="`
	buttonEnd = "</a></td></tr></table>\n"
)

// button is a link alone on its line.
func (p page) button(link piece) string {
	return buttonStart + html.EscapeString(link.href) + `">` + html.EscapeString(p.labels.of(link)) + buttonEnd
}

// card is the page of an e-mail that was written as plain text: the name of
// the practice above the words.
func (p page) card(subject, practice, inside string) string {
	if practice != "" {
		practice = `<tr><td class="quiet" style="padding:0 4px 12px;color:#52606d;font-family:` + fonts + `;font-size:14px;font-weight:600">` +
			html.EscapeString(practice) + "</td></tr>\n"
	}
	return p.start(subject) +
		`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>` +
		`<td align="center" style="padding:28px 12px">` + "\n" +
		`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;text-align:left">` + "\n" +
		practice +
		`<tr><td class="card" bgcolor="#ffffff" style="padding:28px 24px 10px;border-radius:12px;background-color:#ffffff;` +
		`color:#1f2933;font-family:` + fonts + `;font-size:16px;line-height:1.55;word-break:break-word">` + "\n" +
		inside +
		"</td></tr>\n</table>\n</td></tr></table>\n" + pageEnd
}

// plain is the page of an e-mail that was written as HTML: nothing but what
// every page needs.
func (p page) plain(subject, inside string) string {
	return p.start(subject) + inside + "\n" + pageEnd
}

func (p page) start(subject string) string {
	return `<!DOCTYPE html>
<html lang="` + html.EscapeString(p.lang) + `" dir="` + p.direction() + `">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>` + html.EscapeString(subject) + `</title>
` + darkStyle + `</head>
<body class="desk" style="margin:0;padding:0;background-color:#eef2f5;font-family:` + fonts + `">
`
}

const darkStyle = `<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
.desk { background-color: #12171c !important; }
.card { background-color: #1d242b !important; color: #e6ebef !important; }
.ink { color: #e6ebef !important; }
.quiet { color: #a8b4be !important; }
.link { color: #7cc7e2 !important; }
.button { background-color: #7cc7e2 !important; }
.label { color: #0c2733 !important; }
}
</style>
`

const pageEnd = "</body>\n</html>\n"

// direction is how the language is written.
func (p page) direction() string {
	language, _, _ := strings.Cut(p.lang, "-")
	switch language {
	case "ar", "fa", "he", "ps", "ur", "yi":
		return "rtl"
	}
	return "ltr"
}
