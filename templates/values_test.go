package templates_test

import (
	"testing"
	"time"

	"rappel/internal/zoneinfo"
	"rappel/templates"
)

func TestDatesAreWrittenForTheLocale(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ locale, want string }{
		"American English":               {"en", "Thursday, December 10, 2026 · 3:00 PM · Thursday · 50 minutes"},
		"British English":                {"en-GB", "Thursday 10 December 2026 · 15:00 · Thursday · 50 minutes"},
		"Spanish":                        {"es", "jueves, 10 de diciembre de 2026 · 15:00 · jueves · 50 minutos"},
		"French":                         {"fr", "jeudi 10 décembre 2026 · 15:00 · jeudi · 50 minutes"},
		"German":                         {"de", "Donnerstag, 10. Dezember 2026 · 15:00 · Donnerstag · 50 Minuten"},
		"a region without its own way":   {"fr-CA", "jeudi 10 décembre 2026 · 15:00 · jeudi · 50 minutes"},
		"a POSIX name":                   {"en_GB.UTF-8", "Thursday 10 December 2026 · 15:00 · Thursday · 50 minutes"},
		"letters of another case":        {"EN-gb", "Thursday 10 December 2026 · 15:00 · Thursday · 50 minutes"},
		"a language that nobody wrote":   {"tlh", "Thursday, December 10, 2026 · 3:00 PM · Thursday · 50 minutes"},
		"no locale":                      {"", "Thursday, December 10, 2026 · 3:00 PM · Thursday · 50 minutes"},
		"another region of English":      {"en-AU", "Thursday, December 10, 2026 · 3:00 PM · Thursday · 50 minutes"},
		"a language that begins like it": {"eng", "Thursday, December 10, 2026 · 3:00 PM · Thursday · 50 minutes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := text(t, "[AppointmentDate] · [AppointmentTime] · [AppointmentDay] · [AppointmentDuration]", visit(t).Values(tt.locale))
			if got != tt.want {
				t.Errorf("in %q: %q, want %q", tt.locale, got, tt.want)
			}
		})
	}
}

// The whole calendar, so that no name of a day or a month is misspelt or in
// the wrong place.
func TestCalendar(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		locale, days string
		months       string
	}{
		"American English": {"en", "Monday Tuesday Wednesday Thursday Friday Saturday Sunday", "Friday, January 1, 2027|Monday, February 1, 2027|Monday, March 1, 2027|Thursday, April 1, 2027|Saturday, May 1, 2027|Tuesday, June 1, 2027|Thursday, July 1, 2027|Sunday, August 1, 2027|Wednesday, September 1, 2027|Friday, October 1, 2027|Monday, November 1, 2027|Wednesday, December 1, 2027"},
		"British English":  {"en-GB", "Monday Tuesday Wednesday Thursday Friday Saturday Sunday", "Friday 1 January 2027|Monday 1 February 2027|Monday 1 March 2027|Thursday 1 April 2027|Saturday 1 May 2027|Tuesday 1 June 2027|Thursday 1 July 2027|Sunday 1 August 2027|Wednesday 1 September 2027|Friday 1 October 2027|Monday 1 November 2027|Wednesday 1 December 2027"},
		"Spanish":          {"es", "lunes martes miércoles jueves viernes sábado domingo", "viernes, 1 de enero de 2027|lunes, 1 de febrero de 2027|lunes, 1 de marzo de 2027|jueves, 1 de abril de 2027|sábado, 1 de mayo de 2027|martes, 1 de junio de 2027|jueves, 1 de julio de 2027|domingo, 1 de agosto de 2027|miércoles, 1 de septiembre de 2027|viernes, 1 de octubre de 2027|lunes, 1 de noviembre de 2027|miércoles, 1 de diciembre de 2027"},
		"French":           {"fr", "lundi mardi mercredi jeudi vendredi samedi dimanche", "vendredi 1 janvier 2027|lundi 1 février 2027|lundi 1 mars 2027|jeudi 1 avril 2027|samedi 1 mai 2027|mardi 1 juin 2027|jeudi 1 juillet 2027|dimanche 1 août 2027|mercredi 1 septembre 2027|vendredi 1 octobre 2027|lundi 1 novembre 2027|mercredi 1 décembre 2027"},
		"German":           {"de", "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag", "Freitag, 1. Januar 2027|Montag, 1. Februar 2027|Montag, 1. März 2027|Donnerstag, 1. April 2027|Samstag, 1. Mai 2027|Dienstag, 1. Juni 2027|Donnerstag, 1. Juli 2027|Sonntag, 1. August 2027|Mittwoch, 1. September 2027|Freitag, 1. Oktober 2027|Montag, 1. November 2027|Mittwoch, 1. Dezember 2027"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			days, months := "", ""
			for i := range 7 {
				days += " " + at(t, time.Date(2026, 12, 7+i, 9, 0, 0, 0, time.UTC)).Values(tt.locale).Get("AppointmentDay")
			}
			for m := range 12 {
				months += "|" + at(t, time.Date(2027, time.Month(m+1), 1, 9, 0, 0, 0, time.UTC)).Values(tt.locale).Get("AppointmentDate")
			}
			if days != " "+tt.days || months != "|"+tt.months {
				t.Errorf("days %q, want %q\nmonths %q, want %q", days[1:], tt.days, months[1:], tt.months)
			}
		})
	}
}

