package geo

import (
	"cmp"
	"slices"
	"strings"
)

// Reason says why a region has its place in a plan.
type Reason string

// The reasons, the stronger first.
const (
	// Resident: the region's file says that the country's shoppers stay there although another region may be nearer.
	Resident Reason = "resident"
	// Distance: it is nearer than all that follow it.
	Distance Reason = "distance"
)

// Step is one region in the order in which to try them.
type Step struct {
	Region Region
	KM     float64 // great-circle distance from the shopper
	Reason Reason
}

// Plan says which regions may serve a shopper, in which order. It knows nothing of their health: who is not healthy is passed over.
type Plan struct {
	Steps []Step
	// Refused are the regions that do not sell to the shopper's country, nearest first. They are never tried, whoever else is lost.
	Refused []Region
}

// Embargoed says that every region refuses the shopper's country, so that there is nothing to wait for.
func (p Plan) Embargoed() bool { return len(p.Steps) == 0 && len(p.Refused) > 0 }

// Steer plans for a shopper of a country at a point: the regions that keep the country's shoppers first, then the others, each nearest
// first, and without those that refuse it. A country that no region names, such as "" where it is not known, leaves the distance alone.
func Steer(country string, from Point, regions []Region) Plan {
	var plan Plan
	for _, r := range Order(from, regions) {
		if slices.Contains(r.Refuses, country) {
			plan.Refused = append(plan.Refused, r)
			continue
		}
		step := Step{Region: r, KM: DistanceKM(from, r.Point), Reason: Distance}
		if slices.Contains(r.Resident, country) {
			step.Reason = Resident
		}
		plan.Steps = append(plan.Steps, step)
	}
	slices.SortStableFunc(plan.Steps, func(a, b Step) int { return cmp.Compare(a.Reason.rank(), b.Reason.rank()) })
	return plan
}

func (r Reason) rank() int { return slices.Index([]Reason{Resident, Distance}, r) }

// Order gives the regions nearest first as seen from a point. Equal distances are broken by
// name, so that every caller steers alike. The argument is left as it was.
func Order(from Point, regions []Region) []Region {
	ordered := slices.Clone(regions)
	slices.SortFunc(ordered, func(a, b Region) int {
		return cmp.Or(
			cmp.Compare(DistanceKM(from, a.Point), DistanceKM(from, b.Point)),
			strings.Compare(a.Name, b.Name),
		)
	})
	return ordered
}

// HomeOf gives the region that a country belongs to.
func HomeOf(country string, regions []Region) (Region, bool) {
	i := slices.IndexFunc(regions, func(r Region) bool { return slices.Contains(r.Countries, country) })
	if i < 0 {
		return Region{}, false
	}
	return regions[i], true
}
