// Package rule holds the edge's cache rules as data. The same document drives every edge that
// Meridian runs behind; rules.yaml in this folder is the one that ships.
package rule

import (
	"time"
)

// Action is what a rule does with the requests it matches.
type Action string

// The actions.
const (
	ActionCache  Action = "cache"  // may be answered from the edge's cache
	ActionBypass Action = "bypass" // is forwarded, and its answer is never kept
	ActionRefuse Action = "refuse" // gets a 404 from the edge: no origin serves it to shoppers
)

// Rules is a validated list of rules; the first that matches decides. Make one with Default or
// Parse. It never changes and is safe for concurrent use.
type Rules struct {
	list []Rule
}

// Rule is one entry of the document.
type Rule struct {
	Name   string `yaml:"name"` // unique in the document
	Match  Match  `yaml:"match"`
	Action Action `yaml:"action"`
	Cache  *Cache `yaml:"cache"` // present exactly when the action is cache

	patterns []pattern
}

// Match says which requests a rule is about: any of the methods on any of the paths.
type Match struct {
	Methods []string `yaml:"methods"`
	Paths   []string `yaml:"paths"`
}

// AllParameters in a Cache's Query stands for every parameter.
const AllParameters = "*"

// Cache says how the answers to a rule's requests are kept.
type Cache struct {
	// EdgeTTLMax caps the time the origin's CDN-Cache-Control (or else Cache-Control) allows.
	EdgeTTLMax time.Duration `yaml:"edge_ttl_max"`
	// StaleWhileRevalidate is how long past its edge TTL a copy may be shown while the next one is fetched. What was
	// purged is never shown.
	StaleWhileRevalidate time.Duration `yaml:"stale_while_revalidate"`
	// BrowserTTL replaces the max-age that a browser is given. Whole seconds.
	BrowserTTL time.Duration `yaml:"browser_ttl"`
	// StaleIfError is how long past its edge TTL a copy may be shown while no origin has an answer.
	StaleIfError time.Duration `yaml:"stale_if_error"`
	// Query lists the parameters that reach the key and the origin; "*" alone stands for all that the request has.
	Query []string `yaml:"query"`
	// ForwardHeaders lists the shopper's request headers that reach the origin.
	ForwardHeaders []string `yaml:"forward_headers"`
	// TagsHeader names the response header that carries purge tags. Browsers do not get it.
	TagsHeader string `yaml:"tags_header"`
}

// List gives the rules in order. The slice is the caller's own; what it points to is not.
func (r *Rules) List() []Rule { return append([]Rule(nil), r.list...) }

// Decision is what the rules say about one request.
type Decision struct {
	// Rule is the name of the rule that matched, empty when none did.
	Rule string
	// Refuse says that there is nothing at the path for shoppers.
	Refuse bool
	// Cache is how to keep the answer; nil means bypass.
	Cache *Cache
	// Target is the path and query to send to the origin. When Cache is set it is canonical, and
	// with the edge location it is the whole cache key.
	Target string
}

// Decide judges a request by its method and its raw request target ("/path?query", as received).
// An error means that the target is written in a way no honest client writes it: it is an
// *OddTargetError, and the request deserves a 400.
func (r *Rules) Decide(method, target string) (Decision, error) {
	path, query, err := SplitTarget(target)
	if err != nil {
		return Decision{}, err
	}
	for i := range r.list {
		rule := &r.list[i]
		if !rule.matches(method, path) {
			continue
		}
		if rule.Action != ActionCache {
			return Decision{Rule: rule.Name, Target: target, Refuse: rule.Action == ActionRefuse}, nil
		}
		canonical, ok := CanonicalQuery(query, rule.Cache.Query)
		if !ok {
			// The origin might read such a query in another way than we do, so nothing is keyed by it.
			return Decision{Rule: rule.Name, Target: target}, nil
		}
		if canonical != "" {
			path += "?" + canonical
		}
		return Decision{Rule: rule.Name, Cache: rule.Cache, Target: path}, nil
	}
	return Decision{Target: target}, nil
}
