package testenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ZoneInfo writes a directory of time zone data: zones by name, each with the
// rule that its clocks follow, such as CET-1CEST,M3.5.0,M10.5.0/3. It returns its
// path.
func ZoneInfo(tb testing.TB, version string, rules map[string]string) string {
	tb.Helper()
	folder := tb.TempDir()
	write := func(name, content string) {
		path := filepath.Join(folder, name)
		err := os.MkdirAll(filepath.Dir(path), 0o750)
		if err == nil {
			err = os.WriteFile(path, []byte(content), 0o600)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	write("tzdata.zi", "# version "+version+"\n")
	for name, rule := range rules {
		write(name, tzif(rule))
	}
	return folder
}

// tzif is a zone file (RFC 9636) whose clocks follow one rule at all times.
func tzif(rule string) string {
	block := "TZif2" + strings.Repeat("\x00", 15) +
		strings.Repeat("\x00", 16) + "\x00\x00\x00\x01" + "\x00\x00\x00\x04" + // one type, four characters
		strings.Repeat("\x00", 6) + "UTC\x00"
	return block + block + "\n" + rule + "\n"
}
