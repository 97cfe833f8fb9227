package geo_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/geo"
)

func threeRegions() []geo.Region {
	return []geo.Region{
		{Name: "us-east", Code: "use", City: "Ashburn", Point: geo.Point{Latitude: 39.04, Longitude: -77.49}},
		{Name: "eu-west", Code: "euw", City: "Dublin", Point: geo.Point{Latitude: 53.35, Longitude: -6.26}},
		{Name: "ap-southeast", Code: "aps", City: "Singapore", Point: geo.Point{Latitude: 1.35, Longitude: 103.82}},
	}
}

func names(regions []geo.Region) []string {
	var out []string
	for _, r := range regions {
		out = append(out, r.Name)
	}
	return out
}

func location(t *testing.T, iata string) geo.Location {
	t.Helper()
	l, ok := geo.FindLocation(iata)
	if !ok {
		t.Fatalf("no edge location %s", iata)
	}
	return l
}

func TestNearestRegionOfEveryLocation(t *testing.T) {
	t.Parallel()
	nearest := map[string]string{
		"IAD": "us-east", "JFK": "us-east", "SFO": "us-east", "ORD": "us-east", "MEX": "us-east",
		"GRU": "us-east", "EZE": "us-east", "DUB": "eu-west", "LHR": "eu-west", "FRA": "eu-west",
		"MAD": "eu-west", "WAW": "eu-west", "LOS": "eu-west", "JNB": "ap-southeast", "DXB": "ap-southeast",
		"BOM": "ap-southeast", "SIN": "ap-southeast", "HKG": "ap-southeast", "NRT": "ap-southeast", "SYD": "ap-southeast",
	}
	for _, l := range geo.Cities() {
		if got := geo.Order(l.Point, threeRegions())[0].Name; got != nearest[l.IATA] {
			t.Errorf("%s is served by %s, want %s", l.IATA, got, nearest[l.IATA])
		}
	}
}

func TestEqualDistancesAreOrderedByName(t *testing.T) {
	t.Parallel()
	same := geo.Point{Latitude: 10, Longitude: 10}
	got := names(geo.Order(geo.Point{}, []geo.Region{{Name: "c", Point: same}, {Name: "a", Point: same}, {Name: "b", Point: same}}))
	if want := []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func regionLists() *rapid.Generator[[]geo.Region] {
	return rapid.Custom(func(t *rapid.T) []geo.Region {
		places := rapid.SliceOfN(points(), 0, 8).Draw(t, "places")
		regions := make([]geo.Region, len(places))
		for i, p := range places {
			regions[i] = geo.Region{Name: fmt.Sprintf("region-%d", i), Point: p}
		}
		return regions
	})
}

func TestOrderIsASortedPermutation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, regions := points().Draw(t, "from"), regionLists().Draw(t, "regions")
		before := slices.Clone(regions)
		ordered := geo.Order(from, regions)
		if !reflect.DeepEqual(regions, before) {
			t.Fatal("the argument was changed")
		}
		for i := 1; i < len(ordered); i++ {
			if geo.DistanceKM(from, ordered[i-1].Point) > geo.DistanceKM(from, ordered[i].Point) {
				t.Fatalf("region %d is farther than the one after it", i-1)
			}
		}
		got, want := names(ordered), names(regions)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want a permutation of %v", got, want)
		}
		if again := geo.Order(from, ordered); !reflect.DeepEqual(again, ordered) {
			t.Fatal("the order depends on the order of the argument")
		}
	})
}

// countries draws from so few that regions' lists often overlap.
func countries() *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"BR", "CU", "FR", "RE"}), 0, 3, rapid.ID[string])
}

func TestSteerPutsResidenceBeforeDistanceAndLeavesOutWhoRefuses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, regions := points().Draw(t, "from"), regionLists().Draw(t, "regions")
		for i := range regions {
			regions[i].Resident, regions[i].Refuses = countries().Draw(t, "resident"), countries().Draw(t, "refuses")
		}
		country := rapid.SampledFrom([]string{"", "BR", "RE", "ZW"}).Draw(t, "country")
		var resident, others, refusing []string
		for _, r := range geo.Order(from, regions) {
			switch {
			case slices.Contains(r.Refuses, country):
				refusing = append(refusing, r.Name)
			case slices.Contains(r.Resident, country):
				resident = append(resident, r.Name)
			default:
				others = append(others, r.Name)
			}
		}
		plan := geo.Steer(country, from, regions)
		var got []string
		for i, step := range plan.Steps {
			got = append(got, step.Region.Name)
			if isResident := i < len(resident); (step.Reason == geo.Resident) != isResident || step.KM != geo.DistanceKM(from, step.Region.Point) {
				t.Fatalf("step %d is %+v", i, step)
			}
		}
		if want := append(resident, others...); !slices.Equal(got, want) || !slices.Equal(names(plan.Refused), refusing) {
			t.Fatalf("got %v without %v, want %v without %v", got, names(plan.Refused), want, refusing)
		}
		if plan.Embargoed() != (len(regions) > 0 && len(refusing) == len(regions)) {
			t.Fatalf("embargoed: %t", plan.Embargoed())
		}
	})
}

func TestHomeOf(t *testing.T) {
	t.Parallel()
	regions := threeRegions()
	regions[1].Countries = []string{"IE", "FR"}
	if home, ok := geo.HomeOf("FR", regions); !ok || home.Name != "eu-west" {
		t.Errorf("FR is at home in %q (%t)", home.Name, ok)
	}
	if _, ok := geo.HomeOf("BR", regions); ok {
		t.Error("a country that nobody names has a home")
	}
}