// at is a visit at another time, in the zone of that time.
func at(t *testing.T, start time.Time) templates.Facts {
	t.Helper()
	f := visit(t)
	f.StartsAt, f.EndsAt = start, start.Add(time.Hour)
	f.VisitZone, f.RecipientZone, f.PracticeZone = start.Location(), nil, nil
	return f
}

func TestClock(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		hour, minute int
		locale, want string
	}{
		"midnight in America":                     {0, 5, "en", "12:05 AM"},
		"noon in America":                         {12, 0, "en", "12:00 PM"},
		"morning in America":                      {9, 30, "en", "9:30 AM"},
		"morning in Britain has a nought":         {9, 30, "en-GB", "09:30"},
		"morning in French has a nought":          {9, 30, "fr", "09:30"},
		"morning in German has a nought":          {9, 30, "de", "09:30"},
		"morning in Spanish has none, as in CLDR": {9, 30, "es", "9:30"},
		"midnight in Spanish":                     {0, 5, "es", "0:05"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := at(t, time.Date(2026, 12, 10, tt.hour, tt.minute, 0, 0, time.UTC))
			if got := f.Values(tt.locale).Get("AppointmentTime"); got != tt.want {
				t.Errorf("%02d:%02d in %s is %q, want %q", tt.hour, tt.minute, tt.locale, got, tt.want)
			}
		})
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		span         time.Duration
		locale, want string
	}{
		"minutes":                  {50 * time.Minute, "en", "50 minutes"},
		"one minute":               {time.Minute, "en", "1 minute"},
		"one hour":                 {time.Hour, "en", "1 hour"},
		"an hour and a half":       {90 * time.Minute, "en", "1 hour 30 minutes"},
		"hours and one minute":     {121 * time.Minute, "en-GB", "2 hours 1 minute"},
		"in Spanish":               {90 * time.Minute, "es", "1 hora 30 minutos"},
		"in Spanish, the others":   {121 * time.Minute, "es", "2 horas 1 minuto"},
		"in French":                {90 * time.Minute, "fr", "1 heure 30 minutes"},
		"in French, the others":    {121 * time.Minute, "fr", "2 heures 1 minute"},
		"in German":                {90 * time.Minute, "de", "1 Stunde 30 Minuten"},
		"in German, the others":    {121 * time.Minute, "de", "2 Stunden 1 Minute"},
		"seconds do not count":     {50*time.Minute + 59*time.Second, "en", "50 minutes"},
		"no time at all":           {0, "en", ""},
		"an end before the start":  {-time.Hour, "en", ""},
		"a whole day and a minute": {24*time.Hour + time.Minute, "en", "24 hours 1 minute"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := visit(t)
			f.EndsAt = f.StartsAt.Add(tt.span)
			v := f.Values(tt.locale)
			if got := v.Get("AppointmentDuration"); got != tt.want {
				t.Errorf("%v in %s is %q, want %q", tt.span, tt.locale, got, tt.want)
			}
			if ends := v.Get("AppointmentEndTime") != ""; ends != (tt.want != "") {
				t.Errorf("after %v the end is %q", tt.span, v.Get("AppointmentEndTime"))
			}
		})
	}
}

