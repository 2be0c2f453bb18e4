package admin_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/uuid"

	"rappel/internal/admin"
	"rappel/internal/dev"
	"rappel/jobs/deliver"
)

// document reads the description that main apps are built from.
func document(ctx context.Context, t *testing.T, base string) routers.Router {
	t.Helper()
	file, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Error(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(ctx); err != nil {
		t.Fatalf("openapi.yaml is not a valid document: %v", err)
	}
	doc.Servers = openapi3.Servers{{URL: base}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// described hands requests on and fails the test where a request or its answer
// is not as the document describes them.
func described(t *testing.T, next http.Handler) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		router := document(r.Context(), t, "http://"+r.Host+dev.AdminPath)
		route, params, err := router.FindRoute(r)
		if err != nil {
			t.Errorf("%s %s is not in the document: %v", r.Method, r.URL.Path, err)
			return
		}
		asked := &openapi3filter.RequestValidationInput{
			Request: r, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: func(context.Context, *openapi3filter.AuthenticationInput) error { return nil }},
		}
		if err := openapi3filter.ValidateRequest(r.Context(), asked); err != nil {
			t.Errorf("the request is not as described: %v", err)
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: asked, Status: answer.Code, Header: answer.Header(),
			Body: io.NopCloser(bytes.NewReader(body)),
		})
		if err != nil {
			t.Errorf("the answer %d is not as described: %v", answer.Code, err)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body)
	})
}

func TestClientAndStandInKeepToTheDocument(t *testing.T) {
	t.Parallel()
	app := dev.NewMainApp(dev.MainAppOptions{Token: token})
	server := httptest.NewServer(described(t, app.Handler()))
	t.Cleanup(server.Close)
	client, err := admin.New(admin.Options{
		URL: server.URL + dev.AdminPath, Token: token, Version: "test", Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Health(t.Context()); err != nil {
		t.Errorf("health: %v", err)
	}
	for name, m := range map[string]deliver.Message{"an SMS": sms(t), "an e-mail to a contact": email(t)} {
		m.NotificationID, m.ExpiresAt = uuid.Must(uuid.NewV7()).String(), now()
		first, again := client.Send(t.Context(), m), client.Send(t.Context(), m)
		if first.Verdict != deliver.Accepted || first.MessageID == "" || again != first {
			t.Errorf("%s was answered %+v, then %+v", name, first, again)
		}
	}
	if n := len(app.Messages()); n != 2 || !app.Messages()[0].ExpiresAt.Equal(now()) {
		t.Errorf("the stand-in shows %d messages, not 2, or not when they expire", n)
	}
	for name, r := range replies(t) {
		first, again := client.PostReply(t.Context(), r), client.PostReply(t.Context(), r)
		if first.Verdict != deliver.Accepted || again != first {
			t.Errorf("%s was answered %+v, then %+v", name, first, again)
		}
	}
	if n := len(app.Replies()); n != len(replies(t)) {
		t.Errorf("the stand-in shows %d replies", n)
	}
}

func TestTheDocumentHasOnlyWhatTheContractHas(t *testing.T) {
	t.Parallel()
	const confirmed = `"practice_id":"01900000-0000-7000-8000-000000000002","notification_id":"01900000-0000-7000-8000-000000000001"`
	for name, fields := range map[string]string{
		"an unknown meaning":     `"meaning":"cancel"`,
		"a null practice":        `"meaning":"other","practice_id":null`,
		"several that are one":   `"meaning":"other","appointment_ids":["01900000-0000-7000-8000-000000000004"]`,
		"a confirmation of what": `"meaning":"confirm",` + confirmed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := `{"from":"+12015550123","text":"C","received_at":"2026-11-21T12:00:00Z",` + fields + `}`
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://app.example.com/replies", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "01900000-0000-7000-8000-000000000009")
			route, params, err := document(t.Context(), t, "http://app.example.com").FindRoute(r)
			if err != nil {
				t.Fatal(err)
			}
			err = openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{
				Request: r, PathParams: params, Route: route,
				Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
			})
			if err == nil {
				t.Error("it is as described")
			}
		})
	}
}

func TestTheStandInRefusesAsDescribed(t *testing.T) {
	t.Parallel()
	app := dev.NewMainApp(dev.MainAppOptions{Token: token})
	server := httptest.NewServer(described(t, app.Handler()))
	t.Cleanup(server.Close)
	stranger, err := admin.New(admin.Options{URL: server.URL + dev.AdminPath, Token: "another", Version: "test", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if a := stranger.Send(t.Context(), sms(t)); a.Verdict != deliver.Misconfigured {
		t.Errorf("a wrong token was answered %+v", a)
	}
	if err := stranger.Health(t.Context()); err == nil {
		t.Error("a wrong token is healthy")
	}
}
