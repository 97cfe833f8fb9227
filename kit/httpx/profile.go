package httpx

import (
	"net/http/pprof"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
)

// ProfilePath gives the process's CPU profile over ?seconds= in pprof's form, where it is turned on. It is guarded as everything
// below /internal/ is.
const ProfilePath = "/internal/v1/profile"

func serveProfiles(app *fiber.App) { app.Get(ProfilePath, adaptor.HTTPHandlerFunc(pprof.Profile)) }
