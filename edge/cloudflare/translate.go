package cloudflare

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/edge/cloudflare/expression"
	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/services/contract"
)

// The phases that hold our rules.
const (
	PhaseFirewall  = "http_request_firewall_custom"
	PhaseTransform = "http_request_late_transform"
	PhaseCache     = "http_request_cache_settings"
)

// Phases lists them in the order in which a request passes them.
func Phases() []string { return []string{PhaseFirewall, PhaseCache, PhaseTransform} }

// dropped are request headers that reach no origin on a cached path: an answer must not depend on them, for no key holds them.
var dropped = []string{"Cookie", "Authorization", "X-Cart-Id", "X-Forwarded-Host", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override"}

const problemBase = "https://meridian.store/problems/"

// translate writes the rules in Cloudflare's language. Of ours the first that matches decides; there, all that match count, and the last
// one wins. So each is written for what no earlier one takes.
func translate(s Shop) (map[string][]Rule, error) {
	t := translation{limits: s.Plan.Limits(), rules: s.Rules.List()}
	firewall := []Rule{}
	if countries := s.blocked(); len(countries) > 0 {
		firewall = append(firewall, block("countries", "Countries that the shop may not serve", "ip.src.country in {"+quotedList(countries)+"}",
			http.StatusUnavailableForLegalReasons, "not-served", "Not served in this country"))
	}
	var cache []Rule
	var cached []string
	for i, r := range t.rules {
		matches := t.expression(i)
		switch r.Action {
		case rule.ActionRefuse:
			firewall = append(firewall, block(r.Name, "There is nothing for shoppers at these paths", matches, http.StatusNotFound, "not-found", "Not found"))
		case rule.ActionCache:
			cache = append(cache, t.cacheRule(r, matches))
			cached = append(cached, matches)
		case rule.ActionBypass: // what no rule makes eligible is not cached; see below
		}
	}
	// Cloudflare would cache by file extension what no rule speaks of.
	bypass := Rule{Ref: Owned + "bypass", Description: "What no other rule names is never cached", Expression: "true", Action: "set_cache_settings",
		Parameters: map[string]any{"cache": false}, Enabled: true}
	phases := map[string][]Rule{PhaseFirewall: firewall, PhaseCache: append([]Rule{bypass}, cache...), PhaseTransform: transforms(s, cached)}
	return phases, check(phases, t.limits)
}

func check(phases map[string][]Rule, limits Limits) error {
	if n := len(phases[PhaseCache]); n > limits.CacheRules {
		return fmt.Errorf("the rules make %d cache rules; the plan takes %d", n, limits.CacheRules)
	}
	for _, rules := range phases {
		for _, r := range rules {
			if _, err := expression.Parse(r.Expression); err != nil {
				return fmt.Errorf("rule %s: %w", r.Ref, err)
			}
		}
	}
	return nil
}

type translation struct {
	limits Limits
	rules  []rule.Rule
}

// expression matches what the i-th rule decides.
func (t *translation) expression(i int) string {
	own := t.rules[i]
	text := matching(own.Match.Methods, own.Match.Paths)
	for _, earlier := range t.rules[:i] {
		if paths := overlapping(earlier.Match.Paths, own.Match.Paths); len(paths) > 0 {
			text += " and not " + matching(earlier.Match.Methods, paths)
		}
	}
	return text
}

// allMethods are those that the edge lets in: a rule about all of them need not name them.
const allMethods = 7

func matching(methods, paths []string) string {
	var parts []string
	for _, path := range paths {
		parts = append(parts, pathExpression(path))
	}
	text := "(" + strings.Join(parts, " or ") + ")"
	if len(methods) < allMethods {
		text = "(http.request.method in {" + quotedList(methods) + "} and " + text + ")"
	}
	return text
}

const path = "http.request.uri.path"

// pathExpression matches what a path pattern does: {x} is one segment without what two servers could read differently, ** any number.
func pathExpression(pattern string) string {
	if head, found := strings.CutSuffix(pattern, "/**"); found {
		if head == "" {
			return "starts_with(" + path + ", \"/\")"
		}
		return fmt.Sprintf("(%s eq %q or starts_with(%s, %q))", path, head, path, head+"/")
	}
	if !strings.Contains(pattern, "{") {
		return fmt.Sprintf("%s eq %q", path, pattern)
	}
	segments := strings.Split(pattern, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = "*"
		}
	}
	wild := strings.Join(segments, "/")
	text := fmt.Sprintf("(%s strict wildcard %q", path, wild)
	// A star of Cloudflare's goes over slashes, so that one more of them is one too many.
	text += fmt.Sprintf(" and not %s strict wildcard %q and not ends_with(%s, \"/\")", path, strings.Repeat("/*", len(segments)), path)
	for _, odd := range []string{"%", ".", ";"} {
		text += fmt.Sprintf(" and not %s contains %q", path, odd)
	}
	return text + ")"
}

