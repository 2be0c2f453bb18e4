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
	"unicode"
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

// token reads a secret that stands in a header. What cannot would else look like
// a fault of the receiver's.
func (r *reader) token(name string, required bool) Secret {
	s := r.secret(name, required)
	if strings.ContainsFunc(s.Reveal(), unicode.IsControl) {
		r.wrong(name, "has a line break or another control character in it")
	}
	return s
}

func (r *reader) file(name, path string) Secret {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		r.wrong(name+"_FILE", "names a file that "+unread(path, err))
		return ""
	}
	v := strings.TrimSpace(string(b))
	if v == "" {
		r.wrong(name+"_FILE", "names an empty file")
	}
	return Secret(v)
}

// unread says why a file could not be read. It names a file that is there: what
// is not may be the secret itself, set to NAME_FILE by mistake.
func unread(path string, err error) string {
	_, missing := os.Lstat(path)
	why, ok := errors.AsType[*os.PathError](err)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "does not exist"
	case missing != nil || !ok:
		return "cannot be read"
	}
	return fmt.Sprintf("cannot be read: %s: %v", path, why.Err)
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
	return r.scheme("DATABASE_URL", s, misread, "postgres", "postgresql")
}

func (r *reader) redis(required bool) Secret {
	return r.scheme("REDIS_URL", r.secret("REDIS_URL", required), unreadable,
		"redis", "rediss", "redis-socket", "redis-sentinel", "redis-cluster")
}

func (r *reader) scheme(name string, s Secret, broken func(string) bool, schemes ...string) Secret {
	if s == "" {
		return s
	}
	scheme, _, ok := strings.Cut(s.Reveal(), "://")
	if !ok || !slices.Contains(schemes, scheme) {
		r.wrong(name, "is not a URL that begins with "+strings.Join(schemes, "://, ")+"://")
	} else if broken(s.Reveal()) {
		r.wrong(name, asURL)
	}
	return s
}

// asURL is what to do about a password that takes its URL apart.
const asURL = "cannot be read as a URL: in a password, write %2F for /, %40 for @, %23 for #, %3F for ? and %25 for %"

// misread tells whether the rest of a password would pass for the name of a host
// or of a database, which errors show. A user ends at the first @ before any /,
// as libpq has it.
func misread(database string) bool {
	_, rest, _ := strings.Cut(database, "://")
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	names, _, _ := strings.Cut(rest, "?")
	return strings.Contains(names, "@")
}

// unreadable tells the same of other URLs, which go by the usual rules.
func unreadable(raw string) bool {
	u, err := url.Parse(raw)
	return err != nil || u.Fragment != "" || strings.Contains(u.Path+u.RawQuery, "@")
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
		return v
	}
	return strings.Replace(v, u.Host, strings.ToLower(u.Host), 1) // webhooks are signed with the host in lower case
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
		AuthToken:           r.token("TWILIO_AUTH_TOKEN", required),
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
		APIKey:           r.token("SENDGRID_API_KEY", required),
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
