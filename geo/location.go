package geo

import "slices"

// Continent is a two-letter continent code.
type Continent string

// The continents that have an edge location.
const (
	Africa       Continent = "AF"
	Asia         Continent = "AS"
	Europe       Continent = "EU"
	NorthAmerica Continent = "NA"
	Oceania      Continent = "OC"
	SouthAmerica Continent = "SA"
)

// Location is a place where the edge answers shoppers, named as CDNs do by its airport.
type Location struct {
	IATA      string    `json:"iata"`    // the airport's three-letter IATA code, upper case
	City      string    `json:"city"`    // in English, with the city's own accents
	Country   string    `json:"country"` // ISO 3166-1 alpha-2
	Continent Continent `json:"continent"`
	Point     Point     `json:"point"` // the airport's coordinates
}

var locations = []Location{
	{"IAD", "Ashburn", "US", NorthAmerica, Point{38.9445, -77.4558}},
	{"JFK", "New York", "US", NorthAmerica, Point{40.6398, -73.7789}},
	{"SFO", "San Francisco", "US", NorthAmerica, Point{37.6190, -122.3749}},
	{"ORD", "Chicago", "US", NorthAmerica, Point{41.9786, -87.9048}},
	{"MEX", "Mexico City", "MX", NorthAmerica, Point{19.4363, -99.0721}},
	{"GRU", "São Paulo", "BR", SouthAmerica, Point{-23.4356, -46.4731}},
	{"EZE", "Buenos Aires", "AR", SouthAmerica, Point{-34.8222, -58.5358}},
	{"DUB", "Dublin", "IE", Europe, Point{53.4213, -6.2701}},
	{"LHR", "London", "GB", Europe, Point{51.4706, -0.4619}},
	{"FRA", "Frankfurt", "DE", Europe, Point{50.0333, 8.5706}},
	{"MAD", "Madrid", "ES", Europe, Point{40.4719, -3.5626}},
	{"WAW", "Warsaw", "PL", Europe, Point{52.1657, 20.9671}},
	{"LOS", "Lagos", "NG", Africa, Point{6.5774, 3.3212}},
	{"JNB", "Johannesburg", "ZA", Africa, Point{-26.1392, 28.2460}},
	{"DXB", "Dubai", "AE", Asia, Point{25.2528, 55.3644}},
	{"BOM", "Mumbai", "IN", Asia, Point{19.0887, 72.8679}},
	{"SIN", "Singapore", "SG", Asia, Point{1.3502, 103.9944}},
	{"HKG", "Hong Kong", "HK", Asia, Point{22.3089, 113.9146}},
	{"NRT", "Tokyo", "JP", Asia, Point{35.7647, 140.3864}},
	{"SYD", "Sydney", "AU", Oceania, Point{-33.9461, 151.1772}},
}

// Cities gives every edge location. The slice is the caller's own.
func Cities() []Location { return slices.Clone(locations) }

// FindLocation gives the edge location with an IATA code, which must be in upper case.
func FindLocation(iata string) (Location, bool) {
	i := slices.IndexFunc(locations, func(l Location) bool { return l.IATA == iata })
	if i < 0 {
		return Location{}, false
	}
	return locations[i], true
}

// NearestLocation gives the edge location a shopper at a point would be answered from.
func NearestLocation(from Point) Location {
	return slices.MinFunc(locations, func(a, b Location) int {
		switch da, db := DistanceKM(from, a.Point), DistanceKM(from, b.Point); {
		case da < db:
			return -1
		case da > db:
			return 1
		default:
			return 0
		}
	})
}
