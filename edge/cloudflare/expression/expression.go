// Package expression reads the part of Cloudflare's rules language that Meridian's rules are written in: what the edge on this machine
// evaluates, and what shows that a rule's translation means what the rule does.
//
// Fields: http.request.uri.path, http.request.method, http.host, ip.src.country. Comparisons: eq (==), ne (!=), contains, wildcard, strict
// wildcard, in {…}. Functions: starts_with, ends_with. Combined by not, and, or (!, &&, ||) and parentheses.
package expression

import "strings"

// Request is what a rule sees of a request.
type Request struct {
	Path, Method, Host, Country string
}

// Expression says yes or no to a request. It never changes and is safe for concurrent use.
type Expression interface {
	Matches(r Request) bool
}

// MaxLength is the longest expression that Cloudflare takes, in characters.
const MaxLength = 4096

type (
	all     []Expression
	either  []Expression
	not     struct{ Expression }
	literal bool
	compare struct {
		field field
		test  func(value string) bool
	}
	field int
)

const (
	fieldPath field = iota
	fieldMethod
	fieldHost
	fieldCountry
)

var fields = map[string]field{
	"http.request.uri.path": fieldPath, "http.request.method": fieldMethod, "http.host": fieldHost, "ip.src.country": fieldCountry,
}

func (f field) of(r Request) string {
	return [...]string{r.Path, r.Method, r.Host, r.Country}[f]
}

func (a all) Matches(r Request) bool {
	for _, e := range a {
		if !e.Matches(r) {
			return false
		}
	}
	return true
}

func (a either) Matches(r Request) bool {
	for _, e := range a {
		if e.Matches(r) {
			return true
		}
	}
	return false
}

func (n not) Matches(r Request) bool     { return !n.Expression.Matches(r) }
func (l literal) Matches(Request) bool   { return bool(l) }
func (c compare) Matches(r Request) bool { return c.test(c.field.of(r)) }

// wildcard says whether a text matches a pattern in which * stands for any characters, none included.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	rest := text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return true
}
