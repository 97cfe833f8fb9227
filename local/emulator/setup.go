package emulator

import (
	"errors"
	"fmt"
	"slices"

	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/geo"
)

// Setup is what an edge enforces. It is given to Configure as a whole.
type Setup struct {
	Rules    Rules
	Origins  []Origin
	Steering Steering
	// Blocked are the countries that get 451, before the cache is looked at: ISO 3166-1 alpha-2 codes.
	Blocked []string
	// Tiered lets a location ask the one of its continent that lies nearest to the origin before it asks the origin itself.
	Tiered bool
}

// Rules say what to do with a request by its method and its target; *rule.Rules do, and so does what Cloudflare's API was told.
type Rules interface {
	Decide(method, target string) (rule.Decision, error)
}

// Steering says which origins serve a shopper, and in which order to try them.
type Steering interface {
	// Order gives origins by region. An empty order refuses the country.
	Order(location geo.Location, country string) []string
}

// Origin is one region's gateway.
type Origin struct {
	Region string    // unique among the origins
	Point  geo.Point // where it stands; an edge location belongs to its nearest region
	URL    string    // as in "http://127.0.0.1:8101", without a path
	// Resident are the countries whose shoppers go there first, whatever the distance; Refuses those
	// whose shoppers never do. Both are ISO 3166-1 alpha-2 codes, and count for Nearest alone.
	Resident, Refuses []string
}

// Nearest is the setup that geo.Steer asks for: residence, then distance, without those that refuse.
func Nearest(rules Rules, origins []Origin) Setup {
	s := Setup{Rules: rules, Origins: origins}
	regions := make(nearest, 0, len(origins))
	refusals := make(map[string]int)
	for _, o := range origins {
		regions = append(regions, geo.Region{Name: o.Region, Point: o.Point, Resident: o.Resident, Refuses: o.Refuses})
		for _, country := range o.Refuses {
			if refusals[country]++; refusals[country] == len(origins) {
				s.Blocked = append(s.Blocked, country)
			}
		}
	}
	s.Steering = regions
	return s
}

type nearest []geo.Region

func (n nearest) Order(location geo.Location, country string) []string {
	var order []string
	for _, step := range geo.Steer(country, location.Point, n).Steps {
		order = append(order, step.Region.Name)
	}
	return order
}

func (s *Setup) validate() error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if s.Rules == nil {
		report("Rules is nil; rule.Default() gives the shipped ones")
	}
	if len(s.Origins) == 0 {
		report("Origins is empty: there are no origins")
	}
	if s.Steering == nil {
		report("Steering is nil; Nearest goes by distance")
	}
	seen := make(map[string]bool)
	for _, o := range s.Origins {
		if o.Region == "" || seen[o.Region] {
			report("origin %q has no region name, or one that is used twice", o.Region)
		}
		seen[o.Region] = true
		if err := o.Point.Validate(); err != nil {
			report("origin %q: %w", o.Region, err)
		}
		if _, err := originAddress(o.URL); err != nil {
			report("origin %q: %w", o.Region, err)
		}
		for _, country := range slices.Concat(o.Resident, o.Refuses) {
			if !geo.ValidCountry(country) {
				report("origin %q: country %q is not an ISO 3166-1 alpha-2 code", o.Region, country)
			}
		}
	}
	for _, country := range s.Blocked {
		if !geo.ValidCountry(country) {
			report("blocked country %q is not an ISO 3166-1 alpha-2 code", country)
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("edge: %w", errors.Join(problems...))
	}
	return nil
}
