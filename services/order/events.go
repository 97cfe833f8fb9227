package order

import (
	"context"
	"errors"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// This service publishes OrderConfirmed and OrderFailed on order-events, each in the transaction that ends its saga, and hears
// payment-events.

// onPayment takes a payment's event as the hint that it is. A saga that is driven here looks at its payment at once. One whose
// holder has stopped is taken on, but only when the payment's owner says that there is such a payment and that it is settled: a
// forged or stale event costs two reads and moves nothing.
func (s *Service) onPayment(ctx context.Context, event contract.Event) error {
	if event.Type != contract.PaymentSucceeded && event.Type != contract.PaymentFailed {
		return nil
	}
	var change contract.PaymentChange
	if err := event.Decode(&change); err != nil {
		// No later attempt would read it; the sweeper finds the saga all the same.
		s.log.WarnContext(ctx, "A payment's event could not be read and was passed over.", "event_id", event.ID, "error", err.Error())
		return nil //nolint:nilerr // see above
	}
	home, known := s.homeOf(change.SagaID)
	if !known {
		s.log.WarnContext(ctx, "A payment's event names no saga and was passed over.", "event_id", event.ID)
		return nil
	}
	if s.orchestrator.wake(change.SagaID) {
		return nil
	}
	return s.takeOver(ctx, home, change.SagaID)
}

// homeOf gives the region of a saga's rows; false when the id is no saga's.
func (s *Service) homeOf(sagaID string) (string, bool) {
	id, err := geo.ParseID(sagaID)
	home, known := s.homes[id.Region]
	return home, err == nil && id.Kind == "sga" && known
}

func (s *Service) takeOver(ctx context.Context, home, sagaID string) error {
	abandoned, err := s.store.abandoned(ctx, home, sagaID)
	if err != nil || !abandoned {
		return err
	}
	payment, err := s.neighbours.payment(ctx, sagaID)
	var typed *contract.Error
	if errors.As(err, &typed) && !passing(err) {
		return nil //nolint:nilerr // its owner knows of no such payment: the event is forged
	}
	if err != nil || payment.State == contract.PaymentStatePending {
		return err
	}
	taken, err := s.store.claimOne(ctx, home, sagaID, s.orchestrator.holder, s.config.Lease)
	if err != nil {
		return err
	}
	for _, saga := range taken {
		s.orchestrator.resume(ctx, saga)
	}
	return nil
}
