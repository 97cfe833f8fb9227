package cart

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-store/meridian/contract"
)

// marks tells what a cart says is different, by SKU: the old price and the old band.
type mark struct {
	price int64
	stock contract.Band
}

func wantMarks(t *testing.T, got contract.Cart, want map[string]mark) {
	t.Helper()
	marks := map[string]mark{}
	for _, line := range got.Lines {
		m := mark{price: -1, stock: line.StockWas}
		if line.PriceWas != nil {
			m.price = line.PriceWas.Amount
		}
		if line.PriceWas != nil || line.StockWas != "" {
			marks[line.SKU] = m
		}
	}
	if diff := cmp.Diff(want, marks, cmp.AllowUnexported(mark{})); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
}

const none = -1

func TestAShopperIsToldWhatIsDifferent(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	for _, sku := range []string{"A", "B", "C", "D"} {
		s.add(t, sku, 1)
	}
	wantMarks(t, s.read(t), map[string]mark{})
	s.catalog.set(func(f *fakeCatalog) {
		f.prices["A"], f.prices["B"] = 700, 300
		f.bands["B"], f.bands["C"] = contract.BandOut, contract.BandInStock
		f.unsold["D"] = true
	})
	all := map[string]mark{
		"A": {unitPrice, ""}, "B": {unitPrice, contract.BandLow}, "C": {none, contract.BandLow}, "D": {unitPrice, contract.BandLow},
	}
	for range 2 { // reading does not make it old news
		wantMarks(t, s.read(t), all)
	}
	delete(all, "A")
	got := s.do(t, http.MethodPut, "/api/v1/cart/items/A", map[string]int64{"quantity": 1}) // the same quantity: the shopper has looked at it
	wantMarks(t, got, all)
	wantMarks(t, s.add(t, "E", 1), all)
	if got.Lines[0].UnitPrice.Amount != 700 || got.Subtotal.Amount != 700+300+unitPrice {
		t.Errorf("the price that counts is not today's: %+v", got)
	}
	version := s.read(t).Version
	after := s.do(t, http.MethodPost, "/api/v1/cart/acknowledge", nil)
	delete(all, "B")
	delete(all, "C")
	wantMarks(t, after, map[string]mark{})
	if wantMarks(t, s.read(t), all); after.Version != version {
		t.Errorf("acknowledging made version %d of %d", after.Version, version)
	}
	s.catalog.set(func(f *fakeCatalog) { f.prices["A"] = 701; delete(f.unsold, "D") })
	wantMarks(t, s.read(t), map[string]mark{"A": {700, ""}})
	s.do(t, http.MethodDelete, "/api/v1/cart/items/A", nil)
	wantMarks(t, s.add(t, "A", 1), map[string]mark{}) // shown anew
}

// After a merge and after a loss of Redis there is nothing to compare with; the first read makes it.
func TestWhatWasNeverShownIsNotDifferent(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u, g := s.user(t), &shopper{shop: s}
	u.add(t, "BOTH", 1)
	g.add(t, "BOTH", 1)
	g.add(t, "GUEST", 1)
	s.catalog.set(func(f *fakeCatalog) { f.prices["BOTH"], f.prices["GUEST"] = 700, 700 })
	u.merge(t, g.name)
	wantMarks(t, u.read(t), map[string]mark{"BOTH": {unitPrice, ""}})
	s.catalog.set(func(f *fakeCatalog) { f.prices["GUEST"] = 600 })
	wantMarks(t, u.read(t), map[string]mark{"BOTH": {unitPrice, ""}, "GUEST": {700, ""}})
	s.clock.advance(31 * time.Minute)
	s.waitSaved(t, u.read(t).ID, 1)
	s.wipe(t)
	wantMarks(t, u.read(t), map[string]mark{})
}

// What was shown is told from the cart: it is no change, and neither an event nor a backup holds a price.
func TestWhatWasShownIsKeptApart(t *testing.T) {
	t.Parallel()
	st, redis := openStore(t)
	who := newCart(t, st, "A")
	before := redis.trips.Load()
	c, err := st.putShown(t.Context(), who, "", modeAdd, "A", 1, sighting{amount: 1234567, band: contract.BandLow}.String())
	if err != nil || redis.trips.Load() != before+1 {
		t.Fatalf("%d round trips, %v", redis.trips.Load()-before, err)
	}
	if got := c.seen["A"]; got != (sighting{1234567, contract.BandLow}) {
		t.Errorf("shown %+v", got)
	}
	for _, key := range []string{st.keys.cart(who.id), st.keys.seen(who.id)} {
		left, err := redis.Client.Do(t.Context(), redis.B().Pttl().Key(key).Build()).AsInt64()
		if err != nil || time.Duration(left)*time.Millisecond <= retention-time.Hour {
			t.Errorf("%s lives %d ms, %v", key, left, err)
		}
	}
	fields, err := redis.Client.Do(t.Context(), redis.B().Hgetall().Key(st.keys.cart(who.id)).Build()).AsStrMap()
	if err != nil || len(fields) != 4 { // secret, currency, version, the line
		t.Errorf("the cart holds %v, %v", fields, err)
	}
	if c, err = st.put(t.Context(), who, "", modeSet, "A", 0); err != nil || len(c.seen) != 0 {
		t.Errorf("what was taken out is still shown: %v, %v", c.seen, err)
	}
}

func TestSightingsThatCannotBeReadAreMadeAgain(t *testing.T) {
	t.Parallel()
	got := decodeSeen(map[string]string{"A": "5|low", "B": "x|low", "C": "", "D": "-1|low", "E": "0|out"})
	want := map[string]sighting{"A": {5, contract.BandLow}, "E": {0, contract.BandOut}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sighting{})); diff != "" {
		t.Error(diff)
	}
}
