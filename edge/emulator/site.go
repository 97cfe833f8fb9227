package emulator

import (
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/geo"
)

// site is the edge as it stands at one location.
type site struct {
	geo.Location
	latitude, longitude string    // as CDNs send them: degrees to three decimals
	nearest             []*origin // all origins, nearest first
	answers             map[result]prometheus.Counter
}

func newSite(location geo.Location, origins []*origin, m *metrics) *site {
	byRegion := make(map[string]*origin, len(origins))
	regions := make([]geo.Region, 0, len(origins))
	for _, o := range origins {
		byRegion[o.Region] = o
		regions = append(regions, geo.Region{Name: o.Region, Point: o.Point})
	}
	s := &site{
		Location:  location,
		latitude:  strconv.FormatFloat(location.Point.Latitude, 'f', 3, 64),
		longitude: strconv.FormatFloat(location.Point.Longitude, 'f', 3, 64),
		answers:   m.forLocation(location.IATA),
	}
	for _, r := range geo.Order(location.Point, regions) {
		s.nearest = append(s.nearest, byRegion[r.Name])
	}
	return s
}

// candidates gives the origins to try, in order: the healthy by distance, then those that have
// just failed a request but not yet a probe, because one of those may be all there is. When no
// origin is left, those are tried whose probes got no answer: they can all be wrong, on a machine
// too busy to answer in time, and then to believe them would close the shop. One that says itself
// that it is not ready is believed.
func (s *site) candidates() []*origin {
	order := make([]*origin, 0, len(s.nearest))
	for _, wanted := range []health{up, suspect} {
		for _, o := range s.nearest {
			if o.health() == wanted && !slices.Contains(order, o) {
				order = append(order, o)
			}
		}
	}
	if len(order) > 0 {
		return order
	}
	for _, o := range s.nearest {
		if o.silent.Load() {
			order = append(order, o)
		}
	}
	return order
}
