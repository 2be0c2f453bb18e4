package app

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// checkZoneData tests a recent change of the law: since November 2026 clocks in
// British Columbia stay seven hours behind UTC all year.
func (a *App) checkZoneData(context.Context) verdict {
	vancouver, err := time.LoadLocation("America/Vancouver")
	if err != nil {
		return failed(errors.New("there is no tz data: install the package tzdata"))
	}
	_, offset := time.Date(2026, time.December, 1, 12, 0, 0, 0, vancouver).Zone()
	if offset != -7*60*60 {
		return verdict{doubtful: []string{zoneDataVersion() + " is older than 2026b: America/Vancouver would be an hour off; update the package tzdata"}}
	}
	return verdict{fine: zoneDataVersion() + " knows of America/Vancouver's change of November 2026"}
}

// zoneDataVersion reads the version where the tz database's own install leaves
// it, in the folders in which Go looks for zones.
func zoneDataVersion() string {
	for _, folder := range []string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"} {
		if first, err := firstLine(filepath.Join(folder, "tzdata.zi")); err == nil {
			return "tz data " + strings.TrimPrefix(first, "# version ") + " in " + folder
		}
		if first, err := firstLine(filepath.Join(folder, "+VERSION")); err == nil {
			return "tz data " + first + " in " + folder
		}
	}
	return "tz data of unknown version"
}

func firstLine(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // one of the paths above
	if err != nil {
		return "", err
	}
	defer file.Close()
	line, err := bufio.NewReader(file).ReadString('\n')
	return strings.TrimSpace(line), err
}
