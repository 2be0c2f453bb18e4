package services_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	osexec "os/exec"

	"rappel/internal/services"
)

// parentEnv makes a run of this test binary the parent that is killed.
const parentEnv = "SERVICES_TEST_PARENT"

// TestParent is no test of its own: it starts servers, says which, and waits
// for its death.
func TestParent(t *testing.T) { //nolint:paralleltest // runs alone, in a process of its own
	if os.Getenv(parentEnv) == "" {
		t.Skip("only as the process that TestServersEndWithTheirParent kills")
	}
	p := startPostgres(t, services.PostgresOptions{})
	r := startRedis(t, services.RedisOptions{})
	fmt.Fprintln(os.Stderr, "server", p.PID(), p.Folder())
	fmt.Fprintln(os.Stderr, "server", r.PID(), r.Folder())
	fmt.Fprintln(os.Stderr, "wait")
	select {}
}

func TestServersEndWithTheirParent(t *testing.T) {
	t.Parallel()
	pgBin(t)
	redisBin(t)
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			parent, servers := startParent(t)
			for _, s := range servers {
				if !alive(s.pid) {
					t.Fatalf("%s is not running to begin with", s.folder)
				}
			}
			if err := parent.Signal(sig); err != nil {
				t.Fatal(err)
			}
			for _, s := range servers {
				eventually(t, fmt.Sprintf("process %d ends", s.pid), func() bool { return !alive(s.pid) })
				eventually(t, s.folder+" is removed", func() bool {
					_, err := os.Stat(s.folder)
					return errors.Is(err, os.ErrNotExist)
				})
			}
		})
	}
}

type server struct {
	pid    int
	folder string
}

// startParent runs TestParent and returns what it started.
func startParent(t *testing.T) (*os.Process, []server) {
	t.Helper()
	cmd := osexec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestParent$")
	cmd.Env = append(cmd.Environ(), parentEnv+"=1")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var servers []server
	for lines := bufio.NewScanner(out); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 3 && words[0] == "server":
			servers = append(servers, server{number(t, words[1]), words[2]})
		case len(words) == 1 && words[0] == "wait":
			return cmd.Process, servers
		}
	}
	t.Fatal("the parent ended before it had started its servers")
	return nil, nil
}

func TestFolderOfADeadOwnerIsSwept(t *testing.T) {
	t.Parallel()
	dead, release, err := services.NewFolder()
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil { // as the kernel does when the owner dies
		t.Fatal(err)
	}
	live, release, err := services.NewFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = release(), os.RemoveAll(live) })

	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dead, err)
	}
	startRedis(t, services.RedisOptions{})
	if _, err := os.Stat(filepath.Join(live, "owner.lock")); err != nil {
		t.Errorf("a folder in use was swept: %v", err)
	}
}

// alive reports whether a process runs. One that has ended and that no one has
// waited for does not: after its parent's death that is up to process 1.
func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // Linux only
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// eventually waits for what another process does, which no channel tells us.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(2 * time.Minute) // Sentinels that were starved do nothing for half a minute
	for !is() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}
