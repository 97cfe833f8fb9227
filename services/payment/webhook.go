package payment

import (
	"context"
	"errors"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// hear takes a webhook as the hint that it is: the provider is asked how the intent or the refund stands, and what it says is
// settled by the same conditional update as an answer to a call. So it does not matter which of the two comes first, how often, or
// in which region. An error has the provider send it again.
func (s *Service) hear(ctx context.Context, payload []byte, signature string) error {
	notice, err := s.provider.Notice(payload, signature, s.now())
	if errors.Is(err, provider.ErrBadSignature) {
		return contract.Invalid("Stripe-Signature", "is not the payment provider's")
	}
	if err != nil {
		return contract.Invalid("body", "is not a webhook of the payment provider")
	}
	region, _, err := home(notice.SagaID, s.regions)
	if err != nil {
		s.log.InfoContext(ctx, "A webhook is about no saga of ours and was passed over.", "event_id", notice.EventID, "event_type", notice.Type)
		return nil //nolint:nilerr // others may use the same account; it would never become ours
	}
	if notice.RefundAt != "" {
		return s.hearRefund(ctx, region, notice)
	}
	p, found, err := s.store.find(ctx, region, notice.SagaID)
	if err != nil {
		return err
	}
	if !found || p.intentID != notice.IntentID {
		s.log.InfoContext(ctx, "A webhook is about an intent that no payment names and was passed over.", "event_id", notice.EventID, "intent_id", notice.IntentID)
		return nil
	}
	if p.State != contract.PaymentStatePending || p.voiding {
		return nil // it is settled, or its void goes on whatever the provider says
	}
	told, known, err := s.look(ctx, p)
	if err != nil {
		return contract.Unavailable(err, "the payment provider did not answer")
	}
	if known {
		_, err = s.settle(ctx, p, told)
	}
	return err
}

func (s *Service) hearRefund(ctx context.Context, region string, notice provider.Notice) error {
	r, found, err := s.store.findRefund(ctx, region, notice.SagaID, notice.RefundID)
	if err != nil || !found {
		return err // the refund of a void has no row, and one made by hand at the provider is the audit's to find
	}
	told, err := s.findRefundAt(ctx, notice.RefundAt)
	if err != nil {
		return contract.Unavailable(err, "the payment provider did not answer")
	}
	// The refund's own books say whose it is; the notice's word for that is not enough.
	if told.RefundID != r.ID || told.SagaID != r.SagaID || told.Amount != r.Amount {
		s.log.WarnContext(ctx, "A webhook's refund is not the one that it names and was passed over.", "event_id", notice.EventID, "refund_id", notice.RefundID)
		return nil
	}
	_, err = s.settleRefund(ctx, r, told)
	return err
}

func (s *Service) findRefundAt(ctx context.Context, id string) (provider.Refund, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.findLimit)
	defer cancel()
	return s.provider.FindRefund(ctx, id)
}
