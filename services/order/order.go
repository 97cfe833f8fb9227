// Package order sells what is in a cart. A checkout is a saga kept in this service's tables: take the cart and its quote, reserve
// the stock, charge, record the order. It ends in exactly one of two ways, whatever dies meanwhile: confirmed and charged, or
// failed with everything given back.
//
// This file, pricing.go and saga.go are the specification; the rest makes it so.
package order

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// Limits of what a shopper may send.
const (
	maxKeyLength = 255
	secretLength = 32 // hexadecimal digits of a cart's 128-bit secret
)

// Request is the body of a checkout.
type Request struct {
	Payment         Means            `json:"payment"`
	Email           string           `json:"email" format:"email" minLength:"3" maxLength:"254" doc:"Where the confirmation goes"`
	ShippingAddress contract.Address `json:"shipping_address"`
	ShippingMethod  string           `json:"shipping_method" minLength:"1" maxLength:"50" example:"standard"`
	Quote           string           `json:"quote,omitempty" maxLength:"100" doc:"The quote that the shopper saw; the checkout is refused when it has changed"`
}

// Means is how a shopper pays.
type Means struct {
	Token string `json:"token" minLength:"1" maxLength:"255" doc:"The payment provider's token; card numbers never reach us" example:"tok_visa"`
}

// Validate refuses what no checkout could use; errors name the field.
func (r Request) Validate() error {
	if strings.TrimSpace(r.Payment.Token) == "" {
		return contract.Invalid("payment.token", "is required")
	}
	if at := strings.LastIndexByte(r.Email, '@'); at < 1 || at == len(r.Email)-1 || strings.ContainsAny(r.Email, " <>\r\n\t") {
		return contract.Invalid("email", "is not an email address")
	}
	return validateDestination(r.ShippingAddress)
}

// hash identifies the request for its idempotency key: the same cart asking for the same thing in the same way.
func (r Request) hash(cartID string) ([]byte, error) {
	canonical, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write the request in its canonical form: %w", err)
	}
	sum := sha256.Sum256(append(append([]byte(cartID), '\n'), canonical...))
	return sum[:], nil
}

func validateDestination(address contract.Address) error {
	if err := address.Validate("shipping_address"); err != nil {
		return err
	}
	if !geo.ValidCountry(address.Country) {
		return contract.Invalid("shipping_address.country", "%q is not an ISO 3166-1 alpha-2 code such as IE", address.Country)
	}
	return nil
}

// validateKey refuses an Idempotency-Key that is missing or not 1 to 255 visible ASCII characters.
func validateKey(key string) error {
	if key == "" {
		return contract.Errorf(contract.CodeKeyMissing, "a checkout needs the header %s, the same for every repeat of it", contract.HeaderIdempotencyKey)
	}
	visible := func(r rune) bool { return r >= '!' && r <= '~' }
	if len(key) > maxKeyLength || strings.ContainsFunc(key, func(r rune) bool { return !visible(r) }) {
		return contract.Invalid(contract.HeaderIdempotencyKey, "has to be 1 to %d visible ASCII characters", maxKeyLength)
	}
	return nil
}

// cartRef is a shopper's claim to a cart: `<cart id>.<secret>`, from the header or the cookie, or a user's own cart. The cart service
// judges the secret; here its hash stays with the order, so that whoever bought can read it after the cart is gone.
type cartRef struct {
	id string
	// text is the whole claim, as the cart service wants to see it; "" for a user's own cart.
	text string
	// userID is the user whom the request's token proves, whichever cart it presents; "" without one.
	userID string
	// region is the code of the cart's home, which is the home of its orders.
	region string
	owner  [sha256.Size]byte
}

// parseCartRef reads a claim. What is malformed names no cart, just as what is unknown does.
func parseCartRef(text string) (cartRef, error) {
	if text == "" {
		return cartRef{}, contract.Invalid("cart", "name the cart with the header %s or the cookie %s", contract.HeaderCartID, contract.CookieCart)
	}
	id, secret, _ := strings.Cut(text, ".")
	parsed, err := geo.ParseID(id)
	if err != nil || parsed.Kind != "crt" || len(secret) != secretLength || strings.Trim(secret, "0123456789abcdef") != "" {
		return cartRef{}, errNoCart()
	}
	return cartRef{id: id, text: text, region: parsed.Region, owner: sha256.Sum256([]byte(secret))}, nil
}

// userCartRef is a user's claim to their own cart, homed where the user is. Its owner's hash is of no secret's form, so that no secret
// gives it.
func userCartRef(userID string) (cartRef, error) {
	parsed, err := geo.ParseID(contract.UserCartID(userID))
	if err != nil {
		return cartRef{}, errNoCart()
	}
	return cartRef{id: parsed.String(), userID: userID, region: parsed.Region, owner: sha256.Sum256([]byte("user:" + userID))}, nil
}

func errNoCart() error {
	return contract.Errorf(contract.CodeNotFound, "there is no such cart")
}

func errNoOrder() error { return contract.Errorf(contract.CodeNotFound, "there is no such order") }

// placed is an order as it is kept: what its shopper reads, and what only we need.
type placed struct {
	contract.Order
	sagaID      string
	cartID      string
	cartVersion int64
	// follows is the order whose goods the cart had given up last, "" for none.
	follows string
	owner   []byte
	// userID is who bought, "" for a guest.
	userID string
	// version rises with each of the order's events.
	version int64
	// uses are those of promotions that the order makes when it is placed; they are not read back.
	uses []use
	// answer is what the checkout's repeats get once its saga has ended.
	answer answer
}

// ownedBy says whether the user who bought the order asks, or the cart that bought it is presented, in a time that tells nothing.
func (p placed) ownedBy(ref cartRef) bool {
	if p.userID != "" && p.userID == ref.userID {
		return true
	}
	return subtle.ConstantTimeCompare(p.owner, ref.owner[:]) == 1
}

// newPlaced makes the pending order of a cart that is about to be bought. Times are cut to what SQL keeps, so that the order reads
// the same from memory and from its row.
func newPlaced(code string, ref cartRef, cart contract.CartContents, quote contract.Quote, request Request, now time.Time) placed {
	now = sqlTime(now)
	follows := ""
	if n := len(cart.TakenOrders); n > 0 {
		follows = cart.TakenOrders[n-1]
	}
	address := request.ShippingAddress
	return placed{
		Order: contract.Order{
			ID: geo.NewID("ord", code), Number: newNumber(), Status: contract.OrderStatusPending, Quote: quote, Total: quote.Total,
			Email: request.Email, ShippingAddress: &address, CreatedAt: now, UpdatedAt: now,
		},
		sagaID: geo.NewID("sga", code), cartID: ref.id, cartVersion: cart.Version, follows: follows, owner: ref.owner[:], userID: ref.userID, version: 1,
	}
}

func (p placed) change() contract.OrderChange {
	lines := make([]contract.SKUCount, 0, len(p.Quote.Lines))
	for _, line := range p.Quote.Lines {
		lines = append(lines, contract.SKUCount{SKU: line.SKU, Quantity: line.Quantity})
	}
	return contract.OrderChange{
		OrderID: p.ID, SagaID: p.sagaID, CartID: p.cartID, Status: p.Status, Reason: p.Reason, Total: p.Total, Lines: lines, CartVersion: p.cartVersion,
	}
}

func sqlTime(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }
