package services_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rappel/internal/services"
)

func nothingOnPath(name string) (string, error) { return "", os.ErrNotExist }

func TestMissingServersNameThePackageToInstall(t *testing.T) {
	t.Parallel()
	_, postgres := services.FindPostgresIn(nothingOnPath, filepath.Join(t.TempDir(), "*"))
	_, redis := services.FindRedisIn(nothingOnPath)
	for err, want := range map[error][]string{
		postgres: {"apt install postgresql", "brew install postgresql"},
		redis:    {"apt install redis-server", "brew install redis"},
	} {
		if !errors.Is(err, services.ErrNotFound) {
			t.Errorf("%v; want ErrNotFound", err)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
}

func TestGivenFolderIsNotReplacedByAnother(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := services.FindPostgres(dir)
	if !errors.Is(err, services.ErrNotFound) || !strings.Contains(err.Error(), dir) {
		t.Errorf("err = %v; want ErrNotFound that names %s", err, dir)
	}
}

func TestNewestVersionIsTaken(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, v := range []string{"9.6", "14", "15"} {
		install(t, filepath.Join(root, v, "bin"), "initdb", "postgres")
	}
	install(t, filepath.Join(root, "16", "bin"), "pg_dump") // a client without a server

	got, err := services.FindPostgresIn(nothingOnPath, filepath.Join(root, "*", "bin"))
	if want := filepath.Join(root, "15", "bin"); err != nil || got != want {
		t.Errorf("found %q, %v; want %q", got, err, want)
	}
}

func TestLinkOnThePathLeadsToTheServer(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	bin, link := filepath.Join(root, "real"), filepath.Join(root, "initdb")
	install(t, bin, "initdb", "postgres")
	if err := os.Symlink(filepath.Join(bin, "initdb"), link); err != nil {
		t.Fatal(err)
	}
	got, err := services.FindPostgresIn(func(string) (string, error) { return link, nil })
	if err != nil || got != bin {
		t.Errorf("found %q, %v; want %q", got, err, bin)
	}
}

// install puts programs that do nothing into dir.
func install(t *testing.T, dir string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
