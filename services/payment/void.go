package payment

import (
	"context"
	"errors"
	"fmt"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// errProcessing says that the provider itself does not know yet what becomes of a charge.
var errProcessing = errors.New("the charge is still being processed")

// codeAllRefunded is how the provider refuses to give back what it gave back before.
const codeAllRefunded = "charge_already_refunded"

// void makes sure that a saga is not charged: it gives back what was captured and refuses what comes later. With keepCaptured a
// charge that stands is left alone, which is decided in the one place that knows, so that nothing captured between a look and a
// void is lost. The state that comes back is voided or declined, or captured when that was kept.
func (s *Service) void(ctx context.Context, sagaID string, keepCaptured bool) (payment, error) {
	region, code, err := home(sagaID, s.regions)
	if err != nil {
		return payment{}, err
	}
	tombstone := newTombstone(sagaID, region, code)
	if keepCaptured {
		return s.cancel(ctx, tombstone)
	}
	p, err := s.store.openVoid(ctx, tombstone, s.dueAfterCall())
	if err != nil {
		return payment{}, err
	}
	if !p.voiding {
		return p, nil
	}
	return s.finishVoid(ctx, p)
}

// cancel stops a payment that is not captured yet. It needs no mark in the row before the provider is asked: whatever the
// provider answers, a repeat of the charge or the reconcile loop would be told the same.
func (s *Service) cancel(ctx context.Context, tombstone payment) (payment, error) {
	p, err := s.store.open(ctx, tombstone, nil)
	if err != nil || p.State != contract.PaymentStatePending {
		return p, err
	}
	intent, err := s.cancelIntent(ctx, p)
	if err != nil {
		return payment{}, err
	}
	told, known, err := s.conclude(ctx, p, intent)
	if err == nil && !known {
		err = fmt.Errorf("a cancelled charge is still %s", intent.State)
	}
	if err != nil {
		return payment{}, s.unanswered(ctx, "a cancellation", p, err)
	}
	return s.settle(ctx, p, told)
}

// finishVoid voids at the provider what is marked for it, and settles.
func (s *Service) finishVoid(ctx context.Context, p payment) (payment, error) {
	voided := result{state: contract.PaymentStateVoided, refunded: p.Refunded.Amount}
	if p.intentID == "" { // nothing was charged
		return s.settle(ctx, p, voided)
	}
	intent, err := s.cancelIntent(ctx, p)
	if err != nil {
		return payment{}, err
	}
	if intent.State == provider.Captured {
		if err := s.giveAllBack(ctx, p, intent); err != nil {
			return payment{}, s.unanswered(ctx, "a void", p, err)
		}
		voided.refunded = intent.Captured
	}
	return s.settle(ctx, p, voided)
}

// cancelIntent makes sure that an intent is not captured from now on, unless it was.
func (s *Service) cancelIntent(ctx context.Context, p payment) (provider.Intent, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.providerLimit)
	defer cancel()
	intent, err := s.provider.Cancel(ctx, p.intentID, "cancel-"+p.intentID)
	if err == nil && intent.State != provider.Cancelled && intent.State != provider.Captured {
		err = fmt.Errorf("it is %s: %w", intent.State, errProcessing)
	}
	if err != nil {
		return provider.Intent{}, s.unanswered(ctx, "a cancellation", p, err)
	}
	return intent, nil
}

// giveAllBack refunds what of a captured charge was not given back before. The row is marked, so that no other refund begins.
func (s *Service) giveAllBack(ctx context.Context, p payment, intent provider.Intent) error {
	left := contract.Money{Amount: intent.Captured - p.Refunded.Amount, Currency: intent.Amount.Currency}
	if left.Amount < 1 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.providerLimit)
	defer cancel()
	given, err := s.provider.Refund(ctx, provider.RefundOrder{
		RefundID: "void-" + p.ID, SagaID: p.SagaID, IntentID: p.intentID, Amount: left,
		Key: fmt.Sprintf("void-%s-%d", p.intentID, left.Amount),
	})
	var refused *provider.Refused
	if errors.As(err, &refused) && refused.Code == codeAllRefunded {
		return nil // a repeat, after its key was forgotten
	}
	if err == nil && given.State == provider.RefundFailed {
		err = fmt.Errorf("the refund %s failed: %s", given.ID, given.Reason)
	}
	return err
}
