package geo_test

import (
	"testing"

	"github.com/meridian-store/meridian/geo"
)

func TestLocationsAreSoundAndCoverSixContinents(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	continents := make(map[geo.Continent]bool)
	for _, l := range geo.Cities() {
		if seen[l.IATA] {
			t.Errorf("%s is listed twice", l.IATA)
		}
		seen[l.IATA] = true
		continents[l.Continent] = true
		if err := l.Point.Validate(); err != nil {
			t.Errorf("%s: %v", l.IATA, err)
		}
		if len(l.IATA) != 3 || l.City == "" || !geo.ValidCountry(l.Country) {
			t.Errorf("%+v is incomplete", l)
		}
		if got := geo.NearestLocation(l.Point); got != l {
			t.Errorf("the location nearest to %s is %s", l.IATA, got.IATA)
		}
	}
	if len(seen) < 20 || len(continents) != 6 {
		t.Errorf("%d locations on %d continents, want at least 20 on 6", len(seen), len(continents))
	}
}

func TestCitiesIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	geo.Cities()[0].IATA = "XXX"
	if _, ok := geo.FindLocation("XXX"); ok {
		t.Error("a caller changed the table")
	}
}

func TestFindLocationRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, iata := range []string{"", "XXX", "iad", "IAD "} {
		if _, ok := geo.FindLocation(iata); ok {
			t.Errorf("%q was found", iata)
		}
	}
}
