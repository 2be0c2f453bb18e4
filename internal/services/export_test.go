package services

// PID is the server's process, for tests that look whether it is gone.
func (p *Postgres) PID() int { return p.process.cmd.Process.Pid }

// Folder is what must be gone after Stop.
func (p *Postgres) Folder() string { return p.run.path }

// PID is the server's process, for tests that look whether it is gone.
func (r *Redis) PID() int { return r.process.cmd.Process.Pid }

// Folder is what must be gone after Stop.
func (r *Redis) Folder() string { return r.run.path }

// FindPostgresIn is FindPostgres on a machine that has only these places.
func FindPostgresIn(onPath func(string) (string, error), globs ...string) (string, error) {
	return places{onPath, globs}.postgres("")
}

// FindRedisIn is FindRedis on a machine with this PATH.
func FindRedisIn(onPath func(string) (string, error)) (string, error) { return findRedis(onPath) }

// NewFolder makes a folder as a server does.
func NewFolder() (path string, release func() error, err error) {
	f, err := newFolder("test", nil)
	if err != nil {
		return "", nil, err
	}
	return f.path, f.lock.Close, nil
}
