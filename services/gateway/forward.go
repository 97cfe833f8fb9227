package gateway

import (
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/contract"
)

const headerTrace = "Traceparent"

// maxAttempts bounds how many instances one request is offered to.
const maxAttempts = 3

// forwarder sends requests on to services.
type forwarder struct {
	instances *instances
	region    string
	duration  *prometheus.HistogramVec
	retries   *prometheus.CounterVec
}

// forward has the route's service answer. The request's own memory is sent and the answer read into the response's: nothing is copied.
func (f *forwarder) forward(c *fiber.Ctx, route *compiledRoute) error {
	started := time.Now()
	request := c.Request()
	// The kit has written the trace already; writing it out is a costly part of a request.
	trace := c.GetRespHeader(headerTrace)
	address(c, route.Service, trace)
	// HEAD is GET without its body; services declare only GET. The server strips the body by the method, so it is put back.
	head := request.Header.IsHead()
	if head {
		request.Header.SetMethod(http.MethodGet)
	}
	err := f.offer(c, route, started.Add(route.Timeout))
	if head {
		request.Header.SetMethod(http.MethodHead)
	}
	if err != nil {
		// A failed attempt leaves pieces of an answer.
		c.Response().Reset()
	} else {
		cleanResponse(&c.Response().Header)
	}
	sign(c, f.region, trace)
	f.duration.WithLabelValues(route.Service, outcome(err)).Observe(time.Since(started).Seconds())
	return err
}

func outcome(err error) string {
	if err != nil {
		return "unavailable"
	}
	return "answered"
}

// address points the request at a service or a peer: the path and query byte for byte as they came, and a host that is ours, so that no
// answer can depend on what a caller called us.
func address(c *fiber.Ctx, host, trace string) {
	uri := c.Request().URI()
	target := string(uri.PathOriginal())
	if query := uri.QueryString(); len(query) > 0 {
		target += "?" + string(query)
	}
	// This also discards what an absolute URI brought along, such as a user and password.
	c.Request().SetRequestURI(target)
	c.Request().Header.SetHost(host)
	c.Request().Header.Set(headerTrace, trace)
}

// sign puts back the headers that each of our answers carries; the service's own copies of them would double them.
func sign(c *fiber.Ctx, region, trace string) {
	header := &c.Response().Header
	header.Del(contract.HeaderRegion)
	header.Set(contract.HeaderRegion, region)
	header.Del(headerTrace)
	header.Set(headerTrace, trace)
}

// offer tries instances until one answers. A request is offered again only when the one before saw nothing of it, or when asking
// twice does no harm.
func (f *forwarder) offer(c *fiber.Ctx, route *compiledRoute, deadline time.Time) error {
	var seen [maxAttempts]*instance
	tried := seen[:0]
	var last error
	for range maxAttempts {
		next, err := f.instances.choose(c.UserContext(), route.Service, tried)
		if err != nil {
			return contract.Unavailable(err, "%s cannot be reached", route.Service)
		}
		if next == nil {
			break
		}
		if tried = append(tried, next); last != nil {
			f.retries.WithLabelValues(route.Service).Inc()
		}
		if last = f.ask(c, next, deadline); last == nil {
			return nil
		}
		if !nothingSent(last) && (!harmless(&c.Request().Header) || isTimeout(last)) {
			break
		}
	}
	return contract.Unavailable(last, "%s did not answer", route.Service)
}

// ask sends the request to one instance. When the kept connection turns out to be closed all of that instance's are suspect: it
// was started anew, and is asked again on a fresh one.
func (f *forwarder) ask(c *fiber.Ctx, from *instance, deadline time.Time) error {
	err := from.client.DoDeadline(c.Request(), c.Response(), deadline)
	if errors.Is(err, errStale) {
		from.client.CloseIdleConnections()
		err = from.client.DoDeadline(c.Request(), c.Response(), deadline)
	}
	var notSent *notSentError
	if errors.As(err, &notSent) {
		f.instances.avoid(from)
	}
	return err
}

// harmless says that asking twice changes nothing.
func harmless(header *fasthttp.RequestHeader) bool { return header.IsGet() || header.IsHead() }

func isTimeout(err error) bool {
	return errors.Is(err, fasthttp.ErrTimeout)
}
