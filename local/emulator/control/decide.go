package control

import (
	"time"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/edge/cloudflare/expression"
	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/geo"
)

// What Cloudflare's rules leave to the origin's word is bounded here: an answer that says nothing of its own is not kept at all.
const (
	longestKept   = 24 * time.Hour
	longestStale  = 7 * 24 * time.Hour
	whileUpdating = time.Minute
	tagsHeader    = "Cache-Tag"
)

// forwarded are the headers of a shopper that reach the origin of a cached answer. Cloudflare forwards whatever no rule takes off; to
// forward less can only make fewer answers depend on who asked.
var forwarded = []string{"Traceparent", "Tracestate"}

// zoneRules decide as a zone does: the firewall blocks, then all cache settings that match count, the last one most.
type zoneRules struct {
	// host is what every shopper asks for here, whatever they say: the load balancer's name.
	host     string
	firewall []compiled
	cache    []cacheRule
}

// cacheRule is a cache rule with its settings read once.
type cacheRule struct {
	compiled
	eligible bool
	settings *rule.Cache
}

func (s *state) zoneRules(host string) (*zoneRules, error) {
	z := &zoneRules{host: host}
	var err error
	if z.firewall, err = s.compile(cloudflare.PhaseFirewall); err != nil {
		return nil, err
	}
	cache, err := s.compile(cloudflare.PhaseCache)
	if err != nil {
		return nil, err
	}
	for _, each := range cache {
		eligible, _ := each.parameters["cache"].(bool)
		z.cache = append(z.cache, cacheRule{each, eligible, settingsOf(each.parameters)})
	}
	return z, nil
}

// Decide judges a request as rule.Rules do. Odd targets are refused before any rule is asked, as Cloudflare's URL normalisation would
// rewrite them.
func (z *zoneRules) Decide(method, target string) (rule.Decision, error) {
	path, query, err := rule.SplitTarget(target)
	if err != nil {
		return rule.Decision{}, err
	}
	request := expression.Request{Path: path, Method: method, Host: z.host}
	for _, each := range z.firewall {
		if each.matches.Matches(request) {
			return rule.Decision{Rule: each.ref, Target: target, Refuse: true}, nil
		}
	}
	decision := rule.Decision{Target: target}
	for i := len(z.cache) - 1; i >= 0; i-- {
		each := &z.cache[i]
		if !each.matches.Matches(request) {
			continue
		}
		decision.Rule = each.ref
		// Only these two are ever cached, whatever a rule says.
		if !each.eligible || (method != "GET" && method != "HEAD") {
			return decision, nil
		}
		canonical, readable := rule.CanonicalQuery(query, each.settings.Query)
		if !readable {
			return decision, nil
		}
		decision.Cache, decision.Target = each.settings, path
		if canonical != "" {
			decision.Target += "?" + canonical
		}
		return decision, nil
	}
	return decision, nil
}

// blocked are the countries that the firewall turns away, and whom it lets in from elsewhere.
func (z *zoneRules) blocked() []string {
	var countries []string
	for _, country := range geo.Countries() {
		for _, each := range z.firewall {
			front := expression.Request{Path: "/", Method: "GET", Host: z.host}
			from := front
			from.Country = country
			if each.matches.Matches(from) && !each.matches.Matches(front) {
				countries = append(countries, country)
				break
			}
		}
	}
	return countries
}

func settingsOf(parameters map[string]any) *rule.Cache {
	c := &rule.Cache{EdgeTTLMax: longestKept, StaleWhileRevalidate: whileUpdating, StaleIfError: longestStale, ForwardHeaders: forwarded, TagsHeader: tagsHeader,
		Query: []string{rule.AllParameters}}
	if edge, _ := parameters["edge_ttl"].(map[string]any); edge["mode"] == "override_origin" {
		if seconds, _ := edge["default"].(float64); seconds > 0 {
			c.EdgeTTLMax = time.Duration(seconds) * time.Second
		}
	}
	if browser, _ := parameters["browser_ttl"].(map[string]any); browser["mode"] == "override_origin" {
		seconds, _ := browser["default"].(float64)
		c.BrowserTTL = time.Duration(seconds) * time.Second
	}
	if stale, _ := parameters["serve_stale"].(map[string]any); stale["disable_stale_while_updating"] == true {
		c.StaleWhileRevalidate = 0
	}
	key, _ := parameters["cache_key"].(map[string]any)
	custom, _ := key["custom_key"].(map[string]any)
	query, _ := custom["query_string"].(map[string]any)
	if include, _ := query["include"].(map[string]any); include["list"] != nil {
		c.Query = texts(include["list"])
	}
	if exclude, _ := query["exclude"].(map[string]any); exclude["all"] == true {
		c.Query = nil
	}
	return c
}
