package order_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

// The cart was changed between its purchase and the moment at which it hears of it: its new version still holds what was bought.
func TestWhatIsBoughtIsNotBoughtAgainWithWhatWasAdded(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use", "APRON")
	first := s.buy(ref, "first", paying("tok_visa"))
	if first.status != http.StatusCreated {
		t.Fatalf("%s", first)
	}
	s.change(ref, contract.SKUCount{SKU: "APRON", Quantity: 3}, contract.SKUCount{SKU: "BOWL", Quantity: 1})
	second := s.buy(ref, "second", paying("tok_visa"))
	if second.status != http.StatusCreated {
		t.Fatalf("%s", second)
	}
	units := map[string]int64{}
	for _, line := range second.order(t).Quote.Lines {
		units[line.SKU] = line.Quantity
	}
	if len(units) != 2 || units["APRON"] != 2 || units["BOWL"] != 1 {
		t.Errorf("the second order has %v, not what was added", units)
	}
	// With nothing added there is nothing to buy: neither order's goods are.
	for _, key := range []string{"third", "fourth"} {
		if got := s.buy(ref, key, paying("tok_visa")); got.status != http.StatusConflict && got.status != http.StatusUnprocessableEntity && got.status != http.StatusBadRequest {
			t.Errorf("%s: %s", key, got)
		}
	}
	if n := s.count(`SELECT count(*) FROM orders WHERE crdb_region = 'us-east' AND status = 'confirmed'`); n != 2 {
		t.Errorf("%d orders are confirmed", n)
	}
}

// A cart that came back from an old backup has heard of none of its orders: it is told of each before it is bought.
func TestACartThatForgotItsOrdersIsToldOfEach(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use")
	for _, key := range []string{"one", "two", "three"} {
		s.add(ref, "APRON")
		if got := s.buy(ref, key, paying("tok_visa")); got.status != http.StatusCreated {
			t.Fatalf("%s", got)
		}
	}
	s.forgetOrders(ref, contract.SKUCount{SKU: "APRON", Quantity: 4})
	got := s.buy(ref, "four", paying("tok_visa"))
	if got.status != http.StatusCreated || got.order(t).Quote.Lines[0].Quantity != 1 {
		t.Errorf("of four, three are bought; the fourth order is %s", got)
	}
}

// However a cart changes while it is bought under many keys, each unit is sold once.
func TestACartThatChangesWhileItIsBoughtIsSoldOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use")
	const buyers = 10
	var group sync.WaitGroup
	for i := range buyers {
		group.Go(func() {
			s.add(ref, "APRON")
			if got, err := s.insist(ref, string(rune('a'+i)), paying("tok_visa")); err != nil {
				t.Errorf("%s: %v", got, err)
			}
		})
	}
	group.Wait()
	s.buy(ref, "rest", paying("tok_visa"))
	var sold int64
	s.mu.Lock()
	defer s.mu.Unlock()
	for saga, hold := range s.holds {
		if s.charges[saga] != 1 {
			t.Errorf("%s is held and charged %d times", saga, s.charges[saga])
		}
		for _, line := range hold.Lines {
			sold += line.Quantity
		}
	}
	if sold != buyers {
		t.Errorf("%d units were put in the cart and %d were sold", buyers, sold)
	}
}
