package twilio_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// What twilio-go does, as of v1.31. The first tests are what this package relies
// on; the others are why it does not use the library's own client: when one of
// these fails after an upgrade, the wrapper may become smaller.

// recorder is an sdk.BaseClient that answers with what it is given.
type recorder struct {
	sdk.Client

	method, url string
	data        url.Values
	headers     map[string]any
	res         *http.Response
	err         error
}

func (r *recorder) SendRequest(method, rawURL string, data url.Values, headers map[string]any, _ ...byte) (*http.Response, error) {
	r.method, r.url, r.data, r.headers = method, rawURL, data, headers
	return r.res, r.err
}

func (r *recorder) AccountSid() string { return account }

// body is one that tells whether it was closed.
type body struct {
	io.Reader

	closed bool
}

func (b *body) Close() error {
	b.closed = true
	return nil
}

func create(r *recorder) (*api.ApiV2010Message, error) {
	service := api.NewApiService(&sdk.RequestHandler{Client: r})
	return service.CreateMessage((&api.CreateMessageParams{}).SetTo(phone).SetBody("x"))
}

func TestSDKHandsOverWhatItBuilt(t *testing.T) {
	t.Parallel()
	r := &recorder{err: io.EOF}
	_, _ = create(r)
	if r.method != http.MethodPost || r.url != "https://api.twilio.com/2010-04-01/Accounts/"+account+"/Messages.json" {
		t.Errorf("%s %s", r.method, r.url)
	}
	if r.data.Encode() != (url.Values{"To": {phone}, "Body": {"x"}}).Encode() {
		t.Errorf("%v", r.data)
	}
	if len(r.headers) != 1 || r.headers["Content-Type"] != "application/x-www-form-urlencoded" {
		t.Errorf("%v", r.headers)
	}
}

func TestSDKGivesBackTheErrorOfItsClient(t *testing.T) {
	t.Parallel()
	if m, err := create(&recorder{err: io.EOF}); m != nil || !errors.Is(err, io.EOF) {
		t.Errorf("%v, %v", m, err)
	}
}

func TestSDKReadsAndClosesWhatItsClientAnswers(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"a message": `{"sid":"` + sid + `"}`, "a page": "<html>", "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &body{Reader: strings.NewReader(text)}
			m, err := create(&recorder{res: &http.Response{StatusCode: 201, Body: b}})
			if (err == nil) != (name == "a message") || (err == nil && *m.Sid != sid) {
				t.Errorf("%v, %v", m, err)
			}
			if !b.closed {
				t.Error("left open")
			}
		})
	}
}

func TestSDKTakesHostsApartAtTheirDots(t *testing.T) {
	t.Parallel()
	got, err := (&sdk.RequestHandler{}).BuildUrl("https://twilio.proxy.eu.internal.example.com/x")
	if err != nil || got == "https://twilio.proxy.eu.internal.example.com/x" {
		t.Errorf("%s, %v: our own base URL is perhaps no longer needed", got, err)
	}
}

// theirClient asks an answer through the library's own client.
func theirClient(t *testing.T, answer http.HandlerFunc) error {
	t.Helper()
	c := &sdk.Client{Credentials: sdk.NewCredentials(account, token), HTTPClient: &http.Client{}}
	_, err := c.SendRequest(http.MethodPost, newServer(t, answer)+"/x", url.Values{}, map[string]any{}) //nolint:bodyclose // an error has none: that is what is wrong with it
	return err
}

func TestSDKsOwnClientLosesRetryAfter(t *testing.T) {
	t.Parallel()
	err := theirClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "90")
		no(429, 20429, "x").write(w)
	})
	known, ok := errors.AsType[*sdk.TwilioRestError](err)
	if !ok || known.Code != 20429 || strings.Contains(err.Error(), "90") {
		t.Errorf("%v", err)
	}
}

func TestSDKsOwnClientHasNoTypeForAPage(t *testing.T) {
	t.Parallel()
	err := theirClient(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) })
	if known, ok := errors.AsType[*sdk.TwilioRestError](err); ok || err == nil {
		t.Errorf("%v", known)
	}
}

func TestSDKsOwnErrorsQuoteThePerson(t *testing.T) {
	t.Parallel()
	err := theirClient(t, func(w http.ResponseWriter, _ *http.Request) { no(400, 21211, phone).write(w) })
	if err == nil || !strings.Contains(err.Error(), phone) {
		t.Errorf("%v", err)
	}
}

// leaky counts how many bodies are open.
type leaky struct{ open atomic.Int32 }

func (l *leaky) RoundTrip(*http.Request) (*http.Response, error) {
	l.open.Add(1)
	return &http.Response{StatusCode: 400, Body: counted{strings.NewReader(`{"code":21211}`), l}}, nil
}

type counted struct {
	io.Reader

	l *leaky
}

func (c counted) Close() error {
	c.l.open.Add(-1)
	return nil
}

func TestSDKsOwnClientLeavesBodiesOfErrorsOpen(t *testing.T) {
	t.Parallel()
	l := &leaky{}
	c := &sdk.Client{Credentials: sdk.NewCredentials(account, token), HTTPClient: &http.Client{Transport: l}}
	_, _ = c.SendRequest(http.MethodPost, "http://x/", url.Values{}, map[string]any{}) //nolint:bodyclose // an error has none
	if n := l.open.Load(); n != 1 {
		t.Errorf("%d open: closing bodies ourselves is perhaps no longer needed", n)
	}
}

func TestSDKSignsOnlyTheFirstOfSeveralValues(t *testing.T) {
	t.Parallel()
	v := sdk.NewRequestValidator(token)
	signature := sign(t, statusAt, url.Values{"a": {"1"}})
	if !v.ValidateBody(statusAt, []byte("a=1&a=2"), signature) {
		t.Error("repeated names are perhaps no longer to be refused")
	}
}

func TestSDKTakesAnEmptyTokenForOne(t *testing.T) {
	t.Parallel()
	v := sdk.NewRequestValidator("")
	if !v.Validate(statusAt, nil, hmacOf("", statusAt)) {
		t.Error("an empty token is perhaps no longer to be refused")
	}
}

// TestFakeIsStrict keeps the stand-in honest: what it must refuse, it refuses.
func TestFakeIsStrict(t *testing.T) {
	t.Parallel()
	good := func() url.Values { return url.Values{"To": {phone}, "From": {from}, "Body": {"x"}} }
	for name, c := range map[string]struct {
		change func(url.Values)
		code   int
	}{
		"a parameter that does not exist": {func(v url.Values) { v.Set("Colour", "red") }, 20001},
		"a parameter given twice":         {func(v url.Values) { v.Add("To", phone) }, 20001},
		"a number without a plus":         {func(v url.Values) { v.Set("To", phone[1:]) }, 21211},
		"nobody to send to":               {func(v url.Values) { v.Del("To") }, 21604},
		"nobody to send from":             {func(v url.Values) { v.Del("From") }, 21603},
		"no text":                         {func(v url.Values) { v.Set("Body", "") }, 21602},
		"too long a text":                 {func(v url.Values) { v.Set("Body", strings.Repeat("x", 1601)) }, 21617},
		"a callback that is none":         {func(v url.Values) { v.Set("StatusCallback", "/x") }, 21609},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := good()
			c.change(form)
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost,
				"/2010-04-01/Accounts/"+account+"/Messages.json", strings.NewReader(form.Encode()))
			req.SetBasicAuth(account, token)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if p := (&fake{}).refuse(req); p == nil || p.Code != c.code {
				t.Errorf("%+v", p)
			}
		})
	}
}
