package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// letters spells what decomposition does not take apart.
var letters = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i",
	"'", "", "’", "")

// Slug makes a name fit for a URL: lower-case ASCII letters and digits in words joined by single dashes, accents dropped. It
// is empty when the name holds none of these.
func Slug(name string) string {
	var slug strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(letters.Replace(strings.ToLower(name))) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && slug.Len() > 0 {
				slug.WriteByte('-')
			}
			gap = false
			slug.WriteRune(r)
		default:
			gap = true
		}
	}
	return slug.String()
}

// SlugOr gives the name's slug or, for a name in another script, the prefix with a fingerprint of the name.
func SlugOr(prefix, name string) string {
	if slug := Slug(name); slug != "" {
		return slug
	}
	return prefix + "-" + Fingerprint(name)
}

// Fingerprint gives ten hexadecimal digits that depend on nothing but the text.
func Fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:5])
}
