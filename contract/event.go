package contract

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event is a CloudEvents 1.0 event in structured JSON, with the extensions `originregion` and `aggregateversion`.
// It carries no personal data, and it is a hint: what moves money or stock is read from its owner before acting.
type Event struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	// OriginRegion is the region whose service wrote the event; a mirror never sends it back there.
	OriginRegion string `json:"originregion"`
	// AggregateVersion rises by at least one with each event of the same subject.
	AggregateVersion int64           `json:"aggregateversion"`
	TraceParent      string          `json:"traceparent,omitempty"`
	Data             json.RawMessage `json:"data"`
}

// EventContentType is the content type of an event's record in the broker.
const EventContentType = "application/cloudevents+json"

// RecordHeaderRelayRegion names, on a broker's record, the region that sent an event in place of the one that wrote it.
const RecordHeaderRelayRegion = "relayregion"

// Decode reads the event's data.
func (e Event) Decode(into any) error {
	if err := json.Unmarshal(e.Data, into); err != nil {
		return fmt.Errorf("decode %s %s: %w", e.Type, e.ID, err)
	}
	return nil
}

// Validate refuses an event that no consumer could judge.
func (e Event) Validate() error {
	switch {
	case e.SpecVersion != "1.0":
		return Invalid("specversion", "is %q, not 1.0", e.SpecVersion)
	case e.ID == "" || e.Type == "" || e.Source == "" || e.Subject == "":
		return Invalid("id", "an event needs id, type, source and subject")
	case e.OriginRegion == "":
		return Invalid("originregion", "is required")
	}
	return nil
}

// Types of events, by topic.
const (
	ProductCreated  = "ProductCreated"  // product-events, ProductChange
	ProductUpdated  = "ProductUpdated"  // product-events, ProductChange
	ProductDeleted  = "ProductDeleted"  // product-events, ProductChange
	CategoryChanged = "CategoryChanged" // product-events, CategoryChange

	// ProductStockChanged tells that the band of one of a published product's SKUs is another one now, and that the catalog shows it.
	ProductStockChanged = "ProductStockChanged" // product-events, ProductChange

	PriceListChanged = "PriceListChanged" // product-events, PriceListChange

	OrderConfirmed = "OrderConfirmed" // order-events, OrderChange
	OrderFailed    = "OrderFailed"    // order-events, OrderChange
	OrderCancelled = "OrderCancelled" // order-events, OrderChange with Part
	OrderFulfilled = "OrderFulfilled" // order-events, OrderChange with Part
	OrderReturned  = "OrderReturned"  // order-events, OrderChange with Part
	OrderRefunded  = "OrderRefunded"  // order-events, OrderChange with Refunded

	PaymentSucceeded = "PaymentSucceeded" // payment-events, PaymentChange
	PaymentFailed    = "PaymentFailed"    // payment-events, PaymentChange
	PaymentVoided    = "PaymentVoided"    // payment-events, PaymentChange
	// PaymentRefunded and PaymentRefundFailed tell of one refund: PaymentChange with RefundID and, of the payment, Refunded.
	PaymentRefunded     = "PaymentRefunded"
	PaymentRefundFailed = "PaymentRefundFailed"

	InventoryReserved = "InventoryReserved" // inventory-events, ReservationChange
	InventoryReleased = "InventoryReleased" // inventory-events, ReservationChange
	InventorySold     = "InventorySold"     // inventory-events, ReservationChange
	InventoryReturned = "InventoryReturned" // inventory-events, ReservationChange with what came back
	StockBandChanged  = "StockBandChanged"  // inventory-events, BandChange

	CartChanged = "CartChanged" // cart-events, CartState
	CartCleared = "CartCleared" // cart-events, CartState

	CartAbandoned = "CartAbandoned" // cart-events, CartState: nobody has changed it for a while, and there is something in it
)

// ProductChange is the data of the product events: what a cache, an index or an edge needs to act.
type ProductChange struct {
	ProductID  string   `json:"product_id"`
	Slug       string   `json:"slug"`
	Version    int64    `json:"version"`
	Published  bool     `json:"published"`
	Categories []string `json:"categories" doc:"Slugs of the categories the product is in, before or after the change, and of all above them"`
	Brand      string   `json:"brand,omitempty"`
	// FormerBrand is the brand before the change, absent when it is the same.
	FormerBrand string   `json:"former_brand,omitempty"`
	SKUs        []string `json:"skus"`
	// Relisted says that some list holds the product now and did not before, or the other way round; or that it has another slug.
	Relisted bool `json:"relisted,omitempty"`
}

