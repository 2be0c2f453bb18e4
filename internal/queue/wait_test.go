package queue_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/internal/queue"
	"rappel/internal/services"
	"rappel/internal/testenv"
)

// seldom is a pace at which a task that nobody waits for lies for looked at
// least, and mostly for twice that.
func seldom() queue.Pace {
	p := queue.UsualPace()
	p.Look = 2 * looked
	return p
}

// looked is out of reach of a task that somebody waits for, on a machine that is
// busy with something else, too.
const looked = 3 * time.Second

// told is a number that every Redis that holds data tells of itself, summed.
func told(t *testing.T, r redis.UniversalClient, section, name string) int {
	t.Helper()
	var (
		mu  sync.Mutex
		sum int
	)
	ask := func(ctx context.Context, one *redis.Client) error {
		info, err := one.Info(ctx, section).Result()
		_, after, found := strings.Cut(info, "\n"+name)
		var n int
		if found {
			_, _ = fmt.Sscanf(after, "%d", &n)
		}
		mu.Lock()
		defer mu.Unlock()
		sum += n
		return err
	}
	var err error
	switch r := r.(type) {
	case *redis.ClusterClient:
		err = r.ForEachMaster(t.Context(), ask)
	case *redis.Client:
		err = ask(t.Context(), r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// waiting tells whether so many servers wait.
func waiting(t *testing.T, r redis.UniversalClient, n int) func() bool {
	t.Helper()
	return func() bool { return told(t, r, "clients", "blocked_clients:") == n }
}

// called is how often Redis was asked for a command.
func called(t *testing.T, r redis.UniversalClient, command string) int {
	t.Helper()
	return told(t, r, "commandstats", "cmdstat_"+command+":calls=")
}

// during counts what grows over a span of time, and returns it by the second.
func during(t *testing.T, span time.Duration, count func() int) float64 {
	t.Helper()
	began, before := time.Now(), count()
	<-time.After(span)
	return float64(count()-before) / time.Since(began).Seconds()
}

// heard is a handler that tells when it had a task.
func heard(into chan<- time.Time) map[string]asynq.Handler {
	return map[string]asynq.Handler{"a:b": asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		into <- time.Now()
		return nil
	})}
}

// soon waits for a task that was put at a time, and returns how long it lay.
func soon(t *testing.T, put time.Time, had <-chan time.Time) time.Duration {
	t.Helper()
	select {
	case at := <-had:
		return at.Sub(put)
	case <-time.After(time.Minute):
		t.Fatal("nobody had the task")
		return 0
	}
}

func TestATaskIsInHandAtOnceHoweverSeldomAServerLooks(t *testing.T) {
	t.Parallel()
	r := connect(t)
	had := make(chan time.Time, 1)
	serveAt(t, seldom(), the(r), heard(had))
	var lay []time.Duration
	for range 15 {
		eventually(t, "the server waits", waiting(t, r, 1))
		now := time.Now()
		put(t, r, asynq.NewTask("a:b", nil))
		lay = append(lay, soon(t, now, had))
	}
	slices.Sort(lay)
	t.Logf("half within %s, all within %s", lay[len(lay)/2], lay[len(lay)-1])
	if median := lay[len(lay)/2]; median > looked/8 {
		t.Errorf("half took longer than %s", median)
	}
}

func TestAnIdleServerHardlyAsks(t *testing.T) {
	t.Parallel()
	r := connect(t)
	_, log := serve(t, r, nil)
	eventually(t, "the server waits", waiting(t, r, 1))
	// Two of them each second look for tasks whose time has come.
	perSecond := during(t, 6*time.Second, func() int {
		return called(t, r, "evalsha") + called(t, r, "eval") + called(t, r, "blmove")
	})
	t.Logf("%.1f a second", perSecond)
	if perSecond > 5 {
		t.Errorf("asked %.1f times a second", perSecond)
	}
	if log.String() != "" {
		t.Errorf("said %s", log)
	}
}

// asked keeps the scripts that a client was asked to run.
type asked struct {
	mu   sync.Mutex
	keys []string
}

func (*asked) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*asked) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (a *asked) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		err := next(ctx, command)
		if args := command.Args(); strings.HasPrefix(command.Name(), "eval") && errors.Is(err, redis.Nil) {
			n, _ := args[2].(int)
			a.mu.Lock()
			defer a.mu.Unlock()
			a.keys = append(a.keys, fmt.Sprint(args[3:3+n]))
		}
		return err
	}
}

