package main_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"

	rappel "rappel/cmd/rappel"
	"rappel/internal/postgres"
	"rappel/internal/queue"
	"rappel/internal/testenv"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rappel": rappel.Main})
}

// token is what the stand-in for the admin endpoints takes.
const token = "the-token-of-the-endpoints"

// patience bounds what a script waits for.
const patience = time.Minute

// TestScripts runs testdata/script: each is a session at a terminal. A script
// has the services whose variables it names, of its own: $DATABASE (migrated),
// $EMPTY (a database without a schema), $REDIS, the same with TLS ($TLS_DATABASE,
// empty, and $TLS_REDIS, for which $AUTHORITY vouches and $ANOTHER does not), and
// always $ENDPOINT with $TOKEN (a stand-in for the admin endpoints) and $ADDR
// (where nobody listens).
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts: ", err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s := newSurroundings(t, script)
			testscript.Run(t, testscript.Params{
				Files: []string{script},
				Setup: s.setup,
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"exits":     exits,
					"quiet":     quiet,
					"sql":       sql,
					"redis":     redisCommand,
					"answers":   answers,
					"received":  s.received,
					"terminate": terminate,
				},
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
			})
		})
	}
}

// surroundings are the services of one script.
type surroundings struct {
	vars     map[string]string
	messages atomic.Int64
}

func newSurroundings(t *testing.T, script string) *surroundings {
	t.Helper()
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	s := &surroundings{vars: map[string]string{"TOKEN": token, "ADDR": free(t)}}
	endpoint := httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(endpoint.Close)
	s.vars["ENDPOINT"] = endpoint.URL
	authority := sync.OnceValue(func() *testenv.Authority { return testenv.NewAuthority(t) })
	for name, start := range map[string]func() string{
		"TLS_DATABASE": func() string {
			_, port := testenv.EncryptedPostgres(t, authority().Vouch("localhost"))
			return fmt.Sprintf("postgres://postgres@localhost:%d/postgres", port)
		},
		"TLS_REDIS": func() string { return testenv.EncryptedRedis(t, authority().Vouch("localhost")).URL() },
		"AUTHORITY": func() string { return authority().File },
		"ANOTHER":   func() string { return testenv.NewAuthority(t).File },
		"DATABASE":  func() string { return testenv.Database(t, migrate) },
		"EMPTY":     func() string { return testenv.Database(t, nil) },
		"REDIS":     func() string { return testenv.Redis(t) },
	} {
		if strings.Contains(string(text), "$"+name) {
			s.vars[name] = start()
		}
	}
	return s
}

func migrate(ctx context.Context, url string) error {
	store, err := postgres.Open(ctx, url, 2)
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Migrate(ctx, nil)
	return err
}

// free is an address at which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(testenv.FreePort(t)))
}

func (s *surroundings) setup(env *testscript.Env) error {
	for name, value := range s.vars {
		env.Setenv(name, value)
	}
	return nil
}

// answer stands in for the main app's admin endpoints.
func (s *surroundings) answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodPost:
		s.messages.Add(1)
		w.WriteHeader(http.StatusAccepted)
	}
}

// received N waits until that many messages have come to the endpoints.
func (s *surroundings) received(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	waitFor(ts, func(context.Context) error {
		if got := s.messages.Load(); got != want {
			return fmt.Errorf("%d messages came, not %d", got, want)
		}
		return nil
	})
}

// answers URL [STATUS] waits until URL answers, with 200 unless said otherwise.
func answers(ts *testscript.TestScript, _ bool, args []string) {
	want := "200"
	if len(args) > 1 {
		want = args[1]
	}
	client := &http.Client{Timeout: 5 * time.Second}
	waitFor(ts, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if got := strconv.Itoa(res.StatusCode); got != want {
			return fmt.Errorf("%s answers %s", args[0], got)
		}
		return nil
	})
}

// waitFor asks until there is no error any more, or patience has an end.
func waitFor(ts *testscript.TestScript, ask func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			ts.Fatalf("%v", err)
		}
	}
}

// exits CODE COMMAND… runs a command and compares its exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exited.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, not %s", code, args[0])
	}
}

// quiet fails where the command before had something to say on stderr. How far it
// is does not count: what is soon done takes seconds on a busy machine.
func quiet(ts *testscript.TestScript, _ bool, _ []string) {
	howFar := regexp.MustCompile(`^rappel: [a-z]+: \d+ of \d+, .*\n$`)
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		if !howFar.MatchString(line) {
			ts.Fatalf("it said %q", line)
		}
	}
}

// terminate asks everything that runs in the background to stop.
func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}

// sql STATEMENT… runs statements on $DATABASE_URL and prints their rows.
func sql(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, ts.Getenv("DATABASE_URL"))
	ts.Check(err)
	defer conn.Close(ctx)
	for _, statement := range args {
		rows, err := conn.Query(ctx, statement)
		ts.Check(err)
		for rows.Next() {
			values, err := rows.Values()
			ts.Check(err)
			fmt.Fprintln(ts.Stdout(), strings.Trim(fmt.Sprint(values), "[]"))
		}
		ts.Check(rows.Err())
	}
}

// redisCommand COMMAND… runs a command on $REDIS_URL.
func redisCommand(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	opt, err := queue.ParseRedis(ts.Getenv("REDIS_URL"))
	ts.Check(err)
	client := opt.MakeRedisClient().(redis.UniversalClient)
	defer client.Close()
	words := make([]any, len(args))
	for i, a := range args {
		words[i] = a
	}
	ts.Check(client.Do(ctx, words...).Err())
}
