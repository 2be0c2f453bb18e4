package archtest_test

// Modules of others, as they appear in the table.
const (
	asynq        = "github.com/hibiken/asynq"
	asynqmon     = "github.com/hibiken/asynqmon"
	bluemonday   = "github.com/microcosm-cc/bluemonday"
	goldmark     = "github.com/yuin/goldmark"
	goose        = "github.com/pressly/goose/v3"
	kong         = "github.com/alecthomas/kong"
	miniredis    = "github.com/alicebob/miniredis/v2"
	pgx          = "github.com/jackc/pgx/v5"
	phonenumbers = "github.com/nyaruka/phonenumbers"
	pretty       = "github.com/jedib0t/go-pretty/v6"
	prometheus   = "github.com/prometheus/client_golang"
	redis        = "github.com/redis/go-redis/v9"
	redisRate    = "github.com/go-redis/redis_rate/v10"
	sendgridGo   = "github.com/sendgrid/sendgrid-go"
	sendgridRest = "github.com/sendgrid/rest"
	tint         = "github.com/lmittmann/tint"
	twilioAPI    = "github.com/twilio/twilio-go/rest/api/v2010" // not the root package: 85 s more to compile
	twilioClient = "github.com/twilio/twilio-go/client"
	otel         = "go.opentelemetry.io/otel"
	uuid         = "github.com/google/uuid"
	xnethtml     = "golang.org/x/net/html"
	xsync        = "golang.org/x/sync"
	xsys         = "golang.org/x/sys/unix"
	xtext        = "golang.org/x/text"
)

// anything is what the one package that knows all others may import.
const anything = "…"

// mayImport is the direction of imports: for each package, what it may import
// besides the standard library. A name of ours is that package alone; a name of
// others is everything below it. A package without a row may not exist, so a
// new one is a decision. Tests may import what they like.
func mayImport() map[string][]string {
	return map[string][]string{
		// The rules. Pure: see keptTo.
		"internal/kind":          {},
		"internal/schedule":      {"internal/kind"},
		"internal/heartbeat":     {},
		"internal/zoneinfo":      {},
		"internal/zoneinfo/pack": {},
		"recipients":             {"internal/kind", phonenumbers},
		"templates":              {"internal/kind", "internal/zoneinfo", bluemonday, goldmark, xnethtml, xtext},
		"internal/practice":      {"recipients", "templates", "internal/schedule", "internal/kind", "internal/zoneinfo"},
		"internal/lookup":        {"recipients", "internal/kind"},

		// The work. It states what it needs as interfaces, and knows neither
		// the store nor a way out.
		"jobs": {"internal/kind", asynq, otel, uuid},
		"jobs/plan": {
			"jobs", "recipients", "templates", "internal/schedule", "internal/kind", "internal/practice", "internal/tracing",
			asynq, uuid,
		},
		"jobs/sweep": {
			"jobs", "jobs/plan", "recipients", "templates", "internal/schedule", "internal/kind", "internal/practice",
			asynq, uuid,
		},
		"jobs/forecast": {
			"jobs/plan", "jobs/sweep", "jobs/deliver", "recipients", "internal/schedule", "internal/kind", "internal/practice",
		},
		"jobs/deliver": {
			"jobs", "recipients", "templates", "internal/schedule", "internal/kind", "internal/practice", "internal/tracing",
			asynq, uuid,
		},
		"jobs/retain": {"jobs", asynq},
		"jobs/reply":  {"jobs/deliver", "recipients", "internal/schedule", "internal/kind"},

		// The ways in and out. They do not know each other.
		"internal/postgres": {
			"jobs", "jobs/plan", "jobs/sweep", "jobs/deliver", "jobs/reply", "jobs/retain", "jobs/forecast", "recipients", "templates",
			"internal/schedule", "internal/kind", "internal/practice", "internal/lookup", "internal/zoneinfo",
			goose, pgx, uuid, xsys,
		},
		"internal/queue":    {"jobs", "recipients", asynq, prometheus, redis, redisRate},
		"internal/admin":    {"jobs", "jobs/deliver", "jobs/reply", "recipients", "internal/outbound", "internal/tracing", xsync},
		"internal/twilio":   {"jobs", "jobs/deliver", "jobs/reply", "recipients", "internal/outbound", twilioAPI, twilioClient},
		"internal/sendgrid": {"jobs", "jobs/deliver", "recipients", "internal/outbound", sendgridGo, sendgridRest},
		"internal/ops":      {asynq, asynqmon, prometheus},
		"internal/pages":    {"jobs/deliver", "jobs/forecast", "recipients", "templates", "internal/kind", "internal/lookup", uuid},
		"internal/config":   {},
		"internal/outbound": {},
		"internal/tracing":  {otel},
		// It plays the main app, and so knows what a main app knows.
		"internal/dev": {
			"jobs", "recipients", "templates", "internal/kind", "internal/schedule", "internal/services", "internal/zoneinfo",
			miniredis, pgx,
		},

		// The house around them.
		"internal/app": {anything},
		"cmd/rappel":   {"internal/app", "internal/bench", "internal/config", "internal/kind", "internal/postgres", "internal/zoneinfo", "templates", kong, pretty, tint},

		"internal/bench": {
			"internal/lookup", "internal/postgres", "internal/practice", "internal/queue", "internal/services", "internal/zoneinfo",
			"jobs", "jobs/deliver", "jobs/plan", "jobs/retain", "jobs/sweep", "recipients", "templates",
			asynq, pgx, redis, uuid,
		},

		// For development and tests. No row above has testenv or archtest:
		// only tests import them.
		"internal/services":  {pgx},
		"internal/testenv":   {"internal/services", pgx},
		"internal/archtest":  {},
		"internal/deploy":    {},
		"internal/behaviour": {},
		"internal/chaos":     {},
	}
}