func TestAsynqTakesATaskByAScriptOfFourKeys(t *testing.T) {
	t.Parallel()
	r, all := connect(t), &asked{}
	r.AddHook(all)
	server := asynq.NewServerFromRedisClient(r, asynq.Config{
		Queues: map[string]int{"sms": 1}, TaskCheckInterval: time.Millisecond, LogLevel: asynq.FatalLevel,
	})
	if err := server.Start(asynq.NotFoundHandler()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	seen := func() []string {
		all.mu.Lock()
		defer all.mu.Unlock()
		return slices.Compact(slices.Clone(all.keys))
	}
	eventually(t, "it looks", func() bool { return len(seen()) > 0 })
	if want := fmt.Sprint(queue.KeysOfTaking("sms")); !slices.Equal(seen(), []string{want}) {
		t.Errorf("an idle server asks for %q, and not for %s: idle workers no longer wait", seen(), want)
	}
}

func TestWhoWaitsLeavesTheOrderOfTasks(t *testing.T) {
	t.Parallel()
	r := connect(t)
	inspector := asynq.NewInspectorFromRedisClient(r)
	if err := inspector.PauseQueue("default"); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 10)
	handlers := map[string]asynq.Handler{"a:b": asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		got <- string(task.Payload())
		return nil
	})}
	// One at a time: of two that are worked on at once, either may end first.
	serveDesk(t, queue.UsualPace(), the(r), queue.Desk{Queue: "default", Concurrency: 1, Handlers: handlers})
	eventually(t, "a paused queue without a task is waited for", waiting(t, r, 1))
	const tasks = 5
	for n := range tasks {
		put(t, r, asynq.NewTask("a:b", []byte{'0' + byte(n)}))
	}
	// It has what it waits for, and may not take it: it looks, as ever.
	perSecond := during(t, 2*time.Second, func() int { return called(t, r, "blmove") })
	t.Logf("%.1f a second while paused", perSecond)
	if perSecond > 45 || len(got) > 0 {
		t.Errorf("asked %.1f times a second, handled %d", perSecond, len(got))
	}
	if err := inspector.UnpauseQueue("default"); err != nil {
		t.Fatal(err)
	}
	for n := range tasks {
		if one := int((<-got)[0] - '0'); one != n {
			t.Errorf("task %d came as number %d", one, n)
		}
	}
}

func TestATaskWhoseTimeHasComeWakesWhoWaits(t *testing.T) {
	t.Parallel()
	r := connect(t)
	had, tries := make(chan time.Time, 2), 0
	serveAt(t, seldom(), the(r), map[string]asynq.Handler{"a:b": asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		had <- time.Now()
		if tries++; tries == 1 {
			return errors.New("away")
		}
		return nil
	})})
	eventually(t, "the server waits", waiting(t, r, 1))
	now := time.Now()
	put(t, r, asynq.NewTask("a:b", nil, asynq.ProcessIn(time.Second), asynq.MaxRetry(3)))
	first := soon(t, now, had)
	eventually(t, "the server waits again", waiting(t, r, 1))
	// It lies for its second, and for up to another until asynq looks what is due.
	if again := soon(t, now.Add(first), had); first > time.Second+looked || again > time.Second+looked {
		t.Errorf("scheduled in a second it took %s, tried again after a second %s", first, again)
	}
}

func TestManyWhoWaitHaveEachTaskOnce(t *testing.T) {
	t.Parallel()
	const servers, tasks = 6, 60
	r := connect(t)
	had := make(chan time.Time, tasks)
	for range servers {
		serve(t, r, heard(had))
	}
	eventually(t, "all wait", waiting(t, r, servers))
	for range tasks {
		now := time.Now()
		put(t, r, asynq.NewTask("a:b", nil))
		soon(t, now, had)
	}
	// A task leaves the queue a moment after its handler had it.
	inspector := asynq.NewInspectorFromRedisClient(r)
	var info *asynq.QueueInfo
	eventually(t, "nothing is in hand", func() (idle bool) {
		var err error
		info, err = inspector.GetQueueInfo("default")
		return err == nil && info.Size == 0
	})
	eventually(t, "all wait again", waiting(t, r, servers))
	if info.ProcessedTotal != tasks || info.FailedTotal != 0 || len(had) > 0 {
		t.Errorf("%+v, %d too many", info, len(had))
	}
}

