// Package link is what passes between regions: one TCP proxy for each ordered pair and plane, that can be
// delayed as the distance asks or cut as a partition would. The proxies are toxiproxy's, reached over its own HTTP API.
package link

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/meridian-store/meridian/geo"
)

// Plane is what a link leads to in the other region. Cuts and delays are those of the way between two regions, and so of all its planes.
type Plane string

// The planes: requests and probes go to the other region's gateway, mirrors read its broker.
const (
	PlaneGateway Plane = "gateway"
	PlaneBroker  Plane = "broker"
)

// Planes lists them.
func Planes() []Plane { return []Plane{PlaneGateway, PlaneBroker} }

// Link carries the connections that the region From opens to the region To, in both of their directions.
type Link struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Plane Plane  `json:"plane"`
	// Listen is where From connects, Upstream where To's part of the plane listens; both are host:port.
	Listen   string `json:"listen"`
	Upstream string `json:"upstream"`
}

// Name is the link's name among all: from=to=plane.
func (l Link) Name() string { return l.From + "=" + l.To + "=" + string(l.Plane) }

// String writes a link as Parse reads it: from=to=plane=listen=upstream.
func (l Link) String() string {
	return strings.Join([]string{l.From, l.To, string(l.Plane), l.Listen, l.Upstream}, "=")
}

// Parse reads from=to=plane=listen=upstream.
func Parse(text string) (Link, error) {
	parts := strings.Split(text, "=")
	if len(parts) != 5 || slices.Contains(parts[:2], "") || !slices.Contains(Planes(), Plane(parts[2])) {
		return Link{}, fmt.Errorf("link %q is not <from>=<to>=<plane>=<listen>=<upstream>", text)
	}
	for _, address := range parts[3:] {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return Link{}, fmt.Errorf("link %q: %w", text, err)
		}
	}
	if parts[0] == parts[1] {
		return Link{}, fmt.Errorf("link %q leads from a region to itself", text)
	}
	return Link{From: parts[0], To: parts[1], Plane: Plane(parts[2]), Listen: parts[3], Upstream: parts[4]}, nil
}

// Condition is how a link is made to behave.
type Condition struct {
	// RoundTripMS is what the link adds to a round trip, in milliseconds, half of it each way.
	RoundTripMS int64 `json:"round_trip_ms"`
	// Cut lets nothing pass and says so to nobody, as a partition does.
	Cut bool `json:"cut"`
}

// maxRoundTripMS is longer than any link that a caller would wait for.
const maxRoundTripMS = 60_000

// Validate refuses a delay that is no delay.
func (c Condition) Validate() error {
	if c.RoundTripMS < 0 || c.RoundTripMS > maxRoundTripMS {
		return fmt.Errorf("a round trip of %d ms is not between 0 and %d", c.RoundTripMS, maxRoundTripMS)
	}
	return nil
}

// Model is the round trip that distance alone explains between two places, in whole milliseconds, rounded up.
func Model(from, to geo.Point) int64 {
	trip := geo.RoundTrip(geo.DistanceKM(from, to))
	return int64(math.Ceil(float64(trip) / float64(time.Millisecond)))
}
