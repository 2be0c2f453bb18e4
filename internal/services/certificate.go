package services

import (
	"errors"
	"os"
	"path/filepath"
)

// A Certificate is what a server shows to those who want TLS. Both are PEM.
type Certificate struct {
	Chain, Key []byte
}

// certificateFiles is where a server whose folder is dir finds its own.
func certificateFiles(dir string) (chain, key string) {
	return filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
}

// write puts the certificate where the account's server finds it, and nobody
// else. A nil certificate is none.
func (c *Certificate) write(dir string, a *account) error {
	if c == nil {
		return nil
	}
	const ours = 0o600
	chain, key := certificateFiles(dir)
	return errors.Join(
		os.WriteFile(chain, c.Chain, ours), os.WriteFile(key, c.Key, ours), a.own(chain), a.own(key),
	)
}
