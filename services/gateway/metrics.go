package gateway

import "github.com/prometheus/client_golang/prometheus"

// metrics are the gateway's own, beside those that every service has.
type metrics struct {
	duration        *prometheus.HistogramVec
	retries         *prometheus.CounterVec
	limited         *prometheus.CounterVec
	limiterFailures prometheus.Counter
	forwards        *prometheus.CounterVec
	answers         *prometheus.CounterVec
}

func newMetrics(registry *prometheus.Registry) metrics {
	m := metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "meridian_gateway_upstream_duration_seconds", Help: "Time until a service had answered, retries included.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 20},
		}, []string{"upstream", "outcome"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_gateway_retries_total", Help: "Requests offered to another instance because one failed.",
		}, []string{"upstream"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_gateway_limited_total", Help: "Requests refused by a rate limit.",
		}, []string{"limit"}),
		limiterFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "meridian_gateway_limiter_failures_total", Help: "Requests let through uncounted because Redis did not answer.",
		}),
		forwards: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_gateway_home_requests_total", Help: "Requests for a cart or an order of another region, by who served them.",
		}, []string{"home", "outcome"}),
	}
	m.answers = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_gateway_answers_total", Help: "Requests of routes that are cached: hit, miss, or off while the region's events cannot be followed.",
	}, []string{"result"})
	registry.MustRegister(m.answers, m.duration, m.retries, m.limited, m.limiterFailures, m.forwards)
	return m
}
