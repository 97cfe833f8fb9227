package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/secret"
)

// How long a home has for its answer, beside three round trips: one for the request, one for a new connection, and one for what is
// lost. The edge waits 3 s for a read, within which this region must still be able to answer.
const (
	waitRead  = time.Second
	waitWrite = 2 * time.Second
	// waitOrder is the shopper's budget of a checkout, after which it answers 202, and time to say so.
	waitOrder = 4 * time.Second
)

// errServeHere says that the home did not answer, and that asking here too does no harm.
var errServeHere = errors.New("the request is served here")

// What became of a request for another region's cart or order.
const (
	servedByHome = "home"
	servedHere   = "here"
	servedByNone = "unknown" // the home may have acted, and nobody can tell
)

// homes forwards requests for carts and orders of other regions to the gateways of those, while they are healthy.
type homes struct {
	// own is our region's name, ownCode its code.
	own, ownCode string
	secret       secret.Secret
	byCode       map[string]*home
	healthy      func(region string) bool
	served       *prometheus.CounterVec
}

// home is another region's gateway behind the link to it.
type home struct {
	region string
	client *fasthttp.HostClient
	// slack is what the way there and back may cost.
	slack time.Duration
}

func newHomes(base *kit.Base, peers map[string]string, healthy func(string) bool, served *prometheus.CounterVec) (*homes, error) {
	h := &homes{own: base.Region.Name, ownCode: base.Region.Code, secret: base.Env.InternalSecret, byCode: map[string]*home{}, healthy: healthy, served: served}
	for _, region := range base.Regions {
		link := peers[region.Name]
		if link == "" || region.Name == base.Region.Name {
			continue
		}
		at, err := url.Parse(link)
		if err != nil {
			return nil, fmt.Errorf("MERIDIAN_PEERS: %w", err)
		}
		client := newClient(at.Host, at.Scheme == "https")
		h.byCode[region.Code] = &home{region: region.Name, client: client, slack: 3 * geo.RoundTrip(geo.DistanceKM(base.Region.Point, region.Point))}
	}
	return h, nil
}

// closeAtEnd drops the connections when the context ends.
func (h *homes) closeAtEnd(ctx context.Context) error {
	<-ctx.Done()
	for _, each := range h.byCode {
		each.client.CloseIdleConnections()
	}
	return nil
}

const ordersRoot = "/api/v1/orders/"

// of gives the home of what a request is about when that is another region, healthy and with a link to it; nil when the request is
// served here. The caller is whom the request's token proves, "" without one.
func (h *homes) of(c *fiber.Ctx, route *compiledRoute, caller string) *home {
	if route.Service != contract.ServiceCart && route.Service != contract.ServiceOrder {
		return nil
	}
	return h.at(homeCode(c, route, caller))
}

// at gives the home of a region's code when that is another region, healthy and with a link to it.
func (h *homes) at(code string) *home {
	found := h.byCode[code]
	if found == nil {
		return nil
	}
	if !h.healthy(found.region) {
		h.served.WithLabelValues(found.region, servedHere).Inc()
		return nil
	}
	return found
}

// homeCode reads the code of the region that a request's order or else its cart is of, "" for none. A user's own cart is of the user's
// region, and goes before a cookie as it does in the services.
func homeCode(c *fiber.Ctx, route *compiledRoute, caller string) string {
	if route.Service == contract.ServiceOrder {
		if below, isOrder := strings.CutPrefix(string(c.Request().URI().PathOriginal()), ordersRoot); isOrder {
			id, _, _ := strings.Cut(below, "/")
			return codeOf(id)
		}
		if route.Auth.Anonymous() || !strings.HasPrefix(route.Path, "/api/v1/checkout") {
			return ""
		}
	}
	named := c.Get(contract.HeaderCartID)
	if named == "" {
		if contract.IsUserID(caller) {
			return codeOf(caller)
		}
		named = c.Cookies(contract.CookieCart)
	}
	id, _, _ := strings.Cut(named, ".")
	return codeOf(id)
}

func codeOf(id string) string {
	parsed, err := geo.ParseID(id)
	if err != nil {
		return ""
	}
	return parsed.Region
}

// forward has the home answer. The error is errServeHere when it did not and asking here does no harm, and the request is then as it
// was before.
func (h *homes) forward(c *fiber.Ctx, route *compiledRoute, to *home) error {
	request := c.Request()
	trace := c.GetRespHeader(headerTrace)
	address(c, contract.ServiceGateway, trace)
	if to.client.IsTLS {
		request.URI().SetScheme("https")
	}
	request.Header.Set(contract.HeaderInternal, h.secret.Current())
	request.Header.Set(contract.HeaderForwardedBy, h.own)
	head := request.Header.IsHead()
	if head {
		request.Header.SetMethod(http.MethodGet)
	}
	err := to.ask(c, time.Now().Add(patience(request, route)+to.slack))
	if head {
		request.Header.SetMethod(http.MethodHead)
	}
	request.Header.Del(contract.HeaderInternal)
	request.Header.Del(contract.HeaderForwardedBy)
	if err == nil {
		h.served.WithLabelValues(to.region, servedByHome).Inc()
		cleanResponse(&c.Response().Header)
		sign(c, to.region, trace)
		return nil
	}
	c.Response().Reset()
	sign(c, h.own, trace)
	if nothingSent(err) || repeatable(request, route) {
		h.served.WithLabelValues(to.region, servedHere).Inc()
		return errServeHere
	}
	h.served.WithLabelValues(to.region, servedByNone).Inc()
	return contract.Unavailable(err, "%s did not answer in time, and may have acted; look before asking again", to.region)
}

// ask sends a request over the link. A kept connection that turns out to be closed says nothing of the home, which is asked again.
func (to *home) ask(c *fiber.Ctx, deadline time.Time) error {
	err := to.client.DoDeadline(c.Request(), c.Response(), deadline)
	if errors.Is(err, errStale) {
		to.client.CloseIdleConnections()
		err = to.client.DoDeadline(c.Request(), c.Response(), deadline)
	}
	return err
}

func patience(request *fasthttp.Request, route *compiledRoute) time.Duration {
	switch {
	case harmless(&request.Header):
		return waitRead
	case route.Service == contract.ServiceOrder:
		return waitOrder
	}
	return waitWrite
}

// repeatable says that a request may be made here although the home may have acted on it: it only reads, or it says what shall be
// and not what shall be added, or the order service knows it again by its key.
func repeatable(request *fasthttp.Request, route *compiledRoute) bool {
	return harmless(&request.Header) || request.Header.IsPut() || request.Header.IsDelete() || route.Idempotency == idempotencyRequired
}
