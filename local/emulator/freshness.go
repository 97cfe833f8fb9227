package emulator

import (
	"strconv"
	"strings"
	"time"
)

// directives is what the edge reads from a Cache-Control or CDN-Cache-Control header.
type directives struct {
	lifetime time.Duration // of max-age, or of s-maxage where there is one
	explicit bool          // whether either was there
	noStore  bool          // also no-cache: nothing is asked before each use, so both mean "do not keep"
	private  bool
	// whileRevalidating and ifError are those of RFC 5861.
	whileRevalidating, ifError grace
}

// grace is how long past its lifetime an answer may be shown, by its origin's word.
type grace struct {
	said bool
	time time.Duration
}

// within gives the shorter one of the origin's word and the rule's.
func (g grace) within(rule time.Duration) time.Duration {
	if g.said {
		return min(g.time, rule)
	}
	return rule
}

// permission is how long an edge may show an answer.
type permission struct {
	lifetime                   time.Duration
	whileRevalidating, ifError grace
}

// parseDirectives reads a header value. It is false when the value is not a list of directives;
// a lifetime that is no whole number of seconds counts as zero, as RFC 9111 section 4.2.1 advises.
func parseDirectives(value string) (directives, bool) {
	var d directives
	var shared bool
	for value = strings.TrimSpace(value); value != ""; {
		name, rest := splitToken(value)
		if name == "" {
			return directives{}, false
		}
		argument := ""
		if strings.HasPrefix(rest, "=") {
			var ok bool
			if argument, rest, ok = splitArgument(rest[1:]); !ok {
				return directives{}, false
			}
		}
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			d.noStore = true
		case "private":
			d.private = true
		case "s-maxage":
			d.lifetime, d.explicit, shared = seconds(argument), true, true
		case "stale-while-revalidate":
			d.whileRevalidating = grace{true, seconds(argument)}
		case "stale-if-error":
			d.ifError = grace{true, seconds(argument)}
		case "max-age":
			if !shared {
				d.lifetime, d.explicit = seconds(argument), true
			}
		}
		rest = strings.TrimLeft(rest, " \t")
		if rest != "" && rest[0] != ',' {
			return directives{}, false
		}
		value = strings.TrimLeft(strings.TrimPrefix(rest, ","), " \t")
	}
	return d, true
}

func splitToken(text string) (token, rest string) {
	end := strings.IndexFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
	if end < 0 {
		return text, ""
	}
	return text[:end], text[end:]
}

func splitArgument(text string) (argument, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		argument, rest = splitToken(text)
		return argument, rest, argument != ""
	}
	end := strings.IndexByte(text[1:], '"')
	if end < 0 {
		return "", "", false
	}
	return text[1 : end+1], text[end+2:], true
}

func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// lifetime is how long an edge may keep an answer, by its origin's word alone: zero means not at
// all. CDN-Cache-Control governs when it is there and well-formed (RFC 9213); explicit says that
// it did. One restriction is added: private in either header is for one shopper, and is not kept.
func lifetime(cdnCacheControl, cacheControl string) (keep permission, explicit bool) {
	general, ok := parseDirectives(cacheControl)
	if !ok || general.private {
		return permission{}, false
	}
	governing := general
	if cdnCacheControl != "" {
		if targeted, ok := parseDirectives(cdnCacheControl); ok {
			governing, explicit = targeted, true
		}
	}
	if governing.noStore || governing.private || !governing.explicit {
		return permission{}, explicit
	}
	return permission{governing.lifetime, governing.whileRevalidating, governing.ifError}, explicit
}
