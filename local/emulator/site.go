package emulator

import (
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/geo"
)

// site is the edge as it stands at one location.
type site struct {
	geo.Location
	latitude, longitude string // as CDNs send them: degrees to three decimals
	answers             map[result]prometheus.Counter
	fills               fillMetrics

	// toZone is how long the way to the location's own region and back takes, where distances count.
	toZone  time.Duration
	distant bool
	// hub is the location that is asked before an origin; nil for none.
	hub *site

	origins  map[string]*origin
	steering Steering
	plans    sync.Map // of a country: []*origin
}

func newSite(location geo.Location, origins map[string]*origin, steering Steering, m *metrics) *site {
	return &site{
		Location:  location,
		latitude:  strconv.FormatFloat(location.Point.Latitude, 'f', 3, 64),
		longitude: strconv.FormatFloat(location.Point.Longitude, 'f', 3, 64),
		answers:   m.forLocation(location.IATA),
		fills:     m.fillsOf(location.IATA),
		origins:   origins, steering: steering,
	}
}

// plan gives a country's origins in the order in which to try them, whatever their health; none when every one refuses the country.
func (s *site) plan(country string) []*origin {
	if known, ok := s.plans.Load(country); ok {
		return known.([]*origin)
	}
	var plan []*origin
	for _, region := range s.steering.Order(s.Location, country) {
		if o := s.origins[region]; o != nil {
			plan = append(plan, o)
		}
	}
	s.plans.Store(country, plan)
	return plan
}

// to is how long the way to another location and back takes, where distances count.
func (s *site) to(other *site) time.Duration {
	if !s.distant {
		return 0
	}
	return geo.RoundTrip(geo.DistanceKM(s.Point, other.Point))
}

// hubOf gives the location of the same continent that lies nearest to the origin that it turns to itself first: what one location has
// fetched is then near to all. Nil when that is the location itself, or when its own first origin is nearer to it.
func hubOf(s *site, sites map[string]*site) *site {
	hub, nearest := s, s.toOrigin()
	for _, other := range sites {
		if far := other.toOrigin(); other.Continent == s.Continent && (far < nearest || far == nearest && other.IATA < hub.IATA) {
			hub, nearest = other, far
		}
	}
	if hub == s || geo.DistanceKM(s.Point, hub.Point) > s.toOrigin()+nearest {
		return nil
	}
	return hub
}

// toOrigin is how far the first origin of the location's own country is, in kilometres; farther than anything when none serves it.
func (s *site) toOrigin() float64 {
	plan := s.plan(s.Country)
	if len(plan) == 0 {
		return math.Inf(1)
	}
	return geo.DistanceKM(s.Point, plan[0].Point)
}
