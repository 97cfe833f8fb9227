package enginetest

import (
	"crypto/rand"
	"strings"
)

// Prefix returns a text of lower-case letters and digits that nobody else gets, to keep
// the keys, topics, groups and service names of tests apart. It begins with a letter.
func Prefix() string {
	return "t" + strings.ToLower(rand.Text()[:16])
}
