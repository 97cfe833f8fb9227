package order_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
)

func TestFiftyAtOnceWithOneKeyAreOneOrder(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use", "APRON", "BOWL")
	finals := make([]answer, 50)
	var group sync.WaitGroup
	for i := range finals {
		group.Go(func() {
			got, err := s.insist(ref, "key", paying("tok_visa"))
			if err != nil {
				t.Error(err)
			}
			finals[i] = got
		})
	}
	group.Wait()
	for _, final := range finals {
		if final != finals[0] || final.status != http.StatusCreated {
			t.Fatalf("%s\nand\n%s", finals[0], final)
		}
	}
	if holds, charges := s.standing(); holds != 1 || charges != 1 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
	if n := s.count(`SELECT count(*) FROM orders WHERE crdb_region = 'us-east'`); n != 1 {
		t.Errorf("%d orders", n)
	}
}

func TestARepeatIsAnsweredAsTheFirstTime(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use", "APRON")
	first := s.buy(ref, "key", paying("tok_visa"))
	if first.status != http.StatusCreated {
		t.Fatalf("%s", first)
	}
	s.change(ref)
	if again := s.buy(ref, "key", paying("tok_visa")); again != first {
		t.Errorf("with the cart emptied: %s, not %s", again, first)
	}
	s.Restart(t)
	s.open(t, s.Service)
	if again := s.buy(ref, "key", paying("tok_visa")); again != first {
		t.Errorf("after a restart: %s, not %s", again, first)
	}
	other := paying("tok_visa")
	other.ShippingMethod = "express"
	if code, _ := s.buy(ref, "key", other).problem(t); code != string(contract.CodeKeyReused) {
		t.Errorf("another body: %s", code)
	}
	stranger := ref[:len(ref)-32] + "00000000000000000000000000000000"
	if code, _ := s.buy(stranger, "key", paying("tok_visa")).problem(t); code != string(contract.CodeNotFound) {
		t.Errorf("another secret: %s", code)
	}
	if holds, charges := s.standing(); holds != 1 || charges != 1 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
}

func TestARepeatAnHourLaterIsAnsweredAsTheFirstTime(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	s := openShop(t, unhurried(), kittest.WithNow(func() time.Time { return time.Now().Add(time.Duration(later.Load())) }))
	ref := s.fill("use", "APRON")
	declinedRef := s.fill("use", "BOWL")
	first, declined := s.buy(ref, "key", paying("tok_visa")), s.buy(declinedRef, "key", paying("tok_chargeDeclined"))
	if first.status != http.StatusCreated || declined.status != http.StatusPaymentRequired {
		t.Fatalf("%s and %s", first, declined)
	}
	later.Store(int64(time.Hour))
	s.setPrice("APRON", 1)
	for range 3 {
		if again := s.buy(ref, "key", paying("tok_visa")); again != first {
			t.Errorf("an hour later: %s, not %s", again, first)
		}
		if again := s.buy(declinedRef, "key", paying("tok_chargeDeclined")); again != declined {
			t.Errorf("an hour later: %s, not %s", again, declined)
		}
	}
	if holds, charges := s.standing(); holds != 1 || charges != 1 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
}

func TestTwoKeysBuyACartOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use", "APRON")
	answers := make([]answer, 8)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			got, err := s.insist(ref, string(rune('a'+i)), paying("tok_visa"))
			if err != nil {
				t.Error(err)
			}
			answers[i] = got
		})
	}
	group.Wait()
	created := 0
	for _, got := range answers {
		switch {
		case got.status == http.StatusCreated:
			created++
		case got.status != http.StatusConflict:
			t.Errorf("%s", got)
		}
	}
	if holds, charges := s.standing(); created != 1 || holds != 1 || charges != 1 {
		t.Errorf("%d created, %d holds, %d charges", created, holds, charges)
	}
	// The order's event has not emptied the cart yet: its version stays bought.
	if got := s.buy(ref, "later", paying("tok_visa")); got.status != http.StatusConflict {
		t.Errorf("%s", got)
	}
	s.change(ref, contract.SKUCount{SKU: "BOWL", Quantity: 3})
	if got := s.buy(ref, "new", paying("tok_visa")); got.status != http.StatusCreated {
		t.Errorf("%s", got)
	}
}