// In whose time the times are, and when the zone is named.
func TestZones(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		start                       string
		telehealth                  bool
		visit, recipient, practice  string
		wantTime, wantDay, wantZone string
	}{
		"a visit in person is in the time of the place":            {"2026-12-10T20:00:00Z", false, "America/New_York", "America/New_York", "America/Chicago", "3:00 PM", "Thursday", "Eastern Time"},
		"the zone is named for a recipient on another clock":       {"2026-12-10T20:00:00Z", false, "America/New_York", "America/Los_Angeles", "America/New_York", "3:00 PM Eastern Time", "Thursday", "Eastern Time"},
		"not for one in a zone of another name on the same clock":  {"2026-12-10T20:00:00Z", false, "America/New_York", "America/Toronto", "America/New_York", "3:00 PM", "Thursday", "Eastern Time"},
		"nor for one whose zone is unknown":                        {"2026-12-10T20:00:00Z", false, "America/New_York", "", "America/Chicago", "3:00 PM", "Thursday", "Eastern Time"},
		"telehealth is in the recipient's time":                    {"2026-12-10T20:00:00Z", true, "America/New_York", "America/Los_Angeles", "America/New_York", "12:00 PM", "Thursday", "Pacific Time"},
		"on the recipient's day":                                   {"2026-12-10T20:00:00Z", true, "America/New_York", "Asia/Tokyo", "America/New_York", "5:00 AM", "Friday", "Tokyo time"},
		"or in the practice's where the recipient's is unknown":    {"2026-12-10T20:00:00Z", true, "America/New_York", "", "America/Chicago", "2:00 PM", "Thursday", "Central Time"},
		"or in the visit's where neither is known":                 {"2026-12-10T20:00:00Z", true, "America/New_York", "", "", "3:00 PM", "Thursday", "Eastern Time"},
		"a zone elsewhere is named by its city":                    {"2026-12-10T20:00:00Z", false, "Asia/Kathmandu", "America/New_York", "", "1:45 AM Kathmandu time", "Friday", "Kathmandu time"},
		"also to the west":                                         {"2026-12-10T20:00:00Z", false, "America/Sao_Paulo", "America/New_York", "", "5:00 PM Sao Paulo time", "Thursday", "Sao Paulo time"},
		"the offset is that of the day: before summer time begins": {"2027-03-13T20:00:00Z", false, "America/New_York", "", "", "3:00 PM", "Saturday", "Eastern Time"},
		"the offset is that of the day: after summer time began":   {"2027-03-14T20:00:00Z", false, "America/New_York", "", "", "4:00 PM", "Sunday", "Eastern Time"},
		"the hour before the clocks go forward":                    {"2027-03-14T06:59:00Z", false, "America/New_York", "", "", "1:59 AM", "Sunday", "Eastern Time"},
		"the hour after":                                           {"2027-03-14T07:00:00Z", false, "America/New_York", "", "", "3:00 AM", "Sunday", "Eastern Time"},
		"the first of the doubled hours":                           {"2026-11-01T05:30:00Z", false, "America/New_York", "", "", "1:30 AM", "Sunday", "Eastern Time (UTC-04:00)"},
		"the second of the doubled hours":                          {"2026-11-01T06:30:00Z", false, "America/New_York", "", "", "1:30 AM", "Sunday", "Eastern Time (UTC-05:00)"},
		"two zones may differ in one week and not in the next":     {"2027-03-10T20:00:00Z", false, "Europe/London", "Atlantic/Reykjavik", "", "8:00 PM", "Wednesday", "London time"},
		"or the other way round, on the earlier day":               {"2027-03-10T20:00:00Z", false, "Atlantic/Reykjavik", "Europe/London", "", "8:00 PM", "Wednesday", "Reykjavik time"},
		"and on the later":                                         {"2027-03-30T20:00:00Z", false, "Atlantic/Reykjavik", "Europe/London", "", "8:00 PM Reykjavik time", "Tuesday", "Reykjavik time"},
		"when the clock of one has changed":                        {"2027-03-30T20:00:00Z", false, "Europe/London", "Atlantic/Reykjavik", "", "9:00 PM London time", "Tuesday", "London time"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := visit(t)
			if tt.telehealth {
				f = online(t)
			}
			f.StartsAt = instant(t, tt.start)
			f.EndsAt = f.StartsAt.Add(time.Hour)
			f.VisitZone, f.RecipientZone, f.PracticeZone = maybe(t, tt.visit), maybe(t, tt.recipient), maybe(t, tt.practice)
			v := f.Values("en")
			got := [3]string{v.Get("AppointmentTime"), v.Get("AppointmentDay"), v.Get("AppointmentTimeZone")}
			if want := [3]string{tt.wantTime, tt.wantDay, tt.wantZone}; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func maybe(t *testing.T, name string) *time.Location {
	t.Helper()
	if name == "" {
		return nil
	}
	return zone(t, name)
}

// The end may be on the other side of a clock change, and then has its own zone.
func TestAVisitAcrossAClockChange(t *testing.T) {
	t.Parallel()
	f := visit(t)
	f.StartsAt = instant(t, "2027-03-14T06:30:00Z")
	f.EndsAt = f.StartsAt.Add(time.Hour)
	f.RecipientZone = zone(t, "UTC")
	got := text(t, "[AppointmentTime] to [AppointmentEndTime], [AppointmentDuration]", f.Values("en"))
	if want := "1:30 AM Eastern Time to 3:30 AM Eastern Time, 1 hour"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A template that writes the zone itself does not get it twice.
func TestTheZoneIsNamedOnce(t *testing.T) {
	t.Parallel()
	f := visit(t)
	f.RecipientZone = zone(t, "America/Los_Angeles")
	tests := map[string]struct{ template, want string }{
		"beside the time":                       {"[AppointmentTime] [AppointmentTimeZone]", "3:00 PM Eastern Time"},
		"behind both times":                     {"[AppointmentTime]-[AppointmentEndTime] [AppointmentTimeZone]", "3:00 PM-3:50 PM Eastern Time"},
		"around a section with the time":        {"([AppointmentTimeZone]) [If ClientName][AppointmentTime][End]", "(Eastern Time) 3:00 PM"},
		"in the same section":                   {"[If ClientName][AppointmentTime] [AppointmentTimeZone][End]", "3:00 PM Eastern Time"},
		"not in a section that may be left out": {"[AppointmentTime][If TelehealthLink] ([AppointmentTimeZone])[End]", "3:00 PM Eastern Time"},
		"not in a section before it":            {"[If TelehealthLink]([AppointmentTimeZone])[End] [AppointmentTime]", "3:00 PM Eastern Time"},
		"not in the other clause":               {"[If ClientName][AppointmentTime][Else][AppointmentTimeZone][End]", "3:00 PM Eastern Time"},
		"not when it is only asked for":         {"[If AppointmentTimeZone][AppointmentTime][End]", "3:00 PM Eastern Time"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := text(t, tt.template, f.Values("en")); got != tt.want {
				t.Errorf("%q reads %q, want %q", tt.template, got, tt.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name templates.Name
		want string
	}{
		"both parts":                        {templates.Name{First: "Ana", Last: "Lee"}, "Ana Lee"},
		"no last name":                      {templates.Name{First: "Ana"}, "Ana"},
		"no first name":                     {templates.Name{Last: "Lee"}, "Lee"},
		"no name":                           {templates.Name{}, ""},
		"blanks for a name":                 {templates.Name{First: " ", Last: "\u00a0"}, ""},
		"blanks around go":                  {templates.Name{First: " Ana ", Last: "\tLee\n"}, "Ana Lee"},
		"blanks inside stand":               {templates.Name{First: "Ana  Maria", Last: "de la Cruz"}, "Ana  Maria de la Cruz"},
		"a joiner stands":                   {templates.Name{First: "नमस्\u200dते", Last: "👩\u200d👧"}, "नमस्\u200dते 👩\u200d👧"},
		"control characters go":             {templates.Name{First: "A\x00n\x1ba\u0085"}, "Ana"},
		"a line break is a blank":           {templates.Name{First: "Ana\r\nMaria"}, "Ana Maria"},
		"what turns the text around goes":   {templates.Name{First: "Ana\u202e", Last: "\u2066Lee"}, "Ana Lee"},
		"what is not UTF-8 is marked":       {templates.Name{First: "An\xff"}, "An\ufffd"},
		"nothing is mangled for an SMS":     {templates.Name{First: "Zoë", Last: "Łukasz"}, "Zoë Łukasz"},
		"marks of the template language do": {templates.Name{First: "[Ana]", Last: "<b>&"}, "[Ana] <b>&"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := visit(t)
			f.Recipient, f.Client = tt.name, tt.name
			v := f.Values("en")
			if v.Get("RecipientName") != tt.want || v.Get("ClientName") != tt.want {
				t.Errorf("%q is written %q and %q, want %q", tt.name, v.Get("RecipientName"), v.Get("ClientName"), tt.want)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"12 Main Street\nHoboken":           "12 Main Street, Hoboken",
		"12 Main Street,\r\n\r\n Hoboken, ": "12 Main Street, Hoboken",
		"12 Main  Street, Hoboken":          "12 Main  Street, Hoboken",
		"\n , \n":                           "",
	} {
		f := templates.Facts{LocationAddress: given}
		if got := f.Values("en").Get("LocationAddress"); got != want {
			t.Errorf("%q is written %q, want %q", given, got, want)
		}
	}
}

func TestNoticesHaveNoAppointment(t *testing.T) {
	t.Parallel()
	f := templates.Facts{Recipient: templates.Name{First: "Ana"}, RecipientZone: zone(t, "UTC")}
	v := f.Values("en")
	for _, name := range []string{"AppointmentDate", "AppointmentDay", "AppointmentTime", "AppointmentEndTime", "AppointmentTimeZone", "AppointmentDuration"} {
		if got := v.Get(name); got != "" {
			t.Errorf("%s is %q in a notice", name, got)
		}
	}
}

func TestInvoiceDueDate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ given, locale, want string }{
		"an ISO date is written for the locale": {"2027-01-05", "fr", "mardi 5 janvier 2027"},
		"also with a time":                      {"2027-01-05T23:00:00-05:00", "de", "Dienstag, 5. Januar 2027"},
		"and one without a zone":                {"2027-01-05T00:00:00", "en", "Tuesday, January 5, 2027"},
		"or without seconds":                    {"2027-01-05T10:00Z", "en", "Tuesday, January 5, 2027"},
		"or without a colon":                    {"2027-01-05T10:00:00.5+0000", "en", "Tuesday, January 5, 2027"},
		"or without hyphens":                    {"20270105", "en", "Tuesday, January 5, 2027"},
		"a time that does not exist stands":     {"2027-01-05T25:00", "en", "2027-01-05T25:00"},
		"blanks around do not matter":           {" 2027-01-05\n", "en-GB", "Tuesday 5 January 2027"},
		"anything else stands":                  {"on receipt", "fr", "on receipt"},
		"a day that does not exist stands":      {"2027-02-30", "en", "2027-02-30"},
		"nothing is nothing":                    {"", "en", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := templates.Facts{Data: map[string]string{"invoice_due": tt.given}}
			if got := f.Values(tt.locale).Get("InvoiceDueDate"); got != tt.want {
				t.Errorf("%q in %s is %q, want %q", tt.given, tt.locale, got, tt.want)
			}
		})
	}
}

func TestLinksThatRunAreNone(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]string{
		"javascript:alert(1)":            "",
		" JavaScript:alert(1)":           "",
		"java\tscript:alert(1)":          "java script:alert(1)",
		"java\x00script:alert(1)":        "",
		"data:text/html,x":               "",
		"vbscript:x":                     "",
		"https://video.example/j/42":     "https://video.example/j/42",
		"video.example/j/42":             "video.example/j/42",
		"tel:+12015550199":               "tel:+12015550199",
		"https://x.example/?javascript:": "https://x.example/?javascript:",
	} {
		f := online(t)
		f.TelehealthLink = link
		if got := f.Values("en").Get("TelehealthLink"); got != want {
			t.Errorf("the link %q is %q, want %q", link, got, want)
		}
	}
}

// A zone is named as people there do, in their language, and never as another
// whose clocks show another time.
func TestZoneName(t *testing.T) {
	t.Parallel()
	const winter, summer = "2026-12-10T20:00:00Z", "2027-07-10T20:00:00Z"
	for _, tt := range []struct{ at, zone, locale, want string }{
		{winter, "America/Detroit", "en-US", "Eastern Time"},
		{summer, "US/Pacific", "en", "Pacific Time"},
		{winter, "America/Vancouver", "en-CA", "Vancouver time"},
		{summer, "America/Vancouver", "en-CA", "Pacific Time"},
		{winter, "America/Edmonton", "en-CA", "Edmonton time"},
		{summer, "America/Edmonton", "en-CA", "Mountain Time"},
		{winter, "America/Winnipeg", "en-CA", "Winnipeg time"},
		{summer, "America/Winnipeg", "en-CA", "Central Time"},
		{winter, "America/Phoenix", "en", "Mountain Time"},
		{summer, "America/Phoenix", "en", "Phoenix time"},
		{winter, "America/New_York", "es", "hora del Este"},
		{winter, "America/Toronto", "fr-CA", "heure de l'Est"},
		{winter, "America/Toronto", "de", "Ostküstenzeit"},
		{winter, "America/Edmonton", "fr", "heure d'Edmonton"},
		{winter, "Europe/Paris", "fr", "heure de Paris"},
		{winter, "Europe/Berlin", "de", "Ortszeit Berlin"},
		{winter, "Europe/Madrid", "es", "hora de Madrid"},
		{winter, "America/Argentina/Buenos_Aires", "en-GB", "Buenos Aires time"},
		{winter, "UTC", "en", "UTC"},
		{winter, "Etc/GMT+5", "en", "UTC-05:00"},
		{winter, "Japan", "en", "UTC+09:00"},
		{"2026-10-25T00:30:00Z", "Europe/Berlin", "de", "Ortszeit Berlin (UTC+02:00)"},
		{"2026-10-25T01:30:00Z", "Europe/Berlin", "de", "Ortszeit Berlin (UTC+01:00)"},
		{"2026-10-25T02:00:00Z", "Europe/Berlin", "de", "Ortszeit Berlin"},
		{"2026-10-24T23:59:00Z", "Europe/Berlin", "de", "Ortszeit Berlin"},
		{"2026-03-29T01:00:00Z", "Europe/Berlin", "de", "Ortszeit Berlin"},
		{"2026-04-04T15:00:00Z", "Australia/Lord_Howe", "en", "Lord Howe time (UTC+10:30)"},
	} {
		t.Run(tt.zone+" "+tt.at+" "+tt.locale, func(t *testing.T) {
			t.Parallel()
			at := instant(t, tt.at).In(zone(t, tt.zone))
			if got := templates.ZoneName(at, zoneinfo.Embedded(), tt.locale); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
