package command

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/meridian-store/meridian/geo"
)

// globe holds the verbs about who serves whom.
type globe struct {
	Explain geoExplain `cmd:"" help:"Show which regions serve a country's shoppers, in which order and why."`
}

type geoExplain struct {
	Country  string `required:"" help:"ISO 3166-1 alpha-2 code, such as BR."`
	Location string `help:"IATA code of the edge location that answers the shopper, such as GRU; every one in the country when absent."`
	JSON     bool   `help:"Print one JSON document."`
}

const healthUnknown = "unknown"

// explanation is what the verb prints.
type explanation struct {
	Country string `json:"country"`
	// Home is the region that the country belongs to, "" when no region names it.
	Home string `json:"home"`
	// Embargoed says that no region serves the country.
	Embargoed bool   `json:"embargoed"`
	Views     []view `json:"views"`
}

// view is the order as seen from one edge location.
type view struct {
	Location string    `json:"location,omitempty"` // IATA code; empty when no edge location stands in the country
	City     string    `json:"city"`
	From     geo.Point `json:"from"`
	// Serves is the region that a shopper gets now: the first of Regions that is up, or the first when nothing is known.
	Serves  string   `json:"serves"`
	Regions []placed `json:"regions"`
	Refuses []string `json:"refused"` // the regions that do not serve the country
}

type placed struct {
	Region     string     `json:"region"`
	Place      int        `json:"place"`
	Reason     geo.Reason `json:"reason"`
	DistanceKM int64      `json:"distance_km"`
	// ModelMS is the round trip that the distance explains.
	ModelMS int64  `json:"model_rtt_ms"`
	Health  string `json:"health"` // what the running copy's edge thinks: up, suspect, returning or down; unknown when none runs
}

// Run explains. It needs no running copy; with one it asks its edge for the regions' health.
func (x *geoExplain) Run(e *env) error {
	all, err := e.allRegions()
	if err != nil {
		return err
	}
	country := strings.ToUpper(x.Country)
	if !geo.ValidCountry(country) {
		return failure{exitUsage, fmt.Errorf("--country %q is not an ISO 3166-1 alpha-2 code, such as BR", x.Country)}
	}
	var places []geo.Region
	for _, region := range all {
		places = append(places, region.Region.Region)
	}
	home, _ := geo.HomeOf(country, places)
	told := explanation{Country: country, Home: home.Name, Views: []view{}}
	// Who refuses whom hangs on no place.
	if told.Embargoed = geo.Steer(country, geo.Point{}, places).Embargoed(); !told.Embargoed {
		locations, err := x.locations(country, home)
		if err != nil {
			return err
		}
		health := e.copy.edgeHealth()
		for _, location := range locations {
			told.Views = append(told.Views, viewFrom(location, geo.Steer(country, location.Point, places), health))
		}
	}
	if x.JSON {
		return printJSON(e.out, told)
	}
	return told.print(e.out)
}

// locations are where the country's shoppers are answered. Where no edge location stands in it, the home region's place is the best guess.
func (x *geoExplain) locations(country string, home geo.Region) ([]geo.Location, error) {
	if x.Location != "" {
		location, known := geo.FindLocation(strings.ToUpper(x.Location))
		if !known {
			return nil, failure{exitUsage, fmt.Errorf("--location %q is not the IATA code of an edge location, such as GRU", x.Location)}
		}
		return []geo.Location{location}, nil
	}
	var found []geo.Location
	for _, location := range geo.Cities() {
		if location.Country == country {
			found = append(found, location)
		}
	}
	if len(found) == 0 && home.Name != "" {
		found = []geo.Location{{City: home.City, Point: home.Point}}
	}
	if len(found) == 0 {
		return nil, failure{exitUsage, fmt.Errorf("no edge location stands in %s and no region names it: say where its shoppers are answered with --location, such as --location DXB", country)}
	}
	return found, nil
}

func viewFrom(location geo.Location, plan geo.Plan, health map[string]string) view {
	v := view{Location: location.IATA, City: location.City, From: location.Point, Regions: []placed{}, Refuses: []string{}}
	for _, region := range plan.Refused {
		v.Refuses = append(v.Refuses, region.Name)
	}
	for i, step := range plan.Steps {
		v.Regions = append(v.Regions, placed{
			Region: step.Region.Name, Place: i + 1, Reason: step.Reason, DistanceKM: int64(math.Round(step.KM)),
			ModelMS: geo.RoundTrip(step.KM).Milliseconds(), Health: cmp.Or(health[step.Region.Name], healthUnknown),
		})
	}
	v.Serves = v.serves()
	return v
}

func (v view) serves() string {
	for _, wanted := range []string{"up", "suspect", "returning", healthUnknown} {
		for _, region := range v.Regions {
			if region.Health == wanted {
				return region.Region
			}
		}
	}
	return ""
}

func (x explanation) print(out io.Writer) error {
	switch {
	case x.Embargoed:
		_, err := fmt.Fprintf(out, "%s is not served: every region refuses it, and its shoppers get 451.\n", x.Country)
		return err
	case x.Home != "":
		fmt.Fprintf(out, "%s belongs to %s.\n", x.Country, x.Home)
	default:
		fmt.Fprintf(out, "%s belongs to no region; the one that serves a shopper is theirs.\n", x.Country)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, v := range x.Views {
		from := v.City + " (" + v.Location + ")"
		if v.Location == "" {
			from = v.City + ", for want of an edge location in " + x.Country
		}
		fmt.Fprintf(w, "\nFrom %s, served by %s:\n", from, cmp.Or(v.Serves, "nobody now"))
		fmt.Fprintln(w, "PLACE\tREGION\tDISTANCE\tBY DISTANCE\tHEALTH\tREASON")
		for _, r := range v.Regions {
			fmt.Fprintf(w, "%d\t%s\t%d km\t%d ms\t%s\t%s\n", r.Place, r.Region, r.DistanceKM, r.ModelMS, r.Health, r.reason(x.Country))
		}
		for _, name := range v.Refuses {
			fmt.Fprintf(w, "-\t%s\t\t\t\trefuses %s\n", name, x.Country)
		}
	}
	return w.Flush()
}

func (r placed) reason(country string) string {
	switch {
	case r.Reason == geo.Resident:
		return "keeps the shoppers of " + country
	case r.Place == 1:
		return "nearest"
	}
	return "next nearest"
}