func TestASlowCardIsAnsweredWithWhereToLook(t *testing.T) {
	t.Parallel()
	config := unhurried()
	config.Budget = 1 // any card is slower
	s := openShop(t, config)
	ref := s.fill("use", "APRON")
	first := s.buy(ref, "key", paying("tok_slow"))
	pending := first.order(t)
	if first.status != http.StatusAccepted || first.location != "/api/v1/orders/"+pending.ID || pending.Status != contract.OrderStatusPending {
		t.Fatalf("%s", first)
	}
	if again := s.buy(ref, "key", paying("tok_slow")); again.status != http.StatusAccepted || again.retry != "1" || again.location != first.location || again.order(t).ID != pending.ID {
		t.Errorf("while it runs: %s", again)
	}
	if code, _ := s.buy(ref, "other", paying("tok_visa")).problem(t); code != string(contract.CodeConflict) {
		t.Errorf("another key while it runs: %s", code)
	}
	if read := s.must(http.MethodGet, first.location, nil, contract.HeaderCartID, ref).order(t); read.Status != contract.OrderStatusPending {
		t.Errorf("it reads %+v", read)
	}
	close(s.slow)
	final, err := s.insist(ref, "key", paying("tok_slow"))
	if err != nil || final.status != http.StatusCreated || final.order(t).ID != pending.ID {
		t.Fatalf("%s (%v)", final, err)
	}
	if again := s.buy(ref, "key", paying("tok_slow")); again != final {
		t.Errorf("%s, not %s", again, final)
	}
}

func TestAMissingNeighbourIsWaitedFor(t *testing.T) {
	t.Parallel()
	config := unhurried()
	config.Budget = 1
	s := openShop(t, config)
	ref := s.fill("use", "APRON")
	for _, name := range []string{contract.ServiceCart, contract.ServiceCatalog} {
		s.setClosed(name, true)
		if got := s.buy(ref, "key", paying("tok_visa")); got.status != http.StatusServiceUnavailable {
			t.Errorf("without %s: %s", name, got)
		}
		s.setClosed(name, false)
	}
	// Once the saga is open, what is missing is tried again; 5xx is never kept for the key.
	s.setClosed(contract.ServiceInventory, true)
	s.setClosed(contract.ServicePayment, true)
	if got := s.buy(ref, "key", paying("tok_visa")); got.status != http.StatusAccepted {
		t.Fatalf("%s", got)
	}
	s.setClosed(contract.ServiceInventory, false)
	kittest.Eventually(t, func() error {
		if holds, _ := s.standing(); holds != 1 {
			return fmt.Errorf("%d holds", holds)
		}
		return nil
	})
	s.setClosed(contract.ServicePayment, false)
	if final, err := s.insist(ref, "key", paying("tok_visa")); err != nil || final.status != http.StatusCreated {
		t.Errorf("%s (%v)", final, err)
	}
}

func TestAnOverdueSagaGivesBack(t *testing.T) {
	t.Parallel()
	config := unhurried()
	config.Forward = 1
	s := openShop(t, config)
	s.setClosed(contract.ServicePayment, true)
	ref := s.fill("use", "APRON")
	settled := make(chan answer)
	go func() {
		got, err := s.ask(http.MethodPost, "/api/v1/checkout", paying("tok_visa"), contract.HeaderCartID, ref, contract.HeaderIdempotencyKey, "key")
		if err != nil {
			t.Error(err)
		}
		settled <- got
	}()
	// Nothing is given back, and nobody answered, until payment says that the charge is void.
	kittest.Eventually(t, func() error {
		if n := s.count(`SELECT count(*) FROM sagas WHERE crdb_region = 'us-east' AND direction = 'compensate'`); n != 1 {
			return errors.New("it has not turned")
		}
		return nil
	})
	if holds, _ := s.standing(); holds != 1 {
		t.Errorf("%d holds before the charge is known to be void", holds)
	}
	s.setClosed(contract.ServicePayment, false)
	got := <-settled
	if code, _ := got.problem(t); code != string(contract.CodeConflict) {
		t.Fatalf("%s", got)
	}
	if holds, charges := s.standing(); holds != 0 || charges != 0 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
}
