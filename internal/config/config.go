// Package config turns the environment into a Config. It is the only reader of
// the environment, reports every mistake at once, and never repeats a value
// that may hold a password.
//
// It deliberately does not know what the settings are used for, and connects to
// nothing.
package config

import (
	"errors"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"time"
)

// A Secret is a value that no log line, error or dump may show.
type Secret string

// mask is what is shown of a secret.
const mask = "•••"

func (s Secret) String() string { return s.GoString() }

// GoString masks the secret; an empty one is seen to be empty.
func (s Secret) GoString() string {
	if s == "" {
		return ""
	}
	return mask
}

// MarshalText masks the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.GoString()), nil }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// A Config is all that can be configured.
type Config struct {
	DatabaseURL     Secret
	RedisURL        Secret
	SMSVia          string // admin or twilio
	EmailVia        string // admin or sendgrid
	AdminURL        string
	AdminToken      Secret
	Twilio          Twilio
	SendGrid        SendGrid
	HTTPAddr        string // empty: not given
	OpsToken        Secret
	PublicURL       string
	TasksWritable   bool // the Asynq dashboard may change queues
	Concurrency     int
	PracticeRate    int // messages a second of one practice and channel, on all machines; 0: no limit
	ShutdownTimeout time.Duration
	LogLevel        slog.Level
	LogFormat       string
	Traces          bool   // a collector is named by the standard OTEL_ variables
	ZoneInfo        string // a directory or zip file with time zone data; empty: none
	PostgresBin     string // of rappel dev; empty: looked for
}

// Twilio is an account with Twilio.
type Twilio struct {
	AccountSID          string
	AuthToken           Secret
	From                string // or MessagingServiceSID
	MessagingServiceSID string
	URL                 string // empty: Twilio's own
}

// SendGrid is an account with SendGrid.
type SendGrid struct {
	APIKey           Secret
	FromEmail        string
	FromName         string
	WebhookPublicKey string // of the event webhook; empty: no event is believed
	URL              string // empty: SendGrid's own
}

// The words of RAPPEL_SMS_VIA and RAPPEL_EMAIL_VIA.
const (
	ViaAdmin    = "admin"
	ViaTwilio   = "twilio"
	ViaSendGrid = "sendgrid"
)

// A Need is a part of the configuration that a command cannot do without.
type Need int

// The needs. They are combined with |.
const (
	Database Need = 1 << iota
	Redis
	Delivery // a way out
	Listen   // the ops server
)

// DefaultHTTPAddr is where the ops server listens unless told otherwise.
const DefaultHTTPAddr = "127.0.0.1:8080"

// A Variable describes one variable of the environment.
type Variable struct {
	Name, Default, Meaning string
	Secret                 bool // NAME_FILE may name a file that holds it
}

// Variables lists what Load reads, in the order of the README.
func Variables() []Variable {
	return []Variable{
		{"DATABASE_URL", "required", "PostgreSQL 14 or newer", true},
		{"REDIS_URL", "required", "Redis 6.2 or newer: `redis://`, `rediss://`, `redis-socket://`, `redis-sentinel://host,host/master`, `redis-cluster://host,host`", true},
		{"RAPPEL_ADMIN_URL", "required where a channel goes by `admin`", "base URL of the main app's admin endpoints; replies go there in any case", false},
		{"RAPPEL_ADMIN_TOKEN", "required likewise", "bearer token for them", true},
		{"RAPPEL_SMS_VIA", "`admin`", "the way out of SMS: `admin` or `twilio`", false},
		{"RAPPEL_EMAIL_VIA", "`admin`", "the way out of e-mail: `admin` or `sendgrid`", false},
		{"TWILIO_ACCOUNT_SID", "required by `twilio`", "the account", false},
		{"TWILIO_AUTH_TOKEN", "required by `twilio`", "its token, which also checks Twilio's webhooks", true},
		{"TWILIO_FROM", "one of the two required by `twilio`", "the number to send from", false},
		{"TWILIO_MESSAGING_SERVICE_SID", "see above", "or the messaging service", false},
		{"RAPPEL_TWILIO_URL", "Twilio's own", "another base URL", false},
		{"SENDGRID_API_KEY", "required by `sendgrid`", "the account's key", true},
		{"SENDGRID_FROM_EMAIL", "required by `sendgrid`", "the sender", false},
		{"SENDGRID_FROM_NAME", "–", "the sender's name", false},
		{"SENDGRID_WEBHOOK_PUBLIC_KEY", "–", "verification key of the event webhook; without it no event is believed", false},
		{"RAPPEL_SENDGRID_URL", "SendGrid's own", "another base URL", false},
		{"RAPPEL_HTTP_ADDR", "`" + DefaultHTTPAddr + "`", "ops server; `worker` and `scheduler` listen only where it is set", false},
		{"RAPPEL_OPS_TOKEN", "–", "bearer token of the ops server; required unless the address is loopback", true},
		{"RAPPEL_PUBLIC_URL", "–", "the URL under which Twilio and SendGrid reach the ops server; without it Twilio tells nothing", false},
		{"RAPPEL_TASKS_READ_ONLY", "`true`", "`false` lets the Asynq dashboard pause queues and run, archive and delete tasks", false},
		{"RAPPEL_CONCURRENCY", "chosen from the CPUs", "deliveries in flight per process", false},
		{"RAPPEL_PRACTICE_RATE", "`0`", "messages a second of one practice on one channel, over all processes; 0: no limit", false},
		{"RAPPEL_SHUTDOWN_TIMEOUT", "`25s`", "longest wait for work in flight at SIGTERM", false},
		{"RAPPEL_LOG_LEVEL", "`info`", "`debug`, `info`, `warn` or `error`", false},
		{"RAPPEL_LOG_FORMAT", "`json`", "`json`, or `text` for people", false},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "–", "the collector that traces go to, by OTLP over HTTP; the other `OTEL_` variables count too", false},
		{"RAPPEL_ZONEINFO", "–", "time zone data, a directory such as `/usr/share/zoneinfo` or a zip file; used if newer than the system's and the copy in the binary", false},
		{"PG_BIN", "found", "folder of PostgreSQL's binaries, for `rappel dev` and the tests", false},
	}
}

