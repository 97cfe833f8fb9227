// Package provider is the port through which payment reaches whoever moves the money. An adapter is right when it passes the
// suite in providertest.
package provider

import (
	"context"
	"errors"

	"github.com/meridian-store/meridian/services/contract"
)

// State is what became of a charge at the provider.
type State string

// The states. Captured may still become Voided, by a refund; Declined and Voided are last.
const (
	Captured State = "captured"
	Declined State = "declined"
	// Voided is a charge that was cancelled before it was captured, or refunded after.
	Voided State = "voided"
)

// ErrInvalidToken says that the token stands for no means of payment. Nothing was charged and nothing was recorded.
var ErrInvalidToken = errors.New("the payment token is not known")

// Charge asks for money.
type Charge struct {
	// Key names the charge: however often it is asked for, by whomever, it is captured at most once.
	Key     string
	OrderID string
	Amount  contract.Money
	// Token stands for the shopper's means of payment. It is never stored or logged.
	Token string
}

// Result is where a charge stands.
type Result struct {
	// ID is the provider's own name for the charge; empty when it was voided before it existed.
	ID    string
	State State
	// Reason says why it was declined, in the provider's words for programs such as card_declined.
	Reason string
}

// Provider moves money. Each method may be repeated; an error means that what became of the charge is not known, except for
// ErrInvalidToken.
type Provider interface {
	// Charge captures the amount unless the key was used before: then it answers what became of the charge of that key.
	Charge(ctx context.Context, charge Charge) (Result, error)
	// Cancel makes sure that the key will never be captured from now on, unless it was already: the answer is Captured,
	// Declined or Voided. A key that was never used is Voided, and a later Charge of it answers so.
	Cancel(ctx context.Context, key string) (Result, error)
	// Void makes sure that nothing is taken: it cancels, and gives back in full what was captured. The answer is Voided or Declined.
	Void(ctx context.Context, key string) (Result, error)
	// Find tells where the charge of a key stands; false when the key was never used.
	Find(ctx context.Context, key string) (Result, bool, error)
}
