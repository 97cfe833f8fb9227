// Package payment charges a saga at most once and knows for certain what was charged.
//
// A payment belongs to one saga. The provider makes an intent, which takes no money; the payment is written as pending with the
// intent's id; only then is the intent confirmed. From there it moves
//
//	pending → captured | declined | voided        captured → voided
//
// by the provider's answer only. Whoever finds a payment pending asks the provider about its intent, so that a crash or a lost answer
// is healed by a repeat, a webhook, or the reconcile loop. A void is final: it is recorded before the provider is asked, and from then
// on no capture is recorded; a saga that was voided, even before it was ever charged, refuses a late charge.
//
// What was captured is given back by refunds, each of which takes its amount off what is left before the provider is asked. A payment
// of nothing is captured without the provider, whose ledger has no entry of it.
package payment

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

const (
	// reasonInvalidToken is why a charge was declined whose token the provider does not know.
	reasonInvalidToken = "invalid_token"
	// reasonNothingToCharge is why a payment of zero is captured although the provider was not asked.
	reasonNothingToCharge = "nothing_to_charge"
)

// payment is a saga's payment with what never leaves the service.
type payment struct {
	contract.Payment
	// region is the saga's home, where the row is.
	region    string
	tokenHash string
	voiding   bool
	// intentID is what the provider knows the charge by; empty when it was never asked.
	intentID  string
	version   int64
	createdAt time.Time
}

// home finds the region of a saga and its code by its id.
func home(sagaID string, regions []contract.Region) (name, code string, err error) {
	id, err := geo.ParseID(sagaID)
	if err != nil {
		return "", "", contract.Invalid("saga_id", "is %s", err)
	}
	for _, region := range regions {
		if region.Code == id.Region {
			return region.Name, region.Code, nil
		}
	}
	return "", "", contract.Invalid("saga_id", "names the region %s, which does not exist", id.Region)
}

// validate refuses a charge that could not be a real one.
func validate(request contract.ChargeRequest) error {
	if _, err := geo.ParseID(request.OrderID); err != nil {
		return contract.Invalid("order_id", "is %s", err)
	}
	if request.Amount.Amount < 0 {
		return contract.Invalid("amount.amount", "must not be negative")
	}
	return contract.ValidateCurrency("amount.currency", request.Amount.Currency)
}

// validateRefund refuses a refund that could not be a real one.
func validateRefund(request contract.RefundRequest) error {
	if request.Amount.Amount < 1 {
		return contract.Invalid("amount.amount", "must be at least 1, in minor units")
	}
	return contract.ValidateCurrency("amount.currency", request.Amount.Currency)
}

// hashToken names a token without telling it, differently for each saga, so that equal cards cannot be matched by their hashes.
func hashToken(sagaID, token string) string {
	sum := sha256.Sum256([]byte(sagaID + "\x00" + token))
	return hex.EncodeToString(sum[:])
}

// newPayment is the payment that a charge opens.
func newPayment(request contract.ChargeRequest, region, code string) payment {
	return payment{
		Payment: contract.Payment{
			ID: geo.NewID("pay", code), SagaID: request.SagaID, OrderID: request.OrderID, Amount: request.Amount,
			State: contract.PaymentStatePending, Refunded: contract.Money{Currency: request.Amount.Currency},
		},
		region: region, tokenHash: hashToken(request.SagaID, request.Token), version: 1,
	}
}

// newTombstone is the payment of a saga that is voided before any charge.
func newTombstone(sagaID, region, code string) payment {
	return payment{
		Payment: contract.Payment{ID: geo.NewID("pay", code), SagaID: sagaID, State: contract.PaymentStateVoided},
		region:  region, version: 1,
	}
}

// admits says whether a charge may go on with the payment: not after a void, and not for another order, amount or token.
func (p payment) admits(request contract.ChargeRequest) error {
	switch {
	case p.voiding || p.State == contract.PaymentStateVoided:
		return contract.Errorf(contract.CodeConflict, "the charge of %s was voided", p.SagaID)
	case p.OrderID != request.OrderID || p.Amount != request.Amount || p.tokenHash != hashToken(request.SagaID, request.Token):
		return contract.Errorf(contract.CodeConflict, "%s was charged for another order, amount or token already", p.SagaID)
	case p.State == contract.PaymentStateDeclined && p.Reason == reasonInvalidToken:
		return contract.Invalid("payment.token", "is not a token that the payment provider knows")
	}
	return nil
}

// eventOf gives the type of the event that announces a state.
func eventOf(state string) string {
	switch state {
	case contract.PaymentStateCaptured:
		return contract.PaymentSucceeded
	case contract.PaymentStateDeclined:
		return contract.PaymentFailed
	default:
		return contract.PaymentVoided
	}
}
