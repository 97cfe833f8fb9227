package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxSegment bounds what {x} matches: longer is no slug or id of ours.
const maxSegment = 128

var (
	literalSegment  = regexp.MustCompile(`^\.?[a-z0-9][a-z0-9._-]*$`) // a dot in front as in .well-known
	variableSegment = regexp.MustCompile(`^\{[a-z][a-z0-9_]*\}$`)
)

// pattern is a path pattern split at its slashes.
type pattern struct {
	segments []string // an empty one stands for {x}
	tail     bool     // ends in **
}

func parsePattern(text string) (pattern, error) {
	rest, ok := strings.CutPrefix(text, "/")
	if !ok || rest == "" {
		return pattern{}, fmt.Errorf("path %q does not begin with / and a segment", text)
	}
	var p pattern
	for segment := range strings.SplitSeq(rest, "/") {
		switch {
		case p.tail:
			return pattern{}, fmt.Errorf("path %q has something after **", text)
		case segment == "**":
			p.tail = true
		case variableSegment.MatchString(segment):
			p.segments = append(p.segments, "")
		case literalSegment.MatchString(segment):
			p.segments = append(p.segments, segment)
		default:
			return pattern{}, fmt.Errorf("path %q: segment %q is neither a lower-case word, {name} nor **", text, segment)
		}
	}
	return p, nil
}

func (p pattern) matches(path string) bool {
	rest := path
	for _, want := range p.segments {
		if rest == "" || rest[0] != '/' {
			return false
		}
		segment := rest[1:]
		if i := strings.IndexByte(segment, '/'); i >= 0 {
			segment = segment[:i]
		}
		rest = rest[1+len(segment):]
		if want == "" && !isSlug(segment) || want != "" && segment != want {
			return false
		}
	}
	return rest == "" || p.tail
}

// isSlug accepts what slugs and ids are made of and nothing that any server could read as more
// than one plain segment: no dots, no percent signs, no parameters.
func isSlug(segment string) bool {
	if segment == "" || len(segment) > maxSegment {
		return false
	}
	for i := range len(segment) {
		c := segment[i]
		if !isAlphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return isAlphanumeric(segment[0]) && isAlphanumeric(segment[len(segment)-1])
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (r *Rule) matches(method, path string) bool {
	return slices.Contains(r.Match.Methods, method) &&
		slices.ContainsFunc(r.patterns, func(p pattern) bool { return p.matches(path) })
}
