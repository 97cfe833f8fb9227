package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/meridian-store/meridian/geo"
)

const (
	kindSession = "ses"
	kindAddress = "adr"
	// secretBytes is the length of a refresh token's secret: 256 bits.
	secretBytes = 32
)

// refreshToken is `<session id>.<secret>`. The session's id, which tells its home, stays through all rotations; it is known only
// to whoever holds one of the session's tokens.
type refreshToken struct {
	session string
	// region is the code of the session's home, which is its user's.
	region string
	// hash is the SHA-256 of the whole token, all that is kept of it.
	hash [sha256.Size]byte
}

// newRefreshToken makes the next token of a session, and the text to present.
func newRefreshToken(session string) (token refreshToken, text string) {
	var secret [secretBytes]byte
	rand.Read(secret[:]) // never fails: it ends the process instead
	text = session + "." + base64.RawURLEncoding.EncodeToString(secret[:])
	token, _ = parseRefreshToken(text)
	return token, text
}

// parseRefreshToken says whether a text has a refresh token's form.
func parseRefreshToken(text string) (refreshToken, bool) {
	session, secret, _ := strings.Cut(text, ".")
	parsed, err := geo.ParseID(session)
	raw, decodeErr := base64.RawURLEncoding.Strict().DecodeString(secret)
	if err != nil || decodeErr != nil || parsed.Kind != kindSession || len(raw) != secretBytes {
		return refreshToken{}, false
	}
	return refreshToken{session: session, region: parsed.Region, hash: sha256.Sum256([]byte(text))}, true
}
