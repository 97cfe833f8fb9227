package emulator

import "slices"

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

// anyAlive says whether one of the origins has answered its probes lately.
func anyAlive(plan []*origin) bool {
	return slices.ContainsFunc(plan, func(o *origin) bool { return o.health() != down })
}
