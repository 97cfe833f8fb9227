package shopify

import (
	"fmt"
	"strings"

	"github.com/meridian-store/meridian/feed"
)

// skus keeps the SKUs of a file apart. Which variant gets which depends on the file alone, so that reading it again gives
// every variant the SKU that it had.
type skus struct{ taken map[fingerprint]struct{} }

// claim takes a SKU; false when an earlier variant has it.
func (s *skus) claim(sku string) bool {
	key := hash(sku)
	if _, taken := s.taken[key]; taken {
		return false
	}
	s.taken[key] = struct{}{}
	return true
}

// derive makes and claims a SKU for a variant that has none of its own: from the handle and the option values, which
// together are unique in the file. Behind a wanted SKU that is taken it puts first the values alone, then both.
func (s *skus) derive(wanted, handle string, values []string) string {
	suffix := feed.Slug(strings.Join(values, " "))
	candidates := []string{joined(handle, suffix)}
	if wanted != "" {
		candidates = []string{joined(wanted, handle, suffix)}
		if suffix != "" {
			candidates = append([]string{joined(wanted, suffix)}, candidates...)
		}
	}
	for _, candidate := range candidates {
		if len(candidate) <= feed.MaxSKU && s.claim(candidate) {
			return candidate
		}
	}
	// The names are too long or, like those of a-b/c and a/b-c, the same: a fingerprint of exactly this variant decides.
	base := candidates[len(candidates)-1]
	exact := strings.Join(append([]string{wanted, handle}, values...), "\x00")
	for attempt := 0; ; attempt++ {
		mark := feed.Fingerprint(fmt.Sprintf("%s\x00%d", exact, attempt))
		if sku := joined(shortened(base, feed.MaxSKU-len(mark)-1), mark); s.claim(sku) {
			return sku
		}
	}
}

func joined(parts ...string) string {
	kept := parts[:0:0]
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "-")
}

// shortened cuts a text to so many bytes without cutting a character.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.TrimRight(strings.ToValidUTF8(text[:most], ""), "- ")
}
