package twilio

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdk "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"rappel/internal/outbound"
	"rappel/jobs/deliver"
)

// A call is one request to Twilio, as the [sdk.BaseClient] that the library asks
// for. The library's own takes no context, drops the headers of an error
// (Retry-After among them), turns an error that is not JSON into one without a
// type, and leaves bodies of errors open. This one keeps what came, and the
// answer is made of that.
type call struct {
	ctx      context.Context //nolint:containedctx // CreateMessage takes none; a call ends before Send does
	client   *Client
	journey  outbound.Journey
	response *response // nil: none came
	lost     error     // why none came
}

var _ sdk.BaseClient = (*call)(nil)

// A response is what Twilio, or somebody in its place, answered.
type response struct {
	status int
	header http.Header
	body   []byte
}

// What the library is told; its own words go nowhere.
var (
	errNoAnswer = errors.New("no answer")
	errRefused  = errors.New("not a 2xx")
)

// SendRequest sends what the library built, to our own base URL: the library
// takes a host apart at its dots and puts together another one.
func (c *call) SendRequest(method, rawURL string, data url.Values, headers map[string]any, _ ...byte) (*http.Response, error) {
	req, err := c.request(method, rawURL, data, headers)
	if err != nil {
		c.lost = outbound.ErrUnwritten
		return nil, errNoAnswer
	}
	res, err := c.client.http.RoundTrip(req)
	if err != nil {
		c.lost = err
		return nil, errNoAnswer
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, outbound.MostAnswer))
	c.response = &response{status: res.StatusCode, header: res.Header, body: body}
	if !c.response.success() {
		return nil, errRefused
	}
	res.Body = io.NopCloser(strings.NewReader(string(body)))
	return res, nil
}

func (c *call) request(method, rawURL string, data url.Values, headers map[string]any) (*http.Request, error) {
	built, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	to := c.client.base.JoinPath(built.Path).String()
	req, err := http.NewRequestWithContext(c.journey.Trace(c.ctx), method, to, strings.NewReader(data.Encode()))
	if err != nil {
		return nil, err
	}
	for name, value := range headers {
		if s, ok := value.(string); ok {
			req.Header.Set(name, s)
		}
	}
	// No idempotency key: Twilio knows none, and net/http would take it for
	// leave to send the request twice.
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "rappel")
	req.SetBasicAuth(c.client.account, c.client.token)
	return req, nil
}

// answer is what became of the call; message is what the library read of a 2xx,
// or nil.
func (c *call) answer(message *api.ApiV2010Message) deliver.Answer {
	if c.response == nil {
		return unanswered(&c.journey, c.lost)
	}
	return c.client.translate(*c.response, message)
}

// AccountSid says whose messages these are.
func (c *call) AccountSid() string { return c.client.account }

// SetTimeout does nothing: the context has the deadline.
func (c *call) SetTimeout(time.Duration) {}

// SetOauth does nothing: the account has a token.
func (c *call) SetOauth(sdk.OAuth) {}

// OAuth says that there is none.
func (c *call) OAuth() sdk.OAuth { return nil }
