package twilio_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/twilio"
	"rappel/jobs/reply"
)

const inboundAt = "https://rappel.example.com/webhooks/twilio/inbound"

// posted is a webhook as it arrives behind a proxy: another host, another
// scheme, the same path and query.
func posted(t *testing.T, query string, form url.Values, signature string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://10.0.0.7:8080/webhooks/twilio/status"+query, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set(twilio.SignatureHeader, signature)
	return r
}

func ask(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// statuses keeps what a status webhook told.
func statuses(result error) (http.Handler, *[]twilio.Status) {
	var told []twilio.Status
	return twilio.StatusHandler(twilio.Webhook{AuthToken: token, PublicURL: statusAt}, func(_ context.Context, s twilio.Status) error {
		told = append(told, s)
		return result
	}), &told
}

func TestASignedStatusIsTold(t *testing.T) {
	t.Parallel()
	h, told := statuses(nil)
	const query = "?notification=" + id
	w := ask(h, posted(t, query, statusForm(), sign(t, statusAt+query, statusForm())))
	if w.Code != http.StatusNoContent {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	want := []twilio.Status{{NotificationID: id, MessageSID: sid, State: twilio.StateDelivered}}
	if diff := cmp.Diff(want, *told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsNotSignedIsForbidden(t *testing.T) {
	t.Parallel()
	const query = "?notification=" + id
	good := sign(t, statusAt+query, statusForm())
	huge := form(statusForm(), "Body", strings.Repeat("x", 64<<10))
	cases := map[string]func(*testing.T) *http.Request{
		"no signature":         func(t *testing.T) *http.Request { t.Helper(); return posted(t, query, statusForm(), "") },
		"another notification": func(t *testing.T) *http.Request { t.Helper(); return posted(t, query+"0", statusForm(), good) },
		"another state": func(t *testing.T) *http.Request {
			t.Helper()
			return posted(t, query, form(statusForm(), "MessageStatus", "failed"), good)
		},
		"a field more in the query": func(t *testing.T) *http.Request {
			t.Helper()
			return posted(t, query+"&ErrorCode=30006", statusForm(), good)
		},
		"larger than any callback": func(t *testing.T) *http.Request {
			t.Helper()
			return posted(t, query, huge, sign(t, statusAt+query, huge))
		},
		"a form that is none": func(t *testing.T) *http.Request { t.Helper(); return posted(t, query+"&%zz", statusForm(), good) },
		"asked with GET": func(t *testing.T) *http.Request {
			t.Helper()
			r := posted(t, query, statusForm(), sign(t, statusAt+query, nil))
			r.Method = http.MethodGet
			return r
		},
		"JSON, signed as if it were a form": func(t *testing.T) *http.Request {
			t.Helper()
			r := posted(t, query, statusForm(), good)
			r.Header.Set("Content-Type", "application/json")
			return r
		},
	}
	for name, request := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, told := statuses(nil)
			if w := ask(h, request(t)); w.Code != http.StatusForbidden || len(*told) != 0 {
				t.Errorf("%d, told %v", w.Code, *told)
			}
		})
	}
}

func TestAWebhookWithoutATokenForbidsEverything(t *testing.T) {
	t.Parallel()
	h := twilio.StatusHandler(twilio.Webhook{PublicURL: statusAt}, func(context.Context, twilio.Status) error {
		t.Error("told")
		return nil
	})
	if w := ask(h, posted(t, "", url.Values{}, hmacOf("", statusAt))); w.Code != http.StatusForbidden {
		t.Errorf("%d", w.Code)
	}
}

func TestWhatIsSignedAndCannotBeReadIsABadRequest(t *testing.T) {
	t.Parallel()
	h, told := statuses(nil)
	bad := form(statusForm(), "MessageSid", "")
	if w := ask(h, posted(t, "", bad, sign(t, statusAt, bad))); w.Code != http.StatusBadRequest || len(*told) != 0 {
		t.Errorf("%d, told %v", w.Code, *told)
	}
}

func TestWhatCouldNotBeKeptIsSaidSo(t *testing.T) {
	t.Parallel()
	h, _ := statuses(errors.New("the database is away, " + phone))
	w := ask(h, posted(t, "", statusForm(), sign(t, statusAt, statusForm())))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), phone) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAPersonsMessageIsToldAndAnsweredWithSilence(t *testing.T) {
	t.Parallel()
	var told []reply.Inbound
	result := error(nil)
	h := twilio.InboundHandler(twilio.Webhook{AuthToken: token, PublicURL: inboundAt}, func(_ context.Context, in reply.Inbound) error {
		told = append(told, in)
		return result
	})
	request := func(f url.Values) *http.Request { return posted(t, "", f, sign(t, inboundAt, f)) }
	w := ask(h, request(inboundForm()))
	body, _ := io.ReadAll(w.Body)
	if w.Code != http.StatusOK || string(body) != "<Response/>" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/xml") {
		t.Errorf("%d %s", w.Code, body)
	}
	if len(told) != 1 || told[0].From.Reveal() != phone {
		t.Errorf("%v", told)
	}
	for _, notForUs := range []url.Values{
		form(inboundForm(), "From", "38383"), form(inboundForm(), "From", "whatsapp:"+phone), form(inboundForm(), "From", "+7378742833"),
		form(inboundForm(), "To", "messenger:1"),
	} {
		if w := ask(h, request(notForUs)); w.Code != http.StatusOK || w.Body.String() != "<Response/>" || len(told) != 1 {
			t.Errorf("from %s: %d, told %d", notForUs.Get("From"), w.Code, len(told))
		}
	}
	if w := ask(h, request(form(inboundForm(), "MessageSid", ""))); w.Code != http.StatusBadRequest {
		t.Errorf("unreadable: %d", w.Code)
	}
	if w := ask(h, posted(t, "", inboundForm(), "x")); w.Code != http.StatusForbidden || len(told) != 1 {
		t.Errorf("unsigned: %d, told %d", w.Code, len(told))
	}
	result = io.ErrUnexpectedEOF
	if w := ask(h, request(inboundForm())); w.Code != http.StatusServiceUnavailable {
		t.Errorf("not kept: %d", w.Code)
	}
}
