package payment

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/sandbox"
	"github.com/meridian-store/meridian/services/payment/provider"
)

func TestAnOrderThatCostsNothingNeedsNoProvider(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	request := requestFor(sandbox.TokenVisa)
	request.Amount.Amount = 0
	for range 2 {
		free, status := shop.charge(t, request)
		wantState(t, free, status, contract.PaymentStateCaptured, http.StatusCreated)
		if free.Reason != reasonNothingToCharge || free.Amount != request.Amount {
			t.Errorf("got %+v", free)
		}
		shop.waitEvent(t, free.ID, contract.PaymentSucceeded)
	}
	if charges, _ := shop.ledger(t, request.SagaID); charges != 0 {
		t.Errorf("the provider has %d charges", charges)
	}
	if _, status := shop.refund(t, request.SagaID, refundRequest(1)); status != http.StatusConflict {
		t.Errorf("a refund of it got %d, want 409", status)
	}
	voided, status := shop.void(t, request.SagaID, "")
	wantState(t, voided, status, contract.PaymentStateVoided, http.StatusOK)
	if _, status := shop.charge(t, request); status != http.StatusConflict {
		t.Errorf("a charge after its void got %d, want 409", status)
	}
}

func TestAChargeByHandIsAuthorisedThenCaptured(t *testing.T) {
	t.Parallel()
	rig := newRig(t)
	rig.config.Capture = captureByHand
	shop := rig.start(t)
	charged := shop.captured(t)
	shop.wantTaken(t, charged.SagaID, charged.Amount.Amount)
	declined, status := shop.charge(t, requestFor(sandbox.TokenDeclined))
	wantState(t, declined, status, contract.PaymentStateDeclined, http.StatusCreated)
}

// uncaptured loses every capture on its way to the provider.
type uncaptured struct {
	provider.Provider
	lost *atomic.Bool
}

func (u uncaptured) Capture(ctx context.Context, intentID, key string) (provider.Intent, error) {
	if u.lost.Load() {
		return provider.Intent{}, errLost
	}
	return u.Provider.Capture(ctx, intentID, key)
}

func TestMoneyThatIsOnlySetAsideIsTakenOrLetGo(t *testing.T) {
	t.Parallel()
	rig, clock, lost := newRig(t), newClock(), &atomic.Bool{}
	rig.config.Capture = captureByHand
	lost.Store(true)
	shop := rig.wrap(func(next provider.Provider) provider.Provider { return uncaptured{next, lost} }).start(t, kittest.WithNow(clock.now))
	taken, let := requestFor(sandbox.TokenVisa), requestFor(sandbox.TokenVisa)
	for _, request := range []contract.ChargeRequest{taken, let} {
		pending, status := shop.charge(t, request)
		wantState(t, pending, status, contract.PaymentStatePending, http.StatusAccepted)
	}
	voided, status := shop.void(t, let.SagaID, "?keep_captured=true")
	wantState(t, voided, status, contract.PaymentStateVoided, http.StatusOK)
	lost.Store(false)
	clock.move(time.Minute)
	shop.eventually(t, taken.SagaID, contract.PaymentStateCaptured)
	shop.wantTaken(t, taken.SagaID, taken.Amount.Amount)
	shop.wantTaken(t, let.SagaID, 0)
}

// refusing is a provider that takes no such amount.
type refusing struct{ provider.Provider }

func (refusing) Prepare(context.Context, provider.Charge) (provider.Intent, error) {
	return provider.Intent{}, &provider.Refused{Code: "amount_too_small"}
}

func TestWhatTheProviderNeverChargesIsDeclined(t *testing.T) {
	t.Parallel()
	shop := newRig(t).wrap(func(next provider.Provider) provider.Provider { return refusing{next} }).start(t)
	request := requestFor(sandbox.TokenVisa)
	for range 2 {
		declined, status := shop.charge(t, request)
		wantState(t, declined, status, contract.PaymentStateDeclined, http.StatusCreated)
		if declined.Reason != "amount_too_small" {
			t.Errorf("declined because of %q", declined.Reason)
		}
		shop.waitEvent(t, declined.ID, contract.PaymentFailed)
	}
}

// absent is a provider that is not there at all.
type absent struct {
	provider.Provider
	away  *atomic.Bool
	calls *atomic.Int64
}

func (a absent) Prepare(ctx context.Context, charge provider.Charge) (provider.Intent, error) {
	if a.away.Load() {
		a.calls.Add(1)
		return provider.Intent{}, errLost
	}
	return a.Provider.Prepare(ctx, charge)
}

// During an outage of the provider what is settled is still told, what is not is refused, and after a few failures at once.
func TestAnOutageOfTheProviderIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	away, calls := &atomic.Bool{}, &atomic.Int64{}
	shop := newRig(t).wrap(func(next provider.Provider) provider.Provider { return absent{next, away, calls} }).start(t)
	before := requestFor(sandbox.TokenVisa)
	charged, _ := shop.charge(t, before)
	away.Store(true)
	during := requestFor(sandbox.TokenVisa)
	for range 3 * tripAfter {
		if _, status := shop.charge(t, during); status != http.StatusServiceUnavailable {
			t.Errorf("a charge during the outage got %d, want 503", status)
		}
	}
	if asked := calls.Load(); asked < tripAfter || asked > 2*tripAfter {
		t.Errorf("the provider was asked %d times, want the circuit open after %d", asked, tripAfter)
	}
	if got, status := shop.charge(t, before); status != http.StatusCreated || got != charged {
		t.Errorf("a settled charge got %d %+v", status, got)
	}
	away.Store(false)
	kittest.Eventually(t, func() error {
		if _, status := shop.charge(t, during); status != http.StatusCreated {
			return errors.New("the circuit is still open")
		}
		return nil
	})
	shop.wantTaken(t, during.SagaID, during.Amount.Amount)
}

func TestTheEnvironmentNamesTheProvider(t *testing.T) {
	if os.Getenv("MERIDIAN_PAYMENT_KEY") != "" {
		t.Skip("a payment key is set in this environment")
	}
	for name, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		"stripe without a key": {map[string]string{"MERIDIAN_PAYMENT_PROVIDER": "stripe"}, "MERIDIAN_PAYMENT_KEY"},
		"sandbox without url":  {map[string]string{"MERIDIAN_PAYMENT_KEY": "sk"}, "MERIDIAN_PAYMENT_URL"},
		"another":              {map[string]string{"MERIDIAN_PAYMENT_PROVIDER": "cash"}, `"cash"`},
		"another capture":      {map[string]string{"MERIDIAN_PAYMENT_PROVIDER": "stripe", "MERIDIAN_PAYMENT_KEY": "sk", "MERIDIAN_PAYMENT_CAPTURE": "later"}, `"later"`},
		"stripe":               {map[string]string{"MERIDIAN_PAYMENT_PROVIDER": "stripe", "MERIDIAN_PAYMENT_KEY": "sk", "MERIDIAN_PAYMENT_CAPTURE": "manual"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := kit.ReadConfig[Config](t.Context(), func(name string) (string, bool) {
				value, found := test.env[name]
				return value, found
			})
			switch {
			case test.want == "" && (err != nil || !got.byHand()):
				t.Errorf("got %+v, %v", got, err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n")):
				t.Errorf("got %v, want one line with %s", err, test.want)
			}
		})
	}
}
