package gateway

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/contract"
)

const maxPath = 2048

// checkPath refuses a path that two programs might read differently: the edge caches, the gateway routes and a service answers by
// the same bytes, or one of them can be tricked. An encoded slash is kept as it is inside its segment (SKUs may hold one).
func checkPath(raw string) error {
	if len(raw) > maxPath {
		return contract.Invalid("path", "is longer than %d bytes", maxPath)
	}
	if !strings.HasPrefix(raw, "/") || strings.Contains(raw, "//") {
		return contract.Invalid("path", "has an empty segment")
	}
	for segment := range strings.SplitSeq(raw, "/") {
		if err := checkSegment(segment); err != nil {
			return err
		}
	}
	return nil
}

func checkSegment(raw string) error {
	decoded, err := unescape(raw)
	if err != nil {
		return err
	}
	for part := range strings.SplitSeq(decoded, "/") {
		if part == "." || part == ".." {
			return contract.Invalid("path", "may not hold . or .. as a segment")
		}
	}
	return nil
}

// unescape decodes percent-encoding, strictly, and refuses what no name of ours holds: control characters, backslashes, and bytes
// that a URL may not hold bare.
func unescape(raw string) (string, error) {
	if plain(raw) {
		return raw, nil
	}
	decoded := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		char := raw[i]
		if char > '~' {
			return "", contract.Invalid("path", "holds a byte that must be percent-encoded")
		}
		if char == '%' {
			if i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2]) {
				return "", contract.Invalid("path", "holds %% without two hexadecimal digits")
			}
			char = fromHex(raw[i+1])<<4 | fromHex(raw[i+2])
			i += 2
		}
		if char < ' ' || char == 0x7f || char == '\\' {
			return "", contract.Invalid("path", "holds a control character or a backslash")
		}
		decoded = append(decoded, char)
	}
	return string(decoded), nil
}

// plain says that a segment holds only bytes that need no second look, as nearly all do.
func plain(raw string) bool {
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c > '~' || c == '%' || c == '\\' {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func fromHex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}

var (
	literalSegment = regexp.MustCompile(`^[a-z0-9._-]+$`)
	paramSegment   = regexp.MustCompile(`^\{[a-z_]+\}$`)
)

const restSegment = "**"

// roots are what the gateway routes below; every other path is a service's own business with its operators.
func roots() []string { return []string{"/api/", "/.well-known/"} }

// checkPattern refuses a pattern that is not ours to route or that no path could match.
func checkPattern(pattern string) error {
	if !slices.ContainsFunc(roots(), func(root string) bool { return strings.HasPrefix(pattern, root) }) {
		return fmt.Errorf("path %q is not below %s", pattern, strings.Join(roots(), " or "))
	}
	segments := strings.Split(pattern[1:], "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		if !literalSegment.MatchString(segment) && !paramSegment.MatchString(segment) && (segment != restSegment || !last) {
			return fmt.Errorf("path %q: segment %q is not lower-case letters, digits, . _ -, nor {name}, nor ** at the end", pattern, segment)
		}
		if segment == "internal" {
			return fmt.Errorf("path %q: what is internal is never routed", pattern)
		}
	}
	return nil
}
