// Package cloudflare brings the edge's rules to Cloudflare: as cache, transform and firewall rules, pools, a monitor and a load balancer,
// and purges by tag. The edge on this machine is told its rules by the same requests.
package cloudflare

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/geo"
)

// Owned begins the name, ref or description of everything that Meridian keeps in an account. What does not begin so is not touched.
const Owned = "meridian-"

// Shop is what is brought to a zone.
type Shop struct {
	Rules   *rule.Rules
	Regions []Region
	// Hostname is where shoppers come, such as shop.example.com.
	Hostname string
	Plan     Plan
	// EdgeSecret proves to gateways that a request came through the edge. It is sent in a rule and never shown; empty: not sent.
	EdgeSecret string
	// ProbeEvery is how many seconds lie between two looks at a gateway.
	ProbeEvery int64
}

// Region is a region and where its gateway is reached.
type Region struct {
	geo.Region
	Origin string // as in https://eu-west.shop.example.com, or http://127.0.0.1:8101
}

// State is all that Meridian keeps in a zone and its account. What is equal is written equally in JSON.
type State struct {
	Phases   map[string][]Rule `json:"phases"`
	Monitors []Monitor         `json:"monitors"`
	Pools    []Pool            `json:"pools"`
	Balancer Balancer          `json:"load_balancer"`
	// Tiers are the zone's settings of tiered cache.
	Tiers Tiers `json:"tiered_cache"`
}

// Rule is a rule of a phase.
type Rule struct {
	Ref         string         `json:"ref"`
	Description string         `json:"description"`
	Expression  string         `json:"expression"`
	Action      string         `json:"action"`
	Parameters  map[string]any `json:"action_parameters,omitempty"`
	Enabled     bool           `json:"enabled"`
}

// Pool is a region's gateway.
type Pool struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Latitude    float64 `json:"latitude"`
	Longitude   float64 `json:"longitude"`
	Enabled     bool    `json:"enabled"`
	// Monitor is named by its description here; the API wants its id.
	Monitor string       `json:"monitor"`
	Origins []PoolOrigin `json:"origins"`
}

// PoolOrigin is the one address of a pool.
type PoolOrigin struct {
	Name    string  `json:"name"`
	Address string  `json:"address"`
	Port    int64   `json:"port,omitempty"`
	Enabled bool    `json:"enabled"`
	Weight  float64 `json:"weight"`
}

// Balancer steers shoppers. Pools are named here as State.Pools has them; the API wants their ids.
type Balancer struct {
	Name           string              `json:"name"`
	Description    string              `json:"description"`
	Proxied        bool                `json:"proxied"`
	Enabled        bool                `json:"enabled"`
	SteeringPolicy string              `json:"steering_policy"`
	DefaultPools   []string            `json:"default_pools"`
	FallbackPool   string              `json:"fallback_pool"`
	RegionPools    map[string][]string `json:"region_pools"`
	CountryPools   map[string][]string `json:"country_pools"`
}

// Tiers say through which other locations a location asks.
type Tiers struct {
	Smart    bool `json:"tiered_caching"`
	Regional bool `json:"regional_tiered_cache"`
}

// poolPrefix begins the names of a shop's pools. Pools are the account's, which may have a zone for rehearsals too: so the hostname is part
// of the name, in the letters that a name may have. No hostname has two dots together.
func poolPrefix(hostname string) string { return Owned + strings.ReplaceAll(hostname, ".", "_") + "__" }

var hostnameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)

// PoolName gives the name of a region's pool.
func PoolName(hostname, region string) string { return poolPrefix(hostname) + region }

// Desired works out what a zone has to hold.
func Desired(s Shop) (State, error) {
	if len(s.Regions) == 0 || s.Hostname == "" || s.Rules == nil {
		return State{}, errors.New("a zone needs rules, regions and a hostname")
	}
	if !hostnameForm.MatchString(s.Hostname) {
		return State{}, fmt.Errorf("the hostname %q is not of the form shop.example.com, in lower case", s.Hostname)
	}
	phases, err := translate(s)
	if err != nil {
		return State{}, err
	}
	state := State{
		Phases:   phases,
		Balancer: steer(s),
		Tiers:    Tiers{Smart: true, Regional: s.Plan.Limits().RegionalTiers},
	}
	for _, region := range s.Regions {
		pool, scheme, err := poolOf(s.Hostname, region)
		if err != nil {
			return State{}, err
		}
		monitor := monitorOf(s, scheme, pool.Origins[0].Port)
		if len(state.Monitors) > 0 && scheme != state.Monitors[0].Type {
			return State{}, fmt.Errorf("the origin of %s is asked by %s and that of %s by %s: the zone asks all origins in one way, so let them be of one scheme",
				s.Regions[0].Name, state.Monitors[0].Type, region.Name, scheme)
		}
		pool.Monitor = monitor.Description
		state.Pools = append(state.Pools, pool)
		if !slices.Contains(state.Monitors, monitor) {
			state.Monitors = append(state.Monitors, monitor)
		}
	}
	return state, nil
}

func poolOf(hostname string, region Region) (pool Pool, scheme string, err error) {
	at, err := url.Parse(region.Origin)
	if err != nil || (at.Scheme != "http" && at.Scheme != "https") || at.Hostname() == "" || at.User != nil {
		return Pool{}, "", fmt.Errorf("the origin of %s is not of the form https://host or https://host:port", region.Name)
	}
	origin := PoolOrigin{Name: region.Name, Address: at.Hostname(), Enabled: true, Weight: 1}
	if _, text, err := net.SplitHostPort(at.Host); err == nil {
		port, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return Pool{}, "", fmt.Errorf("the origin of %s: port %q: %w", region.Name, text, err)
		}
		origin.Port = port
	}
	return Pool{
		Name: PoolName(hostname, region.Name), Description: "The gateway of " + region.Name, Enabled: true,
		Latitude: region.Point.Latitude, Longitude: region.Point.Longitude, Origins: []PoolOrigin{origin},
	}, at.Scheme, nil
}

// blocked are the countries that every region refuses.
func (s Shop) blocked() []string {
	var countries []string
	for _, country := range s.Regions[0].Refuses {
		if !slices.ContainsFunc(s.Regions, func(r Region) bool { return !slices.Contains(r.Refuses, country) }) {
			countries = append(countries, country)
		}
	}
	slices.Sort(countries)
	return countries
}
