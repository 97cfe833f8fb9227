package order_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/order"
)

// reaper ends the holders of chosen carts' sagas at chosen boundaries, and remembers which boundaries were crossed.
type reaper struct {
	mu       sync.Mutex
	deaths   map[string]int // by cart id: how many holders are still to die
	at       map[string]order.Boundary
	crossed  map[order.Boundary]bool
	killed   map[order.Boundary]bool
	killedOf map[string]int
}

var errReaped = errors.New("reaped")

func newReaper() *reaper {
	return &reaper{deaths: map[string]int{}, at: map[string]order.Boundary{}, crossed: map[order.Boundary]bool{}, killed: map[order.Boundary]bool{}, killedOf: map[string]int{}}
}

func (r *reaper) cross(_ context.Context, crossing order.Crossing) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.crossed[crossing.Boundary] = true
	if r.at[crossing.CartID] != crossing.Boundary || r.deaths[crossing.CartID] == 0 {
		return nil
	}
	r.deaths[crossing.CartID]--
	r.killedOf[crossing.CartID]++
	r.killed[crossing.Boundary] = true
	return errReaped
}

func (r *reaper) await(ref string, boundary order.Boundary, deaths int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at[ref[:len(ref)-33]], r.deaths[ref[:len(ref)-33]] = boundary, deaths
}

