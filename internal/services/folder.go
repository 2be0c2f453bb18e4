package services

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// prefix begins the name of every folder we make in the temporary folder.
// It is short because a socket's path must stay below 104 bytes.
const prefix = "throwaway-"

// lockName is the file that the owner of a folder holds locked while it lives.
const lockName = "owner.lock"

// folder is a temporary folder that belongs to one server. A lock and not a
// process id says that its owner lives: ids are used again, and mean nothing
// between containers that share a temporary folder.
type folder struct {
	path string
	lock *os.File
}

// newFolder makes a folder for the account, after removing those whose owners
// were killed before they, or their guards, could do it.
func newFolder(kind string, a *account) (*folder, error) {
	base := tempBase(a)
	sweep(base, a)
	path, err := os.MkdirTemp(base, prefix+kind+"-")
	if err != nil {
		return nil, err
	}
	f := &folder{path: path}
	if f.lock, err = newLock(path); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	if err := a.own(path); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	return f, nil
}

// remove may be called twice.
func (f *folder) remove() error {
	err := os.RemoveAll(f.path)
	if f.lock != nil {
		err = errors.Join(err, f.lock.Close())
		f.lock = nil
	}
	return err
}

// newLock creates a locked file. It gets its name only when it is locked, so
// that no one finds it unlocked while its owner lives.
func newLock(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "lock-")
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, lockName))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweep removes the account's folders that no one owns any more. What cannot
// be read or removed is left: it is not ours, or the next start's.
func sweep(base string, a *account) {
	dirs, err := filepath.Glob(filepath.Join(base, prefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && a.owns(info) && abandoned(dir) {
			_ = os.RemoveAll(dir)
		}
	}
}

// abandoned reports whether dir has a lock and no one holds it.
func abandoned(dir string) bool {
	// The flags: not to be held up by whatever else could bear that name.
	const flags = os.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOFOLLOW
	f, err := os.OpenFile(filepath.Join(dir, lockName), flags, 0) //nolint:gosec // a folder of ours, see sweep
	if err != nil {
		return false
	}
	defer f.Close()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// tempBase is the temporary folder, or /tmp where that one's name is too long
// for a socket inside or where the account cannot reach it.
func tempBase(a *account) string {
	const longest = 55 // leaves 45 for "/throwaway-postgres-0123456789/.s.PGSQL.65535"
	base := os.TempDir()
	if len(base) > longest || !a.reaches(base) {
		return "/tmp"
	}
	return base
}

// reaches reports whether the account may pass through dir and its parents.
func (a *account) reaches(dir string) bool {
	if a == nil {
		return true
	}
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 && !a.owns(info) {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}
