package catalog

import (
	"strings"
	"sync"
	"unicode"

	"github.com/microcosm-cc/bluemonday"
)

// userContent is made once: building it compiles dozens of expressions, and it is safe for concurrent use.
var userContent = sync.OnceValue(bluemonday.UGCPolicy)

// SanitizeHTML removes from HTML whatever could run or restyle the page it is shown on. It is applied when a product is
// written, so that no reader has to. Control characters, which real exports hold and no page shows, go too.
func SanitizeHTML(html string) string {
	if html == "" {
		return ""
	}
	// A character written as a reference (&#8;) is one only after the policy has read it, hence twice.
	return strings.Map(withoutControl, userContent().Sanitize(strings.Map(withoutControl, html)))
}

// withoutControl keeps the white space that lays HTML out.
func withoutControl(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
		return -1
	}
	return r
}
