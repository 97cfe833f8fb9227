package rule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/edge/rule"
)

func shippedRules(t testing.TB) *rule.Rules {
	t.Helper()
	rules, err := rule.Default()
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// What a purge by tag reaches may be kept for long; what it does not reach, for less than the promise of 2 s, and never while a
// newer answer is on its way.
func TestShippedRulesKeepForLongOnlyWhatAPurgeReaches(t *testing.T) {
	t.Parallel()
	long := map[string]bool{"product-list": true, "product": true, "categories": true}
	cached := 0
	for _, r := range shippedRules(t).List() {
		if r.Cache == nil {
			continue
		}
		cached++
		if !long[r.Name] && (r.Cache.EdgeTTLMax >= 2*time.Second || r.Cache.StaleWhileRevalidate > 0) {
			t.Errorf("rule %s keeps answers for %v and %v more", r.Name, r.Cache.EdgeTTLMax, r.Cache.StaleWhileRevalidate)
		}
	}
	if cached != len(long)+1 {
		t.Errorf("%d rules cache, want %d", cached, len(long)+1)
	}
}

const soundRule = `rules:
  - name: things
    match:
      methods: [GET, HEAD]
      paths: ["/api/v1/things/{id}"]
    action: cache
    cache:
      edge_ttl_max: 2s
      stale_while_revalidate: 10s
      browser_ttl: 1m
      stale_if_error: 30s
      query: [a, b]
      forward_headers: [Traceparent]
      tags_header: Cache-Tag
`

func TestParseReadsEveryField(t *testing.T) {
	t.Parallel()
	rules, err := rule.Parse([]byte(soundRule))
	if err != nil {
		t.Fatal(err)
	}
	got := rules.List()[0]
	if got.Name != "things" || got.Action != rule.ActionCache || len(got.Match.Methods) != 2 || got.Match.Paths[0] != "/api/v1/things/{id}" {
		t.Errorf("got %+v", got)
	}
	c := got.Cache
	if c.EdgeTTLMax != 2*time.Second || c.BrowserTTL != time.Minute || c.StaleIfError != 30*time.Second || c.StaleWhileRevalidate != 10*time.Second ||
		len(c.Query) != 2 || c.ForwardHeaders[0] != "Traceparent" || c.TagsHeader != "Cache-Tag" {
		t.Errorf("got %+v", c)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, old, new, want string }{
		{"an unknown key", "browser_ttl:", "browser_til:", "browser_til"},
		{"an unknown key at the top", "rules:", "version: 1\nrules:", "version"},
		{"a repeated key", "    action: cache", "    action: cache\n    action: cache", "action"},
		{"a broken name", "name: things", "name: Things!", "name"},
		{"a strange method", "[GET, HEAD]", "[GET, BREW]", "BREW"},
		{"caching a write", "[GET, HEAD]", "[GET, POST]", "POST"},
		{"no methods", "[GET, HEAD]", "[]", "match"},
		{"a relative path", `"/api/v1/things/{id}"`, `"elsewhere"`, `"elsewhere"`},
		{"a path with an empty segment", "/things/{id}", "//{id}", "/api/v1//{id}"},
		{"a wide path", "/things/{id}", "/things/**", "/api/v1/things/**"},
		{"something after **", "/things/{id}", "/**/x", "/api/v1/**/x"},
		{"an upper-case path", "/things/", "/Things/", "Things"},
		{"an unknown action", "action: cache", "action: keep", "keep"},
		{"a bypass with cache settings", "action: cache", "action: bypass", "cache"},
		{"no edge TTL", "edge_ttl_max: 2s", "edge_ttl_max: 0s", "edge_ttl_max"},
		{"a long edge TTL", "edge_ttl_max: 2s", "edge_ttl_max: 25h", "edge_ttl_max"},
		{"a long wait for the next copy", "stale_while_revalidate: 10s", "stale_while_revalidate: 25h", "stale_while_revalidate"},
		{"all parameters and one", "[a, b]", `["*", b]`, `"*"`},
		{"a negative stale time", "stale_if_error: 30s", "stale_if_error: -1s", "stale_if_error"},
		{"a fraction of a second", "browser_ttl: 1m", "browser_ttl: 1500ms", "browser_ttl"},
		{"a parameter twice", "[a, b]", "[a, a]", "query"},
		{"forwarding a cookie", "[Traceparent]", "[Cookie]", "Cookie"},
		{"forwarding a token", "[Traceparent]", "[Authorization]", "Authorization"},
		{"a header in another spelling", "[Traceparent]", "[cookie]", "cookie"},
		{"no tags header", "      tags_header: Cache-Tag\n", "", "tags_header"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			document := strings.Replace(soundRule, tc.old, tc.new, 1)
			if document == soundRule {
				t.Fatal("the document was not damaged")
			}
			if _, err := rule.Parse([]byte(document)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error naming %q", err, tc.want)
			}
		})
	}
}

func TestParseRefusesWholeDocuments(t *testing.T) {
	t.Parallel()
	twice := soundRule + strings.TrimPrefix(soundRule, "rules:\n")
	for name, document := range map[string]string{
		"nothing": "", "no rules": "rules: []", "not YAML": "rules: [", "the same name twice": twice,
		"something after **":       `rules: [{name: a, match: {methods: [GET], paths: ["/a/**/x"]}, action: bypass}]`,
		"caching without settings": "rules: [{name: a, match: {methods: [GET], paths: [/a]}, action: cache}]",
	} {
		if _, err := rule.Parse([]byte(document)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
