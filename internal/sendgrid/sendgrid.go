// Package sendgrid is a direct way out for e-mail, and the way in for what
// SendGrid tells about it. Each message is a request of its own, built with
// SendGrid's library and sent with our own client: the library's keeps the body
// of the last message in a field, and loses mail when shared.
//
// SendGrid has no idempotency key: a request without an answer may have gone,
// and is reported so ([deliver.Unanswered]). The package deliberately does not know
// what is done about that, nor any database; it serves no address of its own.
//
// Sources: "SendGrid: Mail Send", "SendGrid: Mail Send errors", "SendGrid: Rate
// Limits", "SendGrid: Event Webhook Reference", "SendGrid: Getting Started with
// the Event Webhook Security Features".
package sendgrid

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sendgrid/rest"
	sdk "github.com/sendgrid/sendgrid-go"

	"rappel/internal/outbound"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

// Options are what a client needs to know of the account.
type Options struct {
	APIKey      string
	FromEmail   string // a sender that the account has verified
	FromName    string // may be empty
	BaseURL     string // empty: SendGrid's own
	Connections int    // kept open, and thus messages in flight without new handshakes
	Now         func() time.Time
}

// A Client sends e-mail through one account. It is safe for concurrent use.
type Client struct {
	key      string
	from     recipients.Address
	fromName string
	base     string
	http     http.RoundTripper // not a client: it would follow redirects to where nobody configured
	now      func() time.Time
}

// theirs is where SendGrid listens; in the EU it is api.eu.sendgrid.com.
const theirs = "https://api.sendgrid.com"

// New returns a client. It connects to nothing yet. All that is wrong with o is
// reported at once, without its values.
func New(o Options) (*Client, error) {
	if o.BaseURL == "" {
		o.BaseURL = theirs
	}
	from, fromErr := recipients.ParseEmail(o.FromEmail)
	if err := errors.Join(o.mistakes(), fromErr); err != nil {
		return nil, err
	}
	return &Client{
		key: o.APIKey, from: from, fromName: o.FromName, base: strings.TrimRight(o.BaseURL, "/"),
		http: outbound.Transport(o.Connections), now: o.Now,
	}, nil
}

func (o Options) mistakes() error {
	var found []error
	if o.APIKey == "" || strings.ContainsFunc(o.APIKey, notInKey) {
		found = append(found, errors.New("the API key is empty, or has a blank or a line break"))
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" {
		found = append(found, errors.New("the base URL is not an http or https URL"))
	}
	if o.Now == nil {
		found = append(found, errors.New("there is no clock"))
	}
	return errors.Join(found...)
}

// notInKey tells what cannot stand in a header's token.
func notInKey(r rune) bool { return r <= ' ' || r > '~' }

// Send hands m to SendGrid.
func (c *Client) Send(ctx context.Context, m deliver.Message) deliver.Answer {
	if why := unsendable(m); why != nil {
		return deliver.Answer{Verdict: deliver.Refused, Err: why, Unasked: true}
	}
	var j outbound.Journey
	req, err := c.request(j.Trace(ctx), m)
	if err != nil {
		return unanswered(&j, outbound.ErrUnwritten)
	}
	res, err := c.http.RoundTrip(req)
	if err != nil {
		return unanswered(&j, err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, outbound.MostAnswer))
	return c.translate(reply{status: res.StatusCode, header: res.Header, body: body})
}

// request builds m's own request: nothing of it is shared with another one.
func (c *Client) request(ctx context.Context, m deliver.Message) (*http.Request, error) {
	body, err := json.Marshal(c.mail(m))
	if err != nil {
		return nil, err
	}
	built := sdk.GetRequest(c.key, "/v3/mail/send", c.base)
	built.Method, built.Body = rest.Post, body
	// No idempotency key: SendGrid knows none, and net/http would take it for
	// leave to send the request twice.
	built.Headers["User-Agent"] = "rappel"
	req, err := rest.BuildRequestObject(built)
	if err != nil {
		return nil, err
	}
	return req.WithContext(ctx), nil
}
