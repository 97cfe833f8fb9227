package stripe

import (
	"time"

	api "github.com/stripe/stripe-go/v85"

	"github.com/meridian-store/meridian/services/payment/provider"
)

func (s *Stripe) intent(from *api.PaymentIntent) (provider.Intent, error) {
	amount, err := inward(from.Amount, from.Currency)
	if err != nil {
		return provider.Intent{}, err
	}
	received, err := inward(from.AmountReceived, from.Currency)
	if err != nil {
		return provider.Intent{}, err
	}
	read := provider.Intent{
		Names: provider.Names{SagaID: from.Metadata[metaSaga], OrderID: from.Metadata[metaOrder]},
		ID:    from.ID, Amount: amount, Captured: received.Amount, CreatedAt: time.Unix(from.Created, 0),
	}
	switch from.Status {
	case api.PaymentIntentStatusSucceeded:
		read.State = provider.Captured
	case api.PaymentIntentStatusCanceled:
		read.State = provider.Cancelled
	case api.PaymentIntentStatusRequiresCapture:
		read.State = provider.Authorised
	case api.PaymentIntentStatusProcessing:
		read.State = provider.Processing
	default:
		read.State = provider.Open
		if from.LastPaymentError != nil {
			read.State, read.Reason = provider.Declined, string(from.LastPaymentError.Code)
		}
	}
	return read, nil
}

func (s *Stripe) refund(from *api.Refund) (provider.Refund, error) {
	amount, err := inward(from.Amount, from.Currency)
	if err != nil {
		return provider.Refund{}, err
	}
	read := provider.Refund{
		ID: from.ID, RefundID: from.Metadata[metaRefund], SagaID: from.Metadata[metaSaga], Amount: amount,
		State: provider.RefundPending, CreatedAt: time.Unix(from.Created, 0),
	}
	if from.PaymentIntent != nil {
		read.IntentID = from.PaymentIntent.ID
	}
	switch from.Status {
	case api.RefundStatusSucceeded:
		read.State = provider.RefundSucceeded
	case api.RefundStatusFailed, api.RefundStatusCanceled:
		read.State, read.Reason = provider.RefundFailed, string(from.FailureReason)
	case api.RefundStatusPending, api.RefundStatusRequiresAction:
	}
	return read, nil
}
