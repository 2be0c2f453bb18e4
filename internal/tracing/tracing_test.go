package tracing_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"rappel/internal/tracing"
)

// The example of the specification.
const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	given   = "00-" + traceID + "-00f067aa0ba902b7-01"
	another = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

func TestWithoutACollectorATraceIsHandedOn(t *testing.T) {
	t.Parallel()
	span := tracing.Tracer{}.Start(t.Context(), "send", given, another)
	span.Note("notification", "id")
	span.End(errors.New("refused"))
	if got := span.Traceparent(); got != given {
		t.Errorf("the trace is %q", got)
	}
	h := http.Header{}
	tracing.Inject(tracing.Under(t.Context(), span.Traceparent()), h.Set)
	if got := h.Get(tracing.Header); got != given {
		t.Errorf("the request has %q", got)
	}
}

func TestWhatCannotBeReadIsNoTrace(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"", "Ann Lee", "00-" + traceID, "00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01", given + "\n", given + "Ann"} {
		if got := tracing.Valid(t.Context(), given); got != "" {
			t.Errorf("%q is taken for %q", given, got)
		}
		span := tracing.Tracer{}.Start(t.Context(), "send", given)
		h := http.Header{}
		if tracing.Inject(tracing.Under(t.Context(), span.Traceparent()), h.Set); len(h) > 0 {
			t.Errorf("%q leads to %v", given, h)
		}
	}
	if tracing.Valid(t.Context(), given) != given {
		t.Error("a good one is lost")
	}
}

func TestASpanBelongsToItsOwnTraceAndNotToItsCallers(t *testing.T) {
	t.Parallel()
	kept := tracetest.NewInMemoryExporter()
	tracer := tracing.New(trace.NewTracerProvider(trace.WithSyncer(kept)))
	caller := tracing.Under(t.Context(), another)
	span := tracer.Start(caller, "send", given, another, "nonsense")
	span.Note("code", "")
	span.Note("notification", "n1")
	span.End(errors.New("the endpoint answered 503"))
	alone := tracer.Start(caller, "decide", "")
	alone.End(nil)
	spans := kept.GetSpans()
	if len(spans) != 2 {
		t.Fatalf("%d spans", len(spans))
	}
	sent, decided := spans[0], spans[1]
	if got := span.Traceparent(); sent.SpanContext.TraceID().String() != traceID || got == given || !strings.Contains(got, traceID) {
		t.Errorf("the span is of %s, and what follows of %s", sent.SpanContext.TraceID(), got)
	}
	if len(sent.Links) != 1 || len(sent.Attributes) != 1 || sent.Status.Description != "the endpoint answered 503" {
		t.Errorf("%+v", sent)
	}
	if decided.Parent.IsValid() || alone.Traceparent() == "" {
		t.Errorf("a new trace has a parent: %+v", decided.Parent)
	}
}

// The variables are the process's: this test runs alone.
func TestSpansGoToTheCollectorThatTheEnvironmentNames(t *testing.T) {
	came := make(chan *collector.ExportTraceServiceRequest, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := &collector.ExportTraceServiceRequest{}
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, request) != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		came <- request
	}))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	tracer, end, err := tracing.Export(t.Context(), "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	span := tracer.Start(t.Context(), "send sms", given)
	span.End(nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := end(ctx); err != nil {
		t.Fatal(err)
	}
	request := <-came
	got := request.String()
	for _, want := range []string{`"rappel"`, `"1.2.3"`, `"deployment.environment.name"`, `"send sms"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}
