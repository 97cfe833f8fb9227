package inventory

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/local/kittest"
)

// cashier plays the payment service: it answers voids with the state that the test sets, and tells what it was asked.
type cashier struct {
	mu     sync.Mutex
	states map[string]string
	asked  chan string
}

func newCashier() *cashier {
	return &cashier{states: map[string]string{}, asked: make(chan string, 256)}
}

func (c *cashier) set(saga, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states[saga] = state
}

func (c *cashier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	saga := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/internal/v1/charges/"), "/void")
	c.mu.Lock()
	state := c.states[saga]
	c.mu.Unlock()
	if state == "" || r.Method != http.MethodPost || r.URL.Query().Get("keep_captured") != "true" {
		w.WriteHeader(http.StatusInternalServerError)
	} else if err := json.NewEncoder(w).Encode(contract.Payment{SagaID: saga, State: state}); err != nil {
		panic(err)
	}
	select {
	case c.asked <- saga:
	default: // the test has seen enough
	}
}

// askedFor waits until the sweeper has asked about a saga n times from now on.
func (c *cashier) askedFor(t *testing.T, saga string, n int) {
	t.Helper()
	for n > 0 {
		select {
		case got := <-c.asked:
			if got == saga {
				n--
			}
		case <-t.Context().Done():
			t.Fatal("the test ended first")
		}
	}
}

func startSwept(t *testing.T) (shop, *cashier, *clock) {
	t.Helper()
	clock, cashier := newClock(), newCashier()
	config := defaultConfig()
	config.sweepEvery = 50 * time.Millisecond
	shop := shop{kittest.Start(t, Definition().With(kit.WithConfig(config, New)), kittest.WithNow(clock.now))}
	shop.Neighbour(t, contract.ServicePayment, cashier)
	return shop, cashier, clock
}

func TestExpiredHoldsAreReleasedOnceTheirChargeCannotStand(t *testing.T) {
	t.Parallel()
	for _, state := range []string{contract.PaymentStateVoided, contract.PaymentStateDeclined} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			shop, cashier, clock := startSwept(t)
			shop.count(t, stock("A", iad, 5))
			expiring, lasting := newSaga(), newSaga()
			cashier.set(expiring, state)
			cashier.set(lasting, state)
			shop.reserve(t, request(expiring, "US", line("A", 2)))
			clock.move(holdSeconds / 2 * time.Second)
			shop.reserve(t, request(lasting, "US", line("A", 1)))
			clock.move(holdSeconds/2*time.Second + time.Second)
			shop.eventually(t, expiring, contract.ReservationReleased)
			if got, _ := shop.get(t, lasting); got.State != contract.ReservationHeld {
				t.Errorf("a hold that has not expired is %s", got.State)
			}
			if levels := shop.levels(t, "A"); levels[iad] != [2]int64{5, 1} {
				t.Errorf("the stock is %v", levels)
			}
			shop.audit(t)
		})
	}
}

func TestAnExpiredHoldWhoseChargeStandsIsExtended(t *testing.T) {
	t.Parallel()
	shop, cashier, clock := startSwept(t)
	shop.count(t, stock("A", iad, 5))
	saga := newSaga()
	cashier.set(saga, contract.PaymentStateCaptured)
	held, _ := shop.reserve(t, request(saga, "US", line("A", 2)))
	clock.move(holdSeconds*time.Second + time.Second)
	kittest.Eventually(t, func() error {
		if got, _ := shop.get(t, saga); !got.ExpiresAt.After(held.ExpiresAt) {
			return contract.Errorf(contract.CodeConflict, "it is %s until %s", got.State, got.ExpiresAt)
		}
		return nil
	})
	if got, status := shop.act(t, saga, "confirm"); status != http.StatusOK || got.State != contract.ReservationSold {
		t.Errorf("the confirm got %d %+v", status, got)
	}
	shop.audit(t)
}

// While nobody can say whether the charge stands, the hold stays as it is, expired but held.
func TestAnExpiredHoldWaitsForAnAnswer(t *testing.T) {
	t.Parallel()
	shop, cashier, clock := startSwept(t)
	shop.count(t, stock("A", iad, 5))
	saga := newSaga()
	held, _ := shop.reserve(t, request(saga, "US", line("A", 2)))
	clock.move(holdSeconds*time.Second + time.Second)
	cashier.askedFor(t, saga, 3) // it is away
	cashier.set(saga, contract.PaymentStatePending)
	cashier.askedFor(t, saga, 3)
	if got, _ := shop.get(t, saga); got.State != contract.ReservationHeld || !got.ExpiresAt.Equal(held.ExpiresAt) {
		t.Errorf("the hold is %s until %s, want it as it was", got.State, got.ExpiresAt)
	}
	cashier.set(saga, contract.PaymentStateVoided)
	shop.eventually(t, saga, contract.ReservationReleased)
	shop.audit(t)
}

func TestAnotherRegionsHoldIsEndedWhenItsOwnSweeperDoesNot(t *testing.T) {
	t.Parallel()
	shop, cashier, clock := startSwept(t)
	shop.count(t, stock("A", iad, 5))
	ours, theirs := newSaga(), geo.NewID("sga", "euw")
	cashier.set(ours, contract.PaymentStateVoided)
	cashier.set(theirs, contract.PaymentStateVoided)
	shop.reserve(t, request(ours, "US", line("A", 1)))
	shop.reserve(t, request(theirs, "IE", line("A", 1)))
	clock.move(holdSeconds*time.Second + time.Second)
	shop.eventually(t, ours, contract.ReservationReleased)
	if got, _ := shop.get(t, theirs); got.State != contract.ReservationHeld {
		t.Errorf("the other region's hold was %s before its own sweeper had time", got.State)
	}
	clock.move(defaultConfig().neighbourGrace)
	shop.eventually(t, theirs, contract.ReservationReleased)
	shop.audit(t)
}
