package deploy_test

import (
	"debug/elf"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// build makes the binary as the Dockerfile and make build do.
func build(t *testing.T, path string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X main.version=v1.2.3 -X main.commit=0123abcd", "-o", path, "./cmd/rappel")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
}

// copyFile copies one file to a path below folder.
func copyFile(t *testing.T, from, folder string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Skip("skipped: this machine lacks what the image has: ", err)
	}
	defer in.Close()
	to := filepath.Join(folder, from)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// emptyRoot is a folder with what the image has: the binary and CA certificates.
func emptyRoot(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	copyFile(t, "/etc/ssl/certs/ca-certificates.crt", folder)
	build(t, filepath.Join(folder, "rappel"))
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && (d.IsDir() || d.Name() == "rappel") {
			err = os.Chmod(path, 0o755) // another user runs it there
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// inside runs the binary with folder as its root, as the image's user.
func inside(t *testing.T, folder string, env []string, args ...string) (said string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/rappel", args...)
	cmd.Dir, cmd.Env = "/", append([]string{}, env...) // nothing of ours, which nil would be
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: folder, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("rappel %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestTheBinaryNeedsNothingOfTheSystem(t *testing.T) {
	t.Parallel()
	switch {
	case testing.Short():
		t.Skip("skipped: it builds the binary")
	case runtime.GOOS != "linux":
		t.Skip("skipped: the image is one of Linux")
	case os.Geteuid() != 0:
		t.Skip("skipped: only root may change the root of a process")
	}
	folder := emptyRoot(t)
	binary, err := elf.Open(filepath.Join(folder, "rappel"))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	for _, p := range binary.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("it is linked to libraries")
		}
	}
	nowhere := []string{
		"DATABASE_URL=postgres://127.0.0.1:1/x?connect_timeout=1", "REDIS_URL=redis://127.0.0.1:1",
		"RAPPEL_ADMIN_URL=https://127.0.0.1:1", "RAPPEL_ADMIN_TOKEN=t",
	}
	for name, c := range map[string]struct {
		env  []string
		args []string
		want []string
		code int
	}{
		"it tells its version":             {nil, []string{"--version"}, []string{"rappel v1.2.3 (commit 0123abcd, go1."}, 0},
		"it helps":                         {nil, []string{"check", "--help"}, []string{"Exit codes: 0 done", "--alive"}, 0},
		"it has time zone data of its own": {nil, []string{"version"}, []string{"rappel v1.2.3", "tz data 20", ", the copy in the binary"}, 0},
		"it says what is away": {
			nowhere,
			[]string{"check"},
			[]string{"ok    configuration: ", "fail  database: ", "fail  redis: ", "fail  admin endpoints: ", "fail  zone data: not asked: database fails"},
			1,
		},
		"it says what is wrong with its configuration": {nil, []string{"check"}, []string{"DATABASE_URL is missing", "REDIS_URL is missing"}, 2},
		"it says that nobody lives":                    {[]string{"RAPPEL_HTTP_ADDR=127.0.0.1:1"}, []string{"check", "--alive"}, []string{"fail  alive: no answer: "}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, code := inside(t, folder, c.env, c.args...)
			if code != c.code {
				t.Errorf("exit code %d", code)
			}
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in:\n%s", want, said)
				}
			}
		})
	}
}
