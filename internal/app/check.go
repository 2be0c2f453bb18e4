package app

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"rappel/internal/config"
	"rappel/internal/ops"
	"rappel/internal/queue"
)

// A Result is how a check ended.
type Result string

// The results, in the contract's words.
const (
	OK   Result = "ok"
	Warn Result = "warn"
	Fail Result = "fail"
)

// A Finding is what one check found.
type Finding struct {
	Check  string `json:"check"`
	Result Result `json:"result"`
	Detail string `json:"detail"`
}

// checkWithin bounds each check: a service that hangs is one that fails.
const checkWithin = 10 * time.Second

// A check asks one thing that rappel rests on.
type check struct {
	name  string
	rests string                               // the check without which there is no sense in asking
	ready func(context.Context) error          // the cheap half, which /readyz asks too; nil: it is no condition
	ask   func(context.Context) (said verdict) // the rest; nil: there is none
}

// checks are all there are, in the order in which one would look.
func (a *App) checks() []check {
	const database, redis = "database", "redis"
	all := []check{
		{name: "time limits", ask: a.checkLimits},
		{name: database, ready: a.pingDatabase, ask: a.checkDatabase},
		{name: "schema", rests: database, ready: a.store.Ready, ask: a.checkSchema},
		{name: "practice side", rests: database, ask: a.checkPracticeSide},
		{name: "rights", rests: database, ask: a.checkRights},
		{name: "practices", rests: database, ask: a.checkPractices},
		{name: "source rows", rests: database, ask: a.checkRows},
		{name: "rules", rests: database, ask: a.checkRules},
		{name: "templates", rests: database, ask: a.checkTemplates},
		{name: "time zones", rests: database, ask: a.checkZones},
		{name: redis, ready: a.pingRedis, ask: a.checkRedis},
		{name: "redis eviction", rests: redis, ask: a.checkEviction},
		{name: "redis persistence", rests: redis, ask: a.checkPersistence},
		{name: "clock", ask: a.checkClock},
		{name: "admin endpoints", ask: a.checkAdmin},
	}
	if a.cfg.SMSVia == config.ViaTwilio {
		all = append(all, check{name: "twilio", ask: a.checkTwilio})
	}
	if a.cfg.EmailVia == config.ViaSendGrid {
		all = append(all, check{name: "sendgrid", ask: a.checkSendGrid})
	}
	return append(all, check{name: "zone data", rests: database, ask: a.checkZoneData})
}

// ready are the conditions under which this process is of use. The rest of what
// Check asks is none: a process that could not read the practice side, or whose
// main app is away, still takes receipts and replies.
func (a *App) ready() []ops.Check {
	var conditions []ops.Check
	for _, c := range a.checks() {
		if c.ready != nil {
			conditions = append(conditions, ops.Check{Name: c.name, Ask: c.ready})
		}
	}
	return append(conditions, ops.Check{Name: "loops", Ask: func(context.Context) error { return a.loops.Check() }})
}

// Check asks everything that rappel rests on whether it is as it should be, and
// tells of each as soon as it is known. It changes nothing.
func (a *App) Check(ctx context.Context) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		if !yield(Finding{"configuration", OK, "all variables can be read"}) {
			return
		}
		away := map[string]bool{}
		for _, c := range a.checks() {
			f := Finding{c.name, Fail, "not asked: " + c.rests + " fails"}
			if !away[c.rests] {
				f = c.run(ctx, away)
			}
			if !yield(f) {
				return
			}
		}
	}
}

// run notes under the check's name whether what it asked was away.
func (c check) run(ctx context.Context, away map[string]bool) Finding {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	if c.ready != nil {
		if err := c.ready(ctx); err != nil {
			away[c.name] = true
			return failed(err).finding(c.name)
		}
	}
	return c.ask(ctx).finding(c.name)
}

// A verdict is what a check has to say.
type verdict struct {
	wrong    []string // what fails
	doubtful []string // what only warns
	fine     string   // where there is neither
}

// mostListed is how many of a kind one line names.
const mostListed = 5

func failed(err error) verdict { return verdict{wrong: []string{err.Error()}} }

// finding is the verdict as one line.
func (v verdict) finding(name string) Finding {
	f := Finding{name, OK, v.fine}
	switch {
	case len(v.wrong) > 0:
		f.Result = Fail
	case len(v.doubtful) > 0:
		f.Result = Warn
	default:
		return f
	}
	all := strings.Join(slices.Concat(bounded(v.wrong), bounded(v.doubtful)), "; ")
	f.Detail = strings.Join(strings.Fields(all), " ") // a connection's error has several lines
	return f
}

// bounded keeps the first, and says how many more there are.
func bounded(all []string) []string {
	if len(all) <= mostListed {
		return all
	}
	return append(slices.Clone(all[:mostListed]), fmt.Sprintf("and %d more", len(all)-mostListed))
}

func (a *App) pingDatabase(ctx context.Context) error {
	if err := a.store.Writable(ctx); err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	return nil
}

func (a *App) pingRedis(ctx context.Context) error {
	if err := queue.Ping(ctx, a.redis); err != nil {
		return fmt.Errorf("REDIS_URL: %w", err)
	}
	return nil
}
