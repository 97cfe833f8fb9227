package emulator

import (
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/edge/rule"
)

// question is what a location asks for on a cacheable path: nothing that is not in the key or said by the edge. It outlives the request
// that raised it.
type question struct {
	shopper
	key, target string
	cache       *rule.Cache
	forwarded   [][2]string
	ip          string
	// direct says that an origin is asked. Otherwise a hub is, by a direct question: no question can come to wait for itself, even while
	// another setup makes hubs of other locations.
	direct bool
}

func newQuestion(ctx *fasthttp.RequestCtx, s shopper, decision rule.Decision, key string) question {
	q := question{shopper: s, key: key, target: decision.Target, cache: decision.Cache, ip: ctx.RemoteIP().String(), direct: s.hub == nil}
	for _, name := range decision.Cache.ForwardHeaders {
		if value := ctx.Request.Header.Peek(name); len(value) > 0 {
			q.forwarded = append(q.forwarded, [2]string{name, string(value)})
		}
	}
	return q
}

// at is the same question, asked of an origin by another location.
func (q question) at(other *site) question {
	q.shopper = shopper{site: other, country: q.country}
	q.key = other.IATA + q.target
	q.direct = true
	return q
}

// flight names what those wait for together who have the same question.
func (q question) flight() string {
	if q.direct {
		return q.key
	}
	return "by hub " + q.key
}

// askHub gets the answer of the location's hub, which may be stale.
func (e *Edge) askHub(q question) (*entry, result, error) {
	travel(q.site.to(q.site.hub))
	answer, how, err := e.obtain(q.at(q.site.hub))
	if how == resultHit {
		how = resultMiss // there, but not here
	}
	return answer, how, err
}

// ask gets the whole representation from an origin. What is kept, when it may not be shown any more, may turn out to be what the origin
// still says.
func (e *Edge) ask(q question, kept *entry) (*entry, error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)

	request.Header.SetMethod(http.MethodGet)
	request.SetRequestURI(q.target)
	for _, pair := range q.forwarded {
		request.Header.Set(pair[0], pair[1])
	}
	if kept != nil && kept.etag != "" && kept.status == http.StatusOK {
		request.Header.Set("If-None-Match", kept.etag)
	}
	e.introduce(&request.Header, q.shopper, q.ip)
	asked := e.cfg.Clock()
	if err := e.attempt(q.shopper, request, response); err != nil {
		return nil, err
	}
	if response.StatusCode() == http.StatusNotModified && kept != nil {
		return kept.renewed(response, q.cache, asked), nil
	}
	return newEntry(response, q.cache, asked, &e.contents), nil
}
