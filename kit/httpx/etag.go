package httpx

import (
	"fmt"
	"strings"
)

// ETag makes a strong entity tag from whatever identifies the bytes.
func ETag(parts ...any) string {
	return `"` + strings.ReplaceAll(strings.TrimSpace(fmt.Sprintln(parts...)), " ", "-") + `"`
}

// Matches says whether an If-None-Match or If-Match header names the tag.
func Matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == "*" || candidate == tag {
			return true
		}
	}
	return false
}
