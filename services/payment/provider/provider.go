// Package provider is the port through which payment reaches whoever moves the money. An adapter is right when it passes the
// suite in providertest.
//
// It follows how Stripe's PaymentIntents work. An intent is created, which takes no money; its id is kept by the caller; only then
// is it confirmed, which takes the money or, when it is captured by hand, only sets it aside. Whatever was taken can be given back
// by refunds. Whoever knows an intent's id can always find out how it stands.
package provider

import (
	"context"
	"errors"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// State is how an intent stands.
type State string

// The states. Declined, Cancelled and Captured are last; what was captured is given back by refunds, which do not change it.
const (
	// Open waits to be confirmed: nothing was taken. A confirmation may be under way.
	Open State = "open"
	// Authorised is money set aside that Capture takes or Cancel lets go.
	Authorised State = "authorised"
	// Processing is a charge that the provider itself knows the end of only later.
	Processing State = "processing"
	Captured   State = "captured"
	Declined   State = "declined"
	Cancelled  State = "cancelled"
)

// Errors of a provider. Any other error means that it gave no usable answer and that what became of the call is not known.
var (
	// ErrInvalidToken says that the token stands for no means of payment. Nothing was taken.
	ErrInvalidToken = errors.New("the payment token is not known")
	// ErrKeyReused says that the key was used for something else before.
	ErrKeyReused = errors.New("the idempotency key was used for another request")
	// ErrNotFound says that the provider has nothing by that id.
	ErrNotFound = errors.New("the payment provider has nothing by that id")
	// ErrBusy says that another request about the same thing is under way; the same call may be made again shortly.
	ErrBusy = errors.New("the payment provider is busy with the same charge")
	// ErrBadSignature says that a notice was not written by the provider, or is too old to tell.
	ErrBadSignature = errors.New("the signature of the webhook is not the payment provider's")
)

// Refused says that the provider will never do what it was asked to, however often. Nothing was done.
type Refused struct {
	// Code is why, for programs, such as amount_too_small.
	Code string
}

func (r *Refused) Error() string { return "the payment provider refuses: " + r.Code }

// Names are what our books call a charge. The provider keeps them beside it, so that its books can be laid beside ours.
type Names struct {
	SagaID, OrderID string
}

// Charge asks for an intent.
type Charge struct {
	Names
	// Key makes a repeat give the same intent.
	Key    string
	Amount contract.Money
	// ByHand sets the money aside at the confirmation and leaves taking it to Capture.
	ByHand bool
}

// Intent is a charge at the provider.
type Intent struct {
	Names
	ID     string
	State  State
	Amount contract.Money
	// Captured is how much was taken, in minor units of the amount's currency, refunds not taken off.
	Captured int64
	// Reason says why it was declined, in the provider's words for programs such as card_declined.
	Reason    string
	CreatedAt time.Time
}

// Confirmation confirms an intent.
type Confirmation struct {
	IntentID string
	// Key makes a repeat answer as the first did; it goes with one token.
	Key string
	// Token stands for the shopper's means of payment. It is never stored or logged.
	Token string
}

// RefundState is how a refund stands.
type RefundState string

// The states of a refund. A refund that succeeded may still fail, days later, when the shopper's bank sends it back.
const (
	RefundPending   RefundState = "pending"
	RefundSucceeded RefundState = "succeeded"
	RefundFailed    RefundState = "failed"
)

// RefundOrder asks for a refund.
type RefundOrder struct {
	// RefundID is what our books call it; SagaID is that of its charge.
	RefundID, SagaID string
	IntentID         string
	// Key makes a repeat give back once.
	Key    string
	Amount contract.Money
}

// Refund is a refund at the provider.
type Refund struct {
	ID string
	// RefundID and SagaID are what our books call it and its charge; empty when it was made by hand at the provider.
	RefundID, SagaID string
	IntentID         string
	State            RefundState
	Amount           contract.Money
	// Reason says why it failed.
	Reason    string
	CreatedAt time.Time
}

// Notice is what a webhook tells: that something happened to an intent or a refund. It is a hint; what happened is read.
type Notice struct {
	// EventID and Type are the provider's.
	EventID, Type string
	// SagaID is what the intent, or the refund, carries of our names; empty for what is not ours.
	SagaID string
	// IntentID is the intent in question, also of a refund. RefundID is the refund in our books, RefundAt at the provider; both are
	// empty for a notice about an intent.
	IntentID           string
	RefundID, RefundAt string
}

// Provider moves money. Every call may be repeated.
type Provider interface {
	// Prepare creates an intent, or finds the one that the key has made. It takes no money. ErrKeyReused and *Refused are final.
	Prepare(ctx context.Context, charge Charge) (Intent, error)
	// Confirm takes the money, once, or sets it aside. An intent that stands otherwise already is answered as it stands.
	// ErrInvalidToken, ErrKeyReused, ErrNotFound and *Refused are final.
	Confirm(ctx context.Context, confirmation Confirmation) (Intent, error)
	// Capture takes all that was set aside. An intent that stands otherwise is answered as it stands.
	Capture(ctx context.Context, intentID, key string) (Intent, error)
	// Cancel makes sure that the intent is never captured from now on, unless it was already: the answer is Cancelled, Captured or
	// Processing.
	Cancel(ctx context.Context, intentID, key string) (Intent, error)
	// Refund gives back part or all of what was captured, once for each key. *Refused is final: more than is left was asked for, or
	// nothing was captured.
	Refund(ctx context.Context, order RefundOrder) (Refund, error)
	// Find tells how an intent stands; ErrNotFound when there is none.
	Find(ctx context.Context, intentID string) (Intent, error)
	// FindRefund tells how a refund stands, by the provider's id.
	FindRefund(ctx context.Context, id string) (Refund, error)
	// Notice reads a webhook whose signature is right at a time; ErrBadSignature when it is not.
	Notice(payload []byte, signature string, now time.Time) (Notice, error)
}

// Ledger is the provider's own books, for those who compare them with ours. Neither method promises an order.
type Ledger interface {
	// Charges gives every intent created at or after a time, captured or not, until each returns an error.
	Charges(ctx context.Context, since time.Time, each func(Intent) error) error
	// Refunds gives every refund created at or after a time.
	Refunds(ctx context.Context, since time.Time, each func(Refund) error) error
}
