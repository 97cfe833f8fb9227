package emulator

import (
	"slices"

	"github.com/meridian-store/meridian/geo"
)

// steering is how a location's requests find an origin.
type steering struct {
	// usual is the plan for countries that no origin names.
	usual []*origin
	// special are the plans for countries that some origin keeps or refuses; empty where all refuse.
	special map[string][]*origin
}

func newSteering(from geo.Point, origins []*origin) steering {
	byRegion := make(map[string]*origin, len(origins))
	regions := make([]geo.Region, 0, len(origins))
	var named []string
	for _, o := range origins {
		byRegion[o.Region] = o
		regions = append(regions, geo.Region{Name: o.Region, Point: o.Point, Resident: o.Resident, Refuses: o.Refuses})
		named = append(append(named, o.Resident...), o.Refuses...)
	}
	plan := func(country string) []*origin {
		order := []*origin{}
		for _, step := range geo.Steer(country, from, regions).Steps {
			order = append(order, byRegion[step.Region.Name])
		}
		return order
	}
	s := steering{usual: plan(""), special: make(map[string][]*origin)}
	for _, country := range named {
		s.special[country] = plan(country)
	}
	return s
}

// of gives a country's origins in the order in which to try them, whatever their health; none when
// every one refuses the country.
func (s steering) of(country string) []*origin {
	if order, named := s.special[country]; named {
		return order
	}
	return s.usual
}

// candidates gives the origins to try, in order: the healthy as planned, then those that have
// just failed a request but not yet a probe, then those that have not been back for long, because
// one of those may be all there is. When no origin is left, those are tried whose probes got no
// answer: they can all be wrong, on a machine too busy to answer in time, and then to believe them
// would close the shop. One that says itself that it is not ready is believed.
func candidates(plan []*origin) []*origin {
	order := make([]*origin, 0, len(plan))
	for _, wanted := range []health{up, suspect, returning} {
		for _, o := range plan {
			if o.health() == wanted && !slices.Contains(order, o) {
				order = append(order, o)
			}
		}
	}
	if len(order) > 0 {
		return order
	}
	for _, o := range plan {
		if o.silent.Load() {
			order = append(order, o)
		}
	}
	return order
}
