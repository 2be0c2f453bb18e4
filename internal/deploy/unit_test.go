package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rappel/internal/config"
)

// unit reads the systemd unit: what each key is set to, in its order. What it
// means, systemd-analyze knows; see below.
func unit(t *testing.T) map[string][]string {
	t.Helper()
	file, err := os.ReadFile("rappel.service")
	if err != nil {
		t.Fatal(err)
	}
	settings, section := map[string][]string{}, ""
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			section = line
		case !ok || section == "":
			t.Errorf("what is %q?", line)
		default:
			settings[section+key] = append(settings[section+key], value)
		}
	}
	return settings
}

func TestTheUnitIsGivenWhatTheProgramReads(t *testing.T) {
	t.Parallel()
	u := unit(t)
	credentials := map[string]bool{}
	for _, c := range u["[Service]LoadCredential"] {
		name, _, _ := strings.Cut(c, ":")
		credentials["%d/"+name] = true
	}
	env := map[string]string{ // what the files hold, and the comment says
		"RAPPEL_ADMIN_URL": "https://app.example.com/admin", "DATABASE_URL": "postgres://a@b/c", "REDIS_URL": "redis://a", "RAPPEL_ADMIN_TOKEN": "t",
	}
	for _, e := range u["[Service]Environment"] {
		name, value, _ := strings.Cut(e, "=")
		if env[strings.TrimSuffix(name, "_FILE")] == "" || !slices.Contains(variables(), name) || !credentials[value] {
			t.Errorf("%s is no secret that the program reads, or %s is no credential", name, value)
		}
	}
	cfg, err := config.Load(func(name string) string { return env[name] }, config.Database|config.Redis|config.Delivery|config.Listen)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := time.ParseDuration(strings.Join(u["[Service]TimeoutStopSec"], ""))
	if err != nil || stop <= cfg.ShutdownTimeout {
		t.Errorf("it is killed after %s, while work in hand may take %s: %v", stop, cfg.ShutdownTimeout, err)
	}
}

func TestTheUnitHasNoRightsThatItDoesNotNeed(t *testing.T) {
	t.Parallel()
	u := unit(t)
	for key, want := range map[string]string{
		"DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
		"PrivateDevices": "yes", "MemoryDenyWriteExecute": "yes", "RestrictNamespaces": "yes", "CapabilityBoundingSet": "",
	} {
		if got, ok := u["[Service]"+key]; !ok || strings.Join(got, " ") != want {
			t.Errorf("%s is %q", key, got)
		}
	}
}

// TestSystemdUnderstandsTheUnit has systemd itself read it, with a program in
// rappel's place that is on every machine.
func TestSystemdUnderstandsTheUnit(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("skipped: there is no systemd-analyze; the tests above have read the unit")
	}
	file, err := os.ReadFile("rappel.service")
	if err != nil {
		t.Fatal(err)
	}
	there := strings.Replace(string(file), "ExecStart=/usr/local/bin/rappel", "ExecStart=/bin/sh", 1)
	path := filepath.Join(t.TempDir(), "rappel.service")
	if err := os.WriteFile(path, []byte(there), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), analyze, "verify", path).CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, said)
	}
	const most = "20" // of 100: what it calls OK ends at 50
	said, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--threshold="+most, path).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, said)
	}
}
