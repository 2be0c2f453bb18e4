package templates

import (
	"fmt"
	"strings"
	"time"

	"rappel/internal/zoneinfo"
)

// A regionalZone is a zone of the United States and Canada that has a name of
// its own, as the Unicode Common Locale Data Repository writes it.
type regionalZone struct {
	place                            string // whose clocks show its time; an IANA name
	english, spanish, french, german string
}

// regionalZoneOf returns the zone to which people count a place, given by its
// IANA name.
func regionalZoneOf(name string) (regionalZone, bool) {
	switch name {
	case "America/New_York", "America/Detroit", "America/Indiana/Indianapolis", "America/Indiana/Marengo", "America/Indiana/Petersburg",
		"America/Indiana/Vevay", "America/Indiana/Vincennes", "America/Indiana/Winamac", "America/Indianapolis", "America/Fort_Wayne",
		"America/Kentucky/Louisville", "America/Kentucky/Monticello", "America/Louisville", "America/Toronto", "America/Montreal",
		"America/Nipigon", "America/Thunder_Bay", "America/Iqaluit", "US/Eastern", "US/Michigan", "US/East-Indiana", "Canada/Eastern", "EST5EDT":
		return regionalZone{"America/New_York", "Eastern Time", "hora del Este", "heure de l'Est", "Ostküstenzeit"}, true
	case "America/Chicago", "America/Indiana/Knox", "America/Indiana/Tell_City", "America/Knox_IN", "America/Menominee",
		"America/North_Dakota/Beulah", "America/North_Dakota/Center", "America/North_Dakota/New_Salem", "America/Winnipeg", "America/Regina",
		"America/Swift_Current", "America/Rainy_River", "America/Rankin_Inlet", "America/Resolute", "US/Central", "US/Indiana-Starke",
		"Canada/Central", "Canada/Saskatchewan", "CST6CDT":
		return regionalZone{"America/Chicago", "Central Time", "hora central", "heure du Centre", "Zentralzeit"}, true
	case "America/Denver", "America/Boise", "America/Phoenix", "America/Shiprock", "America/Edmonton", "America/Yellowknife",
		"America/Inuvik", "America/Cambridge_Bay", "US/Mountain", "US/Arizona", "Navajo", "Canada/Mountain", "MST7MDT":
		return regionalZone{"America/Denver", "Mountain Time", "hora de la montaña", "heure des Rocheuses", "Rocky-Mountains-Zeit"}, true
	case "America/Los_Angeles", "America/Vancouver", "US/Pacific", "Canada/Pacific", "PST8PDT":
		return regionalZone{"America/Los_Angeles", "Pacific Time", "hora del Pacífico", "heure du Pacifique", "Westküstenzeit"}, true
	case "America/Anchorage", "America/Juneau", "America/Nome", "America/Sitka", "America/Yakutat", "US/Alaska":
		return regionalZone{"America/Anchorage", "Alaska Time", "hora de Alaska", "heure de l'Alaska", "Alaska-Zeit"}, true
	case "Pacific/Honolulu", "US/Hawaii":
		return regionalZone{"Pacific/Honolulu", "Hawaii Time", "hora de Hawái", "heure d'Hawaï", "Hawaii-Zeit"}, true
	case "America/Halifax", "America/Glace_Bay", "America/Goose_Bay", "America/Moncton", "America/Puerto_Rico", "Canada/Atlantic":
		return regionalZone{"America/Halifax", "Atlantic Time", "hora del Atlántico", "heure de l'Atlantique", "Atlantik-Zeit"}, true
	case "America/St_Johns", "Canada/Newfoundland":
		return regionalZone{"America/St_Johns", "Newfoundland Time", "hora de Terranova", "heure de Terre-Neuve", "Neufundland-Zeit"}, true
	}
	return regionalZone{}, false
}

func (z regionalZone) name(w format) string {
	switch w {
	case american, british:
		return z.english
	case spanish:
		return z.spanish
	case french:
		return z.french
	case german:
		return z.german
	}
	return ""
}

// ZoneName names the zone of t for people, in the language of a locale:
// "Pacific Time", or "Vancouver time" where the clocks of the place do not show
// the time of its regional zone. It never uses the abbreviations of the time
// zone database, which calls the time in Vancouver MST. In an hour that occurs
// twice, when the clocks go back, it adds the distance from UTC.
func ZoneName(t time.Time, zones *zoneinfo.Data, locale string) string {
	return formatOf(locale).zoneName(t, zones)
}

func (w format) zoneName(t time.Time, zones *zoneinfo.Data) string {
	zone := t.Location().String()
	name, known := w.placeTime(zone)
	if regional, ok := regionalZoneOf(zone); ok && regional.showsTimeOf(t, zones) {
		name, known = regional.name(w), true
	}
	switch {
	case !known:
		return utcOffset(t)
	case occursTwice(t):
		return name + " (" + utcOffset(t) + ")"
	}
	return name
}

// showsTimeOf tells whether the clocks of the regional zone show the same time as
// those of t's zone.
func (z regionalZone) showsTimeOf(t time.Time, zones *zoneinfo.Data) bool {
	if t.Location().String() == z.place {
		return true
	}
	if zones == nil {
		return false
	}
	at, ok := zones.Load(z.place)
	return ok && offset(t.In(at)) == offset(t)
}

// placeTime is the name of the time at a place, given by an IANA name. It is
// false for zones that are not named after a city, such as "EST" or "Etc/GMT+5".
func (w format) placeTime(zone string) (string, bool) {
	area, _, ok := strings.Cut(zone, "/")
	if !ok || area == "Etc" {
		return zone, zone == "UTC"
	}
	city := strings.ReplaceAll(zone[strings.LastIndexByte(zone, '/')+1:], "_", " ")
	switch w {
	case american, british:
		return city + " time", true
	case spanish:
		return "hora de " + city, true
	case french:
		if strings.ContainsAny(city[:1], "AEIOU") {
			return "heure d'" + city, true
		}
		return "heure de " + city, true
	case german:
		return "Ortszeit " + city, true
	}
	return "", false
}

// occursTwice tells whether the clocks of t's zone show the same time of day
// once more, an hour or so earlier or later.
func occursTwice(t time.Time) bool {
	start, end := t.ZoneBounds()
	// jump is how far the clocks go back at a change, negative if forward.
	jump := func(change time.Time) time.Duration {
		return time.Duration(offset(change.Add(-time.Second))-offset(change)) * time.Second
	}
	afterChange := !start.IsZero() && t.Before(start.Add(jump(start)))
	beforeChange := !end.IsZero() && !t.Before(end.Add(-jump(end)))
	return afterChange || beforeChange
}

func offset(t time.Time) int {
	_, seconds := t.Zone()
	return seconds
}

// utcOffset is the distance of t's clock from UTC, such as "UTC+05:45".
func utcOffset(t time.Time) string {
	seconds, sign := offset(t), '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("UTC%c%02d:%02d", sign, seconds/3600, seconds/60%60)
}
