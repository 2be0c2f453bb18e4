package app

import (
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"rappel/internal/sendgrid"
)

// The outcomes of a request to a webhook.
const (
	hookOK         = "ok"
	hookSignature  = "signature"  // the signature or the token is missing or wrong
	hookTimestamp  = "timestamp"  // signed at a time that is missing, expired or in the future
	hookUnreadable = "unreadable" // signed, but of another form
	hookUnknown    = "unknown"    // about a notification that there is not
	hookNotKept    = "not_kept"   // the database did not take it: it is to be sent again
)

func webhookOutcomes() []string {
	return []string{hookOK, hookSignature, hookTimestamp, hookUnreadable, hookUnknown, hookNotKept}
}

// watchWebhook counts the requests to a webhook by outcome, and logs refused
// ones, at most one a minute: a wrong key or URL refuses each of them.
func (a *App) watchWebhook(hook string, next http.Handler) http.Handler {
	warn := rate.Sometimes{First: 1, Interval: time.Minute}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &hookAnswer{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r)
		outcome := answer.outcome()
		a.metrics.webhooks.WithLabelValues(hook, outcome).Inc()
		if outcome == hookOK || outcome == hookUnknown || outcome == hookNotKept { // the last is in the log already
			return
		}
		due := false
		if warn.Do(func() { due = true }); due {
			a.log.WarnContext(r.Context(), "webhook request refused", "hook", hook, "outcome", outcome, "problem", answer.problem)
		}
	})
}

// A hookAnswer keeps the status and the words of an answer. The handlers' words
// hold nothing of the request.
type hookAnswer struct {
	http.ResponseWriter

	status  int
	problem string
}

func (h *hookAnswer) WriteHeader(status int) {
	h.status = status
	h.ResponseWriter.WriteHeader(status)
}

func (h *hookAnswer) Write(b []byte) (int, error) {
	if h.status >= http.StatusBadRequest {
		h.problem += strings.TrimSpace(string(b))
	}
	return h.ResponseWriter.Write(b)
}

// Unwrap returns the writer below, for [http.ResponseController].
func (h *hookAnswer) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h *hookAnswer) outcome() string {
	switch {
	case h.status < http.StatusBadRequest:
		return hookOK
	case h.status == http.StatusForbidden && h.problem == sendgrid.ErrTimestamp.Error():
		return hookTimestamp
	case h.status == http.StatusForbidden:
		return hookSignature
	case h.status == http.StatusNotFound:
		return hookUnknown
	case h.status >= http.StatusInternalServerError:
		return hookNotKept
	}
	return hookUnreadable
}
