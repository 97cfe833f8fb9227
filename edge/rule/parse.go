package rule

import (
	_ "embed" // carries rules.yaml
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
)

//go:embed rules.yaml
var shipped []byte

const (
	longestEdgeTTL = 24 * time.Hour
	longestStale   = 7 * 24 * time.Hour
	longestBrowser = 365 * 24 * time.Hour
)

var (
	ruleName    = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	paramName   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	headerName  = regexp.MustCompile(`^[A-Z][a-z0-9]*(-[A-Z][a-z0-9]*)*$`)
	ruleMethods = []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	// secretHeaders identify a shopper: an answer that could depend on one must not be kept.
	secretHeaders = []string{"Authorization", "Cookie", "X-Cart-Id"}
)

// Default gives the rules that ship with this version.
func Default() (*Rules, error) { return Parse(shipped) }

// Parse reads and validates a rules document. Unknown and repeated keys are refused. The error
// says everything that is wrong, one line each.
func Parse(document []byte) (*Rules, error) {
	var content struct {
		Rules []Rule `yaml:"rules"`
	}
	if err := yaml.UnmarshalWithOptions(document, &content, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("edge rules: %w", err)
	}
	if len(content.Rules) == 0 {
		return nil, errors.New("edge rules: the document has no rules")
	}
	var problems []error
	seen := make(map[string]bool)
	for i := range content.Rules {
		rule := &content.Rules[i]
		for _, err := range rule.compile() {
			problems = append(problems, fmt.Errorf("rule %d %q: %w", i+1, rule.Name, err))
		}
		if seen[rule.Name] {
			problems = append(problems, fmt.Errorf("rule %d: the name %q is used twice", i+1, rule.Name))
		}
		seen[rule.Name] = true
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("edge rules: %w", errors.Join(problems...))
	}
	return &Rules{list: content.Rules}, nil
}

func (r *Rule) compile() (problems []error) {
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !ruleName.MatchString(r.Name) {
		report("the name is not lower-case words joined by hyphens")
	}
	if len(r.Match.Methods) == 0 || len(r.Match.Paths) == 0 {
		report("match needs at least one method and one path")
	}
	for _, method := range r.Match.Methods {
		if !slices.Contains(ruleMethods, method) {
			report("method %q is not one of %v", method, ruleMethods)
		}
	}
	for _, path := range r.Match.Paths {
		p, err := parsePattern(path)
		if err != nil {
			report("%w", err)
			continue
		}
		if p.tail && r.Action == ActionCache {
			report("path %q: ** is too wide for a rule that caches", path)
		}
		r.patterns = append(r.patterns, p)
	}
	switch r.Action {
	case ActionBypass, ActionRefuse:
		if r.Cache != nil {
			report("a rule that does not cache has no cache settings")
		}
	case ActionCache:
		for _, method := range r.Match.Methods {
			if method != http.MethodGet && method != http.MethodHead {
				report("method %s cannot be cached", method)
			}
		}
		if r.Cache == nil {
			report("a rule that caches needs cache settings")
		} else {
			problems = append(problems, r.Cache.validate()...)
		}
	default:
		report("action %q is none of %s, %s and %s", r.Action, ActionCache, ActionBypass, ActionRefuse)
	}
	return problems
}

func (c *Cache) validate() (problems []error) {
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.EdgeTTLMax <= 0 || c.EdgeTTLMax > longestEdgeTTL {
		report("edge_ttl_max %v is not above 0 and at most %v", c.EdgeTTLMax, longestEdgeTTL)
	}
	if c.BrowserTTL < 0 || c.BrowserTTL > longestBrowser || c.BrowserTTL%time.Second != 0 {
		report("browser_ttl %v is not whole seconds from 0 to %v", c.BrowserTTL, longestBrowser)
	}
	if c.StaleWhileRevalidate < 0 || c.StaleWhileRevalidate > longestEdgeTTL {
		report("stale_while_revalidate %v is not from 0 to %v", c.StaleWhileRevalidate, longestEdgeTTL)
	}
	if c.StaleIfError < 0 || c.StaleIfError > longestStale {
		report("stale_if_error %v is not from 0 to %v", c.StaleIfError, longestStale)
	}
	for i, name := range c.Query {
		if name == AllParameters {
			if len(c.Query) > 1 {
				report("query parameter %q stands for all and so alone", name)
			}
			continue
		}
		if !paramName.MatchString(name) || slices.Contains(c.Query[:i], name) {
			report("query parameter %q is not a lower-case name, or is listed twice", name)
		}
	}
	for _, name := range c.ForwardHeaders {
		if !headerName.MatchString(name) {
			report("header %q is not written like Content-Type", name)
		}
		if slices.Contains(secretHeaders, name) {
			report("header %q identifies a shopper and cannot be forwarded on a cached path", name)
		}
	}
	if !headerName.MatchString(c.TagsHeader) {
		report("tags_header %q is not written like Cache-Tag", c.TagsHeader)
	}
	return problems
}
