package main

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/regions"
)

// city is a place of the load test: cities.json.
type city struct {
	IATA    string `json:"iata"`
	Country string `json:"country"`
	Weight  int    `json:"weight"`
}

// Every edge location takes part, and each of its shoppers can be shipped to.
func TestTheCitiesAreTheEdgesLocations(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("cities.json")
	if err != nil {
		t.Fatal(err)
	}
	var cities []city
	if err := json.Unmarshal(text, &cities); err != nil {
		t.Fatal(err)
	}
	all, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	visits := map[string]int{}
	for _, c := range cities {
		location, known := geo.FindLocation(c.IATA)
		if !known || location.Country != c.Country || c.Weight < 1 || seen[c.IATA] {
			t.Errorf("%+v is no edge location, in another country, without weight, or there twice", c)
		}
		seen[c.IATA] = true
		if !slices.ContainsFunc(all, func(r regions.Region) bool { return slices.Contains(r.Countries, c.Country) }) {
			t.Errorf("no region ships to %s", c.Country)
		}
		var places []geo.Region
		for _, region := range all {
			places = append(places, region.Region.Region)
		}
		visits[geo.Order(location.Point, places)[0].Name] += c.Weight
	}
	if len(seen) != len(geo.Cities()) {
		t.Errorf("%d cities, want all %d edge locations", len(seen), len(geo.Cities()))
	}
	for _, region := range all {
		if visits[region.Name] < 10 {
			t.Errorf("%s gets %d of 100 visits: its figures would mean nothing", region.Name, visits[region.Name])
		}
	}
	if sum := visits["us-east"] + visits["eu-west"] + visits["ap-southeast"]; sum != 100 {
		t.Errorf("the weights add up to %d, want 100", sum)
	}
}
