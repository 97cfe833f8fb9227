package emulator

import (
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/edge/rule"
)

// maxJoins is how often a request joins another's question to the origin. When the one that asked
// first was unlucky, or its answer was purged, those who waited ask once more among themselves before each asks for itself.
const maxJoins = 2

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
	answer, how, err := e.lookup(q)
	switch lost := err != nil || answer.status >= http.StatusInternalServerError; {
	case lost && kept != nil && e.cfg.Clock().Before(kept.stale):
		s.mark(ctx, resultStale)
		e.write(ctx, key, kept)
	case err != nil:
		s.mark(ctx, resultMiss)
		e.writeUnreachable(ctx, err)
	default:
		s.mark(ctx, how)
		e.write(ctx, key, answer)
	}
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

// filled is the answer to a question that several may share.
type filled struct {
	answer *entry
	hit    bool   // another request had filled the cache between our look and our turn
	asked  uint64 // the moment, in the order of purges, at which it was asked for
}

// lookup asks, once for all who want the same key at the same time. An answer that may not be kept is not shared: each of those
// who waited then asks for itself. Neither is one that was purged since it was asked for: who came after the purge must not see it.
func (e *Edge) lookup(q question) (*entry, result, error) {
	var unlucky error
	for range maxJoins {
		first := false
		shared, err, _ := e.fills.Do(q.key, func() (any, error) {
			first = true
			return e.fill(q)
		})
		if err != nil {
			if first {
				return nil, resultMiss, err
			}
			unlucky = err
			continue
		}
		unlucky = nil
		got := shared.(filled)
		switch {
		case first && got.hit:
			return got.answer, resultHit, nil
		case first:
			return got.answer, resultMiss, nil
		case e.cache.PurgedSince(got.asked, q.key, got.answer):
			continue
		case got.hit:
			return got.answer, resultHit, nil
		case got.answer.keepable():
			return got.answer, resultMiss, nil
		}
		break
	}
	if unlucky != nil {
		return nil, resultMiss, unlucky
	}
	answer, err := e.fill(q)
	return answer.answer, resultMiss, err
}

// fill asks for an answer and keeps it, when it may be kept.
func (e *Edge) fill(q question) (filled, error) {
	asked := e.cache.Moment()
	kept, _ := e.cache.Get(q.key)
	if kept != nil && e.cfg.Clock().Before(kept.fresh) {
		return filled{kept, true, asked}, nil
	}
	answer, err := e.ask(q, kept)
	if err != nil {
		return filled{}, err
	}
	if answer.keepable() && !e.cache.Put(q.key, answer, asked) {
		e.metrics.raced.Inc()
	}
	return filled{answer, false, asked}, nil
}
