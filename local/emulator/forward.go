package emulator

import (
	"errors"
	"net/http"

	"github.com/valyala/fasthttp"
)

// forward passes a request on as it is, except for what a shopper may not say.
func (e *Edge) forward(ctx *fasthttp.RequestCtx, s shopper, target string) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)

	request.Header.SetMethodBytes(ctx.Method())
	request.SetRequestURI(target)
	copyRequestHeaders(&request.Header, &ctx.Request.Header)
	e.introduce(&request.Header, s, ctx.RemoteIP().String())
	// The body stays valid until this handler returns, and nothing outlives it.
	request.SetBodyRaw(ctx.Request.Body())

	err := e.attempt(s, request, response)
	s.mark(ctx, resultBypass)
	if err != nil {
		e.writeUnreachable(ctx, err)
		return
	}
	ctx.SetStatusCode(response.StatusCode())
	copyResponseHeaders(&ctx.Response.Header, &response.Header)
	if ctx.IsHead() {
		// The length is that of the body a GET would get; there is none to measure here.
		ctx.Response.SkipBody = true
		ctx.Response.Header.SetContentLength(response.Header.ContentLength())
		return
	}
	ctx.Response.SetBodyRaw(response.SwapBody(nil))
}

// writeUnreachable answers for origins that did not.
func (e *Edge) writeUnreachable(ctx *fasthttp.RequestCtx, err error) {
	switch {
	case errors.Is(err, errNoOrigin):
		ctx.Response.Header.Set("Retry-After", "1")
		writeProblem(ctx, problem{status: http.StatusServiceUnavailable, code: "unavailable", title: "Temporarily unavailable",
			detail: "No region can be reached. Nothing was done."})
	case timedOut(err):
		writeProblem(ctx, problem{status: http.StatusGatewayTimeout, code: "unavailable", title: "No answer in time",
			detail: "The region did not answer in time. Whether it acted is not known; repeat with the same Idempotency-Key."})
	default:
		writeProblem(ctx, problem{status: http.StatusBadGateway, code: "unavailable", title: "The answer was lost",
			detail: "The connection to the region broke. Whether it acted is not known; repeat with the same Idempotency-Key."})
	}
}