// overlapping gives those of some patterns that a path of the others could match too.
func overlapping(earlier, later []string) []string {
	var both []string
	for _, a := range earlier {
		if slices.ContainsFunc(later, func(b string) bool { return mayMeet(strings.Split(a, "/"), strings.Split(b, "/")) }) {
			both = append(both, a)
		}
	}
	return both
}

func mayMeet(a, b []string) bool {
	for i := 0; ; i++ {
		switch {
		case i < len(a) && a[i] == "**" || i < len(b) && b[i] == "**":
			return true
		case i == len(a) || i == len(b):
			// A tail that may be empty meets what ends before it.
			return len(a) == len(b) || i == len(a) && b[i] == "**" || i == len(b) && a[i] == "**"
		case a[i] != b[i] && !strings.HasPrefix(a[i], "{") && !strings.HasPrefix(b[i], "{"):
			return false
		}
	}
}

func (t *translation) cacheRule(r rule.Rule, matches string) Rule {
	parameters := map[string]any{
		"cache":       true,
		"edge_ttl":    map[string]any{"mode": "respect_origin"},
		"browser_ttl": map[string]any{"mode": "respect_origin"},
		"serve_stale": map[string]any{"disable_stale_while_updating": r.Cache.StaleWhileRevalidate == 0},
		"cache_key":   t.cacheKey(r.Cache.Query),
	}
	if ttl := r.Cache.BrowserTTL; ttl > 0 {
		parameters["browser_ttl"] = map[string]any{"mode": "override_origin", "default": int(ttl.Seconds())}
	}
	return Rule{Ref: Owned + r.Name, Description: "Catalog answers: " + r.Name, Expression: matches, Action: "set_cache_settings", Parameters: parameters, Enabled: true}
}

// cacheKey names the parameters that count, where the plan can; elsewhere all count, in any order.
func (t *translation) cacheKey(query []string) map[string]any {
	if !t.limits.CustomKey {
		return map[string]any{"ignore_query_strings_order": true}
	}
	include := map[string]any{"list": query}
	if slices.Contains(query, rule.AllParameters) {
		include = map[string]any{"all": true}
	}
	if len(query) == 0 {
		// None counts.
		return map[string]any{"custom_key": map[string]any{"query_string": map[string]any{"exclude": map[string]any{"all": true}}}}
	}
	return map[string]any{"ignore_query_strings_order": true, "custom_key": map[string]any{"query_string": map[string]any{"include": include}}}
}

// transforms take shoppers' secrets off requests that are answered to all, and say to gateways that the edge has sent a request.
func transforms(s Shop, cached []string) []Rule {
	headers := make(map[string]any, len(dropped))
	for _, name := range dropped {
		headers[name] = map[string]any{"operation": "remove"}
	}
	rules := []Rule{{Ref: Owned + "anonymous", Description: "Nothing of a shopper's reaches the origin of an answer for all",
		Expression: strings.Join(cached, " or "), Action: "rewrite", Parameters: map[string]any{"headers": headers}, Enabled: true}}
	if s.EdgeSecret != "" {
		rules = append(rules, Rule{Ref: Owned + "edge-secret", Description: "Proves to gateways that a request came through the edge", Expression: "true", Action: "rewrite",
			Parameters: map[string]any{"headers": map[string]any{headerAuth: map[string]any{"operation": "set", "value": s.EdgeSecret}}}, Enabled: true})
	}
	return rules
}

// headerAuth is what gateways believe an edge by.
const headerAuth = contract.HeaderEdgeAuth

func block(name, description, matches string, status int, code, title string) Rule {
	document, err := json.Marshal(map[string]any{"type": problemBase + code, "title": title, "status": status})
	if err != nil {
		panic(err) // texts and a number
	}
	return Rule{Ref: Owned + name, Description: description, Expression: matches, Action: "block", Enabled: true,
		Parameters: map[string]any{"response": map[string]any{"status_code": status, "content_type": "application/json", "content": string(document)}}}
}

func quotedList(words []string) string { return `"` + strings.Join(words, `" "`) + `"` }