func TestARedisThatLetsNobodyWaitIsAskedInstead(t *testing.T) {
	t.Parallel()
	r := connect(t)
	if err := r.ACLSetUser(t.Context(), "default", "-blmove").Err(); err != nil {
		t.Fatal(err)
	}
	p := queue.UsualPace()
	p.Again = 50 * time.Millisecond
	had := make(chan time.Time, 1)
	_, log := serveAt(t, p, the(r), heard(had))
	eventually(t, "it says so", func() bool { return strings.Contains(log.String(), "NOPERM") })
	for range 5 {
		now := time.Now()
		put(t, r, asynq.NewTask("a:b", nil))
		soon(t, now, had)
	}
	mayWait := func(rule string) {
		t.Helper()
		if err := r.ACLSetUser(t.Context(), "default", rule).Err(); err != nil {
			t.Fatal(err)
		}
	}
	mayWait("+blmove")
	eventually(t, "it waits where it may", waiting(t, r, 1))
	mayWait("-blmove")
	before := refused(t, r, "blmove")
	put(t, r, asynq.NewTask("a:b", nil)) // wakes it
	eventually(t, "it was refused again", func() bool { return refused(t, r, "blmove") > before+3 })
	if said := log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, `"queue":"default"`) {
		t.Errorf("said %s", said)
	}
}

// refused is how often Redis did not let somebody run a command.
func refused(t *testing.T, r redis.UniversalClient, command string) int {
	t.Helper()
	_, calls, _ := strings.Cut(r.Info(t.Context(), "commandstats").Val(), "cmdstat_"+command+":")
	_, calls, _ = strings.Cut(calls, "rejected_calls=")
	var n int
	_, _ = fmt.Sscanf(calls, "%d", &n)
	return n
}

func TestARedisThatGivesNoTaskIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := connect(t)
	if err := r.ACLSetUser(t.Context(), "default", "-evalsha").Err(); err != nil {
		t.Fatal(err)
	}
	serve(t, r, nil)
	perSecond := during(t, 3*time.Second, func() int { return refused(t, r, "evalsha") })
	t.Logf("asked %.1f times a second", perSecond)
	if perSecond < 1 || perSecond > 15 {
		t.Errorf("asked %.1f times a second", perSecond)
	}
}

// hasty is a client whose answers must come at once, and that has hardly any
// connections.
type hasty struct{ asynq.RedisClientOpt }

func (h hasty) MakeRedisClient() any {
	return redis.NewClient(&redis.Options{
		Network: h.Network, Addr: h.Addr, ReadTimeout: time.Second, ContextTimeoutEnabled: true, PoolSize: 2,
	})
}

func TestAWaitMayTakeLongerThanAnAnswer(t *testing.T) {
	t.Parallel()
	r := connect(t)
	had := make(chan time.Time, 1)
	_, log := serveAt(t, seldom(), hasty{the(r).(asynq.RedisClientOpt)}, heard(had))
	eventually(t, "the server waits", waiting(t, r, 1))
	// One wait may end and another begin; cut short, each of them is tried again.
	if perSecond := during(t, 4*time.Second, func() int { return called(t, r, "blmove") }); perSecond > 0.5 {
		t.Errorf("waited %.1f times a second", perSecond)
	}
	now := time.Now()
	put(t, r, asynq.NewTask("a:b", nil))
	soon(t, now, had)
	if log.String() != "" {
		t.Errorf("said %s", log)
	}
}

func TestAServerWaitsWhereverItsURLLeads(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T) asynq.RedisConnOpt{"TLS": encrypted, "Sentinel": watched, "Cluster": clustered} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opt := start(t)
			r := connectTo(t, opt)
			had := make(chan time.Time, 1)
			_, log := serveAt(t, seldom(), opt, heard(had))
			for range 3 {
				eventually(t, "the server waits", waiting(t, r, 1))
				now := time.Now()
				put(t, r, asynq.NewTask("a:b", nil))
				if lay := soon(t, now, had); lay > looked/2 {
					t.Errorf("a task lay for %s", lay)
				}
			}
			if log.String() != "" {
				t.Errorf("said %s", log)
			}
		})
	}
}

func TestAShutdownDoesNotWaitForWhoWaits(t *testing.T) {
	t.Parallel()
	r, p := connect(t), queue.UsualPace()
	p.Wait = 20 * time.Second
	s, log := serveAt(t, p, the(r), nil)
	eventually(t, "the server waits", waiting(t, r, 1))
	began := time.Now()
	stop(t, s)
	if took := time.Since(began); took > p.Wait/4 {
		t.Errorf("after %s", took)
	}
	eventually(t, "nobody waits", waiting(t, r, 0))
	if log.String() != "" {
		t.Errorf("said %s", log)
	}
	stop(t, s)
}

