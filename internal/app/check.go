package app

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A Result is how a check ended.
type Result string

// The results, in the contract's words.
const (
	OK   Result = "ok"
	Warn Result = "warn"
	Fail Result = "fail"
)

// A Finding is what one check found.
type Finding struct {
	Check  string `json:"check"`
	Result Result `json:"result"`
	Detail string `json:"detail"`
}

// checkWithin bounds each check: a service that hangs is one that fails.
const checkWithin = 10 * time.Second

// Check asks everything that rappel rests on whether it is as it should be. It
// changes nothing.
func (a *App) Check(ctx context.Context) []Finding {
	findings := []Finding{{"configuration", OK, "all variables can be read"}}
	for _, check := range []struct {
		name string
		ask  func(context.Context) (Result, string)
	}{
		{"database", a.checkDatabase},
		{"schema", a.checkSchema},
		{"practice side", a.checkPracticeSide},
		{"rules", a.checkRules},
		{"time zones", a.checkZones},
		{"clock", a.checkClock},
		{"redis", a.checkRedis},
		{"redis eviction", a.checkEviction},
		{"admin endpoints", a.checkAdmin},
		{"zone data", a.checkZoneData},
	} {
		within, cancel := context.WithTimeout(ctx, checkWithin)
		result, detail := check.ask(within)
		cancel()
		findings = append(findings, Finding{check.name, result, detail})
	}
	return findings
}

func (a *App) checkDatabase(ctx context.Context) (Result, string) {
	const oldest = 14
	version, err := a.store.ServerVersion(ctx)
	if err != nil {
		return Fail, fmt.Sprintf("%v; DATABASE_URL must name a PostgreSQL that answers", err)
	}
	if version/10_000 < oldest {
		return Fail, fmt.Sprintf("PostgreSQL %d is too old: %d or newer is needed", version/10_000, oldest)
	}
	return OK, fmt.Sprintf("PostgreSQL %d.%d answers", version/10_000, version%10_000)
}

func (a *App) checkSchema(ctx context.Context) (Result, string) {
	if err := a.store.Ready(ctx); err != nil {
		return Fail, err.Error()
	}
	return OK, "all migrations are applied"
}

func (a *App) checkPracticeSide(ctx context.Context) (Result, string) {
	wrong, err := a.store.ContractBreaches(ctx)
	return listed(wrong, err, Fail, "all tables and columns are as in the contract")
}

func (a *App) checkRules(ctx context.Context) (Result, string) {
	wrong, err := a.store.BrokenRules(ctx)
	return listed(wrong, err, Warn, "every active rule can fire")
}

func (a *App) checkZones(ctx context.Context) (Result, string) {
	practices, others, err := a.store.UnknownZones(ctx)
	if err == nil && len(practices) == 0 {
		return listed(others, nil, Warn, "every zone name exists")
	}
	return listed(append(practices, others...), err, Fail, "")
}

// mostListed is how many offenders one line names.
const mostListed = 10

// listed turns a list of what is wrong into a line.
func listed(wrong []string, err error, result Result, fine string) (Result, string) {
	switch {
	case err != nil:
		return Fail, err.Error()
	case len(wrong) == 0:
		return OK, fine
	case len(wrong) > mostListed:
		return result, strings.Join(wrong[:mostListed], "; ") + fmt.Sprintf("; and %d more", len(wrong)-mostListed)
	}
	return result, strings.Join(wrong, "; ")
}

func (a *App) checkClock(ctx context.Context) (Result, string) {
	const most = 2 * time.Second
	before := time.Now()
	theirs, err := a.store.Now(ctx)
	if err != nil {
		return Fail, err.Error()
	}
	apart := theirs.Sub(before.Add(time.Since(before) / 2)).Abs()
	if apart > most {
		return Warn, fmt.Sprintf("the database's clock and this machine's are %s apart: set both by NTP", apart.Round(time.Millisecond))
	}
	return OK, "this machine and the database agree"
}

func (a *App) checkRedis(ctx context.Context) (Result, string) {
	info, err := a.redis.Info(ctx, "server").Result()
	if err != nil {
		return Fail, fmt.Sprintf("REDIS_URL: Redis does not answer: %v", err)
	}
	version := field(info, "redis_version")
	if !atLeast(version, 6, 2) {
		return Fail, fmt.Sprintf("Redis %s is too old: 6.2 or newer is needed", version)
	}
	return OK, "Redis " + version + " answers"
}

func (a *App) checkEviction(ctx context.Context) (Result, string) {
	info, err := a.redis.Info(ctx, "memory").Result()
	if err != nil {
		return Fail, fmt.Sprintf("REDIS_URL: Redis does not answer: %v", err)
	}
	switch policy := field(info, "maxmemory_policy"); policy {
	case "noeviction":
		return OK, "maxmemory-policy is noeviction"
	case "":
		return Warn, "this Redis does not tell its maxmemory-policy; it must be noeviction"
	default:
		return Fail, "maxmemory-policy is " + policy + ": tasks would be dropped without a word; set it to noeviction"
	}
}

// field finds a line "name:value" in an answer of INFO.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return v
		}
	}
	return ""
}

func atLeast(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	gotMajor, err1 := strconv.Atoi(parts[0])
	gotMinor, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil && (gotMajor > major || (gotMajor == major && gotMinor >= minor))
}

func (a *App) checkAdmin(ctx context.Context) (Result, string) {
	if a.admin == nil {
		return Warn, "none are configured: what people answer goes nowhere; set RAPPEL_ADMIN_URL and RAPPEL_ADMIN_TOKEN"
	}
	if err := a.admin.Health(ctx); err != nil {
		return Fail, err.Error()
	}
	return OK, "they answer and know the token"
}

// checkZoneData tests a recent change of the law: since November 2026 clocks in
// British Columbia stay seven hours behind UTC all year.
func (a *App) checkZoneData(context.Context) (Result, string) {
	vancouver, err := time.LoadLocation("America/Vancouver")
	if err != nil {
		return Fail, "there is no tz data: install the package tzdata"
	}
	_, offset := time.Date(2026, time.December, 1, 12, 0, 0, 0, vancouver).Zone()
	if offset != -7*60*60 {
		return Warn, zoneDataVersion() + " is older than 2026b: America/Vancouver would be an hour off; update the package tzdata"
	}
	return OK, zoneDataVersion() + " knows of America/Vancouver's change of November 2026"
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
