package payment

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/sandbox"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// The points at which a process may end while it charges, in their order.
const (
	beforeCreate  = "before the intent is created"
	afterCreate   = "after the intent is created and before its id is stored"
	beforeConfirm = "after the id is stored and before the intent is confirmed"
	afterConfirm  = "after the intent is confirmed and before that is recorded"
)

// dying ends a charge at a point, once, as the death of the process would: nothing after it is done.
type dying struct {
	provider.Provider
	at    string
	lives *atomic.Bool
}

func (d dying) reach(point string) {
	if d.at == point && !d.lives.Swap(true) {
		panic("the process dies " + point)
	}
}

func (d dying) Prepare(ctx context.Context, charge provider.Charge) (provider.Intent, error) {
	d.reach(beforeCreate)
	intent, err := d.Provider.Prepare(ctx, charge)
	d.reach(afterCreate)
	return intent, err
}

func (d dying) Confirm(ctx context.Context, confirmation provider.Confirmation) (provider.Intent, error) {
	d.reach(beforeConfirm)
	intent, err := d.Provider.Confirm(ctx, confirmation)
	d.reach(afterConfirm)
	return intent, err
}

// Wherever a charge is cut off, a repeat captures it once, a void leaves nothing taken, and one that nobody takes up is settled by the
// reconcile loop or takes nothing.
func TestAChargeThatIsCutOffAnywhereIsHealed(t *testing.T) {
	t.Parallel()
	for _, point := range []string{beforeCreate, afterCreate, beforeConfirm, afterConfirm} {
		cutOff := func(t *testing.T) (shop, *clock, contract.ChargeRequest) {
			t.Helper()
			clock := newClock()
			s := newRig(t).wrap(func(next provider.Provider) provider.Provider { return dying{next, point, &atomic.Bool{}} }).start(t, kittest.WithNow(clock.now))
			request := requestFor(sandbox.TokenVisa)
			if _, status := s.charge(t, request); status != http.StatusInternalServerError {
				t.Fatalf("the charge that was cut off got %d", status)
			}
			return s, clock, request
		}
		t.Run("a repeat "+point, func(t *testing.T) {
			t.Parallel()
			s, _, request := cutOff(t)
			captured, status := s.charge(t, request)
			wantState(t, captured, status, contract.PaymentStateCaptured, http.StatusCreated)
			if charges, taken := s.ledger(t, request.SagaID); charges != 1 || taken != request.Amount.Amount {
				t.Errorf("the provider has %d charges of %d in all", charges, taken)
			}
			s.waitEvent(t, captured.ID, contract.PaymentSucceeded)
		})
		t.Run("a void "+point, func(t *testing.T) {
			t.Parallel()
			s, _, request := cutOff(t)
			voided, status := s.void(t, request.SagaID, "")
			wantState(t, voided, status, contract.PaymentStateVoided, http.StatusOK)
			if _, status := s.charge(t, request); status != http.StatusConflict {
				t.Errorf("a charge after the void got %d, want 409", status)
			}
			s.wantTaken(t, request.SagaID, 0)
		})
		t.Run("nobody "+point, func(t *testing.T) {
			t.Parallel()
			s, clock, request := cutOff(t)
			clock.move(time.Minute)
			if point == afterConfirm {
				s.eventually(t, request.SagaID, contract.PaymentStateCaptured)
				s.wantTaken(t, request.SagaID, request.Amount.Amount)
				return
			}
			s.wantTaken(t, request.SagaID, 0)
		})
	}
}
