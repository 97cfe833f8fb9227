// Package link is what passes between regions: one TCP proxy for each ordered pair, from a region to another's gateway, that can be
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

// Link carries the connections that the region From opens to the region To, in both of their directions.
type Link struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Listen is where From connects, Upstream where To's gateway listens; both are host:port.
	Listen   string `json:"listen"`
	Upstream string `json:"upstream"`
}

// Name is the link's name among all: from=to.
func (l Link) Name() string { return l.From + "=" + l.To }

// String writes a link as Parse reads it: from=to=listen=upstream.
func (l Link) String() string { return strings.Join([]string{l.From, l.To, l.Listen, l.Upstream}, "=") }

// Parse reads from=to=listen=upstream.
func Parse(text string) (Link, error) {
	parts := strings.Split(text, "=")
	if len(parts) != 4 || slices.Contains(parts[:2], "") {
		return Link{}, fmt.Errorf("link %q is not <from>=<to>=<listen>=<upstream>", text)
	}
	for _, address := range parts[2:] {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return Link{}, fmt.Errorf("link %q: %w", text, err)
		}
	}
	if parts[0] == parts[1] {
		return Link{}, fmt.Errorf("link %q leads from a region to itself", text)
	}
	return Link{From: parts[0], To: parts[1], Listen: parts[2], Upstream: parts[3]}, nil
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
