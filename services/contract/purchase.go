package contract

import "time"

// Limits of a cart, so that its price, its order and its events stay bounded.
const (
	MaxCartLines    = 200
	MaxLineQuantity = 999
)

// SKUCount is a number of units of a SKU.
type SKUCount struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// Cart is a cart as its shopper reads it: lines in the order they were added, priced by the server at each read.
type Cart struct {
	ID       string     `json:"id"`
	Version  int64      `json:"version"`
	Currency string     `json:"currency"`
	Lines    []CartLine `json:"lines"`
	Subtotal Money      `json:"subtotal" doc:"Of the lines that can be bought"`
	// Count is the number of units over all lines.
	Count int64 `json:"count"`
}

// CartLine is one SKU of a cart. Unavailable lines have no price and are not part of the subtotal.
type CartLine struct {
	SKU          string `json:"sku"`
	Quantity     int64  `json:"quantity"`
	ProductID    string `json:"product_id,omitempty"`
	Slug         string `json:"slug,omitempty"`
	Title        string `json:"title,omitempty"`
	VariantTitle string `json:"variant_title,omitempty"`
	Image        *Image `json:"image,omitempty"`
	UnitPrice    *Money `json:"unit_price,omitempty"`
	Total        *Money `json:"total,omitempty"`
	Stock        Band   `json:"stock"`
	Available    bool   `json:"available"`
}

// CartContents is the cart without prices, as the order service takes it: GET /internal/v1/cart with the shopper's cart header.
type CartContents struct {
	CartID   string     `json:"cart_id"`
	Version  int64      `json:"version"`
	Currency string     `json:"currency"`
	Lines    []SKUCount `json:"lines"`
}

// Quote is the full breakdown of what a checkout would charge.
type Quote struct {
	// Quote names exactly this breakdown; a checkout that sends it is refused when the breakdown has changed.
	Quote          string      `json:"quote" example:"qte_5f1c…"`
	CartID         string      `json:"cart_id"`
	Currency       string      `json:"currency"`
	Lines          []QuoteLine `json:"lines"`
	Subtotal       Money       `json:"subtotal"`
	ShippingMethod string      `json:"shipping_method"`
	Shipping       Money       `json:"shipping"`
	Tax            QuoteTax    `json:"tax"`
	Total          Money       `json:"total"`
}

// QuoteLine is one SKU of a quote.
type QuoteLine struct {
	SKU       string `json:"sku"`
	Title     string `json:"title"`
	Quantity  int64  `json:"quantity"`
	UnitPrice Money  `json:"unit_price"`
	Total     Money  `json:"total"`
}

// QuoteTax is the tax of a quote: part of the total when included, added to it otherwise.
type QuoteTax struct {
	Name            string `json:"name"`
	RateBasisPoints int64  `json:"rate_basis_points"`
	Included        bool   `json:"included"`
	Amount          Money  `json:"amount"`
}

// Statuses of an order.
const (
	OrderStatusPending   = "pending"
	OrderStatusConfirmed = "confirmed"
	OrderStatusFailed    = "failed"
)

// Reasons for which an order failed.
const (
	ReasonOutOfStock = "out_of_stock"
	ReasonDeclined   = "payment_declined"
)

// Order is an order as its shopper reads it.
type Order struct {
	ID     string `json:"id"`
	Number string `json:"number" doc:"Short, for people" example:"M7K2-9QX4"`
	Status string `json:"status" enum:"pending,confirmed,failed"`
	Reason string `json:"reason,omitempty"`
	// Quote holds what was shown and charged.
	Quote           Quote        `json:"quote"`
	Total           Money        `json:"total"`
	PaymentID       string       `json:"payment_id,omitempty"`
	Email           string       `json:"email,omitempty"`
	ShippingAddress *Address     `json:"shipping_address,omitempty"`
	History         []OrderEntry `json:"history"`
	CreatedAt       time.Time    `json:"created_at"`
	UpdatedAt       time.Time    `json:"updated_at"`
}

// OrderEntry is one step in an order's life.
type OrderEntry struct {
	Step string    `json:"step"`
	At   time.Time `json:"at"`
}

// ReservationRequest asks inventory to hold stock for a saga: POST /internal/v1/reservations. Repeating it gives the same
// answer; after a release of the same saga it is refused, so that a late request cannot leak a hold.
type ReservationRequest struct {
	SagaID string `json:"saga_id" maxLength:"64" minLength:"1"`
	// Country is where the goods go; the nearest warehouse that has them is taken first.
	Country string     `json:"country" maxLength:"2"`
	Lines   []SKUCount `json:"lines" minItems:"1" maxItems:"200"`
	// HoldSeconds is how long the hold lasts unless it is confirmed.
	HoldSeconds int64 `json:"hold_seconds" minimum:"1" maximum:"86400"`
}

// Reservation is stock held for a saga.
type Reservation struct {
	SagaID      string       `json:"saga_id"`
	State       string       `json:"state" enum:"held,sold,released"`
	Allocations []Allocation `json:"allocations"`
	ExpiresAt   time.Time    `json:"expires_at"`
}

// Allocation is a number of units of a SKU from one warehouse of one region.
type Allocation struct {
	Region    string `json:"region"`
	Warehouse string `json:"warehouse"`
	SKU       string `json:"sku"`
	Quantity  int64  `json:"quantity"`
}

// ChargeRequest asks payment to charge for a saga: POST /internal/v1/charges. Repeating it charges once; after a void of the
// same saga it is refused.
type ChargeRequest struct {
	SagaID  string `json:"saga_id" maxLength:"64" minLength:"1"`
	OrderID string `json:"order_id" maxLength:"64" minLength:"1"`
	Amount  Money  `json:"amount"`
	// Token stands for the means of payment; card numbers never reach us.
	Token string `json:"token" maxLength:"255" minLength:"1"`
}

// Payment is the state of a saga's charge.
type Payment struct {
	ID      string `json:"id"`
	SagaID  string `json:"saga_id"`
	OrderID string `json:"order_id"`
	Amount  Money  `json:"amount"`
	// State is pending, captured, declined or voided.
	State  string `json:"state" enum:"pending,captured,declined,voided"`
	Reason string `json:"reason,omitempty"`
}

// States of a payment and of a reservation.
const (
	PaymentStatePending  = "pending"
	PaymentStateCaptured = "captured"
	PaymentStateDeclined = "declined"
	PaymentStateVoided   = "voided"

	ReservationHeld     = "held"
	ReservationSold     = "sold"
	ReservationReleased = "released"
)
