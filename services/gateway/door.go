package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// codeMethod is the one kind of problem that only a gateway has; its status is 405.
const codeMethod = "method-not-allowed"

// maxKey bounds Idempotency-Key, which the order service stores.
const maxKey = 255

// enter is the way of every request: cheap refusals first, so that what is refused costs little.
func (s *Service) enter(c *fiber.Ctx) error {
	path := c.Context().URI().PathOriginal()
	if err := checkPath(string(path)); err != nil {
		return err
	}
	route, allowed := s.matcher.find(c.Method(), string(path))
	if route == nil {
		return s.refuseMethod(c, allowed)
	}
	if err := checkBody(c, route); err != nil {
		return err
	}
	if err := checkKey(c, route); err != nil {
		return err
	}
	fromPeer := s.callers.fromPeer(c)
	fromEdge := fromPeer || s.callers.fromEdge(c)
	if err := s.refuseCountry(c, fromEdge); err != nil {
		return err
	}
	if fromPeer {
		// Who asks and how often was judged where the request came in.
		return s.send(c, route, true)
	}
	verdicts := s.limiter.check(c.UserContext(), route.limits, func(by LimitBy) string { return s.callers.identity(c, by, fromEdge) })
	err := s.serve(c, route, fromEdge, verdicts)
	if len(verdicts) > 0 {
		state, policy := limitHeaders(verdicts)
		c.Set("RateLimit", state)
		c.Set("RateLimit-Policy", policy)
	}
	return err
}

func (s *Service) serve(c *fiber.Ctx, route *compiledRoute, fromEdge bool, verdicts []verdict) error {
	if err := s.refuseExcess(verdicts); err != nil {
		return err
	}
	caller, err := s.authorise(c, route)
	if err != nil {
		return err
	}
	home := s.homes.of(c, route, caller)
	if home == nil {
		return s.send(c, route, fromEdge)
	}
	cleanRequest(&c.Request().Header, false, fromEdge)
	if err := s.homes.forward(c, route, home); !errors.Is(err, errServeHere) {
		return err
	}
	return s.forwarder.forward(c, route)
}

// send has the service behind a route answer, in this region.
func (s *Service) send(c *fiber.Ctx, route *compiledRoute, fromEdge bool) error {
	if route.Service == contract.ServiceGateway {
		cleanRequest(&c.Request().Header, route.Auth.Anonymous(), fromEdge)
		return c.Next()
	}
	// An anonymous answer is shared by all who ask, so it may not depend on where they are either.
	cleanRequest(&c.Request().Header, route.Auth.Anonymous(), fromEdge && !route.Auth.Anonymous())
	ask := func(c *fiber.Ctx) error { return s.forwarder.forward(c, route) }
	if route.Cache {
		return s.answers.serve(c, ask)
	}
	return ask(c)
}

// refuseCountry refuses shoppers of a country that this region does not serve. The edge has refused or steered them away already; this
// holds where it was told to late, or not at all.
func (s *Service) refuseCountry(c *fiber.Ctx, fromEdge bool) error {
	country := s.callers.country(c, fromEdge)
	if country == "" || !slices.Contains(s.refuses, country) {
		return nil
	}
	c.Set(fiber.HeaderLink, `<https://meridian.store>; rel="blocked-by"`)
	return contract.Errorf(contract.CodeNotServed, "this region may not serve %s", country)
}

// refuseMethod answers for a path without a route for the method: 405 where another method has one, 404 where none has.
func (s *Service) refuseMethod(c *fiber.Ctx, allowed []string) error {
	missing := contract.Errorf(contract.CodeNotFound, "there is nothing at this path")
	if len(allowed) == 0 {
		return missing
	}
	problem := httpx.NewProblem(c.UserContext(), missing)
	problem.Type = strings.TrimSuffix(problem.Type, string(contract.CodeNotFound)) + codeMethod
	problem.Title, problem.Status = "Method not allowed", http.StatusMethodNotAllowed
	problem.Detail = fmt.Sprintf("%s is not served at this path, only %s", c.Method(), strings.Join(allowed, ", "))
	body, err := problem.MarshalJSON()
	if err != nil {
		return fmt.Errorf("write a problem document: %w", err)
	}
	c.Set(fiber.HeaderAllow, strings.Join(allowed, ", "))
	c.Set(fiber.HeaderContentType, httpx.ProblemContentType)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(problem.Status).Send(body)
}

// checkBody bounds a body, and refuses compressed ones: a service would unpack them without a bound.
func checkBody(c *fiber.Ctx, route *compiledRoute) error {
	if len(c.Request().Body()) > route.BodyLimit {
		return contract.Errorf(contract.CodeTooLarge, "the body is larger than %d bytes", route.BodyLimit)
	}
	if coding := c.Request().Header.ContentEncoding(); len(coding) > 0 && !strings.EqualFold(string(coding), "identity") {
		return contract.Invalid("Content-Encoding", "a compressed body is not accepted")
	}
	return nil
}

func checkKey(c *fiber.Ctx, route *compiledRoute) error {
	if route.Idempotency != idempotencyRequired {
		return nil
	}
	switch key := c.Request().Header.Peek(contract.HeaderIdempotencyKey); {
	case len(key) == 0:
		return contract.Errorf(contract.CodeKeyMissing, "%s %s needs the header %s", c.Method(), route.Path, contract.HeaderIdempotencyKey)
	case len(key) > maxKey:
		return contract.Invalid(contract.HeaderIdempotencyKey, "is longer than %d bytes", maxKey)
	}
	return nil
}

// refuseExcess refuses when the last limit asked did.
func (s *Service) refuseExcess(verdicts []verdict) error {
	if len(verdicts) == 0 || verdicts[len(verdicts)-1].allowed {
		return nil
	}
	last := verdicts[len(verdicts)-1]
	s.limited.WithLabelValues(last.limit.name).Inc()
	wait := max(seconds(last.reset), 1)
	return contract.Errorf(contract.CodeTooMany, "more than %d requests in %s; try again in %d s", last.limit.Burst, last.limit.Window(), wait).With("retry_after", wait)
}

// authorise verifies the bearer token where the table asks for one, and refuses a bad one even where none is needed. It says who asks,
// "" when no token does.
func (s *Service) authorise(c *fiber.Ctx, route *compiledRoute) (caller string, err error) {
	given := c.Get(fiber.HeaderAuthorization)
	if route.Auth.Anonymous() || (route.Auth.Optional && given == "") {
		return "", nil
	}
	claims, err := s.verifier.Verify(given)
	if err != nil {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="meridian"`)
		return "", err
	}
	if len(route.Auth.Roles) > 0 && !slices.Contains(route.Auth.Roles, claims.Role) {
		return "", contract.Errorf(contract.CodeForbidden, "this needs the role %s", strings.Join(route.Auth.Roles, " or "))
	}
	return claims.Subject, nil
}
