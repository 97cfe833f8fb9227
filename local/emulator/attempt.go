package emulator

import (
	"errors"
	"net/http"
	"time"

	"github.com/valyala/fasthttp"
)

// errNoOrigin means that no origin got a single byte of the request.
var errNoOrigin = errors.New("no origin is reachable")

// attempt sends a request to the first healthy origin of the shopper's plan, and to the next one when that fails
// before answering and trying again is safe: nothing was sent, or doing it twice is the same as
// doing it once. Any HTTP status is an answer. The error is errNoOrigin when nothing was sent at
// all; otherwise it is the last origin's, and whether that origin acted is unknown.
func (e *Edge) attempt(s shopper, request *fasthttp.Request, response *fasthttp.Response) error {
	method := string(request.Header.Method())
	timeout := e.cfg.WriteTimeout
	if method == http.MethodGet || method == http.MethodHead {
		timeout = e.cfg.ReadTimeout
	}
	travel(s.toZone)
	outcome := errNoOrigin
	for _, o := range candidates(s.plan()) {
		err := o.do(request, response, timeout)
		if err == nil {
			return nil
		}
		if nothingSent(err) {
			continue
		}
		outcome = err
		if !idempotent(method) {
			break
		}
	}
	return outcome
}

// travel takes as long as a way and back; no way takes no time.
func travel(roundTrip time.Duration) {
	if roundTrip > 0 {
		time.Sleep(roundTrip)
	}
}

func (o *origin) do(request *fasthttp.Request, response *fasthttp.Response, timeout time.Duration) error {
	request.URI().SetScheme("http")
	request.SetHost(o.address)
	err := o.client.DoTimeout(request, response, timeout)
	o.metrics.count(err)
	if err != nil && brokenConnection(err) {
		o.suspectIt(err)
	}
	return err
}

// brokenConnection tells an origin that cannot be talked to from one that is slow, busy or
// answers more than we take.
func brokenConnection(err error) bool {
	var dial *dialError
	if errors.As(err, &dial) {
		return true
	}
	return !timedOut(err) && !errors.Is(err, fasthttp.ErrNoFreeConns) && !errors.Is(err, fasthttp.ErrBodyTooLarge)
}

func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// idempotent lists RFC 9110's idempotent methods, as far as the edge lets them in.
func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
