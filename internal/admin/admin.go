// Package admin is the default way out: it hands messages to the main app's
// admin endpoints, which own the accounts with the carriers, and tells the main
// app of replies. A request carries the notification's or the reply's id as its
// idempotency key, so that asking again after an answer that never came is safe.
//
// It deliberately does not know when to ask again, nor what a message is about:
// it says what the endpoint made of it, in the terms of jobs/deliver.
package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"golang.org/x/sync/semaphore"

	"rappel/internal/outbound"
	"rappel/internal/tracing"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

// Options are what a client needs to know of the main app.
type Options struct {
	URL         string // base of the endpoints
	Token       string // bearer
	Version     string // of rappel, for the User-Agent
	Connections int    // kept open, and thus messages in flight without new handshakes
	Now         func() time.Time
}

// A Client talks to the admin endpoints. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	agent string
	http  http.RoundTripper // not a client: it would follow redirects to where nobody configured
	now   func() time.Time
	sends *semaphore.Weighted // bounds requests in flight: a refused batch goes on one by one

	batch    atomic.Int64              // see Batch
	features atomic.Pointer[[]Feature] // see Offers
}

// New returns a client. It connects to nothing yet.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, errors.New("the URL of the admin endpoints is not an http or https URL")
	}
	return &Client{
		base:  base,
		token: o.Token,
		agent: "rappel/" + o.Version,
		now:   o.Now,
		http:  outbound.Transport(o.Connections),
		sends: semaphore.NewWeighted(int64(max(o.Connections, 1))),
	}, nil
}

// An envelope is what both channels have in common.
type envelope struct {
	NotificationID string  `json:"notification_id"`
	PracticeID     string  `json:"practice_id"`
	ClientID       string  `json:"client_id"`
	ContactID      *string `json:"contact_id"`
	AppointmentID  *string `json:"appointment_id"`
	Kind           string  `json:"kind"`
	ExpiresAt      string  `json:"expires_at,omitempty"` // if the main app offers it
}

type sms struct {
	envelope

	To   string `json:"to"`
	Body string `json:"body"`
}

type email struct {
	envelope

	To      mailbox `json:"to"`
	ReplyTo string  `json:"reply_to,omitempty"`
	Subject string  `json:"subject"`
	Text    string  `json:"text"`
	HTML    string  `json:"html"`
}

type mailbox struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

// Send hands m to the endpoint of its channel.
func (c *Client) Send(ctx context.Context, m deliver.Message) deliver.Answer {
	path, payload := c.render(m)
	return c.post(ctx, path, m.NotificationID, payload)
}

// post asks an endpoint under an idempotency key.
func (c *Client) post(ctx context.Context, path, key string, payload any) deliver.Answer {
	body, err := json.Marshal(payload)
	if err != nil {
		return deliver.Answer{Verdict: deliver.Refused, Err: errors.New("the message cannot be written as JSON")}
	}
	req, err := c.request(ctx, http.MethodPost, path, body)
	if err != nil {
		return deliver.Answer{Verdict: deliver.Later, Err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	// net/http repeats a POST with this header in its canonical form by itself,
	// and the answer to the repeat would hide that the first request had none.
	// The lower-case form, which is the same header, leaves the safe repeats: of
	// requests that HTTP/2 says nobody has seen.
	req.Header["idempotency-key"] = []string{key}
	tracing.Inject(ctx, req.Header.Set)
	res, err := c.do(req)
	if err != nil {
		return deliver.Answer{Verdict: deliver.Later, Err: fmt.Errorf("no answer: %w", outbound.Why(err))}
	}
	defer res.Body.Close()
	return c.answer(res)
}

// do sends a request as soon as fewer than the configured number are in flight.
// The place is free again when the headers of the answer are there.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	if err := c.sends.Acquire(req.Context(), 1); err != nil {
		return nil, err
	}
	defer c.sends.Release(1)
	return c.http.RoundTrip(req)
}

