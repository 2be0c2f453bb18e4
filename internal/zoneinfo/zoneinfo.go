// Package zoneinfo finds time zones by their IANA names in the newest time zone
// data at hand: the system's, the copy in the binary, or one that the operator
// names. Governments change clocks at short notice, and machines are seldom
// updated in time. It is the only package that loads zones.
package zoneinfo

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	_ "embed"
)

//go:embed zoneinfo.zip
var embedded string

// Data is one release of the time zone database. It is safe for concurrent use
// and remembers the zones it has loaded, also that there is no such zone.
type Data struct {
	Version string // of the release, such as 2026f
	Source  string // where it was found: a path, or "the copy in the binary"

	files  fs.FS
	loaded sync.Map // name to *time.Location, nil for none
}

// Embedded returns the copy in the binary.
func Embedded() *Data {
	archive, err := zip.NewReader(strings.NewReader(embedded), int64(len(embedded)))
	if err != nil {
		panic("the embedded time zone data cannot be read: " + err.Error()) // a broken build
	}
	d, err := read(archive, "the copy in the binary")
	if err != nil {
		panic(err)
	}
	return d
}

// systemFolders is where systems keep their time zone data, as in Go's package
// time.
func systemFolders() []string {
	return []string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"}
}

// Newest returns the newest of the system's data, the copy in the binary and the
// data at path, if path is not empty. Of two copies of one release, it takes the
// one in the binary. It fails if the data at path cannot be used.
func Newest(path string) (*Data, error) {
	newest := Embedded()
	for _, folder := range systemFolders() {
		if d, err := Open(folder); err == nil && d.Version > newest.Version {
			newest = d
		}
	}
	if path != "" {
		d, err := Open(path)
		if err != nil {
			return nil, err
		}
		if d.Version > newest.Version {
			newest = d
		}
	}
	return newest, nil
}

// Open returns the data at path: a directory such as /usr/share/zoneinfo, or a
// zip file of one. Its release must be named by a file tzdata.zi or +VERSION in
// it.
func Open(path string) (*Data, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("time zone data: %w", err)
	}
	if info.IsDir() {
		return read(os.DirFS(path), path)
	}
	archive, err := zip.OpenReader(path) // stays open as long as the process
	if err != nil {
		return nil, fmt.Errorf("time zone data: %s is neither a directory nor a zip file: %w", path, err)
	}
	d, err := read(archive, path)
	if err != nil {
		_ = archive.Close()
	}
	return d, err
}

func read(files fs.FS, source string) (*Data, error) {
	version, err := release(files)
	if err != nil {
		return nil, fmt.Errorf("time zone data: %s: %w", source, err)
	}
	return &Data{Version: version, Source: source, files: files}, nil
}

var isVersion = regexp.MustCompile(`^20\d\d[a-z]+$`)

// release reads the version of the release from the first line of the file in
// which an installation of the database keeps it.
func release(files fs.FS) (string, error) {
	for _, name := range []string{"+VERSION", "tzdata.zi"} {
		file, err := files.Open(name)
		if err != nil {
			continue
		}
		line, err := bufio.NewReader(file).ReadString('\n')
		_ = file.Close()
		version := strings.TrimSpace(strings.TrimPrefix(line, "# version "))
		if isVersion.MatchString(version) {
			return version, nil
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	return "", errors.New("no file tzdata.zi or +VERSION says which release it is, such as 2026f")
}

// String names the release and where it was found.
func (d *Data) String() string { return "tz data " + d.Version + ", " + d.Source }

// Load finds the zone with an IANA name. An empty name and the machine's own
// zone are no zones: an appointment without a zone must not be in UTC by accident.
func (d *Data) Load(name string) (*time.Location, bool) {
	if known, ok := d.loaded.Load(name); ok {
		zone, _ := known.(*time.Location)
		return zone, zone != nil
	}
	zone := d.load(name)
	d.loaded.Store(name, zone)
	return zone, zone != nil
}

// Of returns the zone of an appointment: its own if that exists, else the
// practice's.
func (d *Data) Of(appointment, practice string) (*time.Location, bool) {
	if zone, ok := d.Load(appointment); ok {
		return zone, true
	}
	return d.Load(practice)
}

// load reads a zone from the files. It returns nil if there is no such zone.
func (d *Data) load(name string) *time.Location {
	if !isZone(name) {
		return nil
	}
	if name == "UTC" {
		return time.UTC
	}
	content, err := fs.ReadFile(d.files, name)
	if err != nil {
		return nil
	}
	zone, err := time.LoadLocationFromTZData(name, content)
	if err != nil {
		return nil
	}
	return zone
}

// isZone is false for the files beside IANA's zones.
func isZone(name string) bool {
	switch name {
	case "", "Local", "localtime", "Factory", "posixrules":
		return false
	}
	return !strings.HasPrefix(name, "posix/") && !strings.HasPrefix(name, "right/")
}

// FirstDifference returns the first time from one time until another at which
// the clocks of two zones differ.
func FirstDifference(a, b *time.Location, from, until time.Time) (time.Time, bool) {
	for at := from; at.Before(until); {
		_, ofA := at.In(a).Zone()
		_, ofB := at.In(b).Zone()
		if ofA != ofB {
			return at, true
		}
		_, endA := at.In(a).ZoneBounds()
		_, endB := at.In(b).ZoneBounds()
		at = until
		for _, end := range []time.Time{endA, endB} {
			if !end.IsZero() && end.Before(at) {
				at = end.UTC()
			}
		}
	}
	return time.Time{}, false
}
