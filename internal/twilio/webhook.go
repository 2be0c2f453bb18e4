package twilio

import (
	"context"
	"net/http"
	"net/url"

	"rappel/jobs/reply"
)

// A Webhook is one address that Twilio calls.
type Webhook struct {
	AuthToken string // signs what Twilio sends
	PublicURL string // as Twilio was given it, without the query
}

// mostForm is how large a webhook's body may be.
const mostForm = 64 << 10

// StatusHandler takes status callbacks and hands them to tell. What is not
// signed gets 403, what is and cannot be read 400; when tell fails, Twilio is
// answered 503.
func StatusHandler(hook Webhook, tell func(context.Context, Status) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := hook.open(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		status, err := ParseStatus(r.Form)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if tell(r.Context(), status) != nil {
			http.Error(w, "not kept", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// InboundHandler takes messages from people and hands them to tell. It answers
// as StatusHandler does, and a kept message with TwiML that says nothing: what
// else stood there, Twilio would send to the person. One that is not for us gets
// the same answer: Twilio takes any other for an error.
func InboundHandler(hook Webhook, tell func(context.Context, reply.Inbound) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := hook.open(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		inbound, err := ParseInbound(r.PostForm)
		if NotForUs(err) {
			silentTwiML(w)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if tell(r.Context(), inbound) != nil {
			http.Error(w, "not kept", http.StatusServiceUnavailable)
			return
		}
		silentTwiML(w)
	})
}

// silentTwiML answers a message without a word to the person.
func silentTwiML(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = w.Write([]byte("<Response/>"))
}

// open reads a request's form and checks who sent it. What the request itself
// says about its host is not asked: a proxy may have changed it.
func (h Webhook) open(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return ErrSignature
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if r.ParseForm() != nil {
		return ErrSignature
	}
	return CheckSignature(h.AuthToken, h.exactURL(r.URL), r.PostForm, r.Header.Get(SignatureHeader))
}

func (h Webhook) exactURL(requested *url.URL) string {
	if requested.RawQuery == "" {
		return h.PublicURL
	}
	return h.PublicURL + "?" + requested.RawQuery
}
