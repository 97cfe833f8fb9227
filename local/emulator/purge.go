package emulator

import (
	"slices"
	"strings"

	"github.com/meridian-store/meridian/geo"
)

// PurgeTags drops at every location what bears one of the tags, whatever their case. When it returns, no location shows it any more,
// nor will one keep an answer that it had asked for before.
func (e *Edge) PurgeTags(tags ...string) { e.purged("tag", e.cache.PurgeTags(tags...)) }

// PurgeTargets drops the answers to paths with their queries. A target is brought into the form by which it is kept.
func (e *Edge) PurgeTargets(targets ...string) {
	keys := make([]string, 0, len(targets)*len(partOfTheWorld))
	for _, target := range targets {
		if w := e.world.Load(); w != nil {
			if decision, err := w.rules.Decide("GET", target); err == nil {
				target = decision.Target
			}
		}
		for _, location := range geo.Cities() {
			keys = append(keys, location.IATA+target)
		}
	}
	e.purged("target", e.cache.PurgeKeys(keys...))
}

// PurgePrefixes drops the answers to all targets that begin so, such as /api/v1/products.
func (e *Edge) PurgePrefixes(prefixes ...string) {
	e.purged("prefix", e.cache.PurgeMatching(func(key string) bool {
		target := key[len("IAD"):]
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(target, prefix) })
	}))
}

// PurgeEverything empties every location.
func (e *Edge) PurgeEverything() { e.purged("everything", e.cache.PurgeEverything()) }

func (e *Edge) purged(by string, entries int) {
	e.metrics.purges.WithLabelValues(by).Inc()
	e.metrics.dropped.WithLabelValues(by).Add(float64(entries))
}
