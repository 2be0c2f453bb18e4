package bench

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/queue"
)

// tick is the unit of times in /proc on every machine that Linux runs on today.
const tick = 10 * time.Millisecond

// usage is the CPU time of a process as the kernel tells it, and what its
// children had used that are gone. It is false where there is no /proc.
func usage(pid int) (own, gone time.Duration, ok bool) {
	fields, ok := stat(pid)
	if !ok {
		return 0, 0, false
	}
	const user, system, childrenUser, childrenSystem = 11, 12, 13, 14 // counted after the name
	sum := func(a, b int) time.Duration { return time.Duration(number(fields[a])+number(fields[b])) * tick }
	return sum(user, system), sum(childrenUser, childrenSystem), true
}

// stat is what /proc says of a process after its name, which may hold anything.
func stat(pid int) ([]string, bool) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, after, found := bytes.Cut(raw, []byte(") "))
	fields := strings.Fields(string(after))
	return fields, err == nil && found && len(fields) > 14
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// family is the CPU time of a process, of the children that it has, and of
// those that it had.
func family(pid int) (time.Duration, bool) {
	own, gone, ok := usage(pid)
	if !ok {
		return 0, false
	}
	total := own + gone
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		child, _ := strconv.Atoi(filepath.Base(dir))
		const parent = 1
		if fields, ok := stat(child); ok && number(fields[parent]) == int64(pid) {
			own, _, _ := usage(child)
			total += own
		}
	}
	return total, true
}

// postmaster is the process of PostgreSQL whose children serve; 0 where it is
// not to be found.
func (s *Services) postmaster(ctx context.Context) int {
	conn, err := pgx.Connect(ctx, s.postgres.URL("postgres"))
	if err != nil {
		return 0
	}
	defer conn.Close(ctx)
	var backend int
	if conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend) != nil {
		return 0
	}
	fields, ok := stat(backend)
	if !ok {
		return 0
	}
	return int(number(fields[1]))
}

// redisUsage is what Redis says that it has used.
func (s *Services) redisUsage(ctx context.Context) time.Duration {
	opt, err := queue.ParseRedis(s.redis.URL())
	if err != nil {
		return 0
	}
	redis, err := queue.Connect(opt)
	if err != nil {
		return 0
	}
	defer redis.Close()
	info, err := redis.Info(ctx, "cpu").Result()
	if err != nil {
		return 0
	}
	var total time.Duration
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_user" || name == "used_cpu_sys" {
			seconds, _ := strconv.ParseFloat(value, 64)
			total += time.Duration(seconds * float64(time.Second))
		}
	}
	return total
}

// Costs is the CPU time of a message, in microseconds, of each process that has
// to do with it. Zero: not known here, or none.
type Costs struct {
	Worker   float64 `json:"worker"`
	Postgres float64 `json:"postgres"`
	Redis    float64 `json:"redis"`
	Sink     float64 `json:"sink"`
}

// A meter reads what the processes of one measurement use.
type meter struct {
	services     *Services
	worker, sink int
}

func (m meter) read(ctx context.Context) Costs {
	var c Costs
	if used, ok := family(m.worker); ok {
		c.Worker = micros(used)
	}
	if pid := m.services.postmaster(ctx); pid != 0 {
		used, _ := family(pid)
		c.Postgres = micros(used)
	}
	c.Redis = micros(m.services.redisUsage(ctx))
	if used, ok := family(m.sink); ok {
		c.Sink = micros(used)
	}
	return c
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// since is what was used after a reading, a message.
func (c Costs) since(before Costs, messages int) Costs {
	n := float64(messages)
	return Costs{
		Worker: (c.Worker - before.Worker) / n, Postgres: (c.Postgres - before.Postgres) / n,
		Redis: (c.Redis - before.Redis) / n, Sink: (c.Sink - before.Sink) / n,
	}
}
