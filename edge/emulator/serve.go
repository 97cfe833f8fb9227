package emulator

import (
	"errors"
	"net/http"
	"slices"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/edge/rule"
)

const (
	headerLocation = "X-Edge-Location"
	headerCache    = "X-Cache"
	headerAuth     = "X-Edge-Auth"
)

// result is what X-Cache says about an answer.
type result string

const (
	resultHit    result = "HIT"    // from this location's cache
	resultMiss   result = "MISS"   // cacheable by its path, but asked from an origin now
	resultStale  result = "STALE"  // from the cache past its time, because no origin answers
	resultBypass result = "BYPASS" // not cacheable by its path
	resultRefuse result = "REFUSE" // judged by the edge alone; not sent as X-Cache
)

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
	http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

func (e *Edge) serve(ctx *fasthttp.RequestCtx) {
	s, known := e.siteOf(ctx)
	if !known {
		e.home.count(resultRefuse)
		writeProblem(ctx, problem{status: http.StatusBadRequest, code: "invalid", title: "The request is not valid",
			detail: headerLocation + " is not the IATA code of an edge location, such as " + e.home.IATA})
		return
	}
	ctx.Response.Header.Set(headerLocation, s.IATA)
	method := string(ctx.Method())
	if !slices.Contains(methods, method) {
		s.count(resultRefuse)
		writeProblem(ctx, problem{status: http.StatusMethodNotAllowed, code: "invalid", title: "Method not allowed"})
		return
	}
	decision, err := e.cfg.Rules.Decide(method, string(ctx.Request.Header.RequestURI()))
	if err != nil {
		s.count(resultRefuse)
		p := problem{status: http.StatusBadRequest, code: "invalid", title: "The request is not valid"}
		var odd *rule.OddTargetError
		if errors.As(err, &odd) {
			p.detail = odd.Error()
		}
		writeProblem(ctx, p)
		return
	}
	if decision.Refuse {
		s.count(resultRefuse)
		writeProblem(ctx, problem{status: http.StatusNotFound, code: "not-found", title: "Not found", detail: "there is nothing at this path"})
		return
	}
	if decision.Cache == nil {
		e.forward(ctx, s, decision.Target)
		return
	}
	e.serveCached(ctx, s, decision)
}

func (e *Edge) siteOf(ctx *fasthttp.RequestCtx) (*site, bool) {
	iata := ctx.Request.Header.Peek(headerLocation)
	if len(iata) == 0 {
		return e.home, true
	}
	s, ok := e.sites[string(iata)]
	return s, ok
}

func (s *site) count(r result) { s.answers[r].Inc() }

func (s *site) mark(ctx *fasthttp.RequestCtx, r result) {
	ctx.Response.Header.Set(headerCache, string(r))
	s.count(r)
}
