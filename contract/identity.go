package contract

import (
	"time"

	"github.com/meridian-store/meridian/geo"
)

// Kinds of ids that more than one service reads.
const (
	KindUser = "usr"
	KindCart = "crt"
)

// MaxAddresses is how many addresses a user may keep.
const MaxAddresses = 50

// User is a shopper with an account as they read it. Email and name are personal data: they stay in the home region's rows.
type User struct {
	ID    string `json:"id" example:"usr_euw_01ARZ3NDEKTSV4RRFFQ69G5FAV"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Role  string `json:"role" enum:"shopper,support,merchandiser,admin"`
	// HomeRegion is where the user's rows are; it never changes.
	HomeRegion string    `json:"home_region" example:"eu-west"`
	Version    int64     `json:"version"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// SavedAddress is an address that a user keeps.
type SavedAddress struct {
	ID string `json:"id" example:"adr_euw_01ARZ3NDEKTSV4RRFFQ69G5FAV"`
	Address
}

// IsUserID says whether a token's subject is a user, rather than an operator's program.
func IsUserID(subject string) bool {
	parsed, err := geo.ParseID(subject)
	return err == nil && parsed.Kind == KindUser
}

// UserCartID names a user's own cart, which is homed where the user is. It follows from the user's id, so that nobody needs to look it
// up, and no secret opens it: only services reach it, for whoever a token proves to be that user. "" for what is no user's id.
func UserCartID(userID string) string {
	parsed, err := geo.ParseID(userID)
	if err != nil || parsed.Kind != KindUser {
		return ""
	}
	return geo.ID{Kind: KindCart, Region: parsed.Region, ULID: parsed.ULID}.String()
}

// CartMergeRequest asks cart to move a guest's cart into a user's: POST /internal/v1/carts/merge with the guest's cart header.
// Repeating it changes nothing.
type CartMergeRequest struct {
	UserID string `json:"user_id" maxLength:"64" minLength:"1"`
}

// GuestCart is a guest's closed cart on its way into the cart of a user who is homed in another region:
// PUT /internal/v1/users/{user_id}/cart/guests/{cart_id}, at the gateway of the guest's region and at the cart service of the user's.
// Repeating it changes nothing.
type GuestCart struct {
	Currency string          `json:"currency" maxLength:"3"`
	Lines    []SKUCount      `json:"lines" maxItems:"200"`
	Codes    []CartPromotion `json:"codes" maxItems:"10"`
}

// CartMerge tells how a merge went.
type CartMerge struct {
	// Merged is false when the guest's cart may be in another region, where it can still be merged.
	Merged bool `json:"merged"`
	// LeftOut is what did not fit in the user's cart, by SKU; only the merge that moved the lines tells it.
	LeftOut []SKUCount `json:"left_out"`
}
