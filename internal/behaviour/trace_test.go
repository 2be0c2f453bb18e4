package behaviour_test

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"rappel/internal/tracing"
	"rappel/jobs"
)

// A main app's request, as the specification's example has it.
const (
	requestTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	request      = "00-" + requestTrace + "-00f067aa0ba902b7-01"
)

// asked returns the traces of the requests for messages since the last time.
func (in *inbox) asked() (traces []string) {
	for _, try := range in.tried() {
		_, id, _ := strings.Cut(try.header.Get("Traceparent"), "-")
		traces = append(traces, id[:min(len(id), len(requestTrace))])
	}
	return traces
}

func TestATraceGoesFromTheMainAppsRequestToItsEndpoint(t *testing.T) {
	t.Parallel()
	for how, tell := range map[string]func(w *world, visit string){
		"told by a task": func(w *world, visit string) {
			ctx := tracing.Under(w.t.Context(), request)
			if _, err := w.mainApp().Report(ctx, jobs.Booked, visit, w.clock.Now()); err != nil {
				w.t.Fatal(err)
			}
		},
		"told by a row": func(w *world, visit string) {
			w.event(row{"kind": "appointment.booked", "appointment_id": visit, "traceparent": request})
		},
	} {
		for _, collected := range []bool{false, true} {
			t.Run(how, func(t *testing.T) {
				t.Parallel()
				kept := tracetest.NewInMemoryExporter()
				w := openWorld(t, monday, func(w *world) {
					if collected {
						w.tracer = tracing.New(trace.NewTracerProvider(trace.WithSyncer(kept)))
					}
				})
				w.inbox.answers(answer{status: 503})
				tell(w, w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil))
				w.expect()
				w.pass(time.Minute)
				w.expect("sms +12015550101: is booked")
				for _, got := range w.inbox.asked() {
					if got != requestTrace {
						t.Errorf("a request is of trace %q", got)
					}
				}
				var steps []string
				for _, s := range kept.GetSpans() {
					steps = append(steps, s.Name+" "+s.Status.Description)
					if s.SpanContext.TraceID().String() != requestTrace {
						t.Errorf("%s is of trace %s", s.Name, s.SpanContext.TraceID())
					}
				}
				want := "decide |send sms the endpoint answered 503|send sms "
				if got := strings.Join(steps, "|"); collected && got != want {
					t.Errorf("steps %q, want %q", got, want)
				}
			})
		}
	}
}

func TestWhatIsNoTraceIsNotHandedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	w.event(row{"kind": "appointment.booked", "appointment_id": visit, "traceparent": "Ann Lee"})
	w.expect("sms +12015550101: is booked")
	if got := w.inbox.asked(); len(got) != 1 || got[0] != "" {
		t.Errorf("traces %q", got)
	}
}
