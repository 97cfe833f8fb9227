package emulator

import (
	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/geo"
)

const (
	headerLocation = "X-Edge-Location"
	headerCountry  = "X-Edge-Country"
)

// shopper is where a request comes from: the location that answers it, and a country, which is the
// location's unless the request says that it comes from another.
type shopper struct {
	*site
	country string
}

// plan gives the origins that may serve the shopper, in the order in which to try them.
func (s shopper) plan() []*origin { return s.site.plan(s.country) }

// shopperOf reads where a request comes from. The problem is empty when that makes sense; the
// location is then known, and otherwise the edge's own.
func (w *world) shopperOf(header *fasthttp.RequestHeader) (who shopper, problem string) {
	who = shopper{site: w.home, country: w.home.Country}
	if iata := header.Peek(headerLocation); len(iata) > 0 {
		at, known := w.sites[string(iata)]
		if !known {
			return who, headerLocation + " is not the IATA code of an edge location, such as " + w.home.IATA
		}
		who = shopper{site: at, country: at.Country}
	}
	if country := header.Peek(headerCountry); len(country) > 0 {
		if who.country = string(country); !geo.ValidCountry(who.country) {
			return who, headerCountry + " is not an ISO 3166-1 alpha-2 code, such as " + w.home.Country
		}
	}
	return who, ""
}
