package httpx

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/kit/telemetry"
)

const (
	readTimeout  = 15 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = 75 * time.Second
	// bodyLimit holds a bulk of products; operations set their own, smaller, limits.
	bodyLimit = 16 << 20
	// headerLimit bounds the request line and all headers: a token, cookies and the edge's headers fit.
	headerLimit = 16 << 10
)

// ServerConfig is what a service's HTTP server needs.
type ServerConfig struct {
	Service, Region string
	// InternalSecret guards everything below /internal/.
	InternalSecret secret.Secret
	Log            *slog.Logger
	Tracer         *telemetry.Tracer
	Registry       *prometheus.Registry
	// Profiling serves ProfilePath.
	Profiling bool
}

// NewApp makes a service's app: traced, measured, with problem documents for whatever goes wrong, and /metrics.
func NewApp(config ServerConfig) *fiber.App {
	app := fiber.New(fiber.Config{
		AppName: "meridian " + config.Service,
		// Fiber reuses a request's memory; strings that outlive their handler must be copies.
		Immutable:             true,
		DisableStartupMessage: true,
		ReadTimeout:           readTimeout,
		WriteTimeout:          writeTimeout,
		IdleTimeout:           idleTimeout,
		BodyLimit:             bodyLimit,
		ReadBufferSize:        headerLimit,
		ErrorHandler:          func(c *fiber.Ctx, err error) error { return writeProblem(c, config.Log, err) },
	})
	app.Use(observe(config))
	app.Get("/metrics", adaptor.HTTPHandler(promhttp.HandlerFor(config.Registry, promhttp.HandlerOpts{})))
	app.Use("/internal/", guard(config.InternalSecret))
	if config.Profiling {
		serveProfiles(app)
	}
	return app
}

// observe continues the caller's trace, answers with it, measures, and turns a panic into a problem document.
func observe(config ServerConfig) fiber.Handler {
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "meridian_http_request_duration_seconds", Help: "Time to answer, by route and status.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15},
	}, []string{"method", "route", "status"})
	config.Registry.MustRegister(duration)
	return func(c *fiber.Ctx) error {
		started := time.Now()
		ctx, span := config.Tracer.Start(c.UserContext(), c.Get("traceparent"), c.Method())
		defer span.End()
		c.SetUserContext(ctx)
		c.Set("traceparent", telemetry.TraceParent(ctx))
		c.Set(contract.HeaderRegion, config.Region)
		if err := next(c, config.Log); err != nil {
			if handled := c.App().ErrorHandler(c, err); handled != nil {
				return handled
			}
		}
		route := c.Route().Path
		status := c.Response().StatusCode()
		duration.WithLabelValues(c.Method(), route, fmt.Sprint(status)).Observe(time.Since(started).Seconds())
		config.Log.DebugContext(ctx, "Answered.", "method", c.Method(), "route", route, "status", status, "ms", time.Since(started).Milliseconds())
		return nil
	}
}

// next runs the rest of the chain and turns a panic into an error, so that one bad request costs only itself.
func next(c *fiber.Ctx, log *slog.Logger) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			log.ErrorContext(c.UserContext(), "A handler panicked.", "panic", fmt.Sprint(problem), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	return c.Next()
}

func writeProblem(c *fiber.Ctx, log *slog.Logger, err error) error {
	var fromFiber *fiber.Error
	if errors.As(err, &fromFiber) {
		err = asContract(fromFiber, c.Method())
	}
	problem := NewProblem(c.UserContext(), err)
	if problem.Status >= http.StatusInternalServerError {
		log.ErrorContext(c.UserContext(), "A request failed.", "error", ErrorChain(err))
	}
	body, err := problem.MarshalJSON()
	if err != nil {
		return fmt.Errorf("write a problem document: %w", err)
	}
	for name, values := range problem.GetHeaders() {
		c.Set(name, values[0])
	}
	c.Set(fiber.HeaderContentType, ProblemContentType)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(problem.Status).Send(body)
}

func asContract(err *fiber.Error, method string) error {
	switch err.Code {
	case http.StatusNotFound:
		return contract.Errorf(contract.CodeNotFound, "there is nothing at this path")
	case http.StatusMethodNotAllowed:
		return contract.Errorf(contract.CodeNotFound, "%s is not served at this path", method)
	case http.StatusRequestEntityTooLarge:
		return contract.Errorf(contract.CodeTooLarge, "the body is larger than %d bytes", bodyLimit)
	case http.StatusBadRequest:
		return contract.Errorf(contract.CodeInvalid, "the request could not be read")
	default:
		return err
	}
}

// guard lets only services of the same shop in.
func guard(internal secret.Secret) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !internal.Matches(c.Get(contract.HeaderInternal)) {
			return contract.Errorf(contract.CodeNotFound, "there is nothing at this path")
		}
		return c.Next()
	}
}

// IsInternal says whether a path is one that only services may call.
func IsInternal(path string) bool { return strings.HasPrefix(path, "/internal/") }
