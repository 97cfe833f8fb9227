package emulator

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/geo"
)

// site is the edge as it stands at one location.
type site struct {
	geo.Location
	latitude, longitude string // as CDNs send them: degrees to three decimals
	steering            steering
	answers             map[result]prometheus.Counter
}

func newSite(location geo.Location, origins []*origin, m *metrics) *site {
	return &site{
		Location:  location,
		latitude:  strconv.FormatFloat(location.Point.Latitude, 'f', 3, 64),
		longitude: strconv.FormatFloat(location.Point.Longitude, 'f', 3, 64),
		steering:  newSteering(location.Point, origins),
		answers:   m.forLocation(location.IATA),
	}
}
