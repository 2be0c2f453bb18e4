package app_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rappel/internal/app"
)

func TestRefusedWebhooksAreLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	handler := app.WatchWebhook(slog.New(slog.NewTextHandler(&log, nil)), "twilio_status",
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				http.Error(w, "not signed by Twilio", http.StatusForbidden)
			}
		}))
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodGet, http.MethodPost, http.MethodGet} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, "/webhooks/twilio/status?To=%2B12015550123", nil))
	}
	const want = `level=WARN msg="webhook request refused" hook=twilio_status outcome=signature problem="not signed by Twilio"`
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, want) {
		t.Errorf("logged %s", got)
	}
}
