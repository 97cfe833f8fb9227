package geo_test

import (
	"strings"
	"testing"

	"github.com/meridian-store/meridian/geo"
)

func TestRegionValidate(t *testing.T) {
	t.Parallel()
	valid := geo.Region{Name: "eu-west", Code: "euw", City: "Dublin", Point: geo.Point{Latitude: 53.35, Longitude: -6.26}, Countries: []string{"IE", "GB"}}
	if err := valid.Validate(); err != nil {
		t.Fatalf("a valid region was refused: %v", err)
	}
	for _, tc := range []struct {
		name   string
		damage func(*geo.Region)
		want   string
	}{
		{"no name", func(r *geo.Region) { r.Name = "" }, "name"},
		{"upper-case name", func(r *geo.Region) { r.Name = "EU-west" }, "name"},
		{"trailing hyphen", func(r *geo.Region) { r.Name = "eu-" }, "name"},
		{"line break in the name", func(r *geo.Region) { r.Name = "eu\n" }, "name"},
		{"long name", func(r *geo.Region) { r.Name = strings.Repeat("a", 41) }, "name"},
		{"short code", func(r *geo.Region) { r.Code = "eu" }, "code"},
		{"upper-case code", func(r *geo.Region) { r.Code = "EUW" }, "code"},
		{"no city", func(r *geo.Region) { r.City = "" }, "city"},
		{"off the globe", func(r *geo.Region) { r.Point.Latitude = 91 }, "latitude"},
		{"unassigned country", func(r *geo.Region) { r.Countries = []string{"UK"} }, `"UK"`},
		{"lower-case country", func(r *geo.Region) { r.Countries = []string{"ie"} }, `"ie"`},
		{"country across two codes", func(r *geo.Region) { r.Countries = []string{"D "} }, `"D "`},
		{"country twice", func(r *geo.Region) { r.Countries = []string{"IE", "IE"} }, "twice"},
		{"resident of elsewhere", func(r *geo.Region) { r.Resident = []string{"BR"} }, `resident: country "BR"`},
		{"resident of nowhere", func(r *geo.Region) { r.Resident = []string{"XX"} }, `resident: country "XX"`},
		{"refuses its own", func(r *geo.Region) { r.Refuses = []string{"GB"} }, `refuses: country "GB"`},
		{"refuses twice", func(r *geo.Region) { r.Refuses = []string{"CU", "CU"} }, "refuses: country \"CU\" is listed twice"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := valid
			tc.damage(&r)
			err := r.Validate()
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error naming %s", err, tc.want)
			}
		})
	}
}

func TestRegionValidateReportsEverything(t *testing.T) {
	t.Parallel()
	err := geo.Region{Countries: []string{"XX"}}.Validate()
	for _, want := range []string{"name", "code", "city", `"XX"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
}

func TestEveryAssignedCountryIsKnown(t *testing.T) {
	t.Parallel()
	var assigned int
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if geo.ValidCountry(string([]rune{a, b})) {
				assigned++
			}
		}
	}
	if assigned != 249 {
		t.Errorf("%d codes are assigned, want the 249 of ISO 3166-1", assigned)
	}
}
