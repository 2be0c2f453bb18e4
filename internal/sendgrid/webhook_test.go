package sendgrid_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"rappel/internal/sendgrid"
)

// hook is a webhook of s that keeps what it told.
func hook(s signer, result error) (http.Handler, *[]sendgrid.Event) {
	var all []sendgrid.Event
	return sendgrid.EventsHandler(sendgrid.Webhook{Key: &s.key.PublicKey, Now: now}, func(_ context.Context, e []sendgrid.Event) error {
		all = append(all, e...)
		return result
	}), &all
}

func posted(t *testing.T, s signer, at time.Time, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/sendgrid/events", strings.NewReader(body))
	timestamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set(sendgrid.SignatureHeader, s.sign(t, timestamp, body))
	r.Header.Set(sendgrid.TimestampHeader, timestamp)
	return r
}

func ask(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestSignedEventsAreTold(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	h, all := hook(s, nil)
	w := ask(h, posted(t, s, now(), "["+told(`"event":"delivered"`)+","+told(`"event":"open"`)+"]\r\n"))
	if w.Code != http.StatusNoContent || len(*all) != 2 || (*all)[0] != is(sendgrid.Delivered, "") {
		t.Errorf("%d %s: %+v", w.Code, w.Body, *all)
	}
}

func TestWhatIsNotSignedIsForbidden(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	body := "[" + told(`"event":"delivered"`) + "]"
	for name, request := range map[string]func(*testing.T) *http.Request{
		"another's key": func(t *testing.T) *http.Request { t.Helper(); return posted(t, newSigner(t), now(), body) },
		"two days ago":  func(t *testing.T) *http.Request { t.Helper(); return posted(t, s, now().Add(-48*time.Hour), body) },
		"not signed": func(t *testing.T) *http.Request {
			t.Helper()
			return without(posted(t, s, now(), body), sendgrid.SignatureHeader)
		},
		"without a time": func(t *testing.T) *http.Request {
			t.Helper()
			return without(posted(t, s, now(), body), sendgrid.TimestampHeader)
		},
		"too large": func(t *testing.T) *http.Request {
			t.Helper()
			return posted(t, s, now(), "["+strings.Repeat(" ", 1<<20)+"]")
		},
		"asked with GET": func(t *testing.T) *http.Request {
			t.Helper()
			r := posted(t, s, now(), body)
			r.Method = http.MethodGet
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, all := hook(s, nil)
			if w := ask(h, request(t)); w.Code != http.StatusForbidden || len(*all) != 0 {
				t.Errorf("%d, told %v", w.Code, *all)
			}
		})
	}
}

func without(r *http.Request, header string) *http.Request {
	r.Header.Del(header)
	return r
}

func TestAWebhookWithoutAKeyForbidsEverything(t *testing.T) {
	t.Parallel()
	h := sendgrid.EventsHandler(sendgrid.Webhook{Now: now}, func(context.Context, []sendgrid.Event) error {
		t.Error("told")
		return nil
	})
	if w := ask(h, posted(t, newSigner(t), now(), "[]")); w.Code != http.StatusForbidden {
		t.Errorf("%d", w.Code)
	}
}

func TestWhatIsSignedAndCannotBeReadIsABadRequest(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	h, all := hook(s, nil)
	if w := ask(h, posted(t, s, now(), "{}")); w.Code != http.StatusBadRequest || len(*all) != 0 {
		t.Errorf("%d, told %v", w.Code, *all)
	}
}

func TestWhatCouldNotBeKeptIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	h, _ := hook(s, errors.New("the database is away, "+mailbox))
	if w := ask(h, posted(t, s, now(), "[]")); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), mailbox) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