func (c *Client) render(m deliver.Message) (path string, payload any) {
	e := envelope{
		NotificationID: m.NotificationID, PracticeID: m.PracticeID, ClientID: m.ClientID, Kind: string(m.Kind),
		ContactID: orNull(m.ContactID), AppointmentID: orNull(m.AppointmentID),
	}
	if c.Offers(FeatureExpiresAt) && !m.ExpiresAt.IsZero() {
		e.ExpiresAt = m.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if m.Channel == recipients.SMS {
		return "messages/sms", sms{envelope: e, To: m.To.Reveal(), Body: m.Text.Body}
	}
	return "messages/email", email{
		envelope: e, To: mailbox{Email: m.To.Reveal(), Name: m.Text.Name}, ReplyTo: m.Text.ReplyTo,
		Subject: m.Text.Subject, Text: m.Text.Body, HTML: m.Text.HTML,
	}
}

func orNull(id string) *string {
	if id == "" {
		return nil
	}
	return &id
}

func (c *Client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the admin endpoint's URL cannot be used")
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("User-Agent", c.agent)
	return req, nil
}

// A problem is what an endpoint may say about a refusal: RFC 9457, with a code
// of the contract. What else it says is not repeated: it may quote an address.
type problem struct {
	Code string `json:"code"`
}

// answer translates a response as section 5 of the contract has it.
func (c *Client) answer(res *http.Response) deliver.Answer {
	body, _ := io.ReadAll(io.LimitReader(res.Body, outbound.MostAnswer))
	if accepted(res.StatusCode) {
		if outbound.IsPage(body) {
			return deliver.Answer{Verdict: deliver.Later, Err: fmt.Errorf("the endpoint answered %d with an HTML page: is a login or maintenance page before it?", res.StatusCode)}
		}
		return translate(res.StatusCode, said{messageID: messageID(body)})
	}
	return translate(res.StatusCode, said{
		what: fmt.Errorf("the endpoint answered %d%s", res.StatusCode, outbound.ContentType(res.Header)),
		code: refusalCode(body), retryAfter: outbound.RetryAfter(res.Header, c.now()),
	})
}

// Said is what an endpoint says beside a status.
type said struct {
	what            error
	messageID, code string
	retryAfter      time.Duration
}

func translate(status int, s said) deliver.Answer {
	switch {
	case accepted(status):
		return deliver.Answer{Verdict: deliver.Accepted, MessageID: s.messageID}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return deliver.Answer{Verdict: deliver.Misconfigured, Err: fmt.Errorf("%w: is RAPPEL_ADMIN_TOKEN right?", s.what)}
	case status == http.StatusTooManyRequests:
		return deliver.Answer{Verdict: deliver.Busy, RetryAfter: s.retryAfter, Err: s.what}
	case refusedForGood(status):
		return deliver.Answer{Verdict: deliver.Refused, Code: s.code, Err: s.what}
	}
	// What the contract does not name may come from a proxy in between: better
	// asked again than lost.
	return deliver.Answer{Verdict: deliver.Later, RetryAfter: s.retryAfter, Err: s.what}
}

func accepted(code int) bool { return code >= 200 && code < 300 }

func refusedForGood(code int) bool {
	switch code {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

func messageID(body []byte) string {
	var accepted struct {
		MessageID string `json:"message_id"`
	}
	if json.Unmarshal(body, &accepted) != nil {
		return "" // accepted all the same
	}
	return kept(accepted.MessageID)
}

// kept is the receiver's id of a message, if it looks like one.
func kept(id string) string {
	if len(id) > 200 || strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return id
}

// refusalCode reads a code, if it looks like one: a sentence may hold a name.
func refusalCode(body []byte) string {
	var p problem
	if json.Unmarshal(body, &p) != nil {
		return ""
	}
	return codeOf(p.Code)
}

func codeOf(s string) string {
	if !isCode(s) {
		return ""
	}
	return cmp.Or(aboutAddress(s), s)
}

// Health asks whether the endpoints are there and the token is good.
func (c *Client) Health(ctx context.Context) error {
	req, err := c.request(ctx, http.MethodGet, "health", nil)
	if err != nil {
		return err
	}
	res, err := c.http.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("no answer from the admin endpoints: %w", outbound.Why(err))
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		return c.readHealth(res.Body)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the admin endpoints answered %d: is RAPPEL_ADMIN_TOKEN right?", res.StatusCode)
	case http.StatusTooManyRequests:
		return fmt.Errorf("GET health of the admin endpoints answered %d, not 200: they are asked too often, by whomever", res.StatusCode)
	}
	if res.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("GET health of the admin endpoints answered %d, not 200: they are there, and not well", res.StatusCode)
	}
	return fmt.Errorf("GET health of the admin endpoints answered %d, not 200: is RAPPEL_ADMIN_URL right?", res.StatusCode)
}

// readHealth keeps what the main app offers.
func (c *Client) readHealth(from io.Reader) error {
	body, _ := io.ReadAll(io.LimitReader(from, outbound.MostAnswer))
	if outbound.IsPage(body) {
		return errors.New("GET health of the admin endpoints answered 200 with an HTML page: is RAPPEL_ADMIN_URL right, and is no login page before it?")
	}
	var health struct {
		BatchMax int64           `json:"batch_max"`
		Features json.RawMessage `json:"features"`
	}
	_ = json.Unmarshal(body, &health) // what cannot be read is not offered
	var features []Feature
	_ = json.Unmarshal(health.Features, &features)
	c.batch.Store(min(max(health.BatchMax, 0), mostBatch))
	c.features.Store(&features)
	return nil
}

// mostBatch is how many messages rappel puts into one request at most.
const mostBatch = 100
