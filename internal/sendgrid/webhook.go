package sendgrid

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"io"
	"net/http"
	"time"
)

// A Webhook is the address that SendGrid calls.
type Webhook struct {
	Key *ecdsa.PublicKey // nil: nothing is signed
	Now func() time.Time
}

// EventsHandler takes events and hands all of one request to tell at once. What
// is not signed gets 403, what is and cannot be read 400; when tell fails, 503,
// and SendGrid sends them again for a day.
func EventsHandler(hook Webhook, tell func(context.Context, []Event) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := hook.open(w, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		events, err := ParseEvents(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if tell(r.Context(), events) != nil {
			http.Error(w, "not kept", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// open reads a request's body, whose very bytes are signed, and checks who sent
// it.
func (h Webhook) open(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost {
		return nil, ErrSignature
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, ErrTooLarge
		}
		return nil, ErrSignature
	}
	signature, timestamp := r.Header.Get(SignatureHeader), r.Header.Get(TimestampHeader)
	return body, CheckSignature(h.Key, body, signature, timestamp, h.Now())
}
