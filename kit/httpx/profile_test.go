package httpx_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/kit/telemetry"
)

// A profile tells much and costs CPU: only who knows the secret gets one, and only where it was turned on.
func TestProfilesAreGuardedAndOffByDefault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, secret string
		profiling    bool
		want         int
	}{
		{"on, with the secret", "right", true, http.StatusOK},
		{"on, with another secret", "wrong", true, http.StatusNotFound},
		{"on, without", "", true, http.StatusNotFound},
		{"off", "right", false, http.StatusNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			app := httpx.NewApp(httpx.ServerConfig{
				Service: "catalog", Region: "us-east", InternalSecret: secret.New("right"), Log: slog.New(slog.DiscardHandler),
				Tracer: telemetry.NewTracer("catalog"), Registry: prometheus.NewRegistry(), Profiling: c.profiling,
			})
			request := httptest.NewRequest(http.MethodGet, httpx.ProfilePath+"?seconds=1", nil)
			request.Header.Set(contract.HeaderInternal, c.secret)
			answer, err := app.Test(request, -1)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			// A profile is gzipped protobuf.
			isProfile := len(body) > 2 && body[0] == 0x1f && body[1] == 0x8b
			if answer.StatusCode != c.want || isProfile != (c.want == http.StatusOK) {
				t.Errorf("got %d and a profile: %t, want %d", answer.StatusCode, isProfile, c.want)
			}
		})
	}
}
