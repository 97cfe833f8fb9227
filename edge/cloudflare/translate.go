package cloudflare

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/edge/cloudflare/expression"
	"github.com/meridian-store/meridian/edge/rule"
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
	for _, r := range t.rules {
		for _, path := range r.Match.Paths {
			if err := expressible(path); err != nil {
				return nil, fmt.Errorf("rule %s: %w", r.Name, err)
			}
		}
	}
	firewall := []Rule{}
	if countries := s.blocked(); len(countries) > 0 {
		firewall = append(firewall, t.block("countries", "Countries that the shop may not serve", "ip.src.country in {"+quotedList(countries)+"}",
			http.StatusUnavailableForLegalReasons, "not-served", "Not served in this country"))
	}
	var cache []Rule
	var cached []string
	for i, r := range t.rules {
		matches := t.expression(i)
		switch r.Action {
		case rule.ActionRefuse:
			firewall = append(firewall, t.block(r.Name, "There is nothing for shoppers at these paths", matches, http.StatusNotFound, "not-found", "Not found"))
		case rule.ActionCache:
			cache = append(cache, t.cacheRule(r, t.cacheExpression(i)))
			cached = append(cached, matches)
		case rule.ActionBypass: // what no rule makes eligible is not cached; see below
		}
	}
	// Cloudflare would cache by file extension what no rule speaks of.
	bypass := Rule{Ref: Owned + "bypass", Description: "What no other rule names is never cached", Expression: "true", Action: "set_cache_settings",
		Parameters: map[string]any{"cache": false}, Enabled: true}
	phases := map[string][]Rule{PhaseFirewall: firewall, PhaseCache: append([]Rule{bypass}, cache...), PhaseTransform: transforms(s, cached)}
	for _, rules := range phases {
		for i := range rules {
			rules[i].Expression = at(s.Hostname, rules[i].Expression)
		}
	}
	return phases, check(phases, t.limits)
}

// at holds an expression to the shop's hostname: a zone has other hostnames, which are not ours to decide about.
func at(hostname, matches string) string {
	return fmt.Sprintf("http.host eq %q and (%s)", hostname, matches)
}

func check(phases map[string][]Rule, limits Limits) error {
	for phase, rules := range phases {
		if n := len(rules); n > limits.Rules[phase] {
			return fmt.Errorf("the rules make %d rules of the phase %s; the plan takes %d", n, phase, limits.Rules[phase])
		}
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

// cacheExpression matches what the i-th rule caches. Cloudflare caches answers to GET and HEAD alone, so that methods need not be said
// there; and a rule that says them cannot be purged by single addresses.
func (t *translation) cacheExpression(i int) string {
	own := t.rules[i]
	text := matching(cachedMethods(own.Match.Methods), own.Match.Paths)
	for _, earlier := range t.rules[:i] {
		methods := cachedMethods(earlier.Match.Methods)
		if paths := overlapping(earlier.Match.Paths, own.Match.Paths); len(paths) > 0 && len(methods) > 0 {
			text += " and not " + matching(methods, paths)
		}
	}
	return text
}

// cachedMethods leaves of some methods those whose answers are cached; of both of them nothing need be said, as of all.
func cachedMethods(methods []string) []string {
	get, head := slices.Contains(methods, http.MethodGet), slices.Contains(methods, http.MethodHead)
	switch {
	case get && head:
		return anyMethod
	case get:
		return []string{http.MethodGet}
	case head:
		return []string{http.MethodHead}
	}
	return nil
}

// anyMethod are those that the edge lets in: a rule about all of them need not name them.
var anyMethod = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

func matching(methods, paths []string) string {
	var parts []string
	for _, path := range paths {
		parts = append(parts, pathExpression(path))
	}
	text := "(" + strings.Join(parts, " or ") + ")"
	if len(methods) < len(anyMethod) {
		text = "(http.request.method in {" + quotedList(methods) + "} and " + text + ")"
	}
	return text
}

const path = "http.request.uri.path"

// oddities are in no path whose variable segments are slugs: signs that no slug has, and slugs that begin or end otherwise than with a letter
// or a digit. Letters beyond ASCII come percent-encoded. What a slug's length may be is not said: a longer one is nobody's, and gets a 404.
var oddities = strings.Fields("% . ; @ ~ ! , + $ & ' ( ) * = : \" < > [ ] ^ ` { | } /- /_ -/ _/")

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
	for _, odd := range oddities {
		text += fmt.Sprintf(" and not %s contains %q", path, odd)
	}
	return text + fmt.Sprintf(" and not ends_with(%s, \"-\") and not ends_with(%s, \"_\"))", path, path)
}

// expressible refuses a path pattern that pathExpression would not say truly: it judges the path as a whole, where a pattern means one segment.
func expressible(pattern string) error {
	if !strings.Contains(pattern, "{") {
		return nil
	}
	if strings.HasSuffix(pattern, "/**") {
		return fmt.Errorf("the path %s has {…} before **, which the language of Cloudflare's rules cannot say", pattern)
	}
	for segment := range strings.SplitSeq(pattern, "/") {
		if !strings.HasPrefix(segment, "{") && slices.ContainsFunc(oddities, func(odd string) bool { return strings.Contains(segment+"/", odd) }) {
			return fmt.Errorf("the path %s has the segment %s beside {…}, which the language of Cloudflare's rules cannot say", pattern, segment)
		}
	}
	return nil
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
	var rules []Rule
	if len(cached) > 0 {
		rules = append(rules, Rule{Ref: Owned + "anonymous", Description: "Nothing of a shopper's reaches the origin of an answer for all",
			Expression: strings.Join(cached, " or "), Action: "rewrite", Parameters: map[string]any{"headers": headers}, Enabled: true})
	}
	if s.EdgeSecret != "" {
		rules = append(rules, Rule{Ref: refSecret, Description: "Proves to gateways that a request came through the edge", Expression: "true", Action: "rewrite",
			Parameters: map[string]any{"headers": map[string]any{headerAuth: map[string]any{"operation": "set", "value": s.EdgeSecret}}}, Enabled: true})
	}
	return rules
}

// refSecret names the rule that sends gateways the edge's secret.
const refSecret = Owned + "edge-secret"

// headerAuth is what gateways believe an edge by.
const headerAuth = contract.HeaderEdgeAuth

func (t *translation) block(name, description, matches string, status int, code, title string) Rule {
	blocking := Rule{Ref: Owned + name, Description: description, Expression: matches, Action: "block", Enabled: true}
	if !t.limits.OwnBlockAnswers {
		return blocking
	}
	document, err := json.Marshal(map[string]any{"type": problemBase + code, "title": title, "status": status})
	if err != nil {
		panic(err) // texts and a number
	}
	blocking.Parameters = map[string]any{"response": map[string]any{"status_code": status, "content_type": "application/json", "content": string(document)}}
	return blocking
}

func quotedList(words []string) string { return `"` + strings.Join(words, `" "`) + `"` }
