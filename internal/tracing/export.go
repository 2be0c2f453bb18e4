package tracing

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// Export returns a tracer whose spans go to a collector by OTLP over HTTP, and
// how to send what is left and stop. Where the collector is, how much is sampled
// and what the service is called the standard OTEL_ variables say
// ("OpenTelemetry: Environment Variable Specification").
func Export(ctx context.Context, version string) (Tracer, func(context.Context) error, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return Tracer{}, nil, fmt.Errorf("traces: %w", err)
	}
	about, err := resource.Merge(
		resource.NewSchemaless(attribute.String("service.name", "rappel"), attribute.String("service.version", version)),
		resource.Environment(),
	)
	if err != nil {
		return Tracer{}, nil, fmt.Errorf("traces: what OTEL_RESOURCE_ATTRIBUTES says: %w", err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about))
	return New(provider), provider.Shutdown, nil
}
