package zoneinfo_test

import (
	"archive/zip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rappel/internal/testenv"
	"rappel/internal/zoneinfo"
)

// TestTheCopyInTheBinary says which release it is. Run make zoneinfo to refresh
// it.
func TestTheCopyInTheBinary(t *testing.T) {
	t.Parallel()
	version := zoneinfo.Embedded().Version
	t.Logf("the copy in the binary is release %s", version)
	if !regexp.MustCompile(`^20\d\d[a-z]$`).MatchString(version) || version < "2026f" {
		t.Errorf("release %q, want 2026f or a newer one", version)
	}
}

// In 2026, some governments changed their clocks within weeks of announcing it.
func TestChangesOf2026(t *testing.T) {
	t.Parallel()
	data := zoneinfo.Embedded()
	for name, want := range map[string]string{
		"America/Vancouver":   "2026-12-10 08:00",
		"America/Edmonton":    "2026-12-10 09:00", // Calgary
		"America/Yellowknife": "2026-12-10 09:00",
		"America/Winnipeg":    "2026-12-10 10:00",
		"America/Rainy_River": "2026-12-10 10:00",
		"Africa/Casablanca":   "2026-12-10 15:00",
		"America/Havana":      "2026-12-10 11:00",
		"America/New_York":    "2026-12-10 10:00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, ok := data.Load(name)
			if !ok {
				t.Fatal("there is no such zone")
			}
			at := time.Date(2026, time.December, 10, 15, 0, 0, 0, time.UTC)
			if got := at.In(zone).Format("2006-01-02 15:04"); got != want {
				t.Errorf("clocks show %s at %s, want %s", got, at, want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	data := zoneinfo.Embedded()
	for _, name := range []string{"America/New_York", "Asia/Kathmandu", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+5"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, ok := data.Load(name)
			if !ok || zone.String() != name {
				t.Errorf("Load(%q) = %v, %v", name, zone, ok)
			}
			if again, _ := data.Load(name); again != zone {
				t.Errorf("Load(%q) read the data twice", name)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	onDisk, err := zoneinfo.Open(testenv.ZoneInfo(t, "2027a", map[string]string{"Europe/Berlin": berlin}))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"", "Local", "localtime", "Factory", "posixrules", "posix/Europe/Berlin", "right/Europe/Berlin",
		"Mars/Olympus", "Europe", "EST5EDT4", "../../etc/passwd", "/etc/localtime", "zone.tab", "America/New York", "UTC+2", "+VERSION",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, data := range []*zoneinfo.Data{zoneinfo.Embedded(), onDisk} {
				for range 2 {
					if zone, ok := data.Load(name); ok || zone != nil {
						t.Errorf("%s: Load(%q) = %v, %v", data, name, zone, ok)
					}
				}
			}
		})
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	data := zoneinfo.Embedded()
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
			zone, ok := data.Of(tt.appointment, tt.practice)
			if ok != (tt.want != "") || ok && zone.String() != tt.want {
				t.Errorf("zone = %v, %v; want %q", zone, ok, tt.want)
			}
		})
	}
}

func TestNewest(t *testing.T) {
	t.Parallel()
	folderAndZip := func(version string) []string {
		folder := testenv.ZoneInfo(t, version, map[string]string{"Europe/Berlin": berlin})
		packed := filepath.Join(t.TempDir(), "zoneinfo.zip")
		writeZip(t, folder, packed)
		return []string{folder, packed}
	}
	for _, path := range folderAndZip("2099a") {
		data, err := zoneinfo.Newest(path)
		if err != nil || data.Version != "2099a" || data.Source != path {
			t.Errorf("%s: got %v, %v; want release 2099a", path, data, err)
			continue
		}
		if zone, ok := data.Load("Europe/Berlin"); !ok {
			t.Errorf("%s: no zone Europe/Berlin: %v", path, zone)
		}
	}
	for _, path := range append(folderAndZip("2001a"), "") {
		data, err := zoneinfo.Newest(path)
		if err != nil || data.Version < zoneinfo.Embedded().Version || data.Source == path {
			t.Errorf("%q: got %v, %v; want the newer data of the system or the binary", path, data, err)
		}
	}
}

func TestNewestRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, content := range map[string]string{
		"unversioned/Europe/Berlin": "TZif", "broken/tzdata.zi": "# version soon\n", "empty/+VERSION": "", "no.zip": "PK",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"unversioned": "no file tzdata.zi or +VERSION says which release it is",
		"broken":      "no file tzdata.zi or +VERSION says which release it is",
		"empty":       "+VERSION: EOF",
		"no.zip":      "neither a directory nor a zip file",
		"missing":     "no such file or directory",
	} {
		data, err := zoneinfo.Newest(filepath.Join(dir, path))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v; want an error with %q", path, data, err, want)
		}
	}
}

const berlin = "CET-1CEST,M3.5.0,M10.5.0/3"

func writeZip(t *testing.T, folder, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	if err := archive.AddFS(os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
}
