// Package twilio is a direct way out for text messages, and the way in for what
// Twilio tells about them: status callbacks and messages from people. It goes
// through Twilio's own library, wrapped so that a call keeps its context, its
// headers and its connection.
//
// Twilio has no idempotency key: a request without an answer may have gone, and
// is reported so ([deliver.Unanswered]). The package deliberately does not know what
// is done about that, nor any database; it serves no address of its own.
//
// Sources: "Twilio API v2010: Messages resource", "Twilio: Error and Warning
// Dictionary", "Twilio: Webhooks security", "Twilio: Outbound Message Status in
// Status Callbacks".
package twilio

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	sdk "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"rappel/internal/outbound"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

// Options are what a client needs to know of the account.
type Options struct {
	AccountSID          string
	AuthToken           string
	From                string // or MessagingServiceSID, or both: a sender of that service's pool
	MessagingServiceSID string
	BaseURL             string // empty: Twilio's own
	StatusURL           string // public URL of the status webhook; empty: Twilio tells nothing
	Connections         int    // kept open, and thus messages in flight without new handshakes
	Now                 func() time.Time
}

// A Client sends text messages through one account. It is safe for concurrent
// use.
type Client struct {
	account string
	token   string
	from    string
	service string
	base    *url.URL
	status  *url.URL          // nil: none
	http    http.RoundTripper // not a client: it would follow redirects to where nobody configured
	now     func() time.Time
}

// theirs is where Twilio listens.
const theirs = "https://api.twilio.com"

// New returns a client. It connects to nothing yet. All that is wrong with o is
// reported at once, without its values.
func New(o Options) (*Client, error) {
	if o.BaseURL == "" {
		o.BaseURL = theirs
	}
	base, baseErr := webURL(o.BaseURL, "the base URL")
	status, statusErr := statusURL(o.StatusURL)
	if err := errors.Join(o.mistakes(), baseErr, statusErr); err != nil {
		return nil, err
	}
	return &Client{
		account: o.AccountSID, token: o.AuthToken, from: o.From, service: o.MessagingServiceSID,
		base: base, status: status, now: o.Now, http: outbound.Transport(o.Connections),
	}, nil
}

func (o Options) mistakes() error {
	var found []error
	if !isSID(o.AccountSID, "AC") {
		found = append(found, errors.New("the account SID is not AC and 32 hexadecimal digits"))
	}
	if o.AuthToken == "" || strings.ContainsFunc(o.AuthToken, notAlphanumeric) {
		found = append(found, errors.New("the auth token is not letters and digits"))
	}
	if o.From == "" && o.MessagingServiceSID == "" {
		found = append(found, errors.New("there is neither a number to send from nor a messaging service"))
	}
	if o.MessagingServiceSID != "" && !isSID(o.MessagingServiceSID, "MG") {
		found = append(found, errors.New("the messaging service's SID is not MG and 32 hexadecimal digits"))
	}
	if o.Now == nil {
		found = append(found, errors.New("there is no clock"))
	}
	return errors.Join(found...)
}

func webURL(raw, what string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New(what + " is not an http or https URL")
	}
	return u, nil
}

// statusURL reads the callback's URL, whose host Twilio wants without
// underscores.
func statusURL(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, nil
	}
	u, err := webURL(raw, "the status callback's URL")
	if err == nil && strings.Contains(u.Hostname(), "_") {
		return nil, errors.New("the status callback's host has an underscore, which Twilio refuses")
	}
	return u, err
}

// Send hands m to Twilio.
func (c *Client) Send(ctx context.Context, m deliver.Message) deliver.Answer {
	if refused := unsendable(m); refused != nil {
		return *refused
	}
	call := &call{ctx: ctx, client: c}
	handler := &sdk.RequestHandler{Client: call} // not NewRequestHandler: it reads the environment
	message, _ := api.NewApiService(handler).CreateMessage(c.params(m))
	return call.answer(message)
}

func (c *Client) params(m deliver.Message) *api.CreateMessageParams {
	p := (&api.CreateMessageParams{}).SetTo(m.To.Reveal()).SetBody(m.Text.Body)
	if c.from != "" {
		p.SetFrom(c.from)
	}
	if c.service != "" {
		p.SetMessagingServiceSid(c.service)
	}
	if c.status != nil {
		p.SetStatusCallback(c.callback(m))
	}
	if !m.ExpiresAt.IsZero() {
		p.SetValidityPeriod(c.validity(m.ExpiresAt))
	}
	return p
}

// mostValidity is the longest time that Twilio keeps a message in its queue, and
// the time that it takes without a ValidityPeriod.
const mostValidity = 10 * time.Hour

// validity is the time left until a message is of no more use, in the seconds that
// Twilio takes: 1 to 36,000.
func (c *Client) validity(until time.Time) int {
	left := min(max(until.Sub(c.now()), time.Second), mostValidity)
	return int(left / time.Second)
}

// callback is the status URL with our own ids on it: they come back also for a
// message whose SID never reached us.
func (c *Client) callback(m deliver.Message) string {
	u := *c.status
	q := u.Query()
	q.Set(notificationParam, m.NotificationID)
	if m.ClaimID != "" {
		q.Set(claimParam, m.ClaimID)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// mostCharacters is the longest body that Twilio takes ("Messages resource:
// Body").
const mostCharacters = 1600

// unsendable tells what Twilio would certainly refuse, with the code that it
// would give.
func unsendable(m deliver.Message) *deliver.Answer {
	refused := func(code, why string) *deliver.Answer {
		return &deliver.Answer{Verdict: deliver.Refused, Code: code, Err: errors.New(why), Unasked: true}
	}
	switch {
	case m.Channel != recipients.SMS:
		return refused("", "Twilio carries text messages only")
	case m.To == recipients.Address{}:
		return refused("21604", "the message has nobody to go to")
	case m.Text.Body == "":
		return refused("21602", "the message has no text")
	case utf8.RuneCountInString(m.Text.Body) > mostCharacters:
		return refused("21617", "the message is longer than the 1,600 characters that Twilio takes")
	}
	return nil
}

// isSID tells whether s is one of Twilio's identifiers of the given kind.
func isSID(s, kind string) bool {
	return len(s) == 34 && strings.HasPrefix(s, kind) && !strings.ContainsFunc(s[2:], notHex)
}

func notHex(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
