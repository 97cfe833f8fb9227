package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/sandbox"
	"github.com/meridian-store/meridian/services/payment/provider"
)

var errLost = errors.New("the answer was lost")

// deaf carries everything out and answers nothing while it is deaf: what a crash or a cut line leaves.
type deaf struct {
	provider.Provider
	lost *atomic.Bool
}

func (d deaf) Confirm(ctx context.Context, confirmation provider.Confirmation) (provider.Intent, error) {
	return heard(d, func() (provider.Intent, error) { return d.Provider.Confirm(ctx, confirmation) })
}

func (d deaf) Cancel(ctx context.Context, intentID, key string) (provider.Intent, error) {
	return heard(d, func() (provider.Intent, error) { return d.Provider.Cancel(ctx, intentID, key) })
}

func (d deaf) Refund(ctx context.Context, order provider.RefundOrder) (provider.Refund, error) {
	return heard(d, func() (provider.Refund, error) { return d.Provider.Refund(ctx, order) })
}

func (d deaf) Find(ctx context.Context, intentID string) (provider.Intent, error) {
	return heard(d, func() (provider.Intent, error) { return d.Provider.Find(ctx, intentID) })
}

func heard[T any](d deaf, call func() (T, error)) (T, error) {
	answer, err := call()
	if d.lost.Load() {
		var none T
		return none, errLost
	}
	return answer, err
}

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

func startDeaf(t *testing.T) (shop, *atomic.Bool, *clock) {
	t.Helper()
	lost, clock := &atomic.Bool{}, newClock()
	rig := newRig(t).wrap(func(next provider.Provider) provider.Provider { return deaf{next, lost} })
	return rig.start(t, kittest.WithNow(clock.now)), lost, clock
}

func TestARepeatHealsALostAnswer(t *testing.T) {
	t.Parallel()
	shop, lost, _ := startDeaf(t)
	lost.Store(true)
	request := requestFor(sandbox.TokenVisa)
	pending, status := shop.charge(t, request)
	wantState(t, pending, status, contract.PaymentStatePending, http.StatusAccepted)
	shop.wantTaken(t, pending.SagaID, request.Amount.Amount)
	shop.Restart(t)
	lost.Store(false)
	captured, status := shop.charge(t, request)
	wantState(t, captured, status, contract.PaymentStateCaptured, http.StatusCreated)
	if charges, taken := shop.ledger(t, captured.SagaID); captured.ID != pending.ID || charges != 1 || taken != request.Amount.Amount {
		t.Errorf("the provider has %d charges of %d in all", charges, taken)
	}
}

func TestReconcileSettlesWhatNobodyRepeats(t *testing.T) {
	t.Parallel()
	shop, lost, clock := startDeaf(t)
	lost.Store(true)
	request := requestFor(sandbox.TokenVisa)
	pending, status := shop.charge(t, request)
	wantState(t, pending, status, contract.PaymentStatePending, http.StatusAccepted)
	lost.Store(false)
	clock.move(time.Minute)
	shop.eventually(t, request.SagaID, contract.PaymentStateCaptured)
	shop.waitEvent(t, pending.ID, contract.PaymentSucceeded)
	shop.wantTaken(t, pending.SagaID, request.Amount.Amount)
}

// The void is on record before the provider is asked, so its loss in the middle cannot end in a recorded capture.
func TestReconcileFinishesAVoid(t *testing.T) {
	t.Parallel()
	shop, lost, clock := startDeaf(t)
	request := requestFor(sandbox.TokenVisa)
	charged, _ := shop.charge(t, request)
	lost.Store(true)
	if _, status := shop.void(t, request.SagaID, ""); status != http.StatusServiceUnavailable {
		t.Fatalf("a void without an answer got %d, want 503", status)
	}
	if _, status := shop.charge(t, request); status != http.StatusConflict {
		t.Errorf("a charge during the void got %d, want 409", status)
	}
	if between, _ := shop.get(t, request.SagaID); between.State != contract.PaymentStatePending {
		t.Errorf("a payment that is being voided shows as %s", between.State)
	}
	lost.Store(false)
	clock.move(time.Minute)
	shop.eventually(t, request.SagaID, contract.PaymentStateVoided)
	shop.waitEvent(t, charged.ID, contract.PaymentVoided)
	shop.wantTaken(t, charged.SagaID, 0)
}

// A charge whose confirmation never reached the provider stays open for its saga, which alone has the token.
func TestReconcileLeavesWhatTheProviderNeverHeardOf(t *testing.T) {
	t.Parallel()
	clock := newClock()
	asked := make(chan string, 64)
	shop := newRig(t).wrap(func(next provider.Provider) provider.Provider { return unreached{next, asked} }).start(t, kittest.WithNow(clock.now))
	request := requestFor(sandbox.TokenVisa)
	pending, status := shop.charge(t, request)
	wantState(t, pending, status, contract.PaymentStatePending, http.StatusAccepted)
	if saga := <-asked; saga != pending.SagaID { // the look right after the failed call
		t.Fatalf("asked for %s", saga)
	}
	for range 2 { // and it is asked about again and again
		clock.move(longestPause)
		<-asked
	}
	found, _ := shop.get(t, request.SagaID)
	wantState(t, found, http.StatusOK, contract.PaymentStatePending, http.StatusOK)
	voided, status := shop.void(t, request.SagaID, "?keep_captured=true")
	wantState(t, voided, status, contract.PaymentStateVoided, http.StatusOK)
}

// unreached is a provider whose charges get lost on the way there.
type unreached struct {
	provider.Provider
	asked chan string
}

func (u unreached) Confirm(context.Context, provider.Confirmation) (provider.Intent, error) {
	return provider.Intent{}, errors.New("no way there")
}

func (u unreached) Find(ctx context.Context, intentID string) (provider.Intent, error) {
	intent, err := u.Provider.Find(ctx, intentID)
	select {
	case u.asked <- intent.SagaID:
	default: // the test has seen enough
	}
	return intent, err
}

func (s shop) eventually(t *testing.T, sagaID, state string) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if got, _ := s.get(t, sagaID); got.State != state {
			return fmt.Errorf("the payment is %s, want %s", got.State, state)
		}
		return nil
	})
}

func decode(t *testing.T, response *http.Response, into any) {
	t.Helper()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
