package emulator

import "net/http"

// maxJoins is how often a request joins another's question to the origin. When the one that asked
// first was unlucky, or its answer was purged, those who waited ask once more among themselves before each asks for itself.
const maxJoins = 2

// obtain gets an answer, and when nobody has one, the copy that has outlived its time. Where no origin is thought to be alive that copy is
// shown at once: an origin that swallows questions would hold up every shopper for as long as the edge is patient.
func (e *Edge) obtain(q question) (*entry, result, error) {
	if kept := e.lasting(q.key); kept != nil && !anyAlive(q.plan()) {
		e.refresh(q, kept)
		return kept, resultStale, nil
	}
	answer, how, err := e.lookup(q)
	if err == nil && answer.status < http.StatusInternalServerError {
		return answer, how, nil
	}
	// Looked up anew: a copy may have been purged since the question went out.
	if kept := e.lasting(q.key); kept != nil {
		return kept, resultStale, nil
	}
	return answer, how, err
}

// lasting gives the copy that may be shown while no origin has an answer; nil when there is none.
func (e *Edge) lasting(key string) *entry {
	if kept, _ := e.cache.Get(key); kept != nil && e.cfg.Clock().Before(kept.stale) {
		return kept
	}
	return nil
}

// filled is the answer to a question that several may share.
type filled struct {
	answer *entry
	how    result // a hit when another request had filled the cache between our look and our turn
	asked  uint64 // the moment, in the order of purges, at which it was asked for
}

// lookup asks, once for all who want the same key at the same time. An answer that may not be kept is not shared: each of those
// who waited then asks for itself. Neither is one that was purged since it was asked for: who came after the purge must not see it.
func (e *Edge) lookup(q question) (*entry, result, error) {
	var unlucky error
	for range maxJoins {
		first := false
		shared, err, _ := e.fills.Do(q.flight(), func() (any, error) {
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
		if first {
			return got.answer, got.how, nil
		}
		if e.cache.PurgedSince(got.asked, q.key, got.answer) {
			continue
		}
		if got.answer.keepable() {
			return got.answer, got.how, nil
		}
		break
	}
	if unlucky != nil {
		return nil, resultMiss, unlucky
	}
	got, err := e.fill(q)
	return got.answer, got.how, err
}

// fill asks for an answer and keeps it, when it may be kept.
func (e *Edge) fill(q question) (filled, error) {
	asked := e.cache.Moment()
	kept, _ := e.cache.Get(q.key)
	if kept != nil && e.cfg.Clock().Before(kept.fresh) {
		return filled{kept, resultHit, asked}, nil
	}
	answer, how, err := e.askAround(q, kept)
	if err != nil {
		q.fills.failed.Inc()
		return filled{how: resultMiss}, err
	}
	// What the hub shows past its time stays with the hub.
	switch {
	case how == resultStale || !answer.keepable():
		q.fills.passed.Inc()
	case e.cache.Put(q.key, answer, asked):
		q.fills.kept.Inc()
	default:
		q.fills.raced.Inc()
	}
	return filled{answer, how, asked}, nil
}

func (e *Edge) askAround(q question, kept *entry) (*entry, result, error) {
	if !q.direct {
		return e.askHub(q)
	}
	answer, err := e.ask(q, kept)
	return answer, resultMiss, err
}
