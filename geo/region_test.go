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
		want   []string
	}{
		{"no name", func(r *geo.Region) { r.Name = "" }, []string{"name"}},
		{"upper-case name", func(r *geo.Region) { r.Name = "EU-west" }, []string{"name"}},
		{"trailing hyphen", func(r *geo.Region) { r.Name = "eu-" }, []string{"name"}},
		{"line break in the name", func(r *geo.Region) { r.Name = "eu\n" }, []string{"name"}},
		{"long name", func(r *geo.Region) { r.Name = strings.Repeat("a", 41) }, []string{"name"}},
		{"short code", func(r *geo.Region) { r.Code = "eu" }, []string{"code"}},
		{"upper-case code", func(r *geo.Region) { r.Code = "EUW" }, []string{"code"}},
		{"no city", func(r *geo.Region) { r.City = "" }, []string{"city"}},
		{"off the globe", func(r *geo.Region) { r.Point.Latitude = 91 }, []string{"latitude"}},
		{"unassigned country", func(r *geo.Region) { r.Countries = []string{"UK"} }, []string{`"UK"`}},
		{"lower-case country", func(r *geo.Region) { r.Countries = []string{"ie"} }, []string{`"ie"`}},
		{"country across two codes", func(r *geo.Region) { r.Countries = []string{"D "} }, []string{`"D "`}},
		{"country twice", func(r *geo.Region) { r.Countries = []string{"IE", "IE"} }, []string{"countries", `"IE"`}},
		{"resident of elsewhere", func(r *geo.Region) { r.Resident = []string{"BR"} }, []string{"resident", `"BR"`}},
		{"resident of nowhere", func(r *geo.Region) { r.Resident = []string{"XX"} }, []string{"resident", `"XX"`}},
		{"refuses its own", func(r *geo.Region) { r.Refuses = []string{"GB"} }, []string{"refuses", `"GB"`}},
		{"refuses twice", func(r *geo.Region) { r.Refuses = []string{"CU", "CU"} }, []string{"refuses", `"CU"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := valid
			tc.damage(&r)
			err := r.Validate()
			for _, value := range tc.want {
				if err == nil || !strings.Contains(err.Error(), value) {
					t.Errorf("got %v, want an error that names %s", err, value)
				}
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