func TestTasksSurviveARedisThatGoesAway(t *testing.T) {
	t.Parallel()
	server, err := services.StartRedis(t.Context(), services.RedisOptions{Durable: true})
	opt := runs(t, server, err)
	r := connectTo(t, opt)
	inspector := asynq.NewInspectorFromRedisClient(r)
	had := make(chan time.Time, 10)
	_, log := serveAt(t, queue.UsualPace(), opt, heard(had))
	for range 3 {
		if err := inspector.PauseQueue("default"); err != nil {
			t.Fatal(err)
		}
		put(t, r, asynq.NewTask("a:b", nil))
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the queue goes on", func() bool { return inspector.UnpauseQueue("default") == nil })
		soon(t, time.Now(), had)
		eventually(t, "the server waits again", waiting(t, r, 1))
	}
	if strings.Contains(log.String(), "BLMOVE") {
		t.Errorf("said of a restart: %s", log)
	}
	if len(had) > 0 {
		t.Error("a task was handled twice")
	}
}

func TestAServerWaitsWhereTheNewMasterIs(t *testing.T) {
	t.Parallel()
	s, err := services.StartSentinel(t.Context(), services.SentinelOptions{})
	opt := runs(t, s, err)
	r := connectTo(t, opt)
	had := make(chan time.Time, 1)
	_, log := serveAt(t, queue.UsualPace(), opt, heard(had))
	eventually(t, "the server waits", waiting(t, r, 1))
	before, err := s.Master(t.Context())
	if err == nil {
		err = before.Halt()
	}
	if err != nil {
		t.Fatal(err)
	}
	client := queue.NewClient(r, time.Now)
	eventually(t, "a task can be put", func() bool { return client.Put(t.Context(), asynq.NewTask("a:b", nil)) == nil })
	soon(t, time.Now(), had)
	eventually(t, "the server waits", waiting(t, r, 1))
	if strings.Contains(log.String(), "BLMOVE") {
		t.Errorf("said of a failover: %s", log)
	}
}

func TestARedisThatIsAwayIsLeftAlone(t *testing.T) {
	t.Parallel()
	var tried atomic.Int64
	_, address, _ := strings.Cut(testenv.Raw(t, func(*net.TCPConn) { tried.Add(1) }), "//") // it hangs up
	s, log := serveAt(t, queue.UsualPace(), asynq.RedisClientOpt{Addr: address}, nil)
	perSecond := during(t, 5*time.Second, func() int { return int(tried.Load()) })
	lines := strings.Count(log.String(), "\n")
	t.Logf("tried %.1f times a second, said %d lines", perSecond, lines)
	if perSecond > 30 || lines > 7 { // one of each kind
		t.Errorf("tried %.1f times a second, said %d lines: %s", perSecond, lines, log)
	}
	began := time.Now()
	stop(t, s)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopped after %s", took)
	}
}

// runs returns where a server is that a test has started.
func runs(t *testing.T, server interface {
	URL() string
	Stop() error
}, err error,
) asynq.RedisConnOpt {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return parsed(t, server.URL())
}

func parsed(t *testing.T, url string) asynq.RedisConnOpt {
	t.Helper()
	opt, err := queue.ParseRedis(url)
	if err != nil {
		t.Fatal(err)
	}
	return opt
}

func watched(t *testing.T) asynq.RedisConnOpt {
	t.Helper()
	s, err := services.StartSentinel(t.Context(), services.SentinelOptions{})
	return runs(t, s, err)
}

func clustered(t *testing.T) asynq.RedisConnOpt {
	t.Helper()
	c, err := services.StartCluster(t.Context(), services.ClusterOptions{})
	return runs(t, c, err)
}

func encrypted(t *testing.T) asynq.RedisConnOpt {
	t.Helper()
	authority := testenv.NewAuthority(t)
	opt := parsed(t, testenv.EncryptedRedis(t, authority.Vouch("localhost")).URL()).(asynq.RedisClientOpt)
	known, err := os.ReadFile(authority.File)
	if err != nil {
		t.Fatal(err)
	}
	opt.TLSConfig.RootCAs = x509.NewCertPool()
	opt.TLSConfig.RootCAs.AppendCertsFromPEM(known)
	return opt
}
