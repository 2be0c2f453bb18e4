package services_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"rappel/internal/services"
	"rappel/internal/testenv"
)

func TestPostgresServesAndLeavesNothing(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, services.PostgresOptions{})
	exec(t, p, "CREATE TABLE visits (id int); INSERT INTO visits VALUES (1)")
	pid, folder := p.PID(), p.Folder()

	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if alive(pid) {
		t.Errorf("the server still runs as process %d", pid)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", folder, err)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("a second Stop: %v", err)
	}
}

func TestPostgresSocketFitsEveryKernel(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, services.PostgresOptions{})
	socket := filepath.Join(p.Folder(), ".s.PGSQL.5432")
	if len(socket) >= 100 {
		t.Errorf("the socket's path has %d bytes: %s", len(socket), socket)
	}
}

func TestPostgresRestartKeepsAddressAndData(t *testing.T) {
	t.Parallel()
	for _, mode := range []services.StopMode{services.Fast, services.Immediate} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			p := startPostgres(t, services.PostgresOptions{Durable: true})
			before := p.URL("postgres")
			exec(t, p, "CREATE TABLE visits (id int)")
			if err := p.Restart(t.Context(), mode); err != nil {
				t.Fatal(err)
			}
			if after := p.URL("postgres"); after != before {
				t.Errorf("the address changed from %s to %s", before, after)
			}
			exec(t, p, "SELECT id FROM visits")
		})
	}
}

func TestPostgresKeepsAGivenFolder(t *testing.T) {
	t.Parallel()
	dir := reachableDir(t)
	p := startPostgres(t, services.PostgresOptions{Dir: dir})
	exec(t, p, "CREATE TABLE visits (id int)")
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	p = startPostgres(t, services.PostgresOptions{Dir: dir})
	exec(t, p, "SELECT id FROM visits")
}

func TestPostgresListensOnAPortWhenTold(t *testing.T) {
	t.Parallel()
	port := testenv.FreePort(t)
	p := startPostgres(t, services.PostgresOptions{Port: port})
	exec(t, p, "SELECT 1")
	if u, err := url.Parse(p.URL("postgres")); err != nil || u.Hostname() != "127.0.0.1" {
		t.Errorf("URL = %q, %v; want 127.0.0.1 in it", p.URL("postgres"), err)
	}
}

func TestPostgresSaysWhyItDoesNotStart(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, services.PostgresOptions{Port: testenv.FreePort(t)})
	u, err := url.Parse(p.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = services.StartPostgres(t.Context(), services.PostgresOptions{Bin: pgBin(t), Port: number(t, u.Port())})
	if err == nil || !strings.Contains(err.Error(), "Address already in use") {
		t.Errorf("on a taken port: %v; want the server's own words", err)
	}
}

func TestPostgresLosesTheServerWithItsContextAtTheStartOnly(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := services.StartPostgres(ctx, services.PostgresOptions{Bin: pgBin(t)})
	if err != nil {
		t.Fatal(err)
	}
	stopped(t, p)
	cancel()
	exec(t, p, "SELECT 1")

	if _, err := services.StartPostgres(ctx, services.PostgresOptions{Bin: pgBin(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("start with a done context: %v; want %v", err, context.Canceled)
	}
}

func TestPostgresDoesNotRunAsRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root has to become someone else")
	}
	p := startPostgres(t, services.PostgresOptions{})
	info, err := os.Stat(p.Folder())
	if err != nil {
		t.Fatal(err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid == 0 {
		t.Errorf("%s belongs to root", p.Folder())
	}
}

func startPostgres(t *testing.T, o services.PostgresOptions) *services.Postgres {
	t.Helper()
	o.Bin = pgBin(t)
	p, err := services.StartPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	stopped(t, p)
	return p
}

func exec(t *testing.T, p *services.Postgres, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
