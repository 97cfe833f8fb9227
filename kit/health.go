package kit

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

const checkTimeout = 800 * time.Millisecond

// DrainPath has a service say that it is not ready, while it goes on to answer: whoever stops it in order asks for that first, and stops
// it once nobody sends it anything. There is no way back but a restart.
const DrainPath = "/internal/v1/drain"

// serveHealth answers /health while the process lives, and /ready while the service can do its work and is not draining.
func serveHealth(base *Base, draining *atomic.Bool) {
	status := func(c *fiber.Ctx, code int, status string, failed map[string]string) error {
		body := fiber.Map{"status": status, "service": base.Name, "region": base.Region.Name}
		if len(failed) > 0 {
			body["failed"] = failed
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.Status(code).JSON(body)
	}
	base.App.Get("/health", func(c *fiber.Ctx) error { return status(c, http.StatusOK, "ok", nil) })
	base.App.Post(DrainPath, func(c *fiber.Ctx) error {
		draining.Store(true)
		return c.SendStatus(http.StatusNoContent)
	})
	base.App.Get("/ready", func(c *fiber.Ctx) error {
		if draining.Load() {
			return status(c, http.StatusServiceUnavailable, "draining", nil)
		}
		ctx, cancel := context.WithTimeout(c.UserContext(), checkTimeout)
		defer cancel()
		failed := map[string]string{}
		for _, check := range base.checks {
			if err := check.Test(ctx); err != nil {
				base.Log.WarnContext(ctx, "The service is not ready.", "check", check.Name, "error", err.Error())
				failed[check.Name] = "does not answer"
			}
		}
		if len(failed) > 0 {
			return status(c, http.StatusServiceUnavailable, "not ready", failed)
		}
		return status(c, http.StatusOK, "ok", nil)
	})
}
