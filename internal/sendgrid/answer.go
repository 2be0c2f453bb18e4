package sendgrid

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"rappel/internal/outbound"
	"rappel/jobs/deliver"
)

// A reply is what SendGrid, or somebody in its place, answered.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// translate says what an answer means ("SendGrid: Mail Send errors").
func (c *Client) translate(r reply) deliver.Answer {
	verdict, field := r.verdict()
	a := deliver.Answer{Verdict: verdict, Err: r.summary(field)}
	switch verdict {
	case deliver.Accepted:
		return deliver.Answer{Verdict: deliver.Accepted, MessageID: r.messageID()}
	case deliver.Refused:
		a.Code = code(field)
	case deliver.Misconfigured:
		a.Err = fmt.Errorf("%w: are SendGrid's API key, the sender and the URL right?", a.Err)
	case deliver.Later, deliver.Busy:
		a.RetryAfter = c.retryAfter(r.header)
	case deliver.Unanswered:
	}
	return a
}

// verdict says what a status comes to, and which field a refusal is about. A
// refusal of the sender's address is about our configuration, not the message.
func (r reply) verdict() (v deliver.Verdict, field string) {
	v = byStatus(r.status)
	switch {
	case v == deliver.Refused:
		field = r.field()
	case v == deliver.Unanswered && r.status < 300 && r.messageID() != "":
		v = deliver.Accepted
	}
	if field == "from" || strings.HasPrefix(field, "from.") {
		v = deliver.Misconfigured
	}
	return v, field
}

// byStatus translates a status. SendGrid takes a message with 202; any other
// 2xx needs a message's id to be believed, for anybody in between may say it.
// Redirects are not followed; a POST that was sent elsewhere was not acted upon.
// A 503 says that the request was not taken; any other 5xx leaves that open.
func byStatus(status int) deliver.Verdict {
	switch status {
	case http.StatusAccepted:
		return deliver.Accepted
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		return deliver.Misconfigured
	case http.StatusTooManyRequests:
		return deliver.Busy
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
		http.StatusConflict, http.StatusTooEarly, http.StatusServiceUnavailable:
		return deliver.Later
	case http.StatusRequestTimeout:
		return deliver.Unanswered
	}
	if status >= 400 && status < 500 {
		return deliver.Refused
	}
	return deliver.Unanswered
}

// code is deliver's word for a field where it is the person's address, else the
// field's own name.
func code(field string) string {
	if strings.HasPrefix(field, "personalizations.") && strings.HasSuffix(field, ".email") {
		return deliver.CodeInvalidAddress
	}
	return field
}

// field is the first one that SendGrid names, if it looks like a name: the
// message beside it may quote an address.
func (r reply) field() string {
	var e struct {
		Errors []struct {
			Field string `json:"field"`
		} `json:"errors"`
	}
	_ = json.Unmarshal(r.body, &e) // what of it can be read; nothing of a page in HTML
	for _, one := range e.Errors {
		if isField(one.Field) {
			return one.Field
		}
	}
	return ""
}

func isField(s string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789_."
	return s != "" && s != "null" && len(s) <= 64 && strings.Trim(s, allowed) == "" &&
		strings.ContainsFunc(s[:1], unicode.IsLetter)
}

// messageID is SendGrid's own, without what it cannot hold.
func (r reply) messageID() string {
	id := r.header.Get("X-Message-Id")
	if len(id) > 200 || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ""
	}
	return id
}

// summary is what ops are told: a number and a field's name, and no text.
func (r reply) summary(field string) error {
	if field != "" {
		return fmt.Errorf("sendgrid answered %d about the field %s", r.status, field)
	}
	return fmt.Errorf("sendgrid answered %d%s", r.status, outbound.ContentType(r.header))
}

// retryAfter reads Retry-After, or else the moment at which the count of
// requests begins anew ("SendGrid: Rate Limits").
func (c *Client) retryAfter(h http.Header) time.Duration {
	unix, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 40)
	if h.Get("Retry-After") != "" || err != nil {
		return outbound.RetryAfter(h, c.now())
	}
	return min(max(time.Unix(unix, 0).Sub(c.now()), 0), 24*time.Hour)
}

// unanswered is the answer where none came.
func unanswered(j *outbound.Journey, err error) deliver.Answer {
	a := deliver.Answer{Verdict: deliver.Later, Err: fmt.Errorf("no answer: %w", outbound.Why(err))}
	if j.MayHaveArrived() {
		a.Verdict = deliver.Unanswered
	}
	return a
}
