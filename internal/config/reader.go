package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A reader reads variables and remembers what was wrong with them.
type reader struct {
	getenv func(string) string
	errs   []error
}

func (r *reader) wrong(name, what string) {
	r.errs = append(r.errs, fmt.Errorf("%s %s", name, what))
}

// secret reads NAME, or the file that NAME_FILE names.
func (r *reader) secret(name string, required bool) Secret {
	v, file := r.getenv(name), r.getenv(name+"_FILE")
	switch {
	case v != "" && file != "":
		r.wrong(name, "and "+name+"_FILE are both set: set one")
	case file != "":
		return r.file(name, file)
	case v == "" && required:
		r.wrong(name, "is missing (or "+name+"_FILE)")
	}
	return Secret(v)
}

func (r *reader) file(name, path string) Secret {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		reason := "cannot be read"
		if errors.Is(err, os.ErrNotExist) {
			reason = "does not exist"
		}
		r.wrong(name+"_FILE", "names a file that "+reason)
		return ""
	}
	v := strings.TrimSpace(string(b))
	if v == "" {
		r.wrong(name+"_FILE", "names an empty file")
	}
	return Secret(v)
}

func (r *reader) database(required bool) Secret {
	s := r.secret("DATABASE_URL", required)
	if s == "" {
		return s
	}
	// libpq's "host=… user=…" form is as good as a URL.
	if !strings.Contains(s.Reveal(), "://") && strings.Contains(s.Reveal(), "=") {
		return s
	}
	return r.scheme("DATABASE_URL", s, "postgres", "postgresql")
}

func (r *reader) redis(required bool) Secret {
	return r.scheme("REDIS_URL", r.secret("REDIS_URL", required),
		"redis", "rediss", "redis-socket", "redis-sentinel", "redis-cluster")
}

func (r *reader) scheme(name string, s Secret, schemes ...string) Secret {
	if s == "" {
		return s
	}
	scheme, _, ok := strings.Cut(s.Reveal(), "://")
	if !ok || !slices.Contains(schemes, scheme) {
		r.wrong(name, "is not a URL that begins with "+strings.Join(schemes, "://, ")+"://")
	}
	return s
}

func (r *reader) url(name string, required bool) string {
	v := r.getenv(name)
	if v == "" {
		if required {
			r.wrong(name, "is missing")
		}
		return ""
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		r.wrong(name, "is not an http or https URL")
	}
	return v
}

func (r *reader) address(name string) string {
	v := r.getenv(name)
	if v == "" {
		return ""
	}
	if _, port, err := net.SplitHostPort(v); err != nil || port == "" {
		r.wrong(name, "is not host:port")
	}
	return v
}

func (r *reader) number(name string, fallback, least, most int) int {
	v := r.getenv(name)
	if v == "" {
		return fallback
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		r.wrong(name, fmt.Sprintf("is not a number from %d to %d", least, most))
	}
	return n
}

func (r *reader) duration(name string, fallback, least, most time.Duration) time.Duration {
	v := r.getenv(name)
	if v == "" {
		return fallback
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < least || d > most {
		r.wrong(name, fmt.Sprintf("is not a duration from %s to %s, such as 25s", least, most))
	}
	return d
}

// oneOf reads one of several words; the first is the default.
func (r *reader) oneOf(name string, words ...string) string {
	v := r.getenv(name)
	if v == "" {
		return words[0]
	}
	if !slices.Contains(words, v) {
		r.wrong(name, "is not one of "+strings.Join(words, ", "))
	}
	return v
}

func (r *reader) twilio(required bool) Twilio {
	t := Twilio{
		AccountSID:          r.text("TWILIO_ACCOUNT_SID", required),
		AuthToken:           r.secret("TWILIO_AUTH_TOKEN", required),
		From:                r.text("TWILIO_FROM", false),
		MessagingServiceSID: r.text("TWILIO_MESSAGING_SERVICE_SID", false),
		URL:                 r.url("RAPPEL_TWILIO_URL", false),
	}
	if required && t.From == "" && t.MessagingServiceSID == "" {
		r.wrong("TWILIO_FROM", "is missing (or TWILIO_MESSAGING_SERVICE_SID)")
	}
	return t
}

func (r *reader) sendGrid(required bool) SendGrid {
	return SendGrid{
		APIKey:           r.secret("SENDGRID_API_KEY", required),
		FromEmail:        r.text("SENDGRID_FROM_EMAIL", required),
		FromName:         r.text("SENDGRID_FROM_NAME", false),
		WebhookPublicKey: r.text("SENDGRID_WEBHOOK_PUBLIC_KEY", false),
		URL:              r.url("RAPPEL_SENDGRID_URL", false),
	}
}

// text reads a variable that is no secret.
func (r *reader) text(name string, required bool) string {
	v := strings.TrimSpace(r.getenv(name))
	if v == "" && required {
		r.wrong(name, "is missing")
	}
	return v
}
