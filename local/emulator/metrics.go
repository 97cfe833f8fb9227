package emulator

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/kit/tagcache"
)

type metrics struct {
	answers *prometheus.CounterVec
	asked   *prometheus.CounterVec
	up      *prometheus.GaugeVec
	purges  *prometheus.CounterVec
	dropped *prometheus.CounterVec
	fills   *prometheus.CounterVec
}

// fillMetrics are one location's. An answer is kept; or passed on, because it may not be; or raced, because it was purged while it was on
// its way; or there was none.
type fillMetrics struct{ kept, passed, raced, failed prometheus.Counter }

// originMetrics are one origin's.
type originMetrics struct {
	answered, unsent, broken prometheus.Counter
	up                       prometheus.Gauge
}

func newMetrics(registry *prometheus.Registry, cache *tagcache.Cache[*entry]) (*metrics, error) {
	m := &metrics{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_edge_answers_total", Help: "Requests answered, by edge location and what X-Cache said.",
		}, []string{"location", "result"}),
		asked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_edge_origin_requests_total", Help: "Requests sent to an origin: answered, unsent (no connection) or broken (no answer).",
		}, []string{"region", "from", "outcome"}),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meridian_edge_origin_up", Help: "1 while an origin's probes succeed, as the locations of a region see it.",
		}, []string{"region", "from"}),
		purges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_edge_purges_total", Help: "Purges, by what they name: tag, target, prefix or everything.",
		}, []string{"by"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_edge_purged_entries_total", Help: "Copies that purges have dropped.",
		}, []string{"by"}),
		fills: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_edge_fills_total", Help: "Questions to a hub or an origin by edge location: the answer was kept, passed on, raced by a purge and so not kept, or failed.",
		}, []string{"location", "outcome"}),
	}
	bytes := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "meridian_edge_cache_bytes", Help: "What the cache of all locations holds.",
	}, cache.Bytes)
	entries := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "meridian_edge_cache_entries", Help: "How many copies the caches of all locations hold.",
	}, func() float64 { return float64(cache.Len()) })
	for _, c := range []prometheus.Collector{m.answers, m.asked, m.up, m.purges, m.dropped, m.fills, bytes, entries} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("edge: metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) forLocation(iata string) map[result]prometheus.Counter {
	counters := make(map[result]prometheus.Counter)
	for _, r := range []result{resultHit, resultMiss, resultStale, resultBypass, resultRefuse} {
		counters[r] = m.answers.WithLabelValues(iata, string(r))
	}
	return counters
}

func (m *metrics) fillsOf(iata string) fillMetrics {
	return fillMetrics{
		kept:   m.fills.WithLabelValues(iata, "kept"),
		passed: m.fills.WithLabelValues(iata, "passed"),
		raced:  m.fills.WithLabelValues(iata, "raced"),
		failed: m.fills.WithLabelValues(iata, "failed"),
	}
}

func (m *metrics) forOrigin(region, from string) originMetrics {
	return originMetrics{
		answered: m.asked.WithLabelValues(region, from, "answered"),
		unsent:   m.asked.WithLabelValues(region, from, "unsent"),
		broken:   m.asked.WithLabelValues(region, from, "broken"),
		up:       m.up.WithLabelValues(region, from),
	}
}

func (m originMetrics) count(err error) {
	switch {
	case err == nil:
		m.answered.Inc()
	case nothingSent(err):
		m.unsent.Inc()
	default:
		m.broken.Inc()
	}
}

func (m originMetrics) setUp(isUp bool) {
	if isUp {
		m.up.Set(1)
		return
	}
	m.up.Set(0)
}
