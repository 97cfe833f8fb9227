package search

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	written, removed, mended prometheus.Counter
	differing, products      prometheus.Gauge
	lag                      prometheus.Histogram
}

func newMetrics(registry prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		written:   counter("meridian_search_documents_written_total", "Documents written to the index."),
		removed:   counter("meridian_search_documents_removed_total", "Documents of products that are deleted or not published, taken out of the index."),
		mended:    counter("meridian_search_documents_mended_total", "Documents that a comparison with the catalog found wrong, and mended."),
		differing: prometheus.NewGauge(prometheus.GaugeOpts{Name: "meridian_search_index_differing", Help: "Products that the last comparison found different in index and catalog."}),
		products:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "meridian_search_index_products", Help: "Products of the catalog at the last comparison."}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "meridian_search_lag_seconds", Help: "From a change of a product to when searches find it so.",
			Buckets: []float64{.025, .05, .1, .25, .5, 1, 2, 5, 15, 60}}),
	}
	registry.MustRegister(m.written, m.removed, m.mended, m.differing, m.products, m.lag)
	return m
}
