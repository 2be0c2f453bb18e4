package templates

import (
	"embed"
	"strings"

	"rappel/internal/kind"
)

// The built-in texts: one folder a locale, one file a text, named after its
// kind, its audience (none: any) and its channel. The first line of an e-mail is
// its subject. A locale with a region needs only the files that differ from
// those of its language.
//
//go:embed builtin
var builtInFiles embed.FS

// Family names the text that reminds of several visits at once. It is no kind of
// message: each visit has its own reminder.
const Family = "appointment.reminder_family"

// BuiltIn lists the built-in texts, by kind, channel, audience and locale.
// There is none for a message that a practice schedules itself: it has nothing
// to say but what the practice writes.
func BuiltIn() []Source {
	var all []Source
	for _, k := range append(kind.All(), Family) {
		for _, channel := range []string{SMS, Email} {
			for _, audience := range []string{ForAny, ForClient, ForContact} {
				for _, locale := range builtInLocales() {
					if s, ok := readBuiltIn(string(k), channel, audience, locale); ok {
						all = append(all, s)
					}
				}
			}
		}
	}
	return all
}

func builtInLocales() []string {
	return []string{"en", "en-GB", "es", "fr", "de"}
}

// builtIn finds the built-in text for a reader, in the first locale that has one.
func builtIn(name, channel, audience string, order []string) (Source, bool) {
	if kind.Kind(name).Sort() == kind.Unknown && name != Family {
		return Source{}, false
	}
	for _, a := range []string{audience, ForAny} {
		for _, locale := range order {
			if s, ok := readBuiltIn(name, channel, a, locale); ok {
				return s, true
			}
		}
	}
	return Source{}, false
}

// readBuiltIn reads one text. A locale that has none of its own, but of which
// there are others, takes that of its language, with its own dates.
func readBuiltIn(name, channel, audience, locale string) (Source, bool) {
	file := name + "." + audience + "." + channel + ".txt"
	if audience == ForAny {
		file = name + "." + channel + ".txt"
	}
	text, err := builtInFiles.ReadFile("builtin/" + locale + "/" + file)
	if err != nil && locale == "en-GB" {
		text, err = builtInFiles.ReadFile("builtin/en/" + file)
	}
	if err != nil {
		return Source{}, false
	}
	s := Source{Name: name, Channel: channel, Audience: audience, Locale: locale, Version: 1, Body: string(text)}
	if channel == Email {
		s.Subject, s.Body, _ = strings.Cut(s.Body, "\n")
		s.Subject = strings.TrimPrefix(s.Subject, "Subject: ")
	}
	s.Body = strings.TrimSpace(s.Body)
	return s, true
}
