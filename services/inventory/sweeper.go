package inventory

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
)

const (
	// sweepBatch is how many expired holds one pass ends; the next pass takes the rest.
	sweepBatch = 100
	// sweepFailures end a pass early: each may have cost a time-out, because payment is away.
	sweepFailures = 3
)

// payments is what the sweeper asks of the payment service.
type payments interface {
	// voidUnlessCaptured makes sure that the saga is not charged from now on, unless it is already, and says which:
	// the state is captured when the charge stands and anything else when it never will.
	voidUnlessCaptured(ctx context.Context, sagaID string) (state string, err error)
}

func (p paymentClient) voidUnlessCaptured(ctx context.Context, sagaID string) (string, error) {
	var payment contract.Payment
	err := p.client.Do(ctx, httpx.Call{
		Service: contract.ServicePayment, Method: http.MethodPost,
		// Asking first and voiding after would refund a charge that was captured between the two.
		Path: "/internal/v1/charges/" + sagaID + "/void?keep_captured=true", Out: &payment,
	})
	return payment.State, err
}

// sweep ends the expired holds of some regions.
func (s *Service) sweep(ctx context.Context, regions []string, before time.Time) error {
	expired, err := s.store.expired(ctx, regions, before, sweepBatch)
	if err != nil {
		return fmt.Errorf("read expired holds: %w", err)
	}
	kit.Attempt(ctx, expired, sweepFailures, s.endExpired, func(r reservation, err error) {
		s.log.WarnContext(ctx, "An expired hold could not be ended; it is kept and will be tried again.", "saga_id", r.SagaID, "error", httpx.ErrorChain(err))
	})
	return nil
}

// endExpired releases a hold once its charge is known not to stand, and extends it while the charge does.
func (s *Service) endExpired(ctx context.Context, r reservation) error {
	state, err := s.payments.voidUnlessCaptured(ctx, r.SagaID)
	if err != nil {
		return err
	}
	switch state {
	case contract.PaymentStateVoided, contract.PaymentStateDeclined:
		_, err := s.release(ctx, r.SagaID)
		if contract.CodeOf(err) == contract.CodeConflict {
			return nil // sold between the look and now
		}
		return err
	case contract.PaymentStateCaptured:
		s.log.WarnContext(ctx, "A hold expired although its charge stands; it is extended until the order is settled.", "saga_id", r.SagaID)
		s.outcomes.WithLabelValues("extended").Inc()
		return s.store.extend(ctx, r, s.now().Add(s.config.extension))
	default:
		return contract.Errorf(contract.CodeUnavailable, "the charge of %s is still %s", r.SagaID, state)
	}
}
