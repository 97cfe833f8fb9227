package contract

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
	// Refunded is what was given back of a captured payment, refunds under way among it; the same currency as Amount.
	Refunded Money `json:"refunded"`
}

// The states of a payment: pending, then captured, declined or voided; captured may still become voided.
const (
	PaymentStatePending  = "pending"
	PaymentStateCaptured = "captured"
	PaymentStateDeclined = "declined"
	PaymentStateVoided   = "voided"
)

// RefundRequest asks payment to give back part or all of what a saga was charged: POST /internal/v1/charges/{saga_id}/refunds. The
// same RefundID gives back once, however often it is asked; more than was captured, less what was given back before, is refused
// with CodeConflict.
type RefundRequest struct {
	RefundID string `json:"refund_id" maxLength:"64" minLength:"1"`
	Amount   Money  `json:"amount"`
}

// Refund is the state of one refund.
type Refund struct {
	ID     string `json:"id"`
	SagaID string `json:"saga_id"`
	Amount Money  `json:"amount"`
	// State is pending until the provider has said that it gave the money back, or that it can not.
	State  string `json:"state" enum:"pending,succeeded,failed"`
	Reason string `json:"reason,omitempty"`
}

// The states of a refund.
const (
	RefundStatePending   = "pending"
	RefundStateSucceeded = "succeeded"
	RefundStateFailed    = "failed"
)
