package services

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// RedisOptions say how to run Redis. The zero value is a server on a Unix
// socket that keeps nothing.
type RedisOptions struct {
	Bin     string    // path of redis-server; empty: FindRedis looks for it
	Durable bool      // what was written survives Halt and Restart
	Port    int       // listen on 127.0.0.1 at this port instead of the socket
	Log     io.Writer // what the server says; nil: nowhere

	// Certificate has it listen for TLS, and nothing else, as localhost at Port.
	Certificate *Certificate

	more   []string // settings that make it a part of something larger
	config string   // what a Sentinel's own configuration file begins with; empty: it is none
}

// Redis is a Redis server of our own. Its methods are not for concurrent use.
type Redis struct {
	options RedisOptions
	run     *folder
	process *process // nil while the server is halted
}

// StartRedis returns a server that accepts connections. The context bounds the
// start only; the server lives until Stop, or until this process ends.
func StartRedis(ctx context.Context, o RedisOptions) (*Redis, error) {
	if o.Bin == "" {
		bin, err := FindRedis()
		if err != nil {
			return nil, fmt.Errorf("start Redis: %w", err)
		}
		o.Bin = bin
	}
	run, err := newFolder("redis", nil)
	if err != nil {
		return nil, fmt.Errorf("start Redis: %w", err)
	}
	r := &Redis{options: o, run: run}
	if err := errors.Join(r.configure(), o.Certificate.write(run.path, nil)); err != nil {
		return nil, errors.Join(fmt.Errorf("start Redis: %w", err), run.remove())
	}
	if err := r.Resume(ctx); err != nil {
		return nil, errors.Join(err, run.remove())
	}
	return r, nil
}

// Resume starts the server after Halt, at the same address.
func (r *Redis) Resume(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := command{
		argv:   append([]string{r.options.Bin}, r.settings()...),
		signal: "KILL",
		folder: r.run.path,
		log:    r.options.Log,
	}
	process, err := c.start(ctx)
	if err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	if err := process.ready(ctx, r.ping); err != nil {
		return errors.Join(fmt.Errorf("start Redis: %w", err), process.stop(syscall.SIGKILL))
	}
	r.process = process
	return nil
}

// configure writes the file that a Sentinel keeps what it learns in.
func (r *Redis) configure() error {
	if r.options.config == "" {
		return nil
	}
	return os.WriteFile(r.file(), []byte(r.options.config), 0o600)
}

func (r *Redis) file() string { return filepath.Join(r.run.path, "sentinel.conf") }

func (r *Redis) settings() []string {
	network, address := r.address()
	if r.options.config != "" {
		return []string{r.file(), "--sentinel", "--dir", r.run.path, "--bind", "127.0.0.1", "--port", strconv.Itoa(r.options.Port)}
	}
	set := []string{
		"--dir", r.run.path, "--save", "", "--daemonize", "no", "--loglevel", "warning",
		"--maxmemory-policy", "noeviction",
	}
	if network == "unix" {
		set = append(set, "--port", "0", "--unixsocket", address, "--unixsocketperm", "700")
	} else {
		set = append(set, "--bind", "127.0.0.1", "--port", strconv.Itoa(r.options.Port))
	}
	if r.options.Certificate != nil {
		chain, key := certificateFiles(r.run.path)
		set = append(set, "--bind", "127.0.0.1", "--tls-port", strconv.Itoa(r.options.Port),
			"--tls-cert-file", chain, "--tls-key-file", key, "--tls-ca-cert-file", chain, "--tls-auth-clients", "no")
	}
	if r.options.Durable {
		set = append(set, "--appendonly", "yes", "--appendfsync", "always")
	}
	return append(set, r.options.more...)
}

// address is where we ask the server ourselves, in the clear.
func (r *Redis) address() (network, address string) {
	if r.options.Port != 0 && r.options.Certificate == nil {
		return "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(r.options.Port))
	}
	return "unix", filepath.Join(r.run.path, "redis.sock")
}

// ping fails while the server loads its data: it answers with an error then.
func (r *Redis) ping(ctx context.Context) error {
	answer, err := r.ask(ctx, "PING")
	if err == nil && answer != "PONG" {
		return fmt.Errorf("PING answered with %q", answer)
	}
	return err
}

// ask sends one command in the plain protocol, so that this package needs no
// client, and returns an answer of one line or one text.
func (r *Redis) ask(ctx context.Context, command string) (string, error) {
	network, address := r.address()
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if at, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(at); err != nil {
			return "", err
		}
	}
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		return "", err
	}
	return readAnswer(bufio.NewReader(conn))
}

func readAnswer(from *bufio.Reader) (string, error) {
	line, err := from.ReadString('\n')
	if err != nil {
		return "", err
	}
	if line = strings.TrimSpace(line); line == "" {
		return "", errors.New("an empty answer")
	}
	switch text := line[1:]; line[0] {
	case '-':
		return "", errors.New(text)
	case '$':
		length, err := strconv.Atoi(text)
		if err != nil || length < 0 {
			return "", err
		}
		body := make([]byte, length)
		_, err = io.ReadFull(from, body)
		return string(body), err
	default:
		return text, nil
	}
}

// URL is where the server is, in the form that asynq takes: redis-socket: for
// a Unix socket, redis: for a port, rediss: for TLS.
func (r *Redis) URL() string {
	if r.options.Certificate != nil {
		return "rediss://" + net.JoinHostPort("localhost", strconv.Itoa(r.options.Port))
	}
	network, address := r.address()
	u := url.URL{Scheme: "redis-socket", Path: address}
	if network == "tcp" {
		u = url.URL{Scheme: "redis", Host: address, Path: "/0"}
	}
	return u.String()
}

// Halt ends the server and keeps its address, and its data if it is durable,
// for Resume.
func (r *Redis) Halt() error {
	if r.process == nil {
		return nil
	}
	err := r.process.stop(syscall.SIGKILL) // appendfsync always: nothing is lost by it
	r.process = nil
	if err != nil {
		return fmt.Errorf("stop Redis: %w", err)
	}
	return nil
}

// Restart ends the server and starts it again: empty, unless it is durable.
func (r *Redis) Restart(ctx context.Context) error {
	if err := r.Halt(); err != nil {
		return err
	}
	return r.Resume(ctx)
}

// Stop ends the server and removes its folder. It may be called twice.
func (r *Redis) Stop() error {
	return errors.Join(r.Halt(), r.run.remove())
}
