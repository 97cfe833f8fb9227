package payment

import (
	"context"
	"errors"
	"fmt"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// charge charges a saga once, however often it is asked: one commit between the intent and its confirmation, and one after. The
// payment comes back pending when the provider's answer did not; a repeat, a webhook or the reconcile loop finds out.
//
// The intent comes before the row, because it takes no money and its key is the saga's id, which others have stored: whoever repeats
// the charge gets the same intent. So each row that waits for the provider names an intent, and can be asked about without the token.
func (s *Service) charge(ctx context.Context, request contract.ChargeRequest) (payment, error) {
	region, code, err := home(request.SagaID, s.regions)
	if err != nil {
		return payment{}, err
	}
	if err := validate(request); err != nil {
		return payment{}, err
	}
	p := newPayment(request, region, code)
	if request.Amount.Amount == 0 {
		return s.chargeNothing(ctx, p, request)
	}
	limited, cancel := context.WithTimeout(ctx, s.config.providerLimit)
	defer cancel()
	intent, err := s.provider.Prepare(limited, provider.Charge{
		Names: provider.Names{SagaID: request.SagaID, OrderID: request.OrderID}, Key: "create-" + request.SagaID,
		Amount: request.Amount, ByHand: s.config.byHand(),
	})
	if err != nil {
		return s.chargeUnprepared(ctx, p, request, err)
	}
	p.intentID = intent.ID
	if p, err = s.store.open(ctx, p, s.dueAfterCall()); err != nil {
		return payment{}, err
	}
	if p.intentID != intent.ID {
		s.letGo(ctx, intent.ID)
	}
	if err := p.admits(request); err != nil || p.State != contract.PaymentStatePending {
		return p, err
	}
	result, known := s.ask(limited, p, request.Token)
	if known {
		if p, err = s.settle(ctx, p, result); err != nil {
			return payment{}, err
		}
	}
	return p, p.admits(request)
}

// chargeNothing settles an order that costs nothing without the provider, who charges no zero.
func (s *Service) chargeNothing(ctx context.Context, p payment, request contract.ChargeRequest) (payment, error) {
	p.State, p.Reason = contract.PaymentStateCaptured, reasonNothingToCharge
	return s.openSettled(ctx, p, request)
}

// chargeUnprepared goes on without an intent: what is settled is answered, what the provider will never charge is declined, and
// everything else is left to a repeat. No money can have moved.
func (s *Service) chargeUnprepared(ctx context.Context, p payment, request contract.ChargeRequest, cause error) (payment, error) {
	var refused *provider.Refused
	if errors.As(cause, &refused) {
		p.State, p.Reason = contract.PaymentStateDeclined, refused.Code
		return s.openSettled(ctx, p, request)
	}
	found, exists, err := s.store.find(context.WithoutCancel(ctx), p.region, p.SagaID)
	switch {
	case err != nil:
		return payment{}, err
	case exists:
		return found, found.admits(request)
	case errors.Is(cause, provider.ErrKeyReused):
		return payment{}, contract.Errorf(contract.CodeConflict, "%s was to be charged for another order or amount already", p.SagaID)
	}
	s.log.WarnContext(ctx, "The payment provider did not answer before a charge; it can be tried again.", "saga_id", p.SagaID, "error", cause.Error())
	return payment{}, contract.Unavailable(cause, "the payment provider did not answer")
}

// openSettled writes a payment that is settled from the start.
func (s *Service) openSettled(ctx context.Context, p payment, request contract.ChargeRequest) (payment, error) {
	opened, changed, err := s.store.openSettled(context.WithoutCancel(ctx), p)
	if err != nil {
		return payment{}, err
	}
	if changed {
		s.outcomes.WithLabelValues(opened.State).Inc()
	}
	return opened, opened.admits(request)
}

// letGo cancels an intent that no row names. Nothing hangs on it: an intent that is never confirmed takes no money.
func (s *Service) letGo(ctx context.Context, intentID string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.findLimit)
	defer cancel()
	if _, err := s.provider.Cancel(ctx, intentID, "cancel-"+intentID); err != nil {
		s.log.WarnContext(ctx, "A payment intent that nobody will confirm could not be cancelled.", "intent_id", intentID, "error", err.Error())
	}
}