// keptTo names what of the standard library only some packages may use: a
// package by its path, or one of its functions.
func keptTo() map[string][]string {
	environment := []string{"cmd/rappel", "internal/config", "internal/testenv"}
	// To all others the time comes as a value, so that tests say what it is.
	// The lease of a claim is the exception: it is a span of this machine.
	clock := []string{
		"cmd/rappel", "internal/app", "internal/bench", "internal/dev", "internal/ops", "internal/queue",
		"internal/services", "internal/testenv", "jobs/deliver",
	}
	network := []string{
		"cmd/rappel", "internal/admin", "internal/app", "internal/bench", "internal/config", "internal/dev", "internal/ops", "internal/outbound",
		"internal/pages", "internal/queue", "internal/sendgrid", "internal/services", "internal/testenv", "internal/twilio",
	}
	return map[string][]string{
		"os.Getenv":    environment,
		"os.LookupEnv": environment,
		"os.Environ":   environment,
		"os.ExpandEnv": environment,
		"time.Now":     clock,
		"time.Since":   clock,
		"time.Until":   clock,
		"net/http":     network,
		// All zones come from the newest data: see package zoneinfo.
		"time.LoadLocation": {},
		"time/tzdata":       {},
		"database/sql":      {"internal/postgres"},
		"os/exec":           {"internal/services", "internal/bench", "internal/dev"},
	}
}

// topFolders is the whole of the top level, beside folders with a dot.
func topFolders() []string {
	return []string{"cmd", "docs", "internal", "jobs", "recipients", "templates"}
}

// noNames is what no package is called: words that say nothing, and names of
// the standard library that every reader would take for that.
func noNames() []string {
	return []string{
		"base", "common", "core", "helper", "helpers", "misc", "model", "models", "shared", "type", "types", "util", "utils",
		"context", "errors", "http", "json", "log", "net", "os", "sql", "strings", "sync", "testing", "time",
	}
}
