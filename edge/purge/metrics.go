package purge

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	tags, everything, missed prometheus.Counter
	lag                      prometheus.Histogram
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		tags:       prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_purge_tags_total", Help: "Tags purged, each once for the events that were applied together."}),
		everything: prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_purge_everything_total", Help: "Purges of everything, because tags would have taken too long."}),
		missed:     prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_purge_gateways_missed_total", Help: "Gateways of the region that did not answer a purge in time."}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "meridian_purge_lag_seconds", Help: "From a change to the edge's word that it shows nothing of before.",
			Buckets: []float64{.025, .05, .1, .25, .5, 1, 2, 5, 15, 60}}),
	}
	registry.MustRegister(m.tags, m.everything, m.missed, m.lag)
	return m
}
