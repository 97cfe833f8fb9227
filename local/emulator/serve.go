package emulator

import (
	"errors"
	"net/http"
	"slices"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/edge/rule"
)

const (
	headerCache = "X-Cache"
	headerAuth  = "X-Edge-Auth"
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
	w := e.world.Load()
	if w == nil {
		ctx.Response.Header.Set("Retry-After", "1")
		writeProblem(ctx, problem{status: http.StatusServiceUnavailable, code: "unavailable", title: "Temporarily unavailable",
			detail: "This edge has not been told its rules yet: meridian edge apply does that."})
		return
	}
	s, wrong := w.shopperOf(&ctx.Request.Header)
	if wrong != "" {
		s.count(resultRefuse)
		writeProblem(ctx, problem{status: http.StatusBadRequest, code: "invalid", title: "The request is not valid", detail: wrong})
		return
	}
	ctx.Response.Header.Set(headerLocation, s.IATA)
	if w.blocked[s.country] || len(s.plan()) == 0 {
		// Before the cache, which may hold what this shopper must not be shown.
		s.count(resultRefuse)
		writeEmbargo(ctx, s.country)
		return
	}
	method, allowed := methodOf(ctx)
	if !allowed {
		s.count(resultRefuse)
		writeProblem(ctx, problem{status: http.StatusMethodNotAllowed, code: "invalid", title: "Method not allowed"})
		return
	}
	decision, err := w.rules.Decide(method, string(ctx.Request.Header.RequestURI()))
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

// methodOf gives the method, when it is one of those that are allowed, without a copy of its own.
func methodOf(ctx *fasthttp.RequestCtx) (method string, allowed bool) {
	i := slices.IndexFunc(methods, func(m string) bool { return m == string(ctx.Method()) })
	if i < 0 {
		return "", false
	}
	return methods[i], true
}

func (s *site) count(r result) { s.answers[r].Inc() }

func (s *site) mark(ctx *fasthttp.RequestCtx, r result) {
	ctx.Response.Header.Set(headerCache, string(r))
	s.count(r)
}
