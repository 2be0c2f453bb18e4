package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fleetOptions say how rappel's processes are configured.
type fleetOptions struct {
	binary          string
	database, redis string // URLs
	endpoint        string
	shutdown        time.Duration
	folder          string // of their logs
	dice            *dice
}

// A fleet is every process of rappel in a trial.
type fleet struct {
	fleetOptions

	env                 []string
	workers, schedulers []*post
}

func newFleet(t *testing.T, o fleetOptions) *fleet {
	t.Helper()
	f := &fleet{fleetOptions: o, env: []string{
		"DATABASE_URL=" + o.database,
		"REDIS_URL=" + o.redis,
		"RAPPEL_ADMIN_URL=" + o.endpoint,
		"RAPPEL_ADMIN_TOKEN=" + token,
		"RAPPEL_CONCURRENCY=16",
		"RAPPEL_SHUTDOWN_TIMEOUT=" + o.shutdown.String(),
		"RAPPEL_LOG_LEVEL=debug",
	}}
	t.Cleanup(func() { _ = f.stop() })
	return f
}

// start puts workers and schedulers on their posts.
func (f *fleet) start(t *testing.T, workers, schedulers int) {
	t.Helper()
	for i := range workers {
		f.workers = append(f.workers, f.post(t, fmt.Sprintf("worker-%d", i+1), "worker"))
	}
	for i := range schedulers {
		f.schedulers = append(f.schedulers, f.post(t, fmt.Sprintf("scheduler-%d", i+1), "scheduler"))
	}
}

func (f *fleet) post(t *testing.T, name, role string) *post {
	t.Helper()
	env := append([]string{"CHAOS_CLOCK=" + f.clockOf(name)}, f.env...)
	p, err := newPost(t.Context(), f.folder, name, f.dice, []string{f.binary, role}, env)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// clockOf is the file by which a post's clock is set.
func (f *fleet) clockOf(name string) string { return filepath.Join(f.folder, name+".clock") }

// setClock sets a post's clock off by so much from the machine's.
func (f *fleet) setClock(p *post, by time.Duration) error {
	next := f.clockOf(p.name) + ".next"
	if err := os.WriteFile(next, []byte(by.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(next, f.clockOf(p.name))
}

func (f *fleet) all() []*post { return append(append([]*post{}, f.workers...), f.schedulers...) }

// stop asks all to stop, and returns which of them did not in time.
func (f *fleet) stop() error {
	var stopping sync.WaitGroup
	errs := make([]error, len(f.all()))
	for i, p := range f.all() {
		stopping.Go(func() { errs[i] = p.stop(f.shutdown + 5*time.Second) })
	}
	stopping.Wait()
	return errors.Join(errs...)
}

// run runs one command to its end and returns what it printed; what it logged
// is with the other logs.
func (f *fleet) run(ctx context.Context, args ...string) ([]byte, error) {
	log, err := os.OpenFile(filepath.Join(f.folder, args[0]+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, f.binary, args...)
	cmd.Env, cmd.Stderr = f.env, log
	said, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("rappel %s: %w", strings.Join(args, " "), err)
	}
	return said, err
}

// leaks returns which log files hold what they must not.
func leaks(folder string, secret func(log []byte) bool) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err != nil {
		return nil, err
	}
	var found []string
	for _, file := range files {
		log, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(log) {
			if secret(line) {
				found = append(found, filepath.Base(file)+": "+string(line))
			}
		}
	}
	return found, nil
}
