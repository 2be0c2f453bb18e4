// Package tracing follows one message from the main app's request to the admin
// endpoint: it takes the trace that an event came with, keeps to it across the
// database and the queue, and hands it on with each request (W3C Trace Context).
// Where the standard OTEL_ variables name a collector, rappel's own spans go
// there by OTLP.
//
// A trace holds ids, kinds, statuses and codes. The package deliberately does
// not know what is traced, and without a collector it only hands on what it was
// given.
package tracing

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Header is the name under which a trace travels, in HTTP and with a task.
const Header = "traceparent"

// Of returns the traceparent of ctx; empty: it belongs to no trace.
func Of(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[Header]
}

// Under returns ctx as a part of the trace that traceparent names. One that
// cannot be read names none.
func Under(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{Header: traceparent})
}

// Valid returns traceparent if it can be read, else nothing: whoever tells of an
// event may write anything there.
func Valid(ctx context.Context, traceparent string) string { return Of(alone(ctx, traceparent)) }

// alone is ctx in the trace that traceparent names, and in no other.
func alone(ctx context.Context, traceparent string) context.Context {
	return Under(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), traceparent)
}

// Inject hands the trace of ctx on with a request: set sets a header of it.
func Inject(ctx context.Context, set func(name, value string)) {
	headers := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, headers)
	for name, value := range headers {
		set(name, value)
	}
}

// A Tracer starts spans. The zero Tracer keeps to a trace and records nothing.
type Tracer struct{ tracer trace.Tracer }

// New returns a tracer whose spans go to a provider.
func New(p trace.TracerProvider) Tracer { return Tracer{p.Tracer("rappel")} }

// Start begins a span in the trace that the first traceparent names, or a new
// one where it names none; the others are linked.
func (t Tracer) Start(ctx context.Context, name, traceparent string, linked ...string) Span {
	tracer := t.tracer
	if tracer == nil {
		tracer = noop.Tracer{}
	}
	var links []trace.Link
	for _, other := range linked {
		if c := trace.SpanContextFromContext(alone(ctx, other)); c.IsValid() {
			links = append(links, trace.Link{SpanContext: c})
		}
	}
	// Not that of whoever calls: a batch serves many traces.
	_, span := tracer.Start(alone(ctx, traceparent), name, trace.WithLinks(links...))
	return Span{span}
}

// A Span is one step of a trace.
type Span struct{ span trace.Span }

// Traceparent names the trace, at this step: what follows from it goes on there.
func (s Span) Traceparent() string {
	c := s.span.SpanContext()
	if !c.IsValid() {
		return ""
	}
	const version = "00" // of W3C Trace Context
	return strings.Join([]string{version, c.TraceID().String(), c.SpanID().String(), c.TraceFlags().String()}, "-")
}

// Note adds what a step was about: ids, kinds, statuses. An empty value is none.
func (s Span) Note(name, value string) {
	if value != "" {
		s.span.SetAttributes(attribute.String("rappel."+name, value))
	}
}

// End ends the step; err is what went wrong in it, without personal data.
func (s Span) End(err error) {
	if err != nil {
		s.span.SetStatus(codes.Error, err.Error())
	}
	s.span.End()
}
