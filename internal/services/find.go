package services

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// ErrNotFound is the cause where a server's binaries are not on the machine.
var ErrNotFound = errors.New("not found on this machine")

// places is where to look for PostgreSQL: what a search on the PATH says, and
// where packages put the versions that are not on it.
type places struct {
	onPath func(name string) (string, error)
	globs  []string
}

func usualPlaces() places {
	return places{exec.LookPath, []string{
		"/usr/lib/postgresql/*/bin",                               // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                        // Red Hat
		"/opt/homebrew/opt/postgresql*/bin",                       // Homebrew
		"/usr/local/opt/postgresql*/bin",                          // Homebrew on Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",          // Homebrew on Linux
		"/Applications/Postgres.app/Contents/Versions/*.*/bin",    // Postgres.app
		"/Applications/Postgres.app/Contents/Versions/[0-9]*/bin", // its newer layout
	}}
}

// FindPostgres returns the folder of initdb and postgres: bin if it is given,
// else the one on the PATH, else the newest version that a package left on the
// machine.
func FindPostgres(bin string) (string, error) {
	return usualPlaces().postgres(bin)
}

func (p places) postgres(bin string) (string, error) {
	if bin != "" {
		bin, err := filepath.Abs(bin)
		if err == nil && !complete(bin) {
			err = fmt.Errorf("initdb and postgres: %w: looked in %s only, as told", ErrNotFound, bin)
		}
		return bin, err
	}
	if path, err := p.onPath("initdb"); err == nil {
		// Where PATH has a link, the server is beside what it points to.
		if path, err = filepath.EvalSymlinks(path); err == nil && complete(filepath.Dir(path)) {
			return filepath.Dir(path), nil
		}
	}
	for _, glob := range p.globs {
		if bin, ok := newest(glob); ok {
			return bin, nil
		}
	}
	return "", fmt.Errorf("PostgreSQL (initdb, postgres): %w: apt install postgresql, or brew install postgresql", ErrNotFound)
}

// newest is the folder that glob matches, holds a server, and has the highest
// version in its name.
func newest(glob string) (string, bool) {
	dirs, err := filepath.Glob(glob)
	if err != nil {
		return "", false
	}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool { return !complete(dir) })
	if len(dirs) == 0 {
		return "", false
	}
	return slices.MaxFunc(dirs, func(a, b string) int { return slices.Compare(version(a), version(b)) }), true
}

// version is the numbers of a path, in order: 9.6 is below 15.
func version(path string) []int {
	var v []int
	for _, digits := range regexp.MustCompile(`\d+`).FindAllString(path, -1) {
		n, err := strconv.Atoi(digits)
		if err != nil {
			continue
		}
		v = append(v, n)
	}
	return v
}

func complete(bin string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		// Given a path, LookPath searches nothing and checks the file.
		if _, err := exec.LookPath(filepath.Join(bin, name)); err != nil {
			return false
		}
	}
	return true
}

// FindRedis returns the path of redis-server, or of valkey-server, which is
// the same to its clients.
func FindRedis() (string, error) {
	return findRedis(exec.LookPath)
}

func findRedis(onPath func(name string) (string, error)) (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := onPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("redis-server: %w: apt install redis-server, or brew install redis", ErrNotFound)
}
