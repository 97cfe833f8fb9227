package telemetry_test

import (
	"testing"

	"go.opentelemetry.io/otel/propagation"

	"github.com/meridian-store/meridian/kit/telemetry"
)

func TestTraceParentIsWhatThePropagatorWrites(t *testing.T) {
	t.Parallel()
	tracer := telemetry.NewTracer("test")
	for _, from := range []string{"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "nonsense"} {
		ctx, span := tracer.Start(t.Context(), from, "test")
		carrier := propagation.MapCarrier{}
		propagation.TraceContext{}.Inject(ctx, carrier)
		if got := telemetry.TraceParent(ctx); got == "" || got != carrier["traceparent"] {
			t.Errorf("after %q: %q, the propagator writes %q", from, got, carrier["traceparent"])
		}
		if len(from) > 40 && telemetry.TraceID(ctx) != from[3:35] {
			t.Errorf("the trace %q was not continued: %q", from, telemetry.TraceID(ctx))
		}
		span.End()
	}
	if telemetry.TraceParent(t.Context()) != "" {
		t.Error("a context without a span has a traceparent")
	}
}
