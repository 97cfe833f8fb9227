package emulator

import (
	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/edge/rule"
)

// serveCached answers a cacheable path: from the cache, else from an origin, else from a stale copy.
func (e *Edge) serveCached(ctx *fasthttp.RequestCtx, s shopper, decision rule.Decision) {
	key := s.IATA + decision.Target
	kept, _ := e.cache.Get(key) // nil when there is none
	now := e.cfg.Clock()
	if kept != nil && now.Before(kept.fresh) {
		s.mark(ctx, resultHit)
		e.write(ctx, key, kept)
		return
	}
	q := newQuestion(ctx, s, decision, key)
	if kept != nil && now.Before(kept.renewing) {
		e.refresh(q, kept)
		s.mark(ctx, resultStale)
		e.write(ctx, key, kept)
		return
	}
	answer, how, err := e.obtain(q)
	s.mark(ctx, how)
	if err != nil {
		e.writeUnreachable(ctx, err)
		return
	}
	e.write(ctx, key, answer)
}

// write answers from an entry, and counts it anew when that has made it larger.
func (e *Edge) write(ctx *fasthttp.RequestCtx, key string, answer *entry) {
	if grown := answer.write(ctx, e.cfg.Clock()); grown {
		e.cache.Reweigh(key, answer)
	}
}

// refresh fetches the next copy of what is shown meanwhile, once at a time.
func (e *Edge) refresh(q question, kept *entry) {
	if !kept.refreshing.CompareAndSwap(false, true) {
		return
	}
	e.loops.Go(func() {
		defer kept.refreshing.Store(false)
		if _, _, err := e.lookup(q); err != nil {
			e.cfg.Log.Debug("A copy could not be renewed; it is shown while its time lasts.", "location", q.IATA, "error", err)
		}
	})
}
