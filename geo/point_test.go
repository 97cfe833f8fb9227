package geo_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/geo"
)

// points makes a generator of its own for each test: rapid's are not for two tests at once.
func points() *rapid.Generator[geo.Point] {
	return rapid.Custom(func(t *rapid.T) geo.Point {
		return geo.Point{
			Latitude:  rapid.Float64Range(-90, 90).Draw(t, "latitude"),
			Longitude: rapid.Float64Range(-180, 180).Draw(t, "longitude"),
		}
	})
}

// roundingKM allows for haversine's loss of precision near antipodes.
const roundingKM = 1e-3

func TestDistanceIsAMetric(t *testing.T) {
	t.Parallel()
	half := math.Pi * geo.EarthRadiusKM
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := points().Draw(t, "a"), points().Draw(t, "b"), points().Draw(t, "c")
		ab, ba := geo.DistanceKM(a, b), geo.DistanceKM(b, a)
		if math.Abs(ab-ba) > roundingKM {
			t.Fatalf("distance there %v and back %v differ", ab, ba)
		}
		if !(ab >= 0 && ab <= half+roundingKM) {
			t.Fatalf("distance %v is outside [0, %v]", ab, half)
		}
		if self := geo.DistanceKM(a, a); self != 0 {
			t.Fatalf("distance to itself is %v", self)
		}
		if detour := geo.DistanceKM(a, c) + geo.DistanceKM(c, b); ab > detour+roundingKM {
			t.Fatalf("direct %v is longer than by way of c %v", ab, detour)
		}
	})
}

func TestDistanceOfKnownPairs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		a, b   geo.Point
		wantKM float64
	}{
		{"a quarter of the equator", geo.Point{}, geo.Point{Longitude: 90}, math.Pi / 2 * geo.EarthRadiusKM},
		{"pole to pole", geo.Point{Latitude: 90}, geo.Point{Latitude: -90}, math.Pi * geo.EarthRadiusKM},
		{"across the date line", geo.Point{Longitude: 179}, geo.Point{Longitude: -179}, 2 * math.Pi / 180 * geo.EarthRadiusKM},
		// Great-circle distances between airports as published by gcmap.com, which uses the ellipsoid.
		{"JFK to LHR", location(t, "JFK").Point, location(t, "LHR").Point, 5555},
		{"SIN to SYD", location(t, "SIN").Point, location(t, "SYD").Point, 6288},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := geo.DistanceKM(tc.a, tc.b)
			if math.Abs(got-tc.wantKM) > tc.wantKM*0.005 {
				t.Errorf("got %.1f km, want %.1f km", got, tc.wantKM)
			}
		})
	}
}

func TestPointValidate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		point geo.Point
		valid bool
	}{
		{geo.Point{}, true},
		{geo.Point{Latitude: 90, Longitude: 180}, true},
		{geo.Point{Latitude: -90, Longitude: -180}, true},
		{geo.Point{Latitude: 90.01}, false},
		{geo.Point{Longitude: -180.01}, false},
		{geo.Point{Latitude: math.NaN()}, false},
		{geo.Point{Longitude: math.NaN()}, false},
		{geo.Point{Longitude: math.Inf(1)}, false},
	} {
		if err := tc.point.Validate(); (err == nil) != tc.valid {
			t.Errorf("%v: got %v, want valid %v", tc.point, err, tc.valid)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for km, want := range map[float64]time.Duration{
		0:     2 * time.Millisecond,
		1000:  16 * time.Millisecond,
		10000: 142 * time.Millisecond,
	} {
		if got := geo.RoundTrip(km); (got - want).Abs() > time.Microsecond {
			t.Errorf("round trip over %v km: got %v, want %v", km, got, want)
		}
	}
}
