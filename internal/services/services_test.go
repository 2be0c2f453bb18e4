package services_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"rappel/internal/services"
)

// pgBin is where PostgreSQL is; a laptop without it skips, CI does not.
func pgBin(t *testing.T) string {
	t.Helper()
	bin, err := services.FindPostgres(os.Getenv("PG_BIN"))
	required(t, err)
	return bin
}

func redisBin(t *testing.T) string {
	t.Helper()
	bin, err := services.FindRedis()
	required(t, err)
	return bin
}

func required(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

func stopped(t *testing.T, s interface{ Stop() error }) {
	t.Helper()
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// reachableDir is a folder that a server which is not root can get to; the
// parents of t.TempDir are closed to others.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "services-test-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "data")
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