// TestASagaOutlivesItsHolders cuts sagas of every kind at every boundary, twice each where it is crossed again, and lets whoever
// finds them go on. Each ends exactly once: confirmed and charged, or failed with nothing held and nothing charged.
func TestASagaOutlivesItsHolders(t *testing.T) {
	t.Parallel()
	reaper := newReaper()
	config := deadly()
	config.OnBoundary = reaper.cross
	s := openShop(t, config)
	kinds := []struct {
		token, sku string
		status     int
	}{
		{"tok_visa", "APRON", http.StatusCreated},
		{"tok_chargeDeclined", "BOWL", http.StatusPaymentRequired},
		{"tok_unknown", "BOWL", http.StatusPaymentRequired},
		{"tok_visa", "RARE", http.StatusConflict},
	}
	var group sync.WaitGroup
	for _, kind := range kinds {
		for _, boundary := range order.Boundaries() {
			ref := s.fill("use", kind.sku)
			reaper.await(ref, boundary, 2)
			group.Go(func() {
				got, err := s.insist(ref, "key", paying(kind.token))
				if err != nil || got.status != kind.status {
					t.Errorf("%s for %s, killed at %s: %s (%v)", kind.token, kind.sku, boundary, got, err)
					return
				}
				if again, err := s.insist(ref, "key", paying(kind.token)); err != nil || again != got {
					t.Errorf("%s for %s, killed at %s: first %s, then %s (%v)", kind.token, kind.sku, boundary, got, again, err)
				}
			})
		}
	}
	group.Wait()
	for _, boundary := range order.Boundaries() {
		if !reaper.killed[boundary] {
			t.Errorf("nobody died at %s", boundary)
		}
	}
	rows, err := s.DB.Query(t.Context(), `SELECT o.id, o.saga_id, o.status, o.cart_id, s.state, s.epoch, s.payment_token
		FROM orders AS o JOIN sagas AS s ON s.crdb_region = o.crdb_region AND s.id = o.saga_id WHERE o.crdb_region = 'us-east'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	orders, most := 0, int64(0)
	for rows.Next() {
		var id, sagaID, status, cartID, state, token string
		var epoch int64
		if err := rows.Scan(&id, &sagaID, &status, &cartID, &state, &epoch, &token); err != nil {
			t.Fatal(err)
		}
		orders, most = orders+1, max(most, epoch)
		held, charges := s.ledger(sagaID)
		sold := status == contract.OrderStatusConfirmed
		if status != state || token != "" || held != sold || (charges == 1) != sold || charges > 1 {
			t.Errorf("%s, killed %d times at %s: order %s, saga %s, held %v, charged %d times", id, reaper.killedOf[cartID], reaper.at[cartID], status, state, held, charges)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if want := len(kinds) * len(order.Boundaries()); orders != want || most < 3 {
		t.Errorf("%d orders, not %d; at most %d holders", orders, want, most)
	}
}

// TestAStaleHolderChangesNothing lets another holder finish a saga while the first is held up before its last write.
func TestAStaleHolderChangesNothing(t *testing.T) {
	t.Parallel()
	stuck, free := make(chan order.Crossing, 1), make(chan struct{})
	config := unhurried()
	config.Budget = 1
	config.OnBoundary = func(_ context.Context, crossing order.Crossing) error {
		if crossing.Boundary == order.Before(order.StepConfirm) && crossing.Epoch == 1 {
			stuck <- crossing
			<-free
		}
		return nil
	}
	s := openShop(t, config)
	ref := s.fill("use", "APRON")
	s.buy(ref, "key", paying("tok_visa"))
	crossing := <-stuck
	if _, err := s.DB.Exec(t.Context(), `UPDATE sagas SET epoch = 2, lease_until = now() - INTERVAL '1 second' WHERE crdb_region = 'us-east' AND id = $1`, crossing.SagaID); err != nil {
		t.Fatal(err)
	}
	final, err := s.insist(ref, "key", paying("tok_visa"))
	if err != nil || final.status != http.StatusCreated {
		t.Fatalf("%s (%v)", final, err)
	}
	close(free)
	s.Restart(t) // waits for the first holder's end
	s.open(t, s.Service)
	if again := s.buy(ref, "key", paying("tok_visa")); again != final {
		t.Errorf("%s, not %s", again, final)
	}
	if _, state, epoch := s.sagaOf(crossing.OrderID); state != "confirmed" || epoch != 3 {
		t.Errorf("the saga is %s in epoch %d", state, epoch)
	}
	if n := s.count(`SELECT count(*) FROM saga_steps WHERE crdb_region = 'us-east' AND saga_id = $1 AND outcome = 'confirmed'`, crossing.SagaID); n != 1 {
		t.Errorf("it was confirmed %d times", n)
	}
	if holds, charges := s.standing(); holds != 1 || charges != 1 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
}

func TestAStoppingServiceHandsItsSagasOver(t *testing.T) {
	t.Parallel()
	config := unhurried()
	config.Budget, config.Drain, config.Lease = 1, 1, 10*unhurried().Lease
	s := openShop(t, config)
	ref := s.fill("use", "APRON")
	if got := s.buy(ref, "key", paying("tok_slow")); got.status != http.StatusAccepted {
		t.Fatalf("%s", got)
	}
	s.Restart(t) // far within the lease
	s.open(t, s.Service)
	close(s.slow)
	final, err := s.insist(ref, "key", paying("tok_slow"))
	if err != nil || final.status != http.StatusCreated {
		t.Fatalf("%s (%v)", final, err)
	}
	if holds, charges := s.standing(); holds != 1 || charges != 1 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
}

// abandon buys a cart whose holder dies at a boundary, and waits until its lease is over. No sweeper finds it: only an event does.
func (s *shop) abandon(token string, reaper *reaper, boundary order.Boundary) (ref, orderID, sagaID string) {
	s.t.Helper()
	ref = s.fill("use", "APRON")
	reaper.await(ref, boundary, 1)
	orderID = s.buy(ref, "key", paying(token)).order(s.t).ID
	sagaID, _, _ = s.sagaOf(orderID)
	kittest.Eventually(s.t, func() error {
		if n := s.count(`SELECT count(*) FROM sagas WHERE crdb_region = 'us-east' AND id = $1 AND lease_until < now()`, sagaID); n != 1 {
			return errors.New("its lease is not over")
		}
		return nil
	})
	return ref, orderID, sagaID
}

func TestAPaymentsEventFindsAnAbandonedSaga(t *testing.T) {
	t.Parallel()
	reaper := newReaper()
	config := deadly()
	config.OnBoundary, config.Sweep = reaper.cross, 1<<40
	s := openShop(t, config)
	tell := func(kind, sagaID string) {
		data := `{"saga_id":"` + sagaID + `"}`
		s.Publish(t, contract.TopicPayments, contract.Event{
			SpecVersion: "1.0", ID: kind + sagaID, Source: "/us-east/payment", Type: kind, Subject: "one-partition", OriginRegion: "us-east", AggregateVersion: 1, Data: []byte(data),
		})
	}
	_, _, never := s.abandon("tok_visa", reaper, order.Before(order.StepCharge))
	charged, _, chargedSaga := s.abandon("tok_visa", reaper, order.After(order.StepCharge))
	refused, _, refusedSaga := s.abandon("tok_chargeDeclined", reaper, order.After(order.StepCharge))

	tell(contract.PaymentSucceeded, never) // forged: nothing was charged
	tell(contract.PaymentSucceeded, "sga_use_01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tell(contract.PaymentSucceeded, "no saga")
	tell(contract.PaymentFailed, chargedSaga) // forged too: the payment's owner knows better
	tell(contract.PaymentFailed, refusedSaga)
	if final, err := s.insist(charged, "key", paying("tok_visa")); err != nil || final.status != http.StatusCreated {
		t.Errorf("charged: %s (%v)", final, err)
	}
	if final, err := s.insist(refused, "key", paying("tok_chargeDeclined")); err != nil || final.status != http.StatusPaymentRequired {
		t.Errorf("declined: %s (%v)", final, err)
	}
	// The forged event came before these in their partition.
	if n := s.count(`SELECT count(*) FROM sagas WHERE crdb_region = 'us-east' AND id = $1 AND epoch = 1 AND state = 'running'`, never); n != 1 {
		t.Error("a forged event moved a saga")
	}
	if held, charges := s.ledger(never); !held || charges != 0 {
		t.Errorf("held %v, charged %d times", held, charges)
	}
}

// A saga whose region is lost is taken on by another, after the grace in which its own region would have done so.
func TestAnotherRegionsSagaIsTakenOn(t *testing.T) {
	t.Parallel()
	reaper := newReaper()
	config := deadly()
	config.OnBoundary, config.Grace = reaper.cross, 100*time.Millisecond
	s := openShop(t, config)
	ref := s.fill("euw", "APRON")
	reaper.await(ref, order.After(order.StepCharge), 1)
	got, err := s.insist(ref, "key", paying("tok_visa"))
	if err != nil || got.status != http.StatusCreated {
		t.Fatalf("%s (%v)", got, err)
	}
	if holds, charges := s.standing(); holds != 1 || charges != 1 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
	if _, _, epoch := s.sagaOf(got.order(t).ID); epoch != 2 {
		t.Errorf("it is in epoch %d", epoch)
	}
}

// A charge whose answer hangs is not waited for once an event tells of its payment, and the payment's owner says so too.
func TestAPaymentsEventEndsTheWaitForACharge(t *testing.T) {
	t.Parallel()
	config := unhurried()
	config.Budget = 1
	s := openShop(t, config)
	ref := s.fill("use", "APRON")
	pending := s.buy(ref, "key", paying("tok_slow")).order(t)
	saga, _, _ := s.sagaOf(pending.ID)
	tell := func(id string) {
		s.Publish(t, contract.TopicPayments, contract.Event{
			SpecVersion: "1.0", ID: id, Source: "/us-east/payment", Type: contract.PaymentSucceeded, Subject: "one-partition", OriginRegion: "us-east", AggregateVersion: 1,
			Data: []byte(`{"saga_id":"` + saga + `"}`),
		})
	}
	kittest.Eventually(t, func() error {
		if !s.isAsked("tok_slow") {
			return errors.New("it is not charged yet")
		}
		return nil
	})
	tell("forged")
	s.capture(contract.Payment{ID: "pay_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", SagaID: saga, OrderID: pending.ID, Amount: pending.Total, State: contract.PaymentStateCaptured})
	tell("true")
	final, err := s.insist(ref, "key", paying("tok_slow"))
	if err != nil || final.status != http.StatusCreated || final.order(t).PaymentID == "" {
		t.Fatalf("%s (%v)", final, err)
	}
	if holds, charges := s.standing(); holds != 1 || charges != 1 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
}

func TestACaptureWhoseAnswerIsLostIsFound(t *testing.T) {
	t.Parallel()
	config := unhurried()
	config.Provider = 1 // the payment service gives up; what was captured stands in its ledger
	s := openShop(t, config)
	got := s.buy(s.fill("use", "APRON"), "key", paying("tok_timeoutAfterCharge"))
	if got.status != http.StatusCreated {
		t.Fatalf("%s", got)
	}
	if holds, charges := s.standing(); holds != 1 || charges != 1 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
}