// Load reads the configuration. What is there is checked, also where needs does
// not ask for it; what needs asks for must be there.
func Load(getenv func(string) string, needs Need) (Config, error) {
	r := reader{getenv: getenv}
	c := Config{
		DatabaseURL:     r.database(needs&Database != 0),
		RedisURL:        r.redis(needs&Redis != 0),
		SMSVia:          r.oneOf("RAPPEL_SMS_VIA", ViaAdmin, ViaTwilio),
		EmailVia:        r.oneOf("RAPPEL_EMAIL_VIA", ViaAdmin, ViaSendGrid),
		HTTPAddr:        r.address("RAPPEL_HTTP_ADDR"),
		OpsToken:        r.token("RAPPEL_OPS_TOKEN", false),
		PublicURL:       r.url("RAPPEL_PUBLIC_URL", false),
		TasksWritable:   r.oneOf("RAPPEL_TASKS_READ_ONLY", "true", "false") == "false",
		Concurrency:     r.number("RAPPEL_CONCURRENCY", 32*runtime.GOMAXPROCS(0), 1, 10_000),
		PracticeRate:    r.number("RAPPEL_PRACTICE_RATE", 0, 0, 100_000),
		ShutdownTimeout: r.duration("RAPPEL_SHUTDOWN_TIMEOUT", 25*time.Second, 5*time.Second, 10*time.Minute),
		LogFormat:       r.oneOf("RAPPEL_LOG_FORMAT", "json", "text"),
		Traces:          r.url("OTEL_EXPORTER_OTLP_ENDPOINT", false) != "",
		ZoneInfo:        getenv("RAPPEL_ZONEINFO"),
		PostgresBin:     getenv("PG_BIN"),
	}
	deliver := needs&Delivery != 0
	byAdmin := c.SMSVia == ViaAdmin || c.EmailVia == ViaAdmin
	c.AdminURL = r.url("RAPPEL_ADMIN_URL", deliver && byAdmin)
	c.AdminToken = r.token("RAPPEL_ADMIN_TOKEN", deliver && byAdmin || c.AdminURL != "" && deliver)
	c.Twilio = r.twilio(deliver && c.SMSVia == ViaTwilio)
	c.SendGrid = r.sendGrid(deliver && c.EmailVia == ViaSendGrid)
	c.LogLevel = level(r.oneOf("RAPPEL_LOG_LEVEL", "info", "debug", "warn", "error"))
	if needs&Listen != 0 && c.HTTPAddr == "" {
		c.HTTPAddr = DefaultHTTPAddr
	}
	if c.HTTPAddr != "" && !Loopback(c.HTTPAddr) && c.OpsToken == "" {
		r.wrong("RAPPEL_OPS_TOKEN", "is required, since RAPPEL_HTTP_ADDR is not a loopback address")
	}
	if err := errors.Join(r.errs...); err != nil {
		return Config{}, &Error{Mistakes: r.errs}
	}
	return c, nil
}

// An Error holds every mistake of a configuration.
type Error struct {
	Mistakes []error
}

func (e *Error) Error() string {
	lines := []string{"the configuration is wrong:"}
	for _, m := range e.Mistakes {
		lines = append(lines, "  "+m.Error())
	}
	return strings.Join(lines, "\n")
}

// Loopback tells whether only this machine can reach addr, a host and port.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func level(name string) slog.Level {
	var l slog.Level
	if l.UnmarshalText([]byte(name)) != nil {
		return slog.LevelInfo
	}
	return l
}
