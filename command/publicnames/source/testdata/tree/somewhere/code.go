package somewhere

import (
	"github.com/prometheus/client_golang/prometheus"

	"example.com/any/contract"
)

// MERIDIAN_IN_A_COMMENT is not a name.
type settings struct {
	Lease int `env:"MERIDIAN_LEASE, default=3"`
}

var requests = prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_requests_total"})

var routes = map[string]int{"GET /regions/{name}": 1, "GET it": 2}

func port(service string) string { return "MERIDIAN_PORT_" + service }

func refuse(e *contract.Error) *contract.Error { return e.With("retry_after", 1) }
