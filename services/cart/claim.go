package cart

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

const (
	idKind = "crt"
	// secretBytes is the length of a cart's secret: 128 bits, which nobody can guess.
	secretBytes = 16
)

// claim is what a shopper presents: a cart and proof that it is theirs. The secret itself goes no further than this file, but back
// to whoever it was made for.
type claim struct {
	id string
	// region is the code of the cart's home.
	region string
	// secretHash is the hex SHA-256 of the secret, or ownedByUser.
	secretHash string
}

// ownedByUser stands where the hash of a guest's cart stands. It is no hash, so that no secret opens a user's cart; and a user's
// claim opens no guest's.
const ownedByUser = "user"

// claimOfUser is the claim of whoever a token proves to be a user to their own cart.
func claimOfUser(userID string) (claim, bool) {
	parsed, err := geo.ParseID(contract.UserCartID(userID))
	if err != nil {
		return claim{}, false
	}
	return claim{id: parsed.String(), region: parsed.Region, secretHash: ownedByUser}, true
}

// parseClaim reads `<cart id>.<32 hexadecimal digits>`, and says whether the text has that form.
func parseClaim(text string) (claim, bool) {
	id, secret, _ := strings.Cut(text, ".")
	parsed, err := geo.ParseID(id)
	if err != nil || parsed.Kind != idKind || len(secret) != 2*secretBytes || strings.Trim(secret, "0123456789abcdef") != "" {
		return claim{}, false
	}
	return claim{id: id, region: parsed.Region, secretHash: hashSecret(secret)}, true
}

// newClaim makes the claim to a new cart, and the text that the shopper presents from now on.
func newClaim(ids geo.IDs, regionCode string) (made claim, text string) {
	var random [secretBytes]byte
	rand.Read(random[:]) // never fails: it ends the process instead
	secret := hex.EncodeToString(random[:])
	made = claim{id: ids.New(idKind, regionCode), region: regionCode, secretHash: hashSecret(secret)}
	return made, made.id + "." + secret
}

// opens says whether the claim's secret is the cart's, in a time that tells nothing.
func (c claim) opens(secretHash string) bool {
	return subtle.ConstantTimeCompare([]byte(c.secretHash), []byte(secretHash)) == 1
}

func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
