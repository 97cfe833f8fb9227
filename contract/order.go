package contract

import "time"

// Statuses of an order. The first three are the checkout's; what comes after the sale follows from what was fulfilled, returned,
// refunded and cancelled.
const (
	OrderStatusPending            = "pending"
	OrderStatusConfirmed          = "confirmed"
	OrderStatusFailed             = "failed"
	OrderStatusPartiallyFulfilled = "partially_fulfilled"
	OrderStatusFulfilled          = "fulfilled"
	OrderStatusPartiallyReturned  = "partially_returned"
	OrderStatusReturned           = "returned"
	OrderStatusPartiallyRefunded  = "partially_refunded"
	OrderStatusRefunded           = "refunded"
	OrderStatusCancelled          = "cancelled"
)

// OrderStatuses lists the statuses in the order in which an order may go through them.
func OrderStatuses() []string {
	return []string{
		OrderStatusPending, OrderStatusFailed, OrderStatusConfirmed, OrderStatusPartiallyFulfilled, OrderStatusFulfilled,
		OrderStatusPartiallyReturned, OrderStatusReturned, OrderStatusPartiallyRefunded, OrderStatusRefunded, OrderStatusCancelled,
	}
}

// Reasons for which an order failed.
const (
	ReasonOutOfStock = "out_of_stock"
	ReasonDeclined   = "payment_declined"
	// ReasonLapsed: the time to sell was over before the charge stood.
	ReasonLapsed = "lapsed"
	// ReasonRefused: a service refused for good, other than for stock or money.
	ReasonRefused = "refused"
)

// Order is an order as its shopper reads it.
type Order struct {
	ID     string `json:"id"`
	Number string `json:"number" doc:"Short, for people" example:"M7K2-9QX4"`
	Status string `json:"status" enum:"pending,failed,confirmed,partially_fulfilled,fulfilled,partially_returned,returned,partially_refunded,refunded,cancelled"`
	Reason string `json:"reason,omitempty"`
	// Quote holds what was shown and charged.
	Quote           Quote        `json:"quote"`
	Total           Money        `json:"total"`
	PaymentID       string       `json:"payment_id,omitempty"`
	Email           string       `json:"email,omitempty"`
	ShippingAddress *Address     `json:"shipping_address,omitempty"`
	History         []OrderEntry `json:"history"`

	Cancellations []OrderCancellation `json:"cancellations,omitempty"`
	Fulfilments   []OrderFulfilment   `json:"fulfilments,omitempty"`
	Returns       []OrderReturn       `json:"returns,omitempty"`
	Refunds       []OrderRefund       `json:"refunds,omitempty"`
	// Refunded is what the provider has given back; refunds that are still pending come on top.
	Refunded *Money `json:"refunded,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// OrderEntry is one step in an order's life.
type OrderEntry struct {
	Step string    `json:"step"`
	At   time.Time `json:"at"`
}

// OrderCancellation is units of an order that will not be sent. RefundID is empty when there was nothing left to give back.
type OrderCancellation struct {
	ID        string     `json:"id"`
	Lines     []SKUCount `json:"lines"`
	Reason    string     `json:"reason,omitempty"`
	RefundID  string     `json:"refund_id,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
}

// OrderFulfilment is units of an order that were sent.
type OrderFulfilment struct {
	ID        string     `json:"id"`
	Lines     []SKUCount `json:"lines"`
	Tracking  *Tracking  `json:"tracking,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
}

// Tracking is where a parcel can be followed.
type Tracking struct {
	Carrier string `json:"carrier" minLength:"1" maxLength:"50" example:"DHL"`
	Number  string `json:"number" minLength:"1" maxLength:"100"`
	URL     string `json:"url,omitempty" maxLength:"500" doc:"http or https"`
}

// OrderReturn is units that come back.
type OrderReturn struct {
	ID    string     `json:"id"`
	Lines []SKUCount `json:"lines"`
	// State is requested, then received or refused.
	State     string    `json:"state" enum:"requested,received,refused"`
	Reason    string    `json:"reason,omitempty" doc:"The shopper's"`
	Note      string    `json:"note,omitempty" doc:"The shop's, when it was received or refused"`
	Restocked bool      `json:"restocked" doc:"Whether the units go back on sale"`
	RefundID  string    `json:"refund_id,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// The states of a return.
const (
	ReturnStateRequested = "requested"
	ReturnStateReceived  = "received"
	ReturnStateRefused   = "refused"
)

// OrderRefund is money of an order that goes back, in the state that payment knows it in: pending, succeeded or failed.
type OrderRefund struct {
	ID        string    `json:"id"`
	Amount    Money     `json:"amount"`
	State     string    `json:"state" enum:"pending,succeeded,failed"`
	Reason    string    `json:"reason,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}
