package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// StopMode says how PostgreSQL ends.
type StopMode string

// The ways to end PostgreSQL that differ for those who are connected.
const (
	Fast      StopMode = "fast"      // ends transactions and leaves a clean data folder
	Immediate StopMode = "immediate" // as if the machine had lost power; recovers at the next start
)

func (m StopMode) signal() syscall.Signal {
	if m == Immediate {
		return syscall.SIGQUIT
	}
	return syscall.SIGINT
}

// PostgresOptions say how to run PostgreSQL. The zero value is a server on a
// Unix socket that keeps nothing.
type PostgresOptions struct {
	Bin     string    // folder of initdb and postgres; empty: FindPostgres looks for them
	Dir     string    // data folder, kept at Stop; empty: a temporary one, removed at Stop
	Durable bool      // commits survive the machine's end, at the price of fsync
	Port    int       // also listen on 127.0.0.1 at this port; 0: on the socket only
	Log     io.Writer // what the server says; nil: nowhere

	// Certificate has it take TLS at Port, as localhost.
	Certificate *Certificate
}

// Postgres is a PostgreSQL server of our own, with one superuser, postgres, who
// needs no password. Its methods are not for concurrent use.
type Postgres struct {
	options PostgresOptions
	user    *account
	run     *folder // holds the socket, and the data unless Options.Dir does
	data    string
	process *process // nil while the server is halted
}

// StartPostgres returns a server that accepts connections. The context bounds
// the start only; the server lives until Stop, or until this process ends.
func StartPostgres(ctx context.Context, o PostgresOptions) (*Postgres, error) {
	p, err := newPostgres(o)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := errors.Join(p.initialize(ctx), o.Certificate.write(p.run.path, p.user)); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), p.run.remove())
	}
	if err := p.Resume(ctx); err != nil {
		return nil, errors.Join(err, p.run.remove())
	}
	return p, nil
}

func newPostgres(o PostgresOptions) (*Postgres, error) {
	bin, err := FindPostgres(o.Bin)
	if err != nil {
		return nil, err
	}
	o.Bin = bin
	user, err := unprivileged()
	if err != nil {
		return nil, err
	}
	run, err := newFolder("postgres", user)
	if err != nil {
		return nil, err
	}
	p := &Postgres{options: o, user: user, run: run, data: filepath.Join(run.path, "data")}
	if o.Dir != "" {
		if p.data, err = filepath.Abs(o.Dir); err != nil {
			return nil, errors.Join(err, run.remove())
		}
	}
	return p, nil
}

// initialize creates the data folder unless it is there from an earlier run.
func (p *Postgres) initialize(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(p.data, "PG_VERSION")); err == nil {
		return nil
	}
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		return err
	}
	if err := p.user.own(p.data); err != nil {
		return err
	}
	if !p.user.reaches(p.data) {
		return fmt.Errorf("PostgreSQL does not run as root, and its user cannot reach %s", p.data)
	}
	args := []string{
		"--pgdata=" + p.data, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=" + locale(), "--no-instructions",
	}
	if !p.options.Durable {
		args = append(args, "--no-sync")
	}
	said := new(tail)
	cmd := exec.CommandContext(ctx, filepath.Join(p.options.Bin, "initdb"), args...) //nolint:gosec // the binary our caller chose
	prepare(cmd, p.user, said)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, said)
	}
	return nil
}

// locale knows letters beyond ASCII and sorts alike on every machine of a kind.
func locale() string {
	if runtime.GOOS == "darwin" {
		return "en_US.UTF-8" // C.UTF-8 is not on every macOS
	}
	return "C.UTF-8"
}

// Resume starts the server after Halt, at the same address with the same data.
func (p *Postgres) Resume(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := command{
		argv:   append([]string{filepath.Join(p.options.Bin, "postgres"), "-D", p.data}, p.settings()...),
		user:   p.user,
		signal: "QUIT",
		folder: p.run.path,
		log:    p.options.Log,
	}
	if p.options.Dir != "" {
		c.signal = "INT" // the data is kept: leave it clean
	}
	process, err := c.start(ctx)
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := process.ready(ctx, p.ping); err != nil {
		return errors.Join(fmt.Errorf("start PostgreSQL: %w", err), process.stop(syscall.SIGQUIT))
	}
	p.process = process
	return nil
}

func (p *Postgres) settings() []string {
	listen, port := "", 5432
	if p.options.Port != 0 {
		listen, port = "127.0.0.1", p.options.Port
	}
	set := []string{
		"-c", "listen_addresses=" + listen,
		"-c", "port=" + strconv.Itoa(port),
		"-c", "unix_socket_directories=" + p.run.path,
		"-c", "max_connections=300", // many tests at once, each with a pool
		"-c", "timezone=UTC",
		"-c", "log_timezone=UTC",
	}
	if p.options.Certificate != nil {
		chain, key := certificateFiles(p.run.path)
		set = append(set, "-c", "ssl=on", "-c", "ssl_cert_file="+chain, "-c", "ssl_key_file="+key)
	}
	if !p.options.Durable {
		set = append(set, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	return set
}

func (p *Postgres) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.socketURL("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// URL is where a database of this server is, in the form that pgx and psql
// take. The server comes with the database "postgres".
func (p *Postgres) URL(database string) string {
	if p.options.Port == 0 {
		return p.socketURL(database)
	}
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User("postgres"),
		Host:     "127.0.0.1:" + strconv.Itoa(p.options.Port),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (p *Postgres) socketURL(database string) string {
	port := 5432
	if p.options.Port != 0 {
		port = p.options.Port
	}
	q := url.Values{"host": {p.run.path}, "port": {strconv.Itoa(port)}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: q.Encode()}
	return u.String()
}

// Halt ends the server and keeps its data and address for Resume.
func (p *Postgres) Halt(mode StopMode) error {
	if p.process == nil {
		return nil
	}
	err := p.process.stop(mode.signal())
	p.process = nil
	if err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return nil
}

// Restart ends the server in the given mode and starts it again.
func (p *Postgres) Restart(ctx context.Context, mode StopMode) error {
	if err := p.Halt(mode); err != nil {
		return err
	}
	return p.Resume(ctx)
}

// Stop ends the server and removes what is temporary. It may be called twice.
func (p *Postgres) Stop() error {
	mode := Immediate
	if p.options.Dir != "" {
		mode = Fast
	}
	return errors.Join(p.Halt(mode), p.run.remove())
}
