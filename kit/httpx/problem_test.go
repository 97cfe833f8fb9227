package httpx_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/telemetry"
)

// passedOn is a problem as a service knows it that another one was told of.
func passedOn(t *testing.T, told error) error {
	t.Helper()
	written, err := json.Marshal(httpx.NewProblem(t.Context(), told))
	if err != nil {
		t.Fatal(err)
	}
	var read httpx.Problem
	if err := json.Unmarshal(written, &read); err != nil {
		t.Fatal(err)
	}
	return read.AsError()
}

// Whoever wrote it, a refusal that passes says in seconds when to come again, and one that does not pass says nothing of it.
func TestARefusalThatPassesSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	known := contract.Errorf(contract.CodeTooMany, "too many").With("retry_after", int64(7))
	for name, c := range map[string]struct {
		err   error
		after string
	}{
		"a neighbour is missing": {contract.Unavailable(errors.New("timeout"), "prices cannot be read now"), "1"},
		"still running":          {contract.Errorf(contract.CodeInProgress, "still running"), "1"},
		"known how long":         {known, "7"},
		"passed on":              {passedOn(t, known), "7"},
		"not there":              {contract.Errorf(contract.CodeNotFound, "no such thing"), ""},
		"ours to mend":           {errors.New("a bug"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := slog.New(slog.DiscardHandler)
			app := httpx.NewApp(httpx.ServerConfig{Service: "s", Region: "r", Log: log, Tracer: telemetry.NewTracer("s"), Registry: prometheus.NewRegistry()})
			httpx.Handle(httpx.NewAPI(app, "s", "1", nil, log), huma.Operation{OperationID: "ask", Method: http.MethodGet, Path: "/operation"},
				func(context.Context, *struct{}) (*struct{}, error) { return nil, c.err })
			app.Get("/plain", func(*fiber.Ctx) error { return c.err })
			for _, path := range []string{"/operation", "/plain"} {
				response, err := app.Test(httptest.NewRequest(http.MethodGet, path, http.NoBody), -1)
				if err != nil {
					t.Fatal(err)
				}
				if err := response.Body.Close(); err != nil {
					t.Fatal(err)
				}
				if got := response.Header.Get("Retry-After"); got != c.after || response.StatusCode < http.StatusBadRequest {
					t.Errorf("%s answers %d with Retry-After %q, want %q", path, response.StatusCode, got, c.after)
				}
			}
		})
	}
}
