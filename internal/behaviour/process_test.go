package behaviour_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"rappel/internal/services"
	"rappel/internal/testenv"
)

// A process is the real program, run and used as in production, and everything
// that it says anywhere.
type process struct {
	*direct

	admin   bool // messages go by the admin endpoints, not by Twilio and SendGrid
	binary  string
	env     []string
	program *services.Program
	seeds   seeds

	mu    sync.Mutex
	heard map[string]*bytes.Buffer // by where it was said
}

func newProcess(t *testing.T, byAdmin bool) *process {
	t.Helper()
	database, redisURL := testenv.Database(t, migrate), testenv.Redis(t)
	db, err := pgxpool.New(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	opt, err := asynq.ParseRedisURI(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	in := newInbox(t)
	p := &process{
		direct: &direct{
			world: &world{
				t: t, db: db, redis: opt, tasks: asynq.NewInspector(opt), clock: &clock{now: time.Now()},
				inbox: in, log: &log{t: t}, names: map[string]string{},
			},
			carriers: newCarriers(t, in),
		},
		admin: byAdmin, binary: filepath.Join(t.TempDir(), "rappel"), seeds: allSeeds(), heard: map[string]*bytes.Buffer{},
	}
	t.Cleanup(func() { _ = p.tasks.Close() })
	p.monitor()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", p.binary, "./cmd/rappel")
	build.Dir = "../.."
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
	p.start(database, redisURL)
	return p
}

// start runs worker, scheduler and ops server.
func (p *process) start(database, redisURL string) {
	p.t.Helper()
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(testenv.FreePort(p.t)))
	p.opsURL = "http://" + addr
	withPassword, err := url.Parse(database)
	if err != nil {
		p.t.Fatal(err)
	}
	withPassword.User = url.UserPassword(withPassword.User.Username(), "pgpass-Mumpfel")
	p.env = []string{
		"DATABASE_URL=" + withPassword.String(), "REDIS_URL=" + redisURL, "RAPPEL_ADMIN_URL=" + p.inbox.url, "RAPPEL_ADMIN_TOKEN=" + token,
		"RAPPEL_HTTP_ADDR=" + addr, "RAPPEL_OPS_TOKEN=" + opsToken, "RAPPEL_PUBLIC_URL=" + publicURL,
		"RAPPEL_LOG_LEVEL=debug", "RAPPEL_SHUTDOWN_TIMEOUT=10s", "RAPPEL_CONCURRENCY=16",
		"TWILIO_ACCOUNT_SID=" + accountSID, "TWILIO_AUTH_TOKEN=" + authToken, "TWILIO_FROM=+15005550006", "RAPPEL_TWILIO_URL=" + p.carriers.url,
		"SENDGRID_API_KEY=" + apiKey, "SENDGRID_FROM_EMAIL=desk@elm.example.com", "RAPPEL_SENDGRID_URL=" + p.carriers.url,
		"SENDGRID_WEBHOOK_PUBLIC_KEY=" + p.newKey(p.t),
	}
	if !p.admin {
		p.env = append(p.env, "RAPPEL_SMS_VIA=twilio", "RAPPEL_EMAIL_VIA=sendgrid")
	}
	p.program, err = services.StartProgram(p.t.Context(), services.ProgramOptions{
		Argv: []string{p.binary, "run"}, Env: p.env, Log: p.ear("standard output and error"),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(p.stop)
	p.until("it is ready", func(ctx context.Context) bool { return p.ask(ctx, "/readyz") == http.StatusOK })
	p.arguments()
}

// arguments keeps what everybody on the machine can see of the process.
func (p *process) arguments() {
	p.t.Helper()
	lines, err := exec.CommandContext(p.t.Context(), "ps", "-A", "-ww", "-o", "args").Output()
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(lines)) {
		if strings.HasPrefix(line, p.binary) {
			_, _ = io.WriteString(p.ear("arguments"), line)
		}
	}
}

func (p *process) stop() {
	_ = p.program.Signal(syscall.SIGTERM)
	if err := p.program.Err(); err != nil && !p.t.Failed() {
		p.t.Errorf("it did not end cleanly: %v", err)
	}
}

// An ear keeps what is said at one place.
type ear struct {
	p     *process
	where string
}

func (p *process) ear(where string) io.Writer { return ear{p, where} }

func (e ear) Write(b []byte) (int, error) {
	e.p.mu.Lock()
	defer e.p.mu.Unlock()
	if e.p.heard[e.where] == nil {
		e.p.heard[e.where] = &bytes.Buffer{}
	}
	return e.p.heard[e.where].Write(b)
}

// monitor hears every command that Redis is given, until the test ends.
func (p *process) monitor() {
	p.t.Helper()
	opt := p.redis.(asynq.RedisClientOpt)
	var dialer net.Dialer
	conn, err := dialer.DialContext(p.t.Context(), cmp.Or(opt.Network, "tcp"), opt.Addr)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "MONITOR\r\n"); err != nil {
		p.t.Fatal(err)
	}
	var hearing sync.WaitGroup
	hearing.Go(func() { _, _ = io.Copy(p.ear("what Redis was told"), bufio.NewReader(conn)) })
	p.t.Cleanup(func() {
		conn.Close()
		hearing.Wait()
	})
}

// remember keeps every key of Redis with its value.
func (p *process) remember() {
	p.t.Helper()
	r := p.redis.MakeRedisClient().(redis.UniversalClient)
	defer r.Close()
	ctx := p.t.Context()
	keys := r.Scan(ctx, 0, "*", 1000).Iterator()
	for keys.Next(ctx) {
		key := keys.Val()
		sort, err := r.Type(ctx, key).Result()
		if err != nil {
			p.t.Fatal(err)
		}
		var value any
		switch sort {
		case "string":
			value, err = r.Get(ctx, key).Result()
		case "list":
			value, err = r.LRange(ctx, key, 0, -1).Result()
		case "set":
			value, err = r.SMembers(ctx, key).Result()
		case "zset":
			value, err = r.ZRange(ctx, key, 0, -1).Result()
		case "hash":
			value, err = r.HGetAll(ctx, key).Result()
		case "none": // gone by now
		default:
			p.t.Errorf("a %s is none of what this test can read: %s", sort, key)
		}
		if err != nil {
			p.t.Fatal(err)
		}
		fmt.Fprintf(p.ear("Redis"), "%s: %v\n", key, value)
	}
	if err := keys.Err(); err != nil {
		p.t.Fatal(err)
	}
}

// ask asks the ops server for a page, and keeps what it says.
func (p *process) ask(ctx context.Context, path string) int {
	p.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.opsURL+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+opsToken)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	if len(p.seeds.in(path)) == 0 { // who names a person may hear the name again
		_, _ = io.Copy(p.ear("GET "+path), res.Body)
	}
	return res.StatusCode
}

// command runs one of the program's commands, and keeps what it says: all but
// the tables of who is told, which are for people who ask for that.
func (p *process) command(args ...string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.binary, args...)
	where := p.ear("rappel " + args[0])
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, where, where
	if (args[0] == "forecast" || args[0] == "explain") && !slices.Contains(args, "--json") {
		cmd.Stdout = nil
	}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		p.t.Fatalf("rappel %s: %v", args[0], err)
	}
}

// quiet waits until nothing is left to be done now.
func (p *process) quiet() {
	p.t.Helper()
	p.clock.set(time.Now())
	p.settle()
	p.clock.set(time.Now())
}

// answers has the next requests for a message answered so.
func (p *process) answers(byAdmin, byCarrier []answer) {
	if p.admin {
		p.inbox.answers(byAdmin...)
		return
	}
	p.carriers.answers(byCarrier...)
}
