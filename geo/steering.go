package geo

import (
	"cmp"
	"slices"
	"strings"
)

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

// Steer gives the healthy regions in the order to try them: nearest first. It is empty when
// none is healthy. The judgement healthy is asked once for each region, by name.
func Steer(from Point, regions []Region, healthy func(name string) bool) []Region {
	return slices.DeleteFunc(Order(from, regions), func(r Region) bool { return !healthy(r.Name) })
}
