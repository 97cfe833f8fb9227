package payment

import (
	"context"
	"errors"
	"fmt"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// refund gives back part or all of what a saga was charged, once for each refund's id. What the payment may still give back is
// reserved in the same transaction that writes the refund, so that no two of them give back the same money. It comes back pending
// when the provider's answer did not; a repeat, a webhook or the reconcile loop finds out.
func (s *Service) refund(ctx context.Context, sagaID string, request contract.RefundRequest) (refund, error) {
	region, _, err := home(sagaID, s.regions)
	if err != nil {
		return refund{}, err
	}
	if err := validateRefund(request); err != nil {
		return refund{}, err
	}
	asked := refund{Refund: contract.Refund{ID: request.RefundID, SagaID: sagaID, Amount: request.Amount}, region: region}
	r, err := s.store.openRefund(ctx, asked, *s.dueAfterCall())
	switch {
	case errors.Is(err, errRefused):
		return refund{}, s.whyRefused(ctx, asked)
	case err != nil:
		return refund{}, fmt.Errorf("open the refund %s: %w", request.RefundID, err)
	case r.Amount != request.Amount:
		return refund{}, contract.Errorf(contract.CodeConflict, "the refund %s is of another amount", r.ID)
	case r.State != contract.RefundStatePending:
		return r, nil
	}
	return s.giveBack(ctx, r)
}

// whyRefused says what keeps a payment from giving back.
func (s *Service) whyRefused(ctx context.Context, asked refund) error {
	p, err := s.lookUp(ctx, asked.SagaID)
	if err != nil {
		return err
	}
	switch {
	case p.State != contract.PaymentStateCaptured || p.voiding:
		return contract.Errorf(contract.CodeConflict, "the charge of %s is %s: there is nothing to refund", p.SagaID, p.State)
	case p.Amount.Currency != asked.Amount.Currency:
		return contract.Invalid("amount.currency", "is not %s, in which was charged", p.Amount.Currency)
	}
	left := contract.Money{Amount: p.Amount.Amount - p.Refunded.Amount, Currency: p.Amount.Currency}
	return contract.Errorf(contract.CodeConflict, "only %s of %s can still be refunded", left, p.Amount).With("refundable", left)
}

// giveBack asks the provider and records its answer.
func (s *Service) giveBack(ctx context.Context, r refund) (refund, error) {
	limited, cancel := context.WithTimeout(ctx, s.config.providerLimit)
	defer cancel()
	told, err := s.provider.Refund(limited, provider.RefundOrder{
		RefundID: r.ID, SagaID: r.SagaID, IntentID: r.intentID, Key: "refund-" + r.SagaID + "-" + r.ID, Amount: r.Amount,
	})
	var refused *provider.Refused
	if errors.As(err, &refused) {
		told, err = provider.Refund{State: provider.RefundFailed, Reason: refused.Code}, nil
	}
	if err != nil {
		s.log.WarnContext(ctx, "The payment provider did not answer a refund; it will be asked again.", "saga_id", r.SagaID, "refund_id", r.ID, "error", err.Error())
		return r, nil
	}
	return s.settleRefund(ctx, r, told)
}

// settleRefund records what the provider says of a refund; a pending one is asked about again later.
func (s *Service) settleRefund(ctx context.Context, r refund, told provider.Refund) (refund, error) {
	ctx = context.WithoutCancel(ctx)
	r.at, r.Reason = told.ID, told.Reason
	switch told.State {
	case provider.RefundPending:
		pause := min(max(s.now().Sub(r.createdAt)/2, settleMargin), longestPause)
		return r, s.store.postponeRefund(ctx, r, s.now().Add(pause))
	case provider.RefundSucceeded:
		r.State = contract.RefundStateSucceeded
	case provider.RefundFailed:
		r.State = contract.RefundStateFailed
	}
	changed, err := s.store.settleRefund(ctx, r)
	if err != nil {
		return refund{}, err
	}
	if !changed {
		return s.lookUpRefund(ctx, r.SagaID, r.ID)
	}
	if r.State == contract.RefundStateFailed {
		s.outcomes.WithLabelValues("refund_failed").Inc()
		s.log.ErrorContext(ctx, "The payment provider could not give money back.", "saga_id", r.SagaID, "refund_id", r.ID, "reason", r.Reason)
	} else {
		s.outcomes.WithLabelValues("refunded").Inc()
	}
	return r, nil
}

// lookUpRefund gives one refund.
func (s *Service) lookUpRefund(ctx context.Context, sagaID, id string) (refund, error) {
	region, _, err := home(sagaID, s.regions)
	if err != nil {
		return refund{}, err
	}
	r, found, err := s.store.findRefund(ctx, region, sagaID, id)
	if err == nil && !found {
		err = contract.Errorf(contract.CodeNotFound, "there is no refund %s of %s", id, sagaID)
	}
	return r, err
}
