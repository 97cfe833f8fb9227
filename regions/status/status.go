// Package status describes the state of a running shop: what `meridian status --json` prints and what the doctor
// examines. Its JSON field names are public.
package status

import "slices"

// Shop is the state of every part of a shop.
type Shop struct {
	// Running reports whether the launcher lives, Ready whether all that it started answers.
	Running bool   `json:"running"`
	Ready   bool   `json:"ready"`
	PID     int    `json:"pid"`
	Home    string `json:"home"`
	Edge    Edge   `json:"edge"`
	SQL     Engine `json:"sql"`
	// Provider is the payment sandbox; pid 0 is a provider that runs elsewhere.
	Provider Engine   `json:"provider"`
	Links    Links    `json:"links"`
	Regions  []Region `json:"regions"`
}

// Edge is the state of the edge.
type Edge struct {
	URL      string `json:"url"`
	Ready    bool   `json:"ready"`
	PID      int    `json:"pid"`
	Restarts int    `json:"restarts"`
}

// Region is the state of one region: ready when each of its services and engines is.
type Region struct {
	Name       string    `json:"name"`
	GatewayURL string    `json:"gateway_url"`
	ConsulURL  string    `json:"consul_url"`
	Ready      bool      `json:"ready"`
	Services   []Service `json:"services"`
	Engines    []Engine  `json:"engines"`
}

// Engine finds an engine by its name, such as "broker".
func (r Region) Engine(name string) (Engine, bool) {
	i := slices.IndexFunc(r.Engines, func(e Engine) bool { return e.Name == name })
	if i < 0 {
		return Engine{}, false
	}
	return r.Engines[i], true
}

// Service is the state of one service; services of one process share its pid.
type Service struct {
	Name     string `json:"name"`
	URL      string `json:"url"`
	Ready    bool   `json:"ready"`
	PID      int    `json:"pid"`
	Restarts int    `json:"restarts"`
}

// Engine is the state of one engine; pid 0 is an engine that runs elsewhere.
type Engine struct {
	Name     string `json:"name"`
	Address  string `json:"address"`
	Ready    bool   `json:"ready"`
	PID      int    `json:"pid"`
	Restarts int    `json:"restarts"`
}

// Links is the state of the links between regions and of the process that serves them.
type Links struct {
	API      string `json:"api"`
	Ready    bool   `json:"ready"`
	PID      int    `json:"pid"`
	Restarts int    `json:"restarts"`
	Items    []Link `json:"items"`
}

// OK reports whether the links are served, or there are none.
func (l Links) OK() bool { return l.Ready || len(l.Items) == 0 }

// PlaneGateway is the Plane of a link that leads to the other region's gateway. Other planes lead to its engines.
const PlaneGateway = "gateway"

// Link is one link, which carries the connections that the region From opens to the region To.
type Link struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Plane string `json:"plane"`
	// Listen is where From connects, Upstream where To listens; both are host:port.
	Listen   string `json:"listen"`
	Upstream string `json:"upstream"`
	// ModelMS is the round trip in milliseconds that the distance explains.
	ModelMS int64 `json:"model_ms"`
	// Usual is what the link returns to when it is healed, Now what an operator set.
	Usual Condition `json:"usual"`
	Now   Condition `json:"now"`
}

// Condition is the delay of a link, or its cut.
type Condition struct {
	// RoundTripMS is what the link adds to a round trip, in milliseconds.
	RoundTripMS int64 `json:"round_trip_ms"`
	Cut         bool  `json:"cut"`
}
