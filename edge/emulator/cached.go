package emulator

import (
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/edge/rule"
)

// maxJoins is how often a request joins another's question to the origin. When the one that asked
// first was unlucky, those who waited ask once more among themselves before they give up.
const maxJoins = 2

// serveCached answers a cacheable path: from the cache, else from an origin, else from a stale copy.
func (e *Edge) serveCached(ctx *fasthttp.RequestCtx, s shopper, decision rule.Decision) {
	key := s.IATA + decision.Target
	kept := e.cache.get(key)
	if now := e.cfg.Clock(); kept != nil && now.Before(kept.fresh) {
		s.mark(ctx, resultHit)
		kept.write(ctx, now)
		return
	}
	answer, how, err := e.fill(ctx, s, decision, key)
	now := e.cfg.Clock()
	switch {
	case err == nil:
		s.mark(ctx, how)
		answer.write(ctx, now)
	case kept != nil && now.Before(kept.stale):
		s.mark(ctx, resultStale)
		kept.write(ctx, now)
	default:
		s.mark(ctx, resultMiss)
		e.writeUnreachable(ctx, err)
	}
}

type filled struct {
	answer *entry
	hit    bool // another request had filled the cache between our look and our turn
}

// fill asks an origin, once for all who want the same key at the same time. An answer that may
// not be kept is not shared either: each of those who waited then asks for itself.
func (e *Edge) fill(ctx *fasthttp.RequestCtx, s shopper, decision rule.Decision, key string) (*entry, result, error) {
	var lastErr error
	for range maxJoins {
		asked := false
		shared, err, _ := e.fills.Do(key, func() (any, error) {
			asked = true
			if kept := e.cache.get(key); kept != nil && e.cfg.Clock().Before(kept.fresh) {
				return filled{kept, true}, nil
			}
			answer, err := e.ask(ctx, s, decision)
			if err != nil {
				return nil, err
			}
			if answer.keepable() {
				e.cache.put(key, answer)
			}
			return filled{answer, false}, nil
		})
		if err != nil {
			if asked {
				return nil, resultMiss, err
			}
			lastErr = err
			continue
		}
		got := shared.(filled)
		switch {
		case got.hit:
			return got.answer, resultHit, nil
		case asked || got.answer.keepable():
			return got.answer, resultMiss, nil
		default:
			answer, err := e.ask(ctx, s, decision)
			return answer, resultMiss, err
		}
	}
	return nil, resultMiss, lastErr
}

// ask gets the whole representation from an origin, with nothing in the request that is not in
// the key or said by the edge.
func (e *Edge) ask(ctx *fasthttp.RequestCtx, s shopper, decision rule.Decision) (*entry, error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)

	request.Header.SetMethod(http.MethodGet)
	request.SetRequestURI(decision.Target)
	for _, name := range decision.Cache.ForwardHeaders {
		if value := ctx.Request.Header.Peek(name); len(value) > 0 {
			request.Header.SetBytesV(name, value)
		}
	}
	e.introduce(&request.Header, s, ctx.RemoteIP().String())
	asked := e.cfg.Clock()
	if err := e.attempt(s, request, response); err != nil {
		return nil, err
	}
	return newEntry(response, decision.Cache, asked), nil
}
