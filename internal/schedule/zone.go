package schedule

import (
	"strings"
	"sync"
	"time"
)

// LoadZone finds the zone with an IANA name, in the system's tz data first. It
// reads the data anew each time: use [Zones] for more than a few. An empty
// name and the machine's own zone are no zones: a visit never happens in UTC
// because nobody said where.
func LoadZone(name string) (*time.Location, bool) {
	if !named(name) {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// named is false for what the tz data folder holds beside IANA's zones.
func named(zone string) bool {
	switch zone {
	case "", "Local", "localtime", "Factory", "posixrules":
		return false
	}
	return !strings.HasPrefix(zone, "posix/") && !strings.HasPrefix(zone, "right/")
}

// ZoneOf is the zone of an appointment: its own where that exists, else the
// practice's. It is false where the practice's is needed and does not exist.
func ZoneOf(appointment, practice string) (*time.Location, bool) {
	return zoneOf(LoadZone, appointment, practice)
}

// HourOf is the beginning of the hour on the clocks of a zone in which t lies.
func HourOf(t time.Time, zone *time.Location) time.Time {
	_, seconds := t.In(zone).Zone()
	offset := time.Duration(seconds) * time.Second
	return t.UTC().Add(offset).Truncate(time.Hour).Add(-offset)
}

func zoneOf(load func(string) (*time.Location, bool), appointment, practice string) (*time.Location, bool) {
	if zone, ok := load(appointment); ok {
		return zone, true
	}
	return load(practice)
}

// Zones answers as [LoadZone] and [ZoneOf] do and remembers each answer, also
// that there is no such zone. The zero Zones is ready for use, by many at once.
type Zones struct{ loaded sync.Map } // name to *time.Location, nil for none

// Load finds the zone with an IANA name.
func (z *Zones) Load(name string) (*time.Location, bool) {
	if known, ok := z.loaded.Load(name); ok {
		zone, ok := known.(*time.Location)
		return zone, ok && zone != nil
	}
	zone, ok := LoadZone(name)
	z.loaded.Store(name, zone)
	return zone, ok
}

// Of is the zone of an appointment: its own, else the practice's.
func (z *Zones) Of(appointment, practice string) (*time.Location, bool) {
	return zoneOf(z.Load, appointment, practice)
}
