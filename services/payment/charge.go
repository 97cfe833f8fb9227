package payment

import (
	"context"
	"errors"
	"fmt"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/httpx"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// charge charges a saga once, however often it is asked: one commit before the provider and one after. The payment comes back
// pending when the provider's answer did not; a repeat, or the reconcile loop, finds out.
func (s *service) charge(ctx context.Context, request contract.ChargeRequest) (payment, error) {
	region, code, err := home(request.SagaID, s.regions)
	if err != nil {
		return payment{}, err
	}
	if err := validate(request); err != nil {
		return payment{}, err
	}
	p, err := s.store.open(ctx, newPayment(request, region, code), s.dueAfterCall())
	if err != nil {
		return payment{}, err
	}
	if err := p.admits(request); err != nil || p.State != contract.PaymentStatePending {
		return p, err
	}
	result, known, err := s.ask(ctx, p, request.Token)
	if err != nil {
		return payment{}, err
	}
	if known {
		if p, err = s.settle(ctx, p, result); err != nil {
			return payment{}, err
		}
	}
	return p, p.admits(request)
}

// ask charges at the provider. When no answer comes in time the charge may stand all the same, so it is looked for; known is
// false when what became of it is still open.
func (s *service) ask(ctx context.Context, p payment, token string) (result provider.Result, known bool, err error) {
	limited, cancel := context.WithTimeout(ctx, s.settings.providerLimit)
	defer cancel()
	result, err = s.provider.Charge(limited, provider.Charge{Key: p.key(), OrderID: p.OrderID, Amount: p.Amount, Token: token})
	if err == nil {
		return result, true, nil
	}
	if errors.Is(err, provider.ErrInvalidToken) {
		return provider.Result{State: provider.Declined, Reason: reasonInvalidToken}, true, nil
	}
	s.log.WarnContext(ctx, "The payment provider did not answer a charge; it is asked whether the charge stands.", "payment_id", p.ID, "error", err.Error())
	result, known, err = s.findAtProvider(context.WithoutCancel(ctx), p)
	if err != nil {
		s.log.WarnContext(ctx, "The payment provider did not tell whether a charge stands; the payment stays pending.", "payment_id", p.ID, "error", err.Error())
		return provider.Result{}, false, nil
	}
	return result, known, nil
}

func (s *service) findAtProvider(ctx context.Context, p payment) (provider.Result, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.settings.findLimit)
	defer cancel()
	return s.provider.Find(ctx, p.key())
}

// settle records the provider's answer, unless the payment has moved on meanwhile, and gives the payment as it then is.
func (s *service) settle(ctx context.Context, p payment, result provider.Result) (payment, error) {
	// The money has moved, or not: that must be written down even when the caller has gone.
	settled, changed, err := s.store.settle(context.WithoutCancel(ctx), p, result)
	if err != nil {
		return payment{}, fmt.Errorf("settle %s: %w", p.ID, err)
	}
	if changed {
		s.outcomes.WithLabelValues(settled.State).Inc()
	}
	return settled, nil
}

// void makes sure that a saga is not charged: it gives back what was captured and refuses what comes later. With keepCaptured a
// charge that stands is left alone, which is decided in the one place that knows, so that nothing captured between a look and a
// void is lost. The state that comes back is voided or declined, or captured when that was kept.
func (s *service) void(ctx context.Context, sagaID string, keepCaptured bool) (payment, error) {
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
func (s *service) cancel(ctx context.Context, tombstone payment) (payment, error) {
	p, err := s.store.open(ctx, tombstone, nil)
	if err != nil || p.State != contract.PaymentStatePending {
		return p, err
	}
	return s.resolve(ctx, p, s.provider.Cancel)
}

// finishVoid voids at the provider what is marked for it, and settles.
func (s *service) finishVoid(ctx context.Context, p payment) (payment, error) {
	return s.resolve(ctx, p, s.provider.Void)
}

func (s *service) resolve(ctx context.Context, p payment, how func(context.Context, string) (provider.Result, error)) (payment, error) {
	limited, cancel := context.WithTimeout(ctx, s.settings.providerLimit)
	defer cancel()
	result, err := how(limited, p.key())
	if err != nil {
		s.log.WarnContext(ctx, "The payment provider did not answer a void; it will be asked again.", "payment_id", p.ID, "error", httpx.ErrorChain(err))
		return payment{}, contract.Unavailable(err, "the payment provider did not answer")
	}
	return s.settle(ctx, p, result)
}

// lookUp gives a saga's payment.
func (s *service) lookUp(ctx context.Context, sagaID string) (payment, error) {
	region, _, err := home(sagaID, s.regions)
	if err != nil {
		return payment{}, err
	}
	p, found, err := s.store.find(ctx, region, sagaID)
	if err == nil && !found {
		err = contract.Errorf(contract.CodeNotFound, "%s was never charged", sagaID)
	}
	return p, err
}
