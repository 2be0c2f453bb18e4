package schedule_test

import (
	"testing"

	"rappel/internal/schedule"
)

func TestLoadZone(t *testing.T) {
	t.Parallel()
	var zones schedule.Zones
	for _, name := range []string{"America/New_York", "Asia/Kathmandu", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+5"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, ok := schedule.LoadZone(name)
			if !ok || zone.String() != name {
				t.Errorf("LoadZone(%q) = %v, %v", name, zone, ok)
			}
			first, ok := zones.Load(name)
			if !ok || first.String() != name {
				t.Errorf("Load(%q) = %v, %v", name, first, ok)
			}
			if again, _ := zones.Load(name); again != first {
				t.Errorf("Load(%q) read the data twice", name)
			}
		})
	}
}

func TestLoadZoneRefuses(t *testing.T) {
	t.Parallel()
	var zones schedule.Zones
	for _, name := range []string{
		"", "Local", "localtime", "Factory", "posixrules", "posix/Europe/Berlin", "right/Europe/Berlin",
		"Mars/Olympus", "Europe", "EST5EDT4", "../../etc/passwd", "/etc/localtime", "zone.tab", "America/New York", "UTC+2",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if zone, ok := schedule.LoadZone(name); ok {
				t.Errorf("LoadZone(%q) = %v", name, zone)
			}
			for range 2 {
				if zone, ok := zones.Load(name); ok || zone != nil {
					t.Errorf("Load(%q) = %v, %v", name, zone, ok)
				}
			}
		})
	}
}

func TestZoneOf(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ appointment, practice, want string }{
		"the appointment's own comes first":        {"Europe/Berlin", "America/New_York", "Europe/Berlin"},
		"the appointment's own needs no practice":  {"Europe/Berlin", "Mars/Olympus", "Europe/Berlin"},
		"without one it is the practice's":         {"", "America/New_York", "America/New_York"},
		"an unknown one falls back":                {"Mars/Olympus", "America/New_York", "America/New_York"},
		"the practice's is bad: none, and not UTC": {"", "Mars/Olympus", ""},
		"neither is known":                         {"", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var zones schedule.Zones
			for _, of := range []func(appointment, practice string) (string, bool){
				func(a, p string) (string, bool) { z, ok := schedule.ZoneOf(a, p); return nameOf(z, ok), ok },
				func(a, p string) (string, bool) { z, ok := zones.Of(a, p); return nameOf(z, ok), ok },
			} {
				if got, ok := of(tt.appointment, tt.practice); got != tt.want || ok != (tt.want != "") {
					t.Errorf("zone = %q, %v; want %q", got, ok, tt.want)
				}
			}
		})
	}
}

func nameOf(zone interface{ String() string }, ok bool) string {
	if !ok {
		return ""
	}
	return zone.String()
}
