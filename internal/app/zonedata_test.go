package app_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rappel/internal/app"
	"rappel/internal/testenv"
)

// TestCheckComparesZoneData gives rappel data in which the clocks of Berlin are
// an hour ahead from a day in the future on: neither the copy in the binary nor
// PostgreSQL knows of that.
func TestCheckComparesZoneData(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.ZoneInfo = zoneData(t, "2099a")
	f := s.findings()["zone data"]
	if f.Result != app.OK || !strings.Contains(f.Detail, "tz data 2099a, "+s.cfg.ZoneInfo) {
		t.Errorf("no row has a zone that changed: %+v", f)
	}
	s.sql(`UPDATE rappel.practices SET time_zone = 'Europe/Berlin'`)
	expect(t, s.findings()["zone data"], app.Fail, []string{
		"Europe/Berlin (practices: 1)", "tz data 2099a", "by the copy in the binary", "set RAPPEL_ZONEINFO on every machine",
		"PostgreSQL says otherwise", "the package tzdata",
	})
	s.cfg.ZoneInfo = zoneData(t, "2001a")
	expect(t, s.findings()["zone data"], app.Warn, []string{"RAPPEL_ZONEINFO is not used", "tz data 20"})
}

// TestUnusableZoneData: a process with a wrong path does not start by other data.
func TestUnusableZoneData(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.ZoneInfo = filepath.Join(t.TempDir(), "none")
	_, err := app.Open(t.Context(), app.Options{Config: s.cfg, Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), "RAPPEL_ZONEINFO: time zone data: ") || !strings.Contains(err.Error(), s.cfg.ZoneInfo) {
		t.Errorf("got %v", err)
	}
}

// zoneData writes time zone data in which New York has its own clocks, and
// Berlin those of Athens.
func zoneData(t *testing.T, version string) string {
	t.Helper()
	return testenv.ZoneInfo(t, version, map[string]string{
		"America/New_York": "EST5EDT,M3.2.0,M11.1.0", "Europe/Berlin": "EET-2EEST,M3.5.0/3,M10.5.0/4",
	})
}
