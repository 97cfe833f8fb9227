package rule

import (
	"net/url"
	"slices"
	"strings"
)

const (
	maxTarget     = 8 << 10 // as long as a request line usually may be
	maxKeyedQuery = 2 << 10 // longer queries are forwarded, not keyed
	maxParameters = 64
)

// OddTargetError refuses a request target that two servers could read as two different paths.
// Passing it on would let one of them see a public path where the other sees a private one.
type OddTargetError struct {
	Reason string // what is odd about it; safe to show
}

// Error is safe to show: it does not repeat the target.
func (e *OddTargetError) Error() string { return "the request target " + e.Reason }

func odd(reason string) error { return &OddTargetError{Reason: reason} }

// SplitTarget cuts a target at its first question mark after judging the whole of it.
func SplitTarget(target string) (path, query string, err error) {
	if target == "" || target[0] != '/' {
		return "", "", odd("does not begin with a slash")
	}
	if len(target) > maxTarget {
		return "", "", odd("is too long")
	}
	for i := range len(target) {
		// Anything else belongs percent-encoded; a fragment never reaches an honest server.
		if c := target[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return "", "", odd("holds a character that must be percent-encoded")
		}
	}
	path, query, _ = strings.Cut(target, "?")
	if strings.IndexByte(path, '\\') >= 0 {
		return "", "", odd("has a backslash in its path")
	}
	if strings.Contains(path, "//") {
		return "", "", odd("has an empty path segment")
	}
	decoded := path
	if strings.IndexByte(path, '%') >= 0 {
		if decoded, err = decodePath(path); err != nil {
			return "", "", err
		}
	}
	if hasDotSegment(decoded) {
		return "", "", odd("has a path segment of only dots")
	}
	return path, query, nil
}

func decodePath(path string) (string, error) {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return "", odd("has broken percent-encoding in its path")
	}
	for i := range len(decoded) {
		if c := decoded[i]; c < ' ' || c == 0x7f || c == '\\' {
			return "", odd("hides a control character or a backslash in its path")
		}
	}
	// A slash may hide in a segment, as in the SKU Red%2FWhite: no pattern that caches matches a percent sign.
	return decoded, nil
}

func hasDotSegment(path string) bool {
	if !strings.Contains(path, "/.") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		// Some servers drop what follows a semicolon before they look for dots.
		segment, _, _ = strings.Cut(segment, ";")
		if segment != "" && strings.Trim(segment, ".") == "" {
			return true
		}
	}
	return false
}

// CanonicalQuery keeps the listed parameters, or all, sorted by name, each name's values in their order,
// in one spelling. It is false for a query that cannot be read in exactly one way.
func CanonicalQuery(query string, keep []string) (string, bool) {
	if query == "" {
		return "", true
	}
	if len(query) > maxKeyedQuery {
		return "", false
	}
	type parameter struct{ name, value string }
	var kept []parameter
	all := slices.Contains(keep, AllParameters)
	parameters := 0
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		if parameters++; parameters > maxParameters || strings.IndexByte(pair, ';') >= 0 {
			return "", false
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(rawName)
		value, valueErr := url.QueryUnescape(rawValue)
		if nameErr != nil || valueErr != nil {
			return "", false
		}
		if all || slices.Contains(keep, name) {
			kept = append(kept, parameter{name, value})
		}
	}
	slices.SortStableFunc(kept, func(a, b parameter) int { return strings.Compare(a.name, b.name) })
	var out strings.Builder
	for i, p := range kept {
		if i > 0 {
			out.WriteByte('&')
		}
		out.WriteString(url.QueryEscape(p.name))
		out.WriteByte('=')
		out.WriteString(url.QueryEscape(p.value))
	}
	return out.String(), true
}
