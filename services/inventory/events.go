package inventory

import (
	"context"

	"github.com/meridian-store/meridian/services/contract"
)

// applyEvent follows an order: its confirmation sells what was held, its failure gives it back. The event only says which saga
// to look at; what moves is what the saga's own row says. Both may have been done already, by the order service itself or by
// another region that heard of the order too.
func (s *service) applyEvent(ctx context.Context, event contract.Event) error {
	var target string
	switch event.Type {
	case contract.OrderConfirmed:
		target = contract.ReservationSold
	case contract.OrderFailed:
		target = contract.ReservationReleased
	default:
		return nil
	}
	var change contract.OrderChange
	if err := event.Decode(&change); err != nil {
		s.log.ErrorContext(ctx, "An order event cannot be read and was passed over.", "event_id", event.ID, "error", err.Error())
		return nil
	}
	err := s.follow(ctx, change.SagaID, target)
	switch contract.CodeOf(err) {
	case contract.CodeInvalid, contract.CodeNotFound, contract.CodeConflict:
		// Trying again would not change the answer; the audit compares orders and sales.
		s.log.ErrorContext(ctx, "An order event does not fit its reservation and was passed over.",
			"event_id", event.ID, "order_id", change.OrderID, "saga_id", change.SagaID, "wanted", target, "error", err.Error())
		return nil
	default:
		return err
	}
}

// follow brings a reservation to a last state; one that is there already costs one local read.
func (s *service) follow(ctx context.Context, sagaID, target string) error {
	r, err := s.lookUp(ctx, sagaID)
	if err == nil && r.State == target {
		return nil
	}
	if err != nil && contract.CodeOf(err) != contract.CodeNotFound {
		return err
	}
	if target == contract.ReservationSold {
		_, err = s.confirm(ctx, sagaID)
	} else {
		_, err = s.release(ctx, sagaID)
	}
	return err
}