// result is what a payment has come to, in our words.
type result struct {
	state, reason string
	// refunded is what was given back by a void.
	refunded int64
}

// ask confirms at the provider. When no answer comes in time the charge may stand all the same, so it is looked for; known is
// false when what became of it is still open.
func (s *Service) ask(ctx context.Context, p payment, token string) (told result, known bool) {
	intent, err := s.provider.Confirm(ctx, provider.Confirmation{IntentID: p.intentID, Key: "confirm-" + p.intentID, Token: token})
	if err == nil {
		told, known, err = s.conclude(ctx, p, intent)
	}
	if err == nil {
		return told, known
	}
	var refused *provider.Refused
	switch {
	case errors.Is(err, provider.ErrInvalidToken):
		return result{state: contract.PaymentStateDeclined, reason: reasonInvalidToken}, true
	case errors.As(err, &refused):
		return result{state: contract.PaymentStateDeclined, reason: refused.Code}, true
	}
	ctx = context.WithoutCancel(ctx)
	s.log.WarnContext(ctx, "The payment provider did not answer a charge; it is asked whether the charge stands.", "payment_id", p.ID, "error", err.Error())
	if told, known, err = s.look(ctx, p); err != nil {
		s.log.WarnContext(ctx, "The payment provider did not tell whether a charge stands; the payment stays pending.", "payment_id", p.ID, "error", err.Error())
	}
	return told, known && err == nil
}

// look reads how a charge stands; known is false while it is open.
func (s *Service) look(ctx context.Context, p payment) (told result, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.findLimit)
	defer cancel()
	intent, err := s.provider.Find(ctx, p.intentID)
	if err != nil {
		return result{}, false, err
	}
	return s.conclude(ctx, p, intent)
}

// conclude says what an intent has come to. Money that is only set aside is taken, because the row that says so is ours.
func (s *Service) conclude(ctx context.Context, p payment, intent provider.Intent) (told result, known bool, err error) {
	if intent.State == provider.Authorised {
		if intent, err = s.provider.Capture(ctx, p.intentID, "capture-"+p.intentID); err != nil {
			return result{}, false, err
		}
	}
	switch intent.State {
	case provider.Captured:
		if intent.Amount != p.Amount || intent.Captured != p.Amount.Amount {
			return result{}, false, fmt.Errorf("the provider captured %d of %s for a payment of %s", intent.Captured, intent.Amount, p.Amount)
		}
		return result{state: contract.PaymentStateCaptured}, true, nil
	case provider.Declined:
		return result{state: contract.PaymentStateDeclined, reason: intent.Reason}, true, nil
	case provider.Cancelled:
		return result{state: contract.PaymentStateVoided}, true, nil
	case provider.Open, provider.Authorised, provider.Processing:
	}
	return result{}, false, nil
}

// settle records what the provider answered, unless the payment has moved on meanwhile, and gives the payment as it then is.
func (s *Service) settle(ctx context.Context, p payment, told result) (payment, error) {
	// The money has moved, or not: that must be written down even when the caller has gone.
	settled, changed, err := s.store.settle(context.WithoutCancel(ctx), p, told)
	if err != nil {
		return payment{}, fmt.Errorf("settle %s: %w", p.ID, err)
	}
	if changed {
		s.outcomes.WithLabelValues(settled.State).Inc()
	}
	return settled, nil
}

// lookUp gives a saga's payment.
func (s *Service) lookUp(ctx context.Context, sagaID string) (payment, error) {
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

func (s *Service) unanswered(ctx context.Context, what string, p payment, err error) error {
	s.log.WarnContext(ctx, "The payment provider did not answer; it will be asked again.", "about", what, "payment_id", p.ID, "error", httpx.ErrorChain(err))
	return contract.Unavailable(err, "the payment provider did not answer")
}
