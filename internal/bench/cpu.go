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

func decimal(s string) float64 {
	n, _ := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return n
}

// What /proc tells of a process's memory.
const (
	memoryNow  = "VmRSS:"
	mostMemory = "VmHWM:"
)

// memory is what a process has in memory, in megabytes. It is false where there
// is no /proc.
func memory(pid int, which string) (float64, bool) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(raw)) {
		if kilobytes, ok := strings.CutPrefix(line, which); ok {
			return decimal(strings.TrimSuffix(strings.TrimSpace(kilobytes), " kB")) / 1024, true
		}
	}
	return 0, false
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

// redisInfo is what Redis says of itself in one section: each name with its
// value.
func (s *Services) redisInfo(ctx context.Context, section string) (map[string]string, error) {
	client, err := s.connectRedis()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	info, err := client.Info(ctx, section).Result()
	if err != nil {
		return nil, err
	}
	of := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			of[name] = value
		}
	}
	return of, nil
}

// redisUsage is the CPU time that Redis says that it has used; zero where it
// does not say.
func (s *Services) redisUsage(ctx context.Context) time.Duration {
	info, err := s.redisInfo(ctx, "cpu")
	if err != nil {
		return 0
	}
	return time.Duration((decimal(info["used_cpu_user"]) + decimal(info["used_cpu_sys"])) * float64(time.Second))
}

// redisClients is how many connections Redis has, beside the one that asks.
func (s *Services) redisClients(ctx context.Context) (float64, error) {
	info, err := s.redisInfo(ctx, "clients")
	return decimal(info["connected_clients"]) - 1, err
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

// medianCosts is the median of what each process used, over the rounds.
func medianCosts(rounds []Costs) Costs {
	median := func(of func(Costs) float64) float64 {
		var all []float64
		for _, c := range rounds {
			all = append(all, of(c))
		}
		return spread(all).Median
	}
	return Costs{
		Worker: median(func(c Costs) float64 { return c.Worker }), Postgres: median(func(c Costs) float64 { return c.Postgres }),
		Redis: median(func(c Costs) float64 { return c.Redis }), Sink: median(func(c Costs) float64 { return c.Sink }),
	}
}
