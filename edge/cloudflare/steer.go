package cloudflare

import (
	"slices"

	"github.com/meridian-store/meridian/geo"
)

// partsOfTheWorld are Cloudflare's regions of steering, with the edge locations in each. One without a location has a place that stands for
// it.
var partsOfTheWorld = map[string]struct {
	locations []string
	place     geo.Point
}{
	"ENAM": {locations: []string{"IAD", "JFK", "ORD"}}, "WNAM": {locations: []string{"SFO", "MEX"}},
	"NSAM": {place: geo.Point{Latitude: 4.6, Longitude: -74.1}}, "SSAM": {locations: []string{"GRU", "EZE"}},
	"WEU": {locations: []string{"LHR", "DUB", "FRA", "MAD"}}, "EEU": {locations: []string{"WAW"}},
	"NAF": {locations: []string{"LOS"}}, "SAF": {locations: []string{"JNB"}}, "ME": {locations: []string{"DXB"}},
	"SAS": {locations: []string{"BOM"}}, "SEAS": {locations: []string{"SIN"}}, "NEAS": {locations: []string{"NRT", "HKG"}}, "OC": {locations: []string{"SYD"}},
}

// steer has shoppers served as geo.Steer says. A part of the world goes by its first location; a country whose location would be steered
// otherwise, and one that a region keeps or refuses, has its own order. Orders by location would be exact, but overrule those by country.
func steer(s Shop) Balancer {
	regions := make([]geo.Region, 0, len(s.Regions))
	var named []string
	for _, r := range s.Regions {
		regions = append(regions, r.Region)
		named = append(append(named, r.Resident...), r.Refuses...)
	}
	pools := func(country string, from geo.Point) []string {
		names := []string{}
		for _, step := range geo.Steer(country, from, regions).Steps {
			names = append(names, PoolName(s.Hostname, step.Region.Name))
		}
		return names
	}
	b := Balancer{
		Name: s.Hostname, Description: Owned + "storefront", Proxied: true, Enabled: true, SteeringPolicy: "geo",
		DefaultPools: pools("", s.Regions[0].Point), FallbackPool: PoolName(s.Hostname, s.Regions[0].Name),
		RegionPools: make(map[string][]string), CountryPools: make(map[string][]string),
	}
	for code, part := range partsOfTheWorld {
		from := part.place
		if len(part.locations) > 0 {
			first, _ := geo.FindLocation(part.locations[0])
			from = first.Point
		}
		b.RegionPools[code] = pools("", from)
		for _, iata := range part.locations {
			location, _ := geo.FindLocation(iata)
			if own := pools(location.Country, location.Point); !slices.Equal(own, b.RegionPools[code]) {
				b.CountryPools[location.Country] = own
			}
		}
	}
	for _, country := range named {
		home, known := geo.HomeOf(country, regions)
		if !known {
			home = regions[0]
		}
		// One that all refuse has no pools; the firewall blocks it.
		if order := pools(country, home.Point); len(order) > 0 {
			b.CountryPools[country] = order
		}
	}
	return b
}
