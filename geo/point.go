package geo

import (
	"fmt"
	"math"
	"time"
)

// EarthRadiusKM is the mean radius R1 = (2a+b)/3 of the GRS 80 ellipsoid, in kilometres
// (Moritz, "Geodetic Reference System 1980", Journal of Geodesy 74, 2000).
const EarthRadiusKM = 6371.0088

// The project's link model. Light in fibre covers about 200 km a millisecond, laid fibre is
// about 1.4 times longer than the great circle, and equipment at both ends costs 2 ms.
const (
	linkBase         = 2 * time.Millisecond
	fibreKMPerMS     = 200.0
	fibreDetourRatio = 1.4
)

// Point is a place on Earth in degrees: latitude north and longitude east are positive.
type Point struct {
	Latitude  float64 `json:"latitude" yaml:"latitude"`
	Longitude float64 `json:"longitude" yaml:"longitude"`
}

// Validate refuses a latitude outside [-90, 90], a longitude outside [-180, 180], and NaN.
func (p Point) Validate() error {
	// The comparisons are written so that NaN, which compares false with everything, fails.
	if !(p.Latitude >= -90 && p.Latitude <= 90) {
		return fmt.Errorf("latitude %v is not between -90 and 90 degrees", p.Latitude)
	}
	if !(p.Longitude >= -180 && p.Longitude <= 180) {
		return fmt.Errorf("longitude %v is not between -180 and 180 degrees", p.Longitude)
	}
	return nil
}

// DistanceKM is the great-circle distance in kilometres by the haversine formula
// (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984). Treating Earth as
// a sphere errs by up to 0.5 %, far below what separates two regions.
func DistanceKM(a, b Point) float64 {
	lat1, lat2 := radians(a.Latitude), radians(b.Latitude)
	sinLat := math.Sin((lat2 - lat1) / 2)
	sinLon := math.Sin(radians(b.Longitude-a.Longitude) / 2)
	h := sinLat*sinLat + math.Cos(lat1)*math.Cos(lat2)*sinLon*sinLon
	// Rounding can lift h just above 1 for antipodes, where Asin would give NaN.
	return 2 * EarthRadiusKM * math.Asin(math.Sqrt(min(h, 1)))
}

// RoundTrip estimates the network round trip over a great-circle distance in kilometres:
// 2 ms + 2 × km × 1.4 / (200 km/ms). Dublin to Ashburn (5,450 km) comes to 78 ms.
func RoundTrip(km float64) time.Duration {
	ms := 2 * km * fibreDetourRatio / fibreKMPerMS
	return linkBase + time.Duration(ms*float64(time.Millisecond))
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
