package control

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/edge/cloudflare/expression"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/emulator"
)

// setup works out what the edge has to enforce; false while something that it needs was not said yet: cache rules, pools, a load balancer.
func (s *state) setup() (setup emulator.Setup, complete bool, err error) {
	if len(s.Things[balancers]) == 0 || s.Phases[cloudflare.PhaseCache].Rules == nil {
		return emulator.Setup{}, false, nil
	}
	rules, err := s.zoneRules(s.host())
	if err != nil {
		return emulator.Setup{}, false, err
	}
	setup = emulator.Setup{Rules: rules, Blocked: rules.blocked(), Tiered: s.Tiers.Smart && s.Tiers.Regional}
	regions := make(map[string]string) // of pools, by id
	for id, pool := range s.Things[pools] {
		origin, err := originOf(pool)
		if err != nil {
			return emulator.Setup{}, false, err
		}
		regions[id] = origin.Region
	}
	// A shop has one load balancer; of several, which one an edge location asks would hang on the hostname.
	for _, balancer := range s.Things[balancers] {
		order := func(ids []string) []string {
			names := make([]string, 0, len(ids))
			for _, id := range ids {
				names = append(names, regions[id])
			}
			return names
		}
		byKey := func(lists map[string][]string) map[string][]string {
			named := make(map[string][]string, len(lists))
			for key, ids := range lists {
				named[key] = order(ids)
			}
			return named
		}
		setup.Steering = emulator.GeoPools{
			Countries: byKey(listsOf(balancer["country_pools"])), Regions: byKey(listsOf(balancer["region_pools"])), Default: order(texts(balancer["default_pools"])),
		}
		used := poolsOf(balancer)
		for id, pool := range s.Things[pools] {
			origin, err := originOf(pool)
			if err == nil && slices.Contains(used, id) {
				setup.Origins = append(setup.Origins, origin)
			}
		}
	}
	return setup, len(setup.Origins) > 0, nil
}

// host is the hostname of the load balancer, of several the first by id.
func (s *state) host() string {
	all := s.Things[balancers]
	first := slices.Sorted(maps.Keys(all))[0]
	name, _ := all[first]["name"].(string)
	return name
}

// originOf reads a pool's gateway.
func originOf(pool thing) (emulator.Origin, error) {
	origins, _ := pool["origins"].([]any)
	if len(origins) == 0 {
		return emulator.Origin{}, invalid(1002, "a pool has no origin")
	}
	origin, _ := origins[0].(map[string]any)
	address, _ := origin["address"].(string)
	if port, _ := origin["port"].(float64); port > 0 {
		address = net.JoinHostPort(address, strconv.Itoa(int(port)))
	}
	region, _ := origin["name"].(string)
	latitude, _ := pool["latitude"].(float64)
	longitude, _ := pool["longitude"].(float64)
	return emulator.Origin{
		Region: region, URL: "http://" + address, Point: geo.Point{Latitude: latitude, Longitude: longitude},
	}, nil
}

// compiled is a rule that can be asked.
type compiled struct {
	ref        string
	matches    expression.Expression
	parameters map[string]any
}

func (s *state) compile(phase string) ([]compiled, error) {
	var rules []compiled
	for _, r := range s.Phases[phase].Rules {
		if enabled, given := r["enabled"].(bool); given && !enabled {
			continue
		}
		text, _ := r["expression"].(string)
		matches, err := expression.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("a rule of %s: %w", phase, err)
		}
		ref, _ := r["ref"].(string)
		parameters, _ := r["action_parameters"].(map[string]any)
		rules = append(rules, compiled{ref: strings.TrimPrefix(ref, cloudflare.Owned), matches: matches, parameters: parameters})
	}
	return rules, nil
}
