package templates

import (
	"strconv"
	"strings"
	"time"
)

// A format is a way to write dates, times and spans: CLDR's full date and short
// time of that locale, with plain blanks.
type format int

const (
	american format = iota
	british
	spanish
	french
	german
)

// formatOf is the format of a locale, of its language, or the American one.
func formatOf(locale string) format {
	for l := canonical(locale); l != ""; l = general(l) {
		switch l {
		case "en-GB":
			return british
		case "es":
			return spanish
		case "fr":
			return french
		case "de":
			return german
		}
	}
	return american
}

func (w format) weekday(d time.Weekday) string {
	switch w {
	case american, british:
		return d.String()
	case spanish:
		return [...]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"}[d]
	case french:
		return [...]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"}[d]
	case german:
		return [...]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"}[d]
	}
	return ""
}

func (w format) month(m time.Month) string {
	switch w {
	case american, british:
		return m.String()
	case spanish:
		return [...]string{
			"enero", "febrero", "marzo", "abril", "mayo", "junio",
			"julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
		}[m-1]
	case french:
		return [...]string{
			"janvier", "février", "mars", "avril", "mai", "juin",
			"juillet", "août", "septembre", "octobre", "novembre", "décembre",
		}[m-1]
	case german:
		return [...]string{
			"Januar", "Februar", "März", "April", "Mai", "Juni",
			"Juli", "August", "September", "Oktober", "November", "Dezember",
		}[m-1]
	}
	return ""
}

// date is the day of t, such as "Thursday, December 10, 2026".
func (w format) date(t time.Time) string {
	year, m, day := t.Date()
	d, weekday, month := strconv.Itoa(day), w.weekday(t.Weekday()), w.month(m)
	y := strconv.Itoa(year)
	switch w {
	case american:
		return weekday + ", " + month + " " + d + ", " + y
	case british, french:
		return weekday + " " + d + " " + month + " " + y
	case spanish:
		return weekday + ", " + d + " de " + month + " de " + y
	case german:
		return weekday + ", " + d + ". " + month + " " + y
	}
	return ""
}

// clock is the time of day of t, such as "3:00 PM" or "15:00".
func (w format) clock(t time.Time) string {
	switch w {
	case american:
		return t.Format("3:04 PM")
	case spanish:
		return strconv.Itoa(t.Hour()) + t.Format(":04")
	case british, french, german:
		return t.Format("15:04")
	}
	return ""
}

// duration is d in hours and whole minutes, such as "1 hour 30 minutes".
func (w format) duration(d time.Duration) string {
	minutes := int(d / time.Minute)
	hour, hours, minute, several := w.units()
	var parts []string
	if h := minutes / 60; h > 0 {
		parts = append(parts, counted(h, hour, hours))
	}
	if m := minutes % 60; m > 0 {
		parts = append(parts, counted(m, minute, several))
	}
	return strings.Join(parts, " ")
}

func (w format) units() (hour, hours, minute, minutes string) {
	switch w {
	case american, british:
		return "hour", "hours", "minute", "minutes"
	case spanish:
		return "hora", "horas", "minuto", "minutos"
	case french:
		return "heure", "heures", "minute", "minutes"
	case german:
		return "Stunde", "Stunden", "Minute", "Minuten"
	}
	return "", "", "", ""
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// isoDate writes an ISO 8601 date, alone or before a time, as a date; anything
// else stays as it is.
func (w format) isoDate(s string) string {
	date, rest, timed := strings.Cut(s, "T")
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t, err = time.Parse("20060102", date)
	}
	if err != nil || (timed && !isTime(rest)) {
		return s
	}
	return w.date(t)
}

// isTime tells whether s is a time of day of ISO 8601, with a distance from UTC
// or without.
func isTime(s string) bool {
	for _, layout := range []string{"15:04:05", "15:04"} {
		for _, zone := range []string{"", "Z07:00", "Z0700", "Z07"} {
			if _, err := time.Parse(layout+zone, s); err == nil {
				return true
			}
		}
	}
	return false
}