// CategoryChange is the data of CategoryChanged.
type CategoryChange struct {
	CategoryID string `json:"category_id"`
	Slug       string `json:"slug"`
	Deleted    bool   `json:"deleted"`
}

// PriceListChange is the data of PriceListChanged: what a list says, or when it holds, is different. A price changes too when a list's
// time begins or ends, which nothing announces.
type PriceListChange struct {
	ListID   string     `json:"list_id"`
	Currency string     `json:"currency"`
	Region   string     `json:"region,omitempty" doc:"Absent: all regions"`
	StartsAt *time.Time `json:"starts_at,omitempty"`
	EndsAt   *time.Time `json:"ends_at,omitempty"`
	Deleted  bool       `json:"deleted,omitempty"`
	// Products are ids of those whose prices may be different; empty when any may be that is priced in the currency.
	Products []string `json:"products,omitempty"`
}

// OrderChange is the data of the order events.
type OrderChange struct {
	OrderID string     `json:"order_id"`
	SagaID  string     `json:"saga_id"`
	CartID  string     `json:"cart_id"`
	Status  string     `json:"status"`
	Reason  string     `json:"reason,omitempty"`
	Total   Money      `json:"total"`
	Lines   []SKUCount `json:"lines"`
	// CartVersion is the version of the cart that was bought: what was added later stays in the cart.
	CartVersion int64 `json:"cart_version"`
	// Part is which units were cancelled, fulfilled or returned.
	Part []SKUCount `json:"part,omitempty"`
	// Refunded is what was given back just now.
	Refunded *Money `json:"refunded,omitempty"`
}

// PaymentChange is the data of the payment events.
type PaymentChange struct {
	PaymentID string `json:"payment_id"`
	SagaID    string `json:"saga_id"`
	OrderID   string `json:"order_id"`
	Amount    Money  `json:"amount"`
	Reason    string `json:"reason,omitempty"`
	// Refunded is what of the payment was given back so far, refunds under way among it; absent while there is no refund.
	Refunded Money `json:"refunded,omitzero"`
	// RefundID names the refund that the event is about; empty for an event of the charge.
	RefundID string `json:"refund_id,omitempty"`
}

// ReservationChange is the data of the reservation events.
type ReservationChange struct {
	SagaID      string       `json:"saga_id"`
	Allocations []Allocation `json:"allocations"`
}

// BandChange is the data of StockBandChanged.
type BandChange struct {
	SKU     string `json:"sku"`
	Band    Band   `json:"band"`
	Version int64  `json:"version"`
}

// CartState is the data of the cart events: enough for another region to restore the cart, and no prices.
type CartState struct {
	CartID     string      `json:"cart_id"`
	Version    int64       `json:"version"`
	Currency   string      `json:"currency"`
	SecretHash string      `json:"secret_hash" doc:"Hex SHA-256 of the cart's 128-bit secret, which itself is never stored; of a user's own cart the word user"`
	Lines      []CartEntry `json:"lines"`
	Codes      []CartCode  `json:"codes,omitempty"`
	// Orders are those whose lines have been taken out, and the guests' carts moved in, with the version at which: so that none is
	// applied again to a cart that another region has restored.
	Orders map[string]int64 `json:"orders,omitempty"`
}

// CartCode is a promotion code of a cart in the order entered; one that is not Entered any more is a tombstone.
type CartCode struct {
	Code    string `json:"code"`
	Title   string `json:"title,omitempty"`
	Entered bool   `json:"entered"`
	Version int64  `json:"version"`
	// Region is the code of the region that made Version, absent for the cart's home; Added is the version that put it where it stands.
	Region string `json:"region,omitempty"`
	Added  int64  `json:"added,omitempty"`
}

// CartEntry is one line of a cart; quantity 0 is a tombstone.
type CartEntry struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Version  int64  `json:"version"`
	// Region is the code of the region that made Version, absent for the cart's home; Added is the version that put it where it stands.
	Region string `json:"region,omitempty"`
	Added  int64  `json:"added,omitempty"`
}
