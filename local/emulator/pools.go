package emulator

import "github.com/meridian-store/meridian/geo"

// GeoPools steers as a Cloudflare load balancer with geo steering does: by a country's pools, else by those of the part of the world
// that the location is in, else by the default pools. Each is the regions' names in the order in which to try them.
type GeoPools struct {
	Countries map[string][]string // by ISO 3166-1 alpha-2 code
	Regions   map[string][]string // by Cloudflare's code of a part of the world, such as WEU
	Default   []string
}

// Order is Steering's.
func (p GeoPools) Order(location geo.Location, country string) []string {
	if order, named := p.Countries[country]; named {
		return order
	}
	if order, named := p.Regions[PartOfTheWorld(location)]; named {
		return order
	}
	return p.Default
}

// PartOfTheWorld gives Cloudflare's code of the part of the world that a location is in, such as ENAM for eastern North America.
func PartOfTheWorld(location geo.Location) string { return partOfTheWorld[location.IATA] }

var partOfTheWorld = map[string]string{
	"IAD": "ENAM", "JFK": "ENAM", "ORD": "ENAM", "SFO": "WNAM", "MEX": "WNAM", "GRU": "SSAM", "EZE": "SSAM",
	"DUB": "WEU", "LHR": "WEU", "FRA": "WEU", "MAD": "WEU", "WAW": "EEU",
	"LOS": "NAF", "JNB": "SAF", "DXB": "ME", "BOM": "SAS", "SIN": "SEAS", "HKG": "NEAS", "NRT": "NEAS", "SYD": "OC",
}
