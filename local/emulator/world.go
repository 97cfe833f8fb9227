package emulator

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/meridian-store/meridian/geo"
)

// world is what an edge enforces at one time. It never changes: Configure puts another in its place.
type world struct {
	rules   Rules
	sites   map[string]*site
	home    *site // of requests that name no location
	origins []*origin
	blocked map[string]bool
}

// way leads from the edge locations of a region to an origin.
type way struct{ region, address string }

// Configure makes the edge enforce a setup from the next request on. What is cached stays, and so does what is known of an origin that
// is in both.
func (e *Edge) Configure(setup Setup) error {
	if err := setup.validate(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase == phaseStopped {
		return fmt.Errorf("edge: it has stopped")
	}
	w := &world{rules: setup.Rules, sites: make(map[string]*site), blocked: make(map[string]bool)}
	for _, country := range setup.Blocked {
		w.blocked[country] = true
	}
	ways := make(map[way]*origin)
	for _, location := range geo.Cities() {
		made, err := e.newSite(location, setup, ways)
		if err != nil {
			return err
		}
		w.sites[location.IATA] = made
	}
	if setup.Tiered {
		for _, s := range w.sites {
			s.hub = hubOf(s, w.sites)
		}
	}
	w.home = w.sites[e.cfg.DefaultLocation]
	if w.home == nil {
		w.home = w.sites[geo.NearestLocation(setup.Origins[0].Point).IATA]
	}
	for _, o := range ways {
		w.origins = append(w.origins, o)
	}
	slices.SortFunc(w.origins, compareOrigins)
	e.world.Store(w)
	e.replaceOrigins(ways)
	return nil
}

// newSite makes a location and, of the origins it may ask, those that no other location has in the same way.
func (e *Edge) newSite(location geo.Location, setup Setup, ways map[way]*origin) (*site, error) {
	regions := make([]geo.Region, 0, len(setup.Origins))
	for _, o := range setup.Origins {
		regions = append(regions, geo.Region{Name: o.Region, Point: o.Point})
	}
	zone := geo.Order(location.Point, regions)[0]
	reached := make(map[string]*origin, len(setup.Origins))
	for _, o := range setup.Origins {
		address, err := e.addressFrom(zone.Name, o)
		if err != nil {
			return nil, err
		}
		at := way{o.Region, address}
		if ways[at] == nil {
			if ways[at] = e.origins[at]; ways[at] == nil {
				ways[at] = e.newOrigin(o, zone.Name, address)
			}
		}
		reached[o.Region] = ways[at]
	}
	s := newSite(location, reached, setup.Steering, e.metrics)
	if e.cfg.Distant {
		s.toZone = geo.RoundTrip(geo.DistanceKM(location.Point, zone.Point))
	}
	s.distant = e.cfg.Distant
	return s, nil
}

// addressFrom gives where an origin is reached from a region's edge locations: through the link there, or directly.
func (e *Edge) addressFrom(zone string, o Origin) (string, error) {
	if link := e.cfg.Links[zone][o.Region]; link != "" {
		return link, nil
	}
	return originAddress(o.URL)
}

// replaceOrigins begins to probe the origins that are new and lets go of those that are no longer asked. The lock is held.
func (e *Edge) replaceOrigins(ways map[way]*origin) {
	for at, o := range e.origins {
		if ways[at] == nil {
			o.stopProbes()
			o.close()
		}
	}
	for at, o := range ways {
		if e.origins[at] == nil && e.phase == phaseRunning {
			e.watch(o)
		}
	}
	e.origins = maps.Clone(ways)
}

// watch probes an origin until its own stop or the edge's. The lock is held.
func (e *Edge) watch(o *origin) {
	probing, cancel := context.WithCancel(e.probing)
	o.stopProbes = cancel
	e.loops.Go(func() { o.probeUntil(probing) })
}
