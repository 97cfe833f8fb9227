package gateway

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/meridian-store/meridian/contract"
)

// userCart is how a service's own request about a user's cart is served.
var userCart = &compiledRoute{Route: Route{Service: contract.ServiceCart, Timeout: DefaultTimeout}}

// passHome sends what a service of ours has to say to a user's cart to the user's home, which alone may answer. It is
// contract.CodeNotFound when the home is not there, and contract.CodeUnavailable when it did not answer.
func (s *Service) passHome(c *fiber.Ctx) error {
	code := codeOf(c.Params("user_id"))
	if s.callers.fromPeer(c) || code == s.homes.ownCode {
		c.Request().Header.Del(contract.HeaderForwardedBy)
		return s.forwarder.forward(c, userCart)
	}
	home := s.homes.at(code)
	if home == nil {
		return contract.Errorf(contract.CodeNotFound, "the user's home is not there now")
	}
	err := s.homes.forward(c, userCart, home)
	if errors.Is(err, errServeHere) {
		return contract.Unavailable(err, "%s did not answer", home.region)
	}
	return err
}
