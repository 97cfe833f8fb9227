package emulator

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	answers *prometheus.CounterVec
	asked   *prometheus.CounterVec
	up      *prometheus.GaugeVec
}

// originMetrics are one origin's.
type originMetrics struct {
	answered, unsent, broken prometheus.Counter
	up                       prometheus.Gauge
}

func newMetrics(registry *prometheus.Registry, cache *store) (*metrics, error) {
	m := &metrics{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_edge_answers_total", Help: "Requests answered, by edge location and what X-Cache said.",
		}, []string{"location", "result"}),
		asked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_edge_origin_requests_total", Help: "Requests sent to an origin: answered, unsent (no connection) or broken (no answer).",
		}, []string{"region", "outcome"}),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meridian_edge_origin_up", Help: "1 while an origin's probes succeed.",
		}, []string{"region"}),
	}
	bytes := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "meridian_edge_cache_bytes", Help: "What the cache of all locations holds.",
	}, cache.bytes)
	for _, c := range []prometheus.Collector{m.answers, m.asked, m.up, bytes} {
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

func (m *metrics) forOrigin(region string) originMetrics {
	return originMetrics{
		answered: m.asked.WithLabelValues(region, "answered"),
		unsent:   m.asked.WithLabelValues(region, "unsent"),
		broken:   m.asked.WithLabelValues(region, "broken"),
		up:       m.up.WithLabelValues(region),
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
